"""Reading an identity that exists, for ``bootz router manufacture``: PEM, DER or base64 of DER."""

import base64
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
)

from bootz.device.hardware import BuiltCard, NewCard
from bootz.errors import ConfigError, unreadable
from bootz.keystore.files import PrivateKey
from bootz.trust.certificates import parse_certificates

MAX_FILE_BYTES = 256 << 10


def existing_identity(
    record: BuiltCard, certificate: Path, key: Path, anchors: Sequence[Path]
) -> NewCard:
    """Return a card with an identity from files.

    Raises:
        BootzError: a file is not what it should be, or no anchor was named.
    """
    if not anchors:
        raise ConfigError(
            "hardware-identity", "give the vendor's CA with --vendor-anchor", where="RP0"
        )
    return NewCard(
        record,
        _private_key(key),
        parse_certificates(_plain(certificate)),
        [der for path in anchors for der in parse_certificates(_plain(path))],
    )


def _private_key(path: Path) -> PrivateKey:
    data = _plain(path)
    load = load_pem_private_key if data.lstrip().startswith(b"-----") else load_der_private_key
    try:
        key = load(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's words could quote what it read.
        raise ConfigError(
            "hardware-identity",
            "the file does not contain an unencrypted private key",
            where=str(path),
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError("hardware-identity", "the key is neither RSA nor EC", where=str(path))
    return key


def _plain(path: Path) -> bytes:
    """Return a file's content; base64 text without armour, as in configurations, is decoded."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError("hardware-identity", "the file is too large", where=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if data.lstrip().startswith(b"-----") or data[:1] == b"\x30":
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except ValueError:
        return data
