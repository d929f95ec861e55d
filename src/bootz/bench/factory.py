"""A manufacturer for the workbench: one CA, and one key that all its routers share.

The server pays the same for a router, whether others have its key or not.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from bootz.bench.material import BenchMaterial, BenchRouter, write_material
from bootz.bench.plan import IdentityKey, OnProgress
from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    generate_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.certificates import pem_from_der
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import issue_voucher

MANUFACTURER: Final = "Bench Networks"
PART_NUMBER: Final = "BENCH-1"
_VALID: Final = timedelta(days=30)


class Factory:
    """Makes routers and their vouchers. ``now`` is aware UTC."""

    def __init__(self, identity: IdentityKey, now: datetime) -> None:
        kind = KeyKind.RSA_2048 if identity is IdentityKey.RSA_2048 else KeyKind.P256
        self.now = now
        self._ca_key = generate_key(kind)
        self._ca_name = _name("Bench Networks CA")
        self.ca = self._issue(CertificateProfile.ROOT_CA, self._ca_name, self._ca_key)
        self._router_key = generate_key(kind)
        self._router_pem = self._router_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._signer_key = generate_key(KeyKind.RSA_2048)
        self._signer = self._issue(
            CertificateProfile.VOUCHER_SIGNER, _name("Bench Networks vouchers"), self._signer_key
        )

    def material(
        self, folder: Path, serials: Sequence[str], on_progress: OnProgress
    ) -> BenchMaterial:
        """Make routers, and write what plays them into a folder, which is made."""
        identities = folder / "identities"
        identities.mkdir(mode=0o700, parents=True)
        routers = tuple(BenchRouter(serial, identities / f"{serial}.pem") for serial in serials)
        for count, router in enumerate(routers, 1):
            router.identity.write_bytes(self._identity(router.serial_number))
            on_progress("manufacturing routers", count, len(routers))
        material = BenchMaterial(MANUFACTURER, PART_NUMBER, self.ca, routers)
        write_material(folder, material)
        return material

    def voucher(self, serial_number: str, pinned_domain_cert: bytes) -> bytes:
        """Return a voucher for a router that pins an owner."""
        return issue_voucher(
            VoucherContent(
                serial_number,
                Assertion.VERIFIED,
                pinned_domain_cert,
                created_on=self.now,
                expires_on=self.now + _VALID,
            ),
            signer_certificate=self._signer,
            chain=(),
            scheme=scheme_for(self._signer_key.public_key()),
            sign=sign_with(self._signer_key),
            now=self.now,
        )

    def _identity(self, serial_number: str) -> bytes:
        """Return an IDevID and its key as PEM."""
        certificate = self._issue(
            CertificateProfile.IDEVID,
            _name("router", f"PID:{PART_NUMBER} SN:{serial_number}"),
            self._router_key,
        )
        return pem_from_der([certificate]) + self._router_pem

    def _issue(self, profile: CertificateProfile, subject: x509.Name, key: PrivateKey) -> bytes:
        return issue_certificate(
            profile=profile,
            subject=subject,
            public_key=key.public_key(),
            issuer_name=self._ca_name,
            issuer_key=self._ca_key,
            serial_number=random_serial(),
            not_before=self.now - timedelta(hours=1),
            not_after=self.now + _VALID,
        )


def tls_options(folder: Path, kind: KeyKind, now: datetime) -> tuple[str, ...]:
    """Make a TLS key of a kind for 127.0.0.1; return the options of ``bootz init`` that take it."""
    key, anchor_key = generate_key(kind), generate_key(KeyKind.P256)
    anchor_name = _name("Bench trust anchor")
    pairs = (
        (CertificateProfile.ROOT_CA, anchor_name, anchor_key, folder / "tls-anchor.pem"),
        (CertificateProfile.SERVER_TLS, _name("bench server"), key, folder / "tls.pem"),
    )
    for profile, subject, own, path in pairs:
        certificate = issue_certificate(
            profile=profile,
            subject=subject,
            public_key=own.public_key(),
            issuer_name=anchor_name,
            issuer_key=anchor_key,
            serial_number=random_serial(),
            not_before=now - timedelta(hours=1),
            not_after=now + _VALID,
            ip_addresses=[ipaddress.IPv4Address("127.0.0.1")]
            if profile is CertificateProfile.SERVER_TLS
            else (),
        )
        write_certificates(path, [certificate])
    write_private_key(folder / "tls.key", key)
    return (
        *("--trust-anchor", str(folder / "tls-anchor.pem")),
        *("--tls-cert", str(folder / "tls.pem"), "--tls-key", str(folder / "tls.key")),
    )


def _name(common_name: str, serial_number: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if serial_number:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    return x509.Name(attributes)
