"""The manufacturer's keys: its root, the certificate that signs vouchers, and that of TLS.

The root certifies and then rests: it is not needed to serve and may be taken off the machine.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.errors import ConfigError
from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    generate_key,
    load_certificates,
    load_private_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.keystore.signer import FileSigner, Signer
from bootz.masa.config import MasaConfig, SigningKey
from bootz.masa.issuing import VoucherKey
from bootz.trust.issuing import CertificateProfile, issue_certificate

ROOT: Final = "keys/root"
VOUCHER_SIGNER: Final = "keys/voucher-signer"
TLS: Final = "keys/tls"
"""Stems of file names below the folder; ``.pem`` has certificates, ``.key`` the key."""

_ROOT_LIFE: Final = timedelta(days=25 * 365)
_SIGNER_LIFE: Final = timedelta(days=10 * 365)
_TLS_LIFE: Final = timedelta(days=2 * 365)
_BACKDATE: Final = timedelta(minutes=5)
"""For peers whose clock is a little behind."""


def make_keys(
    folder: Path, name: str, *, kind: KeyKind, hosts: Sequence[str], now: datetime
) -> None:
    """Write the manufacturer's root, voucher signer and TLS certificate with their keys.

    Raises:
        BootzError: a file is there already, or cannot be written.
    """
    root_name = _name(name, "root")
    root_key = generate_key(kind)
    start = now - _BACKDATE
    root = issue_certificate(
        profile=CertificateProfile.ROOT_CA,
        subject=root_name,
        public_key=root_key.public_key(),
        issuer_name=root_name,
        issuer_key=root_key,
        serial_number=random_serial(),
        not_before=start,
        not_after=now + _ROOT_LIFE,
    )
    signer_key, tls_key = generate_key(kind), generate_key(KeyKind.P256)
    signer = issue_certificate(
        profile=CertificateProfile.VOUCHER_SIGNER,
        subject=_name(name, "voucher signer"),
        public_key=signer_key.public_key(),
        issuer_name=root_name,
        issuer_key=root_key,
        serial_number=random_serial(),
        not_before=start,
        not_after=now + _SIGNER_LIFE,
    )
    dns_names, addresses = split_hosts(hosts)
    tls = issue_certificate(
        profile=CertificateProfile.SERVER_TLS,
        subject=_name(name, "MASA"),
        public_key=tls_key.public_key(),
        issuer_name=root_name,
        issuer_key=root_key,
        serial_number=random_serial(),
        not_before=start,
        not_after=now + _TLS_LIFE,
        dns_names=dns_names,
        ip_addresses=addresses,
    )
    _write(folder, ROOT, root_key, (root,))
    _write(folder, VOUCHER_SIGNER, signer_key, (signer, root))
    _write(folder, TLS, tls_key, (tls, root))


def load_voucher_keys(folder: Path, config: MasaConfig) -> Mapping[str, VoucherKey]:
    """Load the key of every IEN that is served.

    Raises:
        BootzError: a file cannot be read, or key and certificate do not belong together.
    """
    loaded: dict[SigningKey, VoucherKey] = {}
    for ien, setting in config.iens.items():
        if setting not in loaded:
            loaded[setting] = _load(folder, setting, f"iens.{ien}")
    return {ien: loaded[setting] for ien, setting in config.iens.items()}


def split_hosts(
    hosts: Sequence[str],
) -> tuple[tuple[str, ...], tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]]:
    """Divide the names of a server into DNS names and IP addresses."""
    names: list[str] = []
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
    for host in hosts:
        try:
            addresses.append(ipaddress.ip_address(host))
        except ValueError:
            names.append(host)
    return tuple(names), tuple(addresses)


def _load(folder: Path, setting: SigningKey, where: str) -> VoucherKey:
    certificate, *chain = load_certificates(folder / setting.certificate)
    signer: Signer
    if setting.pkcs11 is not None:
        # Here, because the library of the extra need not be installed for key files.
        from bootz.keystore.pkcs11 import Pkcs11Signer

        token = setting.pkcs11
        signer = Pkcs11Signer(
            library=Path(token.library),
            token_label=token.token,
            key_label=token.key_label,
            pin_file=folder / token.pin_file,
        )
    else:
        signer = FileSigner(load_private_key(folder / (setting.key or "")))
    own = x509.load_der_x509_certificate(certificate).public_key()
    if own != signer.public_key:
        raise ConfigError(
            "masa-config-invalid", "certificate and key do not belong together", where=where
        )
    return VoucherKey(signer, certificate, tuple(chain))


def _write(folder: Path, stem: str, key: PrivateKey, certificates: Sequence[bytes]) -> None:
    write_private_key(folder / f"{stem}.key", key)
    write_certificates(folder / f"{stem}.pem", certificates)


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation} {role}"),
        ]
    )
