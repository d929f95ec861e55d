"""The owner certificate: every proven relation to the pinned certificate, and the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trust import cms_forge
from trust.world import (
    DAY,
    NOW,
    SHA1_RSA,
    Made,
    at,
    authority,
    constraints,
    forge,
    p384,
    pdc,
    rsa_key,
    usage,
    vendor,
)

from bootz.model.artifacts import OwnershipVoucher
from bootz.trust.asn1 import encode
from bootz.trust.owner import (
    OwnerCertificateError,
    build_owner_certificate,
    verify_owner_certificate,
)
from bootz.trust.signature import scheme_for, sign_with


def voucher_for(pinned: Made, **changes: object) -> OwnershipVoucher:
    return vendor().voucher(pinned.der, **changes)


def owner(issuer: Made | None = None, **how: object) -> Made:
    return forge("owner", how.pop("key", rsa_key(4)), issuer or pdc(), **how)  # type: ignore[arg-type]


def build(made: Made, *between: Made) -> bytes:
    return build_owner_certificate(
        made.der,
        [each.der for each in between],
        scheme=scheme_for(made.key.public_key()),
        sign=sign_with(made.signer),
        signing_time=NOW,
    ).cms


SUB = forge("sub", rsa_key(5), pdc(), extensions=(constraints(), usage(certify=True)))
FOREIGN = authority("foreign", rsa_key(6))
BY_FOREIGN = forge("owner", rsa_key(4), FOREIGN)
BARE = forge("owner", rsa_key(4))
SELF = forge("owner", rsa_key(4), extensions=(constraints(ca=False), usage(sign=True)))

RELATIONS = {
    "the PDC issued it": (owner(), [], pdc(), 0),
    "a subordinate CA is pinned": (owner(SUB), [], SUB, 0),
    "through an intermediate": (owner(SUB), [SUB], pdc(), 1),
    "it is the PDC": (BARE, [], BARE, 0),
    "it is the PDC, with extensions": (SELF, [], SELF, 0),
    "it is the PDC, of a foreign CA": (BY_FOREIGN, [], BY_FOREIGN, 0),
    "P-384": (owner(key=p384(3)), [], pdc(), 0),
    "a stranger next to it": (owner(), [FOREIGN], pdc(), 0),
    "no digitalSignature": (owner(extensions=(usage(encipher=True),)), [], pdc(), 0),
}


@pytest.mark.parametrize(("made", "between", "pinned", "count"), RELATIONS.values(), ids=RELATIONS)
def test_an_owner_that_the_voucher_vouches_for(
    made: Made, between: list[Made], pinned: Made, count: int
) -> None:
    verified = verify_owner_certificate(build(made, *between), voucher_for(pinned), now=NOW)
    assert verified.certificate == made.der
    assert len(verified.intermediates) == count


def test_what_is_built_has_empty_content_and_not_the_pdc() -> None:
    cms = build(owner(SUB), SUB)
    assert b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x02\x04\x00" in cms
    assert owner(SUB).der + SUB.der in cms
    assert pdc().der not in cms


def test_the_signer_counts_wherever_it_stands_in_the_bag() -> None:
    made = BARE
    info = cms_forge.Signer(made, content=b"").build()
    for bag in ([pdc().der, made.der], [made.der, pdc().der]):
        cms = cms_forge.build([info], bag, content=b"")
        assert verify_owner_certificate(cms, voucher_for(BARE), now=NOW).certificate == made.der
        with pytest.raises(OwnerCertificateError) as caught:
            verify_owner_certificate(cms, voucher_for(pdc()), now=NOW)
        assert caught.value.reason == "oc-not-under-pdc"


def test_content_may_be_absent() -> None:
    info = cms_forge.Signer(BARE, content=b"").build()
    verify_owner_certificate(
        cms_forge.build([info], [BARE.der], content=None), voucher_for(BARE), now=NOW
    )


LATE = owner(end=at(NOW - DAY / 2))
EARLY = owner(start=at(NOW + DAY / 2))
NO_CA = forge("Owner PDC", rsa_key(3))
OLD_PDC = forge("Owner PDC", rsa_key(3), extensions=(constraints(),), end=at(NOW - DAY / 2))
OTHER_KEY = authority("Owner PDC", rsa_key(7))
REFUSED = {
    "foreign": (BY_FOREIGN, [FOREIGN], pdc(), "oc-not-under-pdc"),
    "the vendor's signer": (vendor().signer, [vendor().root], pdc(), "oc-not-under-pdc"),
    "self-signed": (BARE, [], pdc(), "oc-not-under-pdc"),
    "intermediate missing": (owner(SUB), [], pdc(), "oc-not-under-pdc"),
    "the PDC is not a CA": (owner(), [], NO_CA, "oc-not-under-pdc"),
    "same name, other key": (owner(), [], OTHER_KEY, "oc-not-under-pdc"),
    "expired": (LATE, [], pdc(), "oc-expired"),
    "in the future": (EARLY, [], pdc(), "oc-expired"),
    "the PDC expired": (owner(), [], OLD_PDC, "oc-expired"),
}


@pytest.mark.parametrize(("made", "between", "pinned", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_owner_that_the_voucher_does_not_vouch_for(
    made: Made, between: list[Made], pinned: Made, reason: str
) -> None:
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(build(made, *between), voucher_for(pinned), now=NOW)
    assert caught.value.reason == reason


def test_the_time_without_a_clock_is_that_of_the_signature() -> None:
    cms = build(owner(end=at(NOW + DAY)))
    verify_owner_certificate(cms, voucher_for(pdc()), now=None)
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(cms, voucher_for(pdc()), now=NOW + 2 * DAY)
    assert caught.value.reason == "oc-expired"
    attributes = [cms_forge.content_type(), cms_forge.message_digest(b"")]
    info = cms_forge.Signer(LATE_ROOT, content=b"", attributes=attributes).build()
    timeless = cms_forge.build([info], [LATE_ROOT.der], content=b"")
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(timeless, voucher_for(LATE_ROOT), now=None)
    assert caught.value.reason == "oc-expired"


def test_without_any_time_nothing_can_be_judged() -> None:
    attributes = [cms_forge.content_type(), cms_forge.message_digest(b"")]
    info = cms_forge.Signer(BARE, content=b"", attributes=attributes).build()
    timeless = cms_forge.build([info], BAG, content=b"")
    voucher = voucher_for(BARE)
    content = replace(voucher.content, created_on=None)
    verify_owner_certificate(timeless, replace(voucher, signing_time=None), now=None)
    verify_owner_certificate(timeless, replace(voucher, content=content), now=None)
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(
            timeless, replace(voucher, signing_time=None, content=content), now=None
        )
    assert caught.value.reason == "oc-not-under-pdc"


LATE_ROOT = forge("late", rsa_key(4), end=at(NOW - timedelta(hours=1)))


def test_revocation_that_must_be_checked_and_cannot_be() -> None:
    for checks in (None, False):
        verify_owner_certificate(
            build(owner()), voucher_for(pdc(), revocation_checks=checks), now=NOW
        )
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(
            build(owner()), voucher_for(pdc(), revocation_checks=True), now=NOW
        )
    assert caught.value.reason == "oc-revoked"


def signed(**how: object) -> bytes:
    how = {"content": b"", **how}
    return cms_forge.Signer(BARE, **how).build()  # type: ignore[arg-type]


BAG = [BARE.der]
ANIMA = "1.2.840.113549.1.9.16.1.40"
MALFORMED = {
    "nothing": (b"", "oc-malformed"),
    "a byte behind it": (build(BARE) + b"\0", "oc-malformed"),
    "content": (cms_forge.build([signed(content=b"x")], BAG, content=b"x"), "oc-malformed"),
    "two signers": (cms_forge.build([signed(), signed()], BAG, content=b""), "oc-malformed"),
    "a signer that is not inside": (
        cms_forge.build([signed()], [pdc().der], content=b""),
        "oc-malformed",
    ),
    "another content type": (
        cms_forge.build(
            [signed(attributes=[cms_forge.content_type(ANIMA), cms_forge.message_digest(b"")])],
            BAG,
            content=b"",
            econtent_type=ANIMA,
            version=3,
        ),
        "oc-malformed",
    ),
    "signed with another key": (
        cms_forge.build([signed(sign=sign_with(rsa_key(5)))], BAG, content=b""),
        "oc-bad-signature",
    ),
    "a digest of something": (
        cms_forge.build(
            [signed(attributes=[cms_forge.content_type(), cms_forge.message_digest(b"x")])],
            BAG,
            content=b"",
        ),
        "oc-bad-signature",
    ),
    "SHA-1": (
        cms_forge.build([signed(algorithm=SHA1_RSA)], BAG, content=b""),
        "oc-algorithm-unsupported",
    ),
    "too long": (encode(0x30, bytes(1 << 20)), "oc-malformed"),
}


@pytest.mark.parametrize(("cms", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_cms_that_is_no_owner_certificate(cms: bytes, reason: str) -> None:
    with pytest.raises(OwnerCertificateError) as caught:
        verify_owner_certificate(cms, voucher_for(BARE), now=NOW)
    assert (caught.value.reason, caught.value.where) == (reason, "ownership_certificate")


@given(st.binary(max_size=100))
def test_any_bytes_are_an_owner_certificate_or_refused(data: bytes) -> None:
    with pytest.raises(OwnerCertificateError):
        verify_owner_certificate(data, VOUCHER, now=NOW)


VOUCHER = voucher_for(pdc())
