"""Key files, certificate files, and files that are replaced whole.

Source: docs/protocol/pki.md#keys; RFC 5958 section 2 (PKCS #8); RFC 7468 section 10 (PEM).
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bootz.errors import ConfigError, ConflictError, TrustError, Unavailable
from bootz.keystore.kinds import KeyKind as KeyKind
from bootz.keystore.protected import read_protected, read_secret
from bootz.trust.certificates import parse_certificates, pem_from_der
from bootz.trust.keys import PrivateKey, PublicKey, describe_key, is_strong

__all__ = [
    "KeyKind",
    "PrivateKey",
    "PublicKey",
    "atomic_write",
    "generate_key",
    "load_certificates",
    "load_private_key",
    "random_serial",
    "sync_folder",
    "write_certificates",
    "write_private_key",
]

MAX_CERTIFICATE_FILE_BYTES: Final = 1 << 20


def generate_key(kind: KeyKind) -> PrivateKey:
    """Return a new key."""
    match kind:
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(65537, 2048)
        case KeyKind.RSA_3072:
            return rsa.generate_private_key(65537, 3072)
        case KeyKind.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.P384:
            return ec.generate_private_key(ec.SECP384R1())


def random_serial() -> int:
    """Return a serial number for a certificate: positive, 127 random bits.

    Source: RFC 5280 section 4.1.2.2.
    """
    return secrets.randbits(127) | 1


def atomic_write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Put a file in place, or replace it: whole and durable, or not at all.

    Raises:
        Unavailable: it cannot be written.
    """
    temporary = _write_temporary(path, data, mode)
    try:
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: the disk refuses.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_private_key(
    path: Path, key: PrivateKey, *, overwrite: bool = False, passphrase_file: Path | None = None
) -> None:
    """Write a key as PKCS#8 PEM, mode 0600; encrypted, if a file with a passphrase is named.

    Raises:
        ConflictError: something is there, and ``overwrite`` is False.
        ConfigError: the file with the passphrase does not hold.
        Unavailable: it cannot be written.
    """
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase_file is not None:
        encryption = BestAvailableEncryption(read_secret(passphrase_file))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    if overwrite:
        atomic_write(path, pem, mode=0o600)
        return
    temporary = _write_temporary(path, pem, 0o600)
    try:
        # Unlike a rename, a link fails where something is, be it only a symbolic link.
        os.link(temporary, path, follow_symlinks=False)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise ConflictError("file-exists", "the file exists already", where=str(path)) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_private_key(path: Path, *, passphrase_file: Path | None = None) -> PrivateKey:
    """Return the key of a PEM file that only this user can read.

    Takes some 50 ms for RSA, because the primes are proven: once per process.

    Raises:
        ConfigError: as ``read_protected``, or it is malformed, encrypted without a passphrase
            that opens it, or of another kind.
    """
    content = read_protected(path)
    # Always given: without one, OpenSSL would ask on the terminal.
    passphrase = None if passphrase_file is None else read_secret(passphrase_file)
    try:
        key = load_pem_private_key(content, passphrase)
    except TypeError as error:
        if passphrase is None:
            raise ConfigError(
                "key-encrypted", "is encrypted, and no passphrase file is given", where=str(path)
            ) from error
        try:
            key = load_pem_private_key(content, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as again:
            raise ConfigError("key-malformed", "cannot be read", where=str(path)) from again
    except UnsupportedAlgorithm as error:
        raise ConfigError("key-kind", "is of an unknown type", where=str(path)) from error
    except ValueError as error:
        if passphrase is not None:
            raise ConfigError(
                "key-encrypted",
                "is malformed, or the passphrase does not match",
                where=str(path),
            ) from error
        raise ConfigError("key-malformed", "is not a PEM private key", where=str(path)) from error
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and is_strong(
        key.public_key()
    ):
        return key
    raise ConfigError(
        "key-kind",
        "is of an unsupported type or size",
        where=str(path),
        expected="RSA of 2048 bits or more, P-256, P-384, P-521",
        seen=describe_key(key.public_key()),
    )


def write_certificates(path: Path, ders: Sequence[bytes], *, mode: int = 0o644) -> None:
    """Write DER certificates as PEM, in this order.

    Raises:
        Unavailable: it cannot be written.
    """
    atomic_write(path, pem_from_der(ders), mode=mode)


def load_certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates of a file as DER: PEM in its order, or one DER.

    Raises:
        ConfigError: it cannot be read, is larger than 1 MiB, or holds something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CERTIFICATE_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            "certificate-file-invalid", f"cannot be read: {error.strerror}", where=str(path)
        ) from error
    if len(content) > MAX_CERTIFICATE_FILE_BYTES:
        raise ConfigError("certificate-file-invalid", "is longer than 1 MiB", where=str(path))
    try:
        return parse_certificates(content)
    except TrustError as error:
        raise ConfigError("certificate-file-invalid", error.detail, where=str(path)) from error


def _write_temporary(path: Path, data: bytes, mode: int) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # 0600 until it is whole: the mode asked for must not open it earlier.
        opened = os.open(temporary, flags, 0o600)
        try:
            with open(opened, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error
    return temporary


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable("file-unwritable", f"cannot be written: {error.strerror}", where=str(path))
