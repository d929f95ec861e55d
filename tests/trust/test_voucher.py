"""The voucher: issued, verified, checked for a card; and every lie that must not pass."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from trust import cms_forge
from trust.world import (
    DAY,
    NOW,
    Made,
    at,
    authority,
    content,
    extension,
    forge,
    pdc,
    rsa_key,
    usage,
    vendor,
)

from bootz.errors import TrustError
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.asn1 import encode
from bootz.trust.certificates import AnchorSet, VendorCAs, authority_key_identifier
from bootz.trust.cms import build_signed_data, parse_signed_data
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import (
    EContentType,
    RouterCard,
    VoucherError,
    parse_unverified_voucher,
    verify_for_owner,
    verify_for_router,
    verify_voucher,
)
from bootz.trust.voucher_content import write_content

ANIMA = "1.2.840.113549.1.9.16.1.40"
ID_DATA = "1.2.840.113549.1.7.1"
VERIFIED = frozenset({Assertion.VERIFIED})
PDC64 = base64.b64encode(pdc().der).decode()


def wrap(
    data: bytes | None, *, oid: str = ANIMA, signer: Made | None = None, time: datetime = NOW
) -> bytes:
    signer = signer or vendor().signer
    return build_signed_data(
        content=data,
        content_type=oid,
        signer_certificate=signer.der,
        intermediates=[vendor().root.der],
        scheme=scheme_for(signer.key.public_key()),
        sign=sign_with(signer.signer),
        signing_time=time,
    )


def leaves(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "created-on": "2026-05-04T12:00:00.000Z",
        "expires-on": "2026-06-04T12:00:00Z",
        "assertion": "verified",
        "serial-number": "FOC1234ABCD",
        "pinned-domain-cert": PDC64,
    }
    values.update({key.replace("_", "-"): value for key, value in changes.items()})
    return {key: value for key, value in values.items() if value is not None}


def as_json(**changes: object) -> bytes:
    return json.dumps({"ietf-voucher:voucher": leaves(**changes)}).encode()


def as_xml(root: str = "voucher", **changes: object) -> bytes:
    inner = "".join(f"<{key}>{value}</{key}>\n" for key, value in leaves(**changes).items())
    return f"<{root} xmlns='urn:ietf:params:xml:ns:yang:ietf-voucher'>{inner}</{root}>".encode()


@pytest.mark.parametrize("econtent_type", ["anima-json", "pkcs7-data"])
def test_what_is_issued_verifies(econtent_type: EContentType) -> None:
    full = content(
        pdc().der,
        created_on=NOW + timedelta(microseconds=417_005),
        idevid_issuer=b"\x01\xff",
        revocation_checks=False,
        last_renewal_date=NOW + 300 * DAY,
    )
    cms = vendor().issue(full, econtent_type=econtent_type)
    voucher = verify_voucher(cms, vendor().anchors, now=NOW)
    assert voucher.content == full == parse_unverified_voucher(cms)
    assert (voucher.raw, voucher.signer) == (cms, vendor().signer.der)
    assert (voucher.anchor, voucher.signing_time) == (vendor().root.der, NOW)
    assert (voucher.encoding, voucher.warnings) == ("json", ())


def test_what_is_written_is_plain_json() -> None:
    cms = vendor().issue(content(pdc().der, created_on=None, revocation_checks=True))
    text = parse_signed_data(cms).content
    assert text == (
        b'{"ietf-voucher:voucher":{"created-on":"2026-05-04T12:00:00.000Z",'
        b'"expires-on":"2026-06-03T12:00:00Z","assertion":"verified",'
        b'"serial-number":"FOC1234ABCD","pinned-domain-cert":"' + PDC64.encode() + b'",'
        b'"domain-cert-revocation-checks":true}}'
    )


def test_content_without_the_time_of_its_making_is_a_defect_of_the_caller() -> None:
    with pytest.raises(RuntimeError):
        write_content(content(pdc().der, created_on=None))


def as_router(
    claims: VoucherContent,
    *,
    serial: str = "FOC1234ABCD",
    idevid: bytes | None = None,
    now: datetime | None = NOW,
    accepted: frozenset[Assertion] = VERIFIED,
) -> tuple[str, ...]:
    return verify_for_router(
        vendor().issue(claims),
        RouterCard(serial, vendor().anchors, idevid),
        accepted,
        now=now,
    ).warnings


def as_owner(
    claims: VoucherContent,
    *,
    serial: str | None = "FOC1234ABCD",
    pinned: bytes | None = None,
    now: datetime = NOW,
    accepted: frozenset[Assertion] = VERIFIED,
) -> tuple[str, ...]:
    return verify_for_owner(
        vendor().issue(claims),
        vendor().anchors,
        serial_number=serial,
        pinned_domain_cert=pinned or pdc().der,
        accepted=accepted,
        now=now,
    ).warnings


TOLERATED = {
    "unknown members": (as_json(XMLName={"Space": "", "Local": ""}), "unknown"),
    "a boolean as text": (as_json(domain_cert_revocation_checks="false"), "not a boolean"),
    "no created-on": (as_json(created_on=None), "created-on is missing"),
    "offset and nine digits": (as_json(created_on="2026-05-04T14:00:00.123456789+02:00"), ""),
    "unpadded base64": (as_json(pinned_domain_cert=PDC64.rstrip("=")), ""),
    "base64url": (
        as_json(pinned_domain_cert=base64.urlsafe_b64encode(pdc().der).decode()),
        "",
    ),
    "line breaks": (as_json(pinned_domain_cert=PDC64[:64] + "\r\n" + PDC64[64:]), ""),
    "centuries ahead": (as_json(expires_on="3025-01-01T00:00:00Z"), "century"),
    "later than the PDC": (as_json(expires_on="2027-06-01T00:00:00Z"), "after the expiry"),
    "unlimited": (as_json(expires_on=None), "never expires"),
    "renewal without end": (
        as_json(expires_on=None, last_renewal_date="2027-01-01T00:00:00Z"),
        "is ignored",
    ),
    "XML": (as_xml(domain_cert_revocation_checks="false"), ""),
    "XML without namespace": (as_xml().replace(b" xmlns=", b" x="), ""),
    "XML after blanks": (b"\r\n <?xml version='1.0'?>" + as_xml(), ""),
}


@pytest.mark.parametrize(("data", "warning"), TOLERATED.values(), ids=TOLERATED)
@pytest.mark.parametrize("oid", [ANIMA, ID_DATA])
def test_quirks_that_are_tolerated_and_told(data: bytes, warning: str, oid: str) -> None:
    voucher = verify_voucher(wrap(data, oid=oid), vendor().anchors, now=NOW)
    assert voucher.content.serial_number == "FOC1234ABCD"
    assert voucher.content.pinned_domain_cert == pdc().der
    assert voucher.encoding == ("xml" if b"</voucher>" in data else "json")
    assert bool(voucher.warnings) is bool(warning)
    assert warning in "".join(voucher.warnings)


def test_offsets_and_fractions_are_understood() -> None:
    data = as_json(created_on="2026-05-04T14:00:00.123456789+02:00")
    voucher = verify_voucher(wrap(data), vendor().anchors, now=NOW)
    assert voucher.content.created_on == datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
    xml = as_xml(domain_cert_revocation_checks="true")
    assert verify_voucher(wrap(xml), vendor().anchors, now=NOW).content.revocation_checks is True


ENTITY = b"<!DOCTYPE voucher [<!ENTITY a 'b'>]>"
CONTENT = {
    "empty": b"",
    "no JSON": b"voucher",
    "a list": b"[]",
    "no container": json.dumps(leaves()).encode(),
    "two containers": as_json().replace(b"{", b'{"x":1,', 1),
    "a request's container": as_json().replace(b"ietf-voucher:", b"ietf-voucher-request:"),
    "container no object": b'{"ietf-voucher:voucher":[]}',
    "a key twice": as_json().replace(b'"assertion"', b'"assertion": "logged", "assertion"'),
    "NaN": as_json(x=1).replace(b": 1}", b": NaN}"),
    "byte order mark": b"\xef\xbb\xbf" + as_json(),
    "invalid UTF-8": as_json().replace(b"FOC", b"\xff"),
    "brackets without end": b"[" * 30000,
    "digits without end": as_json(x=1).replace(b": 1}", b": " + b"1" * 5000 + b"}"),
    "no serial number": as_json(serial_number=None),
    "empty serial number": as_json(serial_number=""),
    "serial number a number": as_json(serial_number=5),
    "serial number with a line break": as_json(serial_number="A\nB"),
    "serial number of a surrogate": as_json(serial_number="\ud800"),
    "no assertion": as_json(assertion=None),
    "date without zone": as_json(expires_on="2026-06-04T12:00:00"),
    "date that is none": as_json(expires_on="2026-02-30T12:00:00Z"),
    "date before time": as_json(created_on="0001-01-01T00:00:00+01:00"),
    "offset of a day": as_json(created_on="2026-05-04T12:00:00+24:00"),
    "date a number": as_json(created_on=1777896000),
    "date in other digits": as_json(created_on="२०२६-05-04T12:00:00Z"),
    "boolean that is none": as_json(domain_cert_revocation_checks="no"),
    "nonce": as_json(nonce="AAAAAAAAAAA="),
    "nonce without end": as_json(nonce="AAAAAAAAAAA=", expires_on=None),
    "issuer empty": as_json(idevid_issuer=""),
    "issuer no base64": as_json(idevid_issuer="!"),
    "XML with a document type": ENTITY + as_xml(),
    "XML with an entity": b"<!DOCTYPE v [<!ENTITY a 'a'>]>" + as_xml(assertion="&a;"),
    "XML that is none": as_xml()[:-3],
    "XML in UTF-16": as_xml().decode().encode("utf-16"),
    "XML of another root": as_xml("vouchers"),
    "XML with a leaf twice": as_xml().replace(
        b"<assertion>", b"<assertion>logged</assertion><assertion>"
    ),
    "XML in several encodings": b"<?xml version='1.0' encoding='x'?>\xff" + as_xml(),
}


@pytest.mark.parametrize("data", CONTENT.values(), ids=CONTENT)
def test_content_that_is_none(data: bytes) -> None:
    for oid in (ANIMA, ID_DATA):
        with pytest.raises(VoucherError) as caught:
            verify_voucher(wrap(data, oid=oid), vendor().anchors, now=NOW)
        assert caught.value.reason == "ov-content"


@pytest.mark.parametrize(
    "data",
    [
        as_json(pinned_domain_cert=None),
        as_json(pinned_domain_cert=""),
        as_json(pinned_domain_cert="AAAA"),
        as_json(pinned_domain_cert="!" + PDC64),
        as_json(pinned_domain_cert=base64.b64encode(pdc().der + b"\0").decode()),
        as_xml(pinned_domain_cert="0\ufffd\ufffd\x09W0\ufffd"),
    ],
    ids=range(6),
)
def test_a_voucher_without_a_usable_certificate(data: bytes) -> None:
    with pytest.raises(VoucherError) as caught:
        verify_voucher(wrap(data), vendor().anchors, now=NOW)
    assert caught.value.reason == "ov-no-pdc"


def test_a_word_for_the_assertion_that_is_not_known() -> None:
    with pytest.raises(VoucherError) as caught:
        verify_voucher(wrap(as_json(assertion="agent-proximity")), vendor().anchors, now=NOW)
    assert caught.value.reason == "ov-assertion"


GOOD = vendor().issue(content(pdc().der))


@pytest.mark.parametrize(
    ("cms", "reason"),
    [
        (b"", "ov-malformed"),
        (GOOD[:-1], "ov-malformed"),
        (GOOD + b"\n", "ov-malformed"),
        (base64.b64encode(GOOD), "ov-malformed"),
        (b"-----BEGIN CMS-----\n" + base64.b64encode(GOOD), "ov-malformed"),
        (wrap(as_json(XMLName="x" * (64 << 10))), "ov-malformed"),
        (wrap(None), "ov-malformed"),
        (wrap(as_json(), oid="1.2.840.113549.1.9.16.1.24"), "ov-malformed"),
        (GOOD.replace(b"FOC1234ABCD", b"FOC1234ABCE"), "ov-bad-signature"),
    ],
    ids=range(9),
)
def test_a_cms_that_is_no_voucher(cms: bytes, reason: str) -> None:
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, vendor().anchors, now=NOW)
    assert caught.value.reason == reason
    if reason == "ov-malformed":
        with pytest.raises(VoucherError):
            parse_unverified_voucher(cms)


def signer(**how: object) -> Made:
    return forge("Signer", rsa_key(4), how.pop("issuer", vendor().root), **how)  # type: ignore[arg-type]


UNTRUSTED = {
    "its own root": authority("Vendor root", rsa_key(4)),
    "a twin of the root": signer(issuer=authority("Vendor root", rsa_key(5))),
    "keyUsage without digitalSignature": signer(extensions=(usage(encipher=True),)),
}


@pytest.mark.parametrize("made", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_signer_that_does_not_count(made: Made) -> None:
    with pytest.raises(VoucherError) as caught:
        verify_voucher(wrap(as_json(), signer=made), vendor().anchors, now=NOW)
    assert caught.value.reason == "ov-untrusted-signer"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (signer(end=at(NOW - DAY / 2)), "ov-signer-expired"),
        (signer(start=at(NOW + DAY / 2)), "ov-signer-not-yet-valid"),
    ],
    ids=["expired", "not yet valid"],
)
def test_a_signer_of_the_vendor_out_of_its_dates(made: Made, reason: str) -> None:
    with pytest.raises(VoucherError) as caught:
        verify_voucher(wrap(as_json(), signer=made), vendor().anchors, now=NOW)
    assert caught.value.reason == reason
    # Under a CA that only has the vendor's name, the dates say nothing.
    foreign = VendorCAs(AnchorSet.from_der([authority("Vendor root", rsa_key(5)).der]))
    with pytest.raises(VoucherError) as caught:
        verify_voucher(wrap(as_json(), signer=made), foreign, now=NOW)
    assert caught.value.reason == "ov-untrusted-signer"


def test_signers_that_count_without_an_extended_key_usage_or_with_one() -> None:
    tls = extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]))
    for made in (signer(), signer(extensions=(tls, usage(sign=True)))):
        verify_voucher(wrap(as_json(), signer=made), vendor().anchors, now=NOW)
    root = forge("Root", rsa_key(6), extensions=(usage(sign=True, certify=True),))
    own = VendorCAs(AnchorSet.from_der([root.der]))
    assert verify_voucher(wrap(as_json(), signer=root), own, now=NOW).anchor == root.der


def test_a_signer_that_has_ended_since_it_signed_does_not_count() -> None:
    short = signer(end=at(NOW + DAY))
    cms = wrap(as_json(), signer=short)
    assert verify_voucher(cms, vendor().anchors, now=NOW + DAY / 2).signing_time == NOW
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, vendor().anchors, now=NOW + 2 * DAY)
    assert caught.value.reason == "ov-signer-expired"
    assert "certificate-expired" in caught.value.seen


def test_a_signer_that_began_after_it_signed_counts_now() -> None:
    late = signer(start=at(NOW + DAY))
    cms = wrap(as_json(), signer=late)
    assert verify_voucher(cms, vendor().anchors, now=NOW + 2 * DAY).signing_time == NOW
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, vendor().anchors, now=None)
    assert caught.value.reason == "ov-signer-not-yet-valid"


def test_without_a_clock_the_signing_time_counts_and_no_date_of_the_voucher() -> None:
    short = signer(end=at(NOW + DAY))
    cms = wrap(as_json(expires_on="2026-05-04T12:00:01Z"), signer=short)
    assert verify_voucher(cms, vendor().anchors, now=None).signing_time == NOW
    late = wrap(as_json(), signer=short, time=NOW + 2 * DAY)
    with pytest.raises(VoucherError) as caught:
        verify_voucher(late, vendor().anchors, now=None)
    assert caught.value.reason == "ov-signer-expired"


def test_without_clock_and_signing_time_created_on_counts() -> None:
    maker = forge("Maker", rsa_key(6), extensions=(usage(sign=True, certify=True),))
    own = VendorCAs(AnchorSet.from_der([maker.der]))

    def sealed(data: bytes) -> bytes:
        attributes = [cms_forge.content_type(), cms_forge.message_digest(data)]
        info = cms_forge.Signer(maker, content=data, attributes=attributes).build()
        return cms_forge.build([info], [maker.der], content=data)

    assert verify_voucher(sealed(as_json()), own, now=None).signing_time is None
    for data, reason in (
        (as_json(created_on=None), "ov-untrusted-signer"),
        (as_json(created_on="2020-01-01T00:00:00Z"), "ov-signer-not-yet-valid"),
    ):
        with pytest.raises(VoucherError) as caught:
            verify_voucher(sealed(data), own, now=None)
        assert caught.value.reason == reason


def test_of_several_signers_one_that_counts_is_enough() -> None:
    data = as_json()
    attributes = [cms_forge.content_type(), cms_forge.message_digest(data)]
    maker = forge("Maker", rsa_key(6), extensions=(usage(sign=True, certify=True),))
    stranger = forge("Stranger", rsa_key(5))
    infos = [
        cms_forge.Signer(each, content=data, attributes=attributes).build()
        for each in (stranger, maker)
    ]
    cms = cms_forge.build(infos, [stranger.der, maker.der], content=data)
    own = VendorCAs(AnchorSet.from_der([maker.der]))
    assert verify_voucher(cms, own, now=NOW).signer == maker.der
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, vendor().anchors, now=NOW)
    assert caught.value.reason == "ov-untrusted-signer"


def test_the_dates_of_a_voucher() -> None:
    skew = timedelta(minutes=5)
    early = vendor().issue(content(pdc().der, created_on=NOW + skew))
    verify_voucher(early, vendor().anchors, now=NOW)
    with pytest.raises(VoucherError) as caught:
        verify_voucher(early, vendor().anchors, now=NOW - timedelta(seconds=1))
    assert caught.value.reason == "ov-not-yet-valid"
    end = NOW + DAY
    short = content(pdc().der, expires_on=end)
    before = end - timedelta(seconds=1)
    assert as_router(short, now=before) == as_router(short, now=None) == ()
    assert as_owner(short, now=before) == ()
    for refuse in (
        lambda: verify_voucher(vendor().issue(short), vendor().anchors, now=end),
        lambda: as_router(short, now=end),
        lambda: as_owner(short, now=end),
    ):
        with pytest.raises(VoucherError) as caught:
            refuse()
        assert caught.value.reason == "ov-expired"


AKI = x509.AuthorityKeyIdentifier(bytes(range(20)), None, None)
IDEVID = forge("idevid", rsa_key(5), extensions=(extension(AKI),)).der
FORM_B = authority_key_identifier(IDEVID) or b""
LOGGED = frozenset({Assertion.LOGGED})
Claims = Callable[[], tuple[str, ...]]


def claim(**changes: object) -> VoucherContent:
    return content(pdc().der, **changes)


NOT_FOR_US = [
    ("ov-wrong-serial", lambda: as_router(claim(), serial="FOC1234ABCE")),
    ("ov-wrong-serial", lambda: as_router(claim(), serial="foc1234abcd")),
    ("ov-wrong-serial", lambda: as_router(claim(), serial="FOC1234ABCD ")),
    ("ov-wrong-serial", lambda: as_owner(claim(), serial="FOC1234ABCE")),
    ("ov-wrong-issuer", lambda: as_router(claim(idevid_issuer=b"x" * 20), idevid=IDEVID)),
    ("ov-wrong-issuer", lambda: as_router(claim(idevid_issuer=b"\x30\0"), idevid=IDEVID)),
    ("ov-wrong-issuer", lambda: as_router(claim(idevid_issuer=FORM_B), idevid=pdc().der)),
    ("ov-assertion", lambda: as_router(claim(assertion=Assertion.LOGGED))),
    ("ov-assertion", lambda: as_router(claim(), accepted=LOGGED)),
    ("ov-assertion", lambda: as_owner(claim(assertion=Assertion.LOGGED))),
    ("ov-pins-other", lambda: as_owner(claim(), pinned=vendor().root.der)),
]


@pytest.mark.parametrize("refuse", NOT_FOR_US, ids=range(len(NOT_FOR_US)))
def test_a_voucher_that_is_not_for_this_card_or_owner(refuse: tuple[str, Claims]) -> None:
    reason, attempt = refuse
    with pytest.raises(VoucherError) as caught:
        attempt()
    assert caught.value.reason == reason


def test_a_voucher_that_is_for_this_card_and_owner() -> None:
    for form in (AKI.key_identifier, FORM_B, encode(4, FORM_B)):
        assert as_router(claim(idevid_issuer=form), idevid=IDEVID) == ()
    assert "not compared" in as_router(claim(idevid_issuer=FORM_B))[0]
    assert as_router(claim(assertion=Assertion.LOGGED), accepted=LOGGED | VERIFIED) == ()
    for serial in ("FOC1234ABCD", " foc1234abcd", None):
        assert as_owner(claim(), serial=serial) == ()
    assert "not compared" in as_owner(claim(idevid_issuer=FORM_B))[0]
    assert as_owner(claim(assertion=Assertion.LOGGED), accepted=LOGGED | VERIFIED) == ()
    for unlimited in (as_router(claim(expires_on=None)), as_owner(claim(expires_on=None))):
        assert not any("compared" in warning for warning in unlimited)


def test_no_check_of_a_role_can_be_left_out() -> None:
    for role in (verify_for_router, verify_for_owner):
        arguments = inspect.signature(role).parameters.values()
        assert all(argument.default is inspect.Parameter.empty for argument in arguments)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
names = st.sampled_from([*leaves(), "nonce", "idevid-issuer", "last-renewal-date", "x"])


@settings(max_examples=150)
@given(st.dictionaries(names, json_values, max_size=4))
def test_any_leaves_are_a_voucher_or_refused(changes: dict[str, object]) -> None:
    data = json.dumps({"ietf-voucher:voucher": {**leaves(), **changes}}).encode()
    try:
        read = parse_unverified_voucher(wrap_unsigned(data))
    except VoucherError:
        return
    assert read.serial_number
    assert "nonce" not in changes


@given(
    st.binary(max_size=100)
    | st.text(max_size=60).map(lambda text: f"<{text}".encode("utf-8", "replace"))
)
def test_any_content_is_a_voucher_or_refused(data: bytes) -> None:
    with pytest.raises(VoucherError):
        parse_unverified_voucher(wrap_unsigned(data))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_voucher_or_refused(data: bytes) -> None:
    for attempt in (
        lambda: parse_unverified_voucher(data),
        lambda: verify_voucher(data, vendor().anchors, now=NOW),
    ):
        with pytest.raises(TrustError):
            attempt()


def wrap_unsigned(data: bytes) -> bytes:
    info = cms_forge.Signer(vendor().root, content=data, sign=lambda _: b"x").build()
    return cms_forge.build([info], [], content=data)
