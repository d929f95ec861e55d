"""Passwords: argon2id, and what is refused as one.

Source: RFC 9106 section 4 (the second recommended option: 64 MiB, three passes, four lanes).
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from bootz.errors import ConfigError

LEAST: Final = 12
MOST: Final = 1024
"""Characters of a password."""

_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODY: Final = _HASHER.hash("no account has this password")
"""Verified for a name without an account, so that the time does not tell which names exist."""


def hash_password(password: str, name: str = "") -> str:
    """Return the encoded hash of a new password.

    Raises:
        ConfigError: ``password-weak``: too short, too long, or the account's own name.
    """
    if not LEAST <= len(password) <= MOST or password.casefold().strip() == name.casefold():
        raise ConfigError(
            "password-weak",
            "it is too short, too long, or the name of the account",
            where="password",
            expected=f"{LEAST} to {MOST} characters",
        )
    return _HASHER.hash(password)


def password_holds(encoded: str, password: str) -> bool:
    """Return whether a password is the one of this hash; an empty hash takes the same time."""
    try:
        return _HASHER.verify(encoded or _NOBODY, password[:MOST]) and bool(encoded)
    except (VerificationError, InvalidHashError):
        return False
