"""Encryption of what a backup keeps secret: age files, which other tools open, too.

Source: age-encryption.org/v1.
"""

from collections.abc import Sequence
from typing import Final

from bootz.errors import ConfigError

_RECIPIENT: Final = "age1"
_IDENTITY: Final = "AGE-SECRET-KEY-1"


def seal_for(recipients: Sequence[str], content: bytes) -> bytes:
    """Encrypt for X25519 recipients (``age1…``), each of whom can open it.

    Raises:
        ConfigError: ``backup-recipient``: one of them is not a recipient.
    """
    import pyrage

    known = []
    for text in recipients:
        try:
            known.append(pyrage.x25519.Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise ConfigError(
                "backup-recipient",
                "this is not an age recipient",
                where=text[:80],
                expected=f"{_RECIPIENT}…",
                seen=text[:8],
            ) from error
    sealed: bytes = pyrage.encrypt(content, known)
    return sealed


def seal_by(passphrase: str, content: bytes) -> bytes:
    """Encrypt with a passphrase; takes a second, so that guessing is slow."""
    import pyrage

    sealed: bytes = pyrage.passphrase.encrypt(content, passphrase)
    return sealed


def open_with(identities: str, content: bytes) -> bytes:
    """Decrypt with the identities of a file that ``age-keygen`` writes.

    Raises:
        ConfigError: ``backup-sealed``: none of them opens it; ``backup-recipient``: no identity.
    """
    import pyrage

    known = []
    for line in identities.splitlines():
        if line.strip() and not line.startswith("#"):
            try:
                known.append(pyrage.x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError as error:
                raise ConfigError(
                    "backup-recipient",
                    "a line is not an age identity",
                    where="identity file",
                    expected=f"{_IDENTITY}…",
                ) from error
    try:
        opened: bytes = pyrage.decrypt(content, known)
    except pyrage.DecryptError as error:
        raise _sealed(error) from error
    return opened


def open_by(passphrase: str, content: bytes) -> bytes:
    """Decrypt with a passphrase.

    Raises:
        ConfigError: ``backup-sealed``: it is another one, or the file is damaged.
    """
    import pyrage

    try:
        opened: bytes = pyrage.passphrase.decrypt(content, passphrase)
    except pyrage.DecryptError as error:
        raise _sealed(error) from error
    return opened


def _sealed(error: Exception) -> ConfigError:
    return ConfigError("backup-sealed", f"the keys cannot be opened: {error}", where="private.age")
