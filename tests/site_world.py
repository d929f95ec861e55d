"""An operator's own PKI, for tests of sites and their keys."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    PublicKey,
    generate_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.server.keys.tls_certificates import certificate_name
from bootz.trust.issuing import CertificateProfile, issue_certificate

NOW = datetime.now(UTC)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Pki:
    """An operator's own: a CA with files, and certificates under it."""

    def __init__(self, folder: Path, kind: KeyKind = KeyKind.RSA_2048) -> None:
        self.folder = folder
        self.key = generate_key(kind)
        self.ca = folder / "ca.pem"
        self.ca_key = folder / "ca.key"
        self.name = certificate_name("Operator", "Operator CA")
        write_certificates(
            self.ca, [self.issue(CertificateProfile.ROOT_CA, self.key, subject=self.name)]
        )
        write_private_key(self.ca_key, self.key)

    def issue(self, profile: CertificateProfile, key: PrivateKey, **options: Any) -> bytes:
        return self.issue_for(profile, key.public_key(), **options)

    def issue_for(
        self,
        profile: CertificateProfile,
        public_key: PublicKey,
        *,
        subject: x509.Name | None = None,
        until: datetime = NOW + timedelta(days=300),
        hosts: tuple[str, ...] = (),
    ) -> bytes:
        return issue_certificate(
            profile=profile,
            subject=subject or certificate_name("Operator", profile.name),
            public_key=public_key,
            issuer_name=self.name,
            issuer_key=self.key,
            serial_number=random_serial(),
            not_before=NOW - timedelta(days=30),
            not_after=until,
            dns_names=[host for host in hosts if not _is_address(host)],
            ip_addresses=[ipaddress.ip_address(host) for host in hosts if _is_address(host)],
        )

    def leaf(
        self,
        name: str,
        profile: CertificateProfile,
        *,
        kind: KeyKind = KeyKind.RSA_2048,
        **options: Any,
    ) -> tuple[Path, Path]:
        key = generate_key(kind)
        certificate, key_path = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        write_certificates(certificate, [self.issue(profile, key, **options)])
        write_private_key(key_path, key, overwrite=True)
        return certificate, key_path
