"""Issued certificates: each profile has what its role needs, and others agree."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from trust.world import DAY, NOW, curve_key, library_name, openssl, p384, rsa_key

from bootz.errors import BootzError
from bootz.trust.certificates import (
    AnchorSet,
    idevid_serial_number,
    load_certificate,
    pem_from_der,
    verify_chain,
)
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.keys import PrivateKey

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def issue(
    profile: CertificateProfile,
    key: PrivateKey,
    subject: str = "subject",
    issuer: str = "root",
    issuer_key: PrivateKey | None = None,
    **how: object,
) -> bytes:
    values: dict[str, object] = {
        "serial_number": 77,
        "not_before": NOW - DAY,
        "not_after": NOW + 30 * DAY,
        **how,
    }
    return issue_certificate(
        profile=profile,
        subject=library_name(subject),
        public_key=values.pop("public_key", key.public_key()),
        issuer_name=library_name(issuer),
        issuer_key=issuer_key or rsa_key(1),
        **values,  # type: ignore[arg-type]
    )


ROOT = issue(CertificateProfile.ROOT_CA, rsa_key(1), "root")
LEAVES = [each for each in CertificateProfile if not each.value.endswith("-ca")]


@pytest.mark.parametrize("profile", LEAVES)
@pytest.mark.parametrize("key", [rsa_key(2), curve_key(2), p384(2)])
def test_a_leaf_has_what_its_role_needs(
    profile: CertificateProfile, key: PrivateKey, tmp_path: Path
) -> None:
    der = issue(profile, key)
    chain = verify_chain(der, [], AnchorSet.from_der([ROOT]), now=NOW)
    extensions = chain.leaf.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (
        True,
        True,
        False,
    )
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = [
        list(each.value) for each in extensions if isinstance(each.value, x509.ExtendedKeyUsage)
    ]
    server = profile is CertificateProfile.SERVER_TLS
    assert purposes == ([[ExtendedKeyUsageOID.SERVER_AUTH]] if server else [])
    (tmp_path / "leaf.pem").write_bytes(pem_from_der([der]))
    (tmp_path / "root.pem").write_bytes(pem_from_der([ROOT]))
    time = str(int(NOW.timestamp()))
    told = openssl(
        *("verify", "-x509_strict", "-attime", time, "-CAfile", "root.pem", "leaf.pem"),
        folder=tmp_path,
    )
    assert told.returncode == 0, told.stderr


def test_a_subordinate_ca_ends_the_path() -> None:
    sub = issue(CertificateProfile.SUBORDINATE_CA, rsa_key(2), "sub")
    leaf = issue(CertificateProfile.OWNER, rsa_key(3), "owner", "sub", rsa_key(2))
    anchors = AnchorSet.from_der([ROOT])
    assert verify_chain(leaf, [sub], anchors, now=NOW).chain == (leaf, sub, ROOT)
    deeper = issue(CertificateProfile.SUBORDINATE_CA, rsa_key(3), "deeper", "sub", rsa_key(2))
    below = issue(CertificateProfile.OWNER, rsa_key(4), "owner", "deeper", rsa_key(3))
    with pytest.raises(BootzError) as caught:
        verify_chain(below, [sub, deeper], anchors, now=NOW)
    assert caught.value.reason == "certificate-path-length"


def test_a_server_certificate_names_every_host() -> None:
    der = issue(
        CertificateProfile.SERVER_TLS,
        curve_key(2),
        dns_names=["boot.example"],
        ip_addresses=[ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")],
    )
    names = load_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["boot.example"]
    assert [str(each) for each in names.value.get_values_for_type(x509.IPAddress)] == [
        "192.0.2.1",
        "2001:db8::1",
    ]


@pytest.mark.parametrize("serial", ["FOC1", "PID:8201-SYS SN:FOC1_", "PID:a SN:FOC1@"])
def test_an_idevid_proves_its_serial_number_for_ever(serial: str) -> None:
    der = issue(CertificateProfile.IDEVID, curve_key(2), idevid_serial=serial, not_after=FOREVER)
    certificate = load_certificate(der)
    assert idevid_serial_number(certificate) == serial.rpartition("SN:")[2]
    assert certificate.not_valid_after_utc == FOREVER
    verify_chain(der, [], AnchorSet.from_der([ROOT]), now=NOW)


def test_the_issuer_is_named_by_its_key_or_as_told() -> None:
    def authority(der: bytes) -> bytes | None:
        found = load_certificate(der).extensions.get_extension_for_class(
            x509.AuthorityKeyIdentifier
        )
        return found.value.key_identifier

    subject = load_certificate(ROOT).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert authority(issue(CertificateProfile.OWNER, rsa_key(2))) == subject.value.digest
    told = issue(CertificateProfile.OWNER, rsa_key(2), issuer_key_identifier=b"own way")
    assert authority(told) == b"own way"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"not_after": NOW - 2 * DAY}, "certificate-unissuable"),
        ({"serial_number": 0}, "certificate-unissuable"),
        ({"serial_number": 1 << 160}, "certificate-unissuable"),
        ({"dns_names": ["bücher.example"]}, "certificate-unissuable"),
        ({"public_key": rsa_key(0, 1024).public_key()}, "key-unsupported"),
        ({"public_key": ed25519.Ed25519PrivateKey.generate().public_key()}, "key-unsupported"),
        ({"issuer_key": rsa_key(0, 1024)}, "key-unsupported"),
    ],
    ids=range(7),
)
def test_what_is_not_issued(how: dict[str, object], reason: str) -> None:
    with pytest.raises(BootzError) as caught:
        issue(CertificateProfile.OWNER, rsa_key(2), **how)  # type: ignore[arg-type]
    assert caught.value.reason == reason
