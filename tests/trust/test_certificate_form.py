"""What a single certificate says: form, serial number, identity, key identifiers."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st
from trust.world import (
    constraints,
    curve_key,
    extension,
    forge,
    name,
    names,
    pdc,
    raw_extension,
    rsa_key,
)

from bootz.trust.asn1 import encode, encode_oid, encode_sequence
from bootz.trust.certificates import (
    CertificateError,
    authority_key_identifier,
    fingerprint,
    idevid_serial_number,
    load_certificate,
    parse_certificates,
    parse_identity_certificate,
    pem_from_der,
    spki_fingerprint,
)

SERIAL = "2.5.4.5"
LEAF = forge("leaf", curve_key(5))
SN = "2.5.4.5"
CN = "2.5.4.3"


def serial_of(subject: bytes) -> str:
    return idevid_serial_number(load_certificate(forge(subject, curve_key(5)).der))


@pytest.mark.parametrize(
    ("attributes", "serial"),
    [
        ([(SN, "FOC1234ABCD")], "FOC1234ABCD"),
        ([(SN, "PID:8201-SYS SN:FOC1234ABCD")], "FOC1234ABCD"),
        ([(SN, "PID:8201-SYS SN: FOC1234ABCD ")], "FOC1234ABCD"),
        ([(SN, "first"), (CN, "x"), (SN, "last")], "last"),
        ([(SN, "  foc1  ")], "foc1"),
        ([(SN, "sn:foc1")], "sn:foc1"),
        ([(SN, "a_b")], "a_b"),
    ],
)
def test_the_serial_number(attributes: list[tuple[str, str]], serial: str) -> None:
    assert serial_of(names(*attributes)) == serial


@pytest.mark.parametrize("tag", [0x0C, 0x13, 0x14, 0x16])
def test_the_serial_number_in_any_string_type(tag: int) -> None:
    assert serial_of(name("x", serial="PID:A SN:FOC1", serial_tag=tag)) == "FOC1"


def test_the_serial_number_in_an_rdn_of_several_values() -> None:
    both = [
        encode_sequence(encode_oid(oid), encode(0x0C, text))
        for oid, text in ((CN, b"x"), (SN, b"S1"))
    ]
    assert serial_of(encode_sequence(encode(0x31, b"".join(sorted(both))))) == "S1"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ([(CN, "FOC1")], "certificate-serial-missing"),
        ([(SN, "PID:A SN:")], "certificate-serial-missing"),
        ([(SN, "   ")], "certificate-serial-missing"),
        ([(SN, "FOC1"), (SN, " ")], "certificate-serial-missing"),
        ([(SN, "SN:A SN:B")], "certificate-serial-ambiguous"),
        ([(SN, "A\nB")], "certificate-serial-ambiguous"),
    ],
)
def test_a_serial_number_that_is_none(attributes: list[tuple[str, str]], reason: str) -> None:
    with pytest.raises(CertificateError) as caught:
        serial_of(names(*attributes))
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", [b"SHPS13", "SHPS-é".encode(), b"\xff\x00\x01"])
def test_a_serial_number_only_in_the_hardware_module_name_is_said(number: bytes) -> None:
    value = encode_sequence(encode_oid("1.3.6.1.4.1.9.1"), encode(0x04, number))
    other = encode(0xA0, encode_oid("1.3.6.1.5.5.7.8.4") + encode(0xA0, value))
    san = raw_extension("2.5.29.17", encode_sequence(other))
    made = forge(names((CN, "EX-8000")), curve_key(5), extensions=(san,))
    with pytest.raises(CertificateError) as caught:
        idevid_serial_number(load_certificate(made.der))
    assert caught.value.reason == "certificate-serial-missing"
    shown = number.decode("utf-8", "backslashreplace")
    assert caught.value.seen.startswith(f"none; {shown!r} in the hardwareModuleName")
    # Beside one in the subject it is not looked at.
    both = forge(names((SN, "FOC1")), curve_key(5), extensions=(san,))
    assert idevid_serial_number(load_certificate(both.der)) == "FOC1"


@pytest.mark.parametrize("value", [b"", b"\x30\x00", b"\x04\x01x", b"\x30\x03\x06\x01\x2a"])
def test_a_hardware_module_name_that_is_none(value: bytes) -> None:
    other = encode(0xA0, encode_oid("1.3.6.1.5.5.7.8.4") + encode(0xA0, value or b"\x05\x00"))
    san = raw_extension("2.5.29.17", encode_sequence(other))
    made = forge(names((CN, "EX-8000")), curve_key(5), extensions=(san,))
    with pytest.raises(CertificateError) as caught:
        idevid_serial_number(load_certificate(made.der))
    assert (caught.value.reason, caught.value.seen) == ("certificate-serial-missing", "none")


MALFORMED = {
    "nothing": b"",
    "too few fields": bytes.fromhex("30023000"),
    "cut": LEAF.der[:-1],
    "a byte behind it": LEAF.der + b"\0",
    "'_' in a PrintableString": forge(name("a_b", tag=0x13), curve_key(5)).der,
    "an extension twice": forge("x", curve_key(5), extensions=(constraints(), constraints())).der,
    "a broken extension": forge(
        "x", curve_key(5), extensions=(raw_extension("2.5.29.19", b"\x30"),)
    ).der,
    "another kind of key": LEAF.der.replace(
        bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030177")
    ),
    "a negative serial number": forge("x", curve_key(5), serial=-5).der,
    "too long": forge("x", curve_key(5), extensions=(raw_extension("1.2.3", bytes(70000)),)).der,
}


@pytest.mark.parametrize("der", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_certificate(der: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        load_certificate(der)
    assert caught.value.reason == "certificate-malformed"


def test_a_file_of_certificates_is_one_der_or_pem_with_remarks() -> None:
    pem = pem_from_der([LEAF.der, pdc().der])
    assert parse_certificates(LEAF.der) == (LEAF.der,)
    assert parse_certificates(b"subject=CN = leaf\r\n" + pem) == (LEAF.der, pdc().der)
    assert parse_certificates(pem.replace(b"\n", b"\r\n")) == (LEAF.der, pdc().der)


PEM = pem_from_der([LEAF.der])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no certificate",
        b"\xff\xfe",
        PEM.replace(b"CERTIFICATE", b"PRIVATE KEY"),
        PEM + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        PEM.rsplit(b"\n", 2)[0],
        PEM + PEM.rsplit(b"\n", 2)[0],
        PEM.replace(b"\n", b"\n*", 2),
        b"-----BEGIN CERTIFICATE-----\n" + PEM,
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----END CERTIFICATE-----\n" + PEM,
        LEAF.der + LEAF.der,
        b" " * (4 << 20) + PEM,
    ],
    ids=range(13),
)
def test_a_file_that_is_not_only_certificates(data: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        parse_certificates(data)
    assert caught.value.reason == "certificate-malformed"


def test_an_identity_is_base64_of_one_der_or_a_pem_chain() -> None:
    text = base64.b64encode(LEAF.der).decode()
    assert parse_identity_certificate(f"\n {text}\t\n") == (LEAF.der, ())
    chain = pem_from_der([LEAF.der, pdc().der]).decode()
    assert parse_identity_certificate(f"\n{chain}\n") == (LEAF.der, (pdc().der,))
    eight = pem_from_der([LEAF.der] * 8).decode()
    assert len(parse_identity_certificate(eight)[1]) == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "AAAA",
        base64.b64encode(LEAF.der).decode()[:-1],
        base64.b64encode(LEAF.der).decode().replace("A", "!", 1),
        base64.b64encode(LEAF.der * 2).decode(),
        pem_from_der([LEAF.der] * 9).decode(),
        "remark\n" + PEM.decode(),
        PEM.decode() + "remark\n",
        PEM.decode() + " " * (64 << 10),
    ],
    ids=range(10),
)
def test_an_identity_that_is_none(text: str) -> None:
    with pytest.raises(CertificateError) as caught:
        parse_identity_certificate(text)
    assert (caught.value.reason, caught.value.where) == (
        "certificate-malformed",
        "identity.idevid_cert",
    )


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_any_text_is_an_identity_or_refused(text: str) -> None:
    with pytest.raises(CertificateError):
        parse_identity_certificate(text)


# Zero as a serial number loads, with a warning of the library's.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, len(LEAF.der) - 1), st.integers(1, 255))
def test_a_changed_certificate_loads_or_is_refused(place: int, change: int) -> None:
    changed = bytearray(LEAF.der)
    changed[place] ^= change
    try:
        certificate = load_certificate(bytes(changed))
    except CertificateError:
        return
    assert certificate.fingerprint(hashes.SHA256()).hex() == fingerprint(bytes(changed))
    authority_key_identifier(bytes(changed))


def test_the_authority_key_identifier_is_copied_as_it_stands() -> None:
    value = x509.AuthorityKeyIdentifier(bytes(range(20)), [x509.DNSName("issuer.example")], 0x1234)
    der = forge("x", curve_key(5), extensions=(constraints(), extension(value))).der
    assert authority_key_identifier(der) == value.public_bytes()
    assert authority_key_identifier(LEAF.der) is None
    with pytest.raises(CertificateError):
        authority_key_identifier(b"\x30\x00")


def test_fingerprints_tell_certificates_and_keys_apart() -> None:
    twin = forge("twin", curve_key(5))
    assert fingerprint(twin.der) != fingerprint(LEAF.der)
    own = spki_fingerprint(load_certificate(LEAF.der).public_key())
    assert own == spki_fingerprint(twin.key.public_key())
    assert own != spki_fingerprint(rsa_key().public_key())
