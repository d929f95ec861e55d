"""The Go reference's configuration, and the keys in it.

Private keys go to the key store and nowhere else; those of IDevIDs, which only the reference's
own client needs, are dropped. Source: docs/protocol/reference-config.md#what-the-import-does.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from bootz.config.values import parse_endpoint
from bootz.errors import ConfigError, TrustError, WireError
from bootz.keystore.files import PrivateKey
from bootz.server.importing.files import read_text
from bootz.server.keys.brought import Brought, BroughtKeys
from bootz.trust.certificates import load_certificate
from bootz.trust.keys import is_strong
from bootz.trust.voucher import parse_unverified_voucher
from bootz.wire.reference import (
    MAX_CONFIG_BYTES,
    ReferenceConfig,
    ReferencePair,
    parse_reference_config,
)

REASON: Final = "reference-config-invalid"

_PORT: Final = "15006"
"""Where the reference listens unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A configuration that was read: ``keys`` to use, and where its server listened.

    ``pinned_domain_cert`` is DER: the certificate that all vouchers pin, None without vouchers.
    """

    where: str
    config: ReferenceConfig = field(repr=False)
    keys: BroughtKeys = field(repr=False)
    pinned_domain_cert: bytes | None = field(repr=False)
    listen: str | None


def read_reference(path: Path) -> Reference:
    """Read a file.

    Raises:
        ConfigError: ``reference-config-invalid``; names line or field, never a value.
        Unavailable: it cannot be read.
    """
    where = str(path)
    text = read_text(path, MAX_CONFIG_BYTES)
    try:
        config = parse_reference_config(text)
    except WireError as error:
        raise ConfigError(REASON, error.detail, where=f"{where} {error.where}".strip()) from None
    pinned = _pinned(config, where)
    return Reference(
        where=where,
        config=config,
        keys=BroughtKeys(
            pinned_domain=None if pinned is None else Brought((pinned,)),
            owner=_brought(config.owner_certificate, f"{where} owner_certificate"),
            trust_anchor=_brought(config.trust_anchor, f"{where} trust_anchor"),
        ),
        pinned_domain_cert=pinned,
        listen=_listen(config, where),
    )


def _listen(config: ReferenceConfig, where: str) -> str | None:
    """Return where the server listened: the address has its port in it up to v0.7.1, not later.

    Raises:
        ConfigError: not an address and a port, or two ports.
    """
    address, port = config.server_address.strip(), config.server_port.strip()
    if not address and not port:
        return None
    host = address
    if not _is_address(address.strip("[]")):
        before, colon, inside = address.rpartition(":")
        if colon:
            host = before
            if port not in ("", inside):
                raise ConfigError(
                    REASON,
                    "the address has another port in it than server_port",
                    where=f"{where} server_address",
                    expected=port,
                    seen=inside,
                )
            port = inside
    # Without an address, Go listens on all of them.
    host = host.strip("[]") or "0.0.0.0"  # noqa: S104 -- what the file says
    shown = f"[{host}]" if ":" in host else host
    try:
        parse_endpoint(f"{shown}:{port or _PORT}")
    except ValueError as error:
        raise ConfigError(
            REASON, str(error), where=f"{where} server_address", expected="ADDRESS or ADDRESS:PORT"
        ) from error
    return f"{shown}:{port or _PORT}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _pinned(config: ReferenceConfig, where: str) -> bytes | None:
    """Return the certificate that all vouchers pin.

    Raises:
        ConfigError: a voucher cannot be read, or they pin different ones.
    """
    pinned: bytes | None = None
    for number, chassis in enumerate(config.chassis):
        for index, card in enumerate(chassis.cards):
            if not card.ownership_voucher:
                continue
            place = f"{where} chassis[{number}].control_cards[{index}].ownership_voucher"
            try:
                found = parse_unverified_voucher(card.ownership_voucher).pinned_domain_cert
            except TrustError as error:
                raise ConfigError(REASON, error.detail, where=place) from error
            if pinned is not None and found != pinned:
                raise ConfigError(
                    REASON, "pins a different certificate than the vouchers before it", where=place
                )
            pinned = found
    return pinned


def _brought(pair: ReferencePair | None, where: str) -> Brought | None:
    if pair is None:
        return None
    check_certificate(pair.certificate, f"{where}.cert")
    return Brought((pair.certificate,), _private_key(pair.key, f"{where}.key"))


def check_certificate(der: bytes, where: str) -> None:
    """Pass what is a certificate (DER).

    Raises:
        ConfigError: ``reference-config-invalid``: it cannot be read.
    """
    try:
        load_certificate(der)
    except TrustError as error:
        raise ConfigError(REASON, error.detail, where=where) from error


def _private_key(der: bytes, where: str) -> PrivateKey:
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(REASON, "is not an unencrypted PKCS #8 key", where=where) from None
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and is_strong(
        key.public_key()
    ):
        return key
    raise ConfigError(REASON, "is of an unsupported type or size", where=where)
