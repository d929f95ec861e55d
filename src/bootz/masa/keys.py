"""The manufacturer's keys: its root, the certificate that signs vouchers, and that of TLS.

The root certifies and then rests: it is not needed to serve and may be taken off the machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.errors import ConfigError
from bootz.keystore.clock import check_clock
from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    PublicKey,
    generate_key,
    load_certificates,
    load_private_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.keystore.loading import load_signer
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.masa.config import MasaConfig, SigningKey
from bootz.masa.issuing import VoucherKey
from bootz.trust.certificate_form import extension
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile, issue_certificate, issue_root, split_hosts

ROOT: Final = "keys/root"
VOUCHER_SIGNER: Final = "keys/voucher-signer"
TLS: Final = "keys/tls"
"""Stems of file names below the folder; ``.pem`` has certificates, ``.key`` the key."""

_ROOT_LIFE: Final = timedelta(days=25 * 365)
_SIGNER_LIFE: Final = timedelta(days=10 * 365)
_TLS_LIFE: Final = timedelta(days=2 * 365)
_BACKDATE: Final = timedelta(minutes=5)
"""For peers whose clock is a little behind."""


@dataclass(frozen=True, slots=True)
class Root:
    """Who certifies: certificate (DER) and key."""

    certificate: bytes = field(repr=False)
    key: PrivateKey = field(repr=False)


def load_root(certificate: Path, key: Path) -> Root:
    """Return a root that exists: a CA under which the manufacturer's devices are certified.

    Raises:
        ConfigError: a file cannot be read, they do not belong together, or it is not a CA.
    """
    der = load_certificates(certificate)[0]
    root = Root(der, load_private_key(key))
    parsed = load_certificate(der)
    if parsed.public_key() != root.key.public_key():
        raise ConfigError("key-mismatch", "is not the key of the certificate", where=str(key))
    constraints = extension(parsed, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise ConfigError("certificate-unfit", "is not of a CA", where=str(certificate))
    return root


def make_keys(
    folder: Path,
    name: str,
    *,
    kind: KeyKind,
    hosts: Sequence[str],
    now: datetime,
    root: Root | None = None,
    signer_key: PublicKey | None = None,
) -> None:
    """Write the manufacturer's root, voucher signer and TLS certificate with their keys.

    The key of a ``root`` that exists is used and not kept. The voucher signer has the key to
    which ``signer_key`` belongs, which lies elsewhere; None makes one.

    Raises:
        BootzError: a file is there already, or cannot be written.
    """
    start = now - _BACKDATE
    if root is None:
        root = _make_root(name, kind, start, now)
        write_private_key(folder / f"{ROOT}.key", root.key)
    write_certificates(folder / f"{ROOT}.pem", (root.certificate,))
    issuer_name = load_certificate(root.certificate).subject
    # Nothing outlives its issuer.
    end = load_certificate(root.certificate).not_valid_after_utc
    if signer_key is None:
        made = generate_key(kind)
        write_private_key(folder / f"{VOUCHER_SIGNER}.key", made)
        signer_key = made.public_key()
    signer = issue_certificate(
        profile=CertificateProfile.VOUCHER_SIGNER,
        subject=_name(name, "voucher signer"),
        public_key=signer_key,
        issuer_name=issuer_name,
        issuer_key=root.key,
        serial_number=random_serial(),
        not_before=start,
        not_after=min(end, now + _SIGNER_LIFE),
    )
    write_certificates(folder / f"{VOUCHER_SIGNER}.pem", (signer, root.certificate))
    tls_key = generate_key(KeyKind.P256)
    dns_names, addresses = split_hosts(hosts)
    tls = issue_certificate(
        profile=CertificateProfile.SERVER_TLS,
        subject=_name(name, "MASA"),
        public_key=tls_key.public_key(),
        issuer_name=issuer_name,
        issuer_key=root.key,
        serial_number=random_serial(),
        not_before=start,
        not_after=min(end, now + _TLS_LIFE),
        dns_names=dns_names,
        ip_addresses=addresses,
    )
    write_private_key(folder / f"{TLS}.key", tls_key)
    write_certificates(folder / f"{TLS}.pem", (tls, root.certificate))


def _make_root(name: str, kind: KeyKind, start: datetime, now: datetime) -> Root:
    own_name, key = _name(name, "root"), generate_key(kind)
    certificate = issue_root(
        own_name,
        key,
        serial_number=random_serial(),
        not_before=start,
        not_after=now + _ROOT_LIFE,
    )
    return Root(certificate, key)


def load_voucher_keys(folder: Path, config: MasaConfig, now: datetime) -> Mapping[str, VoucherKey]:
    """Load the key of every IEN that is served; ``now`` is aware UTC.

    Raises:
        BootzError: a file cannot be read, key and certificate do not belong together, or
            ``clock-behind``.
    """
    loaded: dict[SigningKey, VoucherKey] = {}
    for ien, setting in config.iens.items():
        if setting not in loaded:
            loaded[setting] = _load(folder, setting, f"iens.{ien}")
            signing = load_certificate(loaded[setting].certificate)
            check_clock(signing, now, where=setting.certificate)
    return {ien: loaded[setting] for ien, setting in config.iens.items()}


def key_name(folder: Path, name: str) -> str:
    """Return a PKCS#11 URI as it is, and a file below the folder with its path."""
    return name if name.startswith(PKCS11_SCHEME) else str(folder / name)


def _load(folder: Path, setting: SigningKey, where: str) -> VoucherKey:
    certificate, *chain = load_certificates(folder / setting.certificate)
    signer = load_signer(key_name(folder, setting.key))
    if load_certificate(certificate).public_key() != signer.public_key:
        raise ConfigError(
            "masa-config-invalid", "certificate and key do not belong together", where=where
        )
    return VoucherKey(signer, certificate, tuple(chain))


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation} {role}"),
        ]
    )
