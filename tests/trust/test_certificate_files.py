"""Certificates in files of others: PKCS #7, PEM under odd labels, EK certificates of NV indices."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.world import (
    NOW,
    authority,
    curve_key,
    forge,
    names,
    openssl,
    pdc,
    raw_extension,
    rsa_key,
    usage,
)

from bootz.trust.asn1 import Asn1Error, encode, encode_oid, encode_sequence
from bootz.trust.certificates import (
    AnchorSet,
    CertificateError,
    fingerprint,
    parse_certificates,
    pem_from_der,
    verify_chain,
)
from bootz.trust.pkcs7 import certificates_in_pkcs7
from bootz.trust.tpm.ek_certificate import MAX_PADDED, read_ek_certificates

REPORTED = Path(__file__).parents[1] / "vectors" / "reported"
ONE, TWO = authority("one", curve_key(1)).der, pdc().der
BAG = pkcs7.serialize_certificates(
    [x509.load_der_x509_certificate(der) for der in (ONE, TWO)], Encoding.DER
)


def armoured(label: str, data: bytes) -> bytes:
    text = base64.encodebytes(data)
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), text, label.encode())


def digests_by_openssl(path: Path, form: str) -> set[str]:
    printed = openssl(
        "pkcs7", "-in", str(path), "-inform", form, "-print_certs", folder=path.parent
    )
    blocks = printed.stdout.split(b"-----END CERTIFICATE-----")[:-1]
    pems = [
        block[block.index(b"-----BEGIN") :] + b"-----END CERTIFICATE-----\n" for block in blocks
    ]
    return {fingerprint(der) for pem in pems for der in parse_certificates(pem)}


@pytest.mark.parametrize(("file", "form"), [("b1.p7b", "DER"), ("b2-pem.p7b", "PEM")])
def test_a_vendors_cas_as_pkcs7_are_those_that_openssl_reads(file: str, form: str) -> None:
    found = parse_certificates((REPORTED / file).read_bytes())
    assert {fingerprint(der) for der in found} == digests_by_openssl(REPORTED / file, form)
    assert len(found) == 2


@pytest.mark.parametrize("label", ["PKCS7", "CMS", "CERTIFICATE"])
def test_pkcs7_under_each_label_that_is_written(label: str) -> None:
    expected = {ONE, TWO}
    assert set(parse_certificates(BAG)) == expected
    assert set(parse_certificates(b"a remark\n" + armoured(label, BAG))) == expected
    assert set(parse_certificates(b"\xef\xbb\xbf" + armoured(label, BAG))) == expected
    # One file may hold both.
    assert parse_certificates(armoured("X509 CERTIFICATE", ONE) + armoured(label, BAG))[0] == ONE


def test_pkcs7_that_is_streamed_or_signs_something(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem_from_der([ONE, TWO]))
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "k.pem", "-out", "s.pem", "-subj", "/CN=s", folder=tmp_path)  # fmt: skip
    signed = openssl(
        "cms", "-sign", "-binary", "-stream", "-indef", "-outform", "DER", "-signer", "s.pem",
        "-inkey", "k.pem", "-certfile", "ca.pem", "-in", "ca.pem", folder=tmp_path,
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    # Indefinite lengths: BER.
    assert signed.stdout[:2] == b"\x30\x80"
    found = parse_certificates(signed.stdout)
    assert (len(found), {ONE, TWO} < set(found)) == (3, True)


@pytest.mark.parametrize(
    "data",
    [
        pkcs7.serialize_certificates([x509.load_der_x509_certificate(ONE)], Encoding.DER)[:-1],
        BAG + b"\0",
        BAG.replace(ONE, ONE[:-1] + b"\0"[: len(ONE)])[:-1],
        bytes.fromhex("301f06092a864886f70d010702a0123010020101310030 0b06092a864886f70d010701"),
        bytes.fromhex("301906092a864886f70d010702a00c300a020101310030003100"),
        armoured("PKCS7", b"\x30\x00"),
        armoured("PRIVATE KEY", BAG),
        armoured("ENCRYPTED PRIVATE KEY", ONE) + armoured("PKCS7", BAG),
    ],
    ids=range(8),
)
def test_what_is_no_whole_bag_of_certificates(data: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        parse_certificates(data)
    assert caught.value.reason == "certificate-malformed"


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(BAG) - 1), st.integers(0, 255)), max_size=3))
def test_a_changed_bag_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(BAG)
    for place, value in changes:
        data[place] = value
    try:
        certificates_in_pkcs7(bytes(data))
    except Asn1Error:
        pass
    try:
        parse_certificates(bytes(data))
    except CertificateError:
        pass


EK = (REPORTED / "e01-plain.der").read_bytes()


def test_the_certificate_of_an_nv_index_is_cut_after_its_end() -> None:
    assert read_ek_certificates(EK) == (EK,)
    assert read_ek_certificates((REPORTED / "e02-pad-ff.der").read_bytes()) == (EK,)
    assert read_ek_certificates(EK + bytes(900)) == (EK,)
    assert read_ek_certificates(EK + b"\xff") == (EK,)


def test_cas_may_stand_behind_it() -> None:
    assert read_ek_certificates(EK + ONE + TWO + b"\xff" * 9) == (EK, ONE, TWO)
    assert read_ek_certificates(pem_from_der([EK, ONE])) == (EK, ONE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        EK[:-1],
        # A version of X.509 that does not exist, which the library refuses in a way of its own.
        EK.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12", 1),
        EK + b"\xff\x00",
        EK + b"\x00\xff",
        EK + b"\x01",
        EK + b"\x30\x00",
        EK + ONE[:-1],
        EK + b"\xff" * (MAX_PADDED + 1 - len(EK)),
        b"\xff" * 1600,
        pem_from_der([EK])[:-30],
        b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----\n",
    ],
    ids=range(12),
)
def test_what_else_stands_behind_it_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        read_ek_certificates(data)
    assert caught.value.reason == "certificate-malformed"


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda tail: EK + tail))
def test_any_bytes_are_an_ek_certificate_or_refused(data: bytes) -> None:
    try:
        found = read_ek_certificates(data)
    except CertificateError:
        return
    assert found[0] == EK


def test_an_ek_certificate_of_the_tcgs_profile_leads_to_its_root() -> None:
    """An empty subject, a critical subjectAltName of a directoryName, an EKU of the TCG's own."""
    root = authority("tpm vendor", rsa_key(4))
    issuing = authority("tpm issuing", curve_key(2), root)
    attributes = names(("2.23.133.2.1", "id:54534700"), ("2.23.133.2.2", "EX9670"))
    ek = forge(
        encode_sequence(),
        rsa_key(5),
        issuing,
        extensions=(
            raw_extension("2.5.29.17", encode_sequence(encode(0xA4, attributes)), critical=True),
            usage(encipher=True),
            raw_extension("2.5.29.37", encode_sequence(encode_oid("2.23.133.8.1"))),
        ),
    )
    roots = AnchorSet.from_der([root.der])
    leaf, *behind = read_ek_certificates(ek.der + issuing.der + b"\xff" * 40)
    assert verify_chain(leaf, behind, roots, now=NOW).anchor == root.der
    with pytest.raises(CertificateError) as caught:
        verify_chain(leaf, (), roots, now=NOW)
    assert caught.value.reason == "certificate-untrusted"
