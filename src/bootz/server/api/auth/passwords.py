"""Passwords: argon2id, and what is refused as one.

Source: RFC 9106 section 4 (the second recommended option: 64 MiB, three passes, four lanes).
"""

from base64 import b64encode
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from bootz.errors import ConfigError

LEAST: Final = 12
MOST: Final = 1024
"""Characters of a password."""

_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def _unpadded(octets: bytes) -> str:
    return b64encode(octets).decode().rstrip("=")


NO_PASSWORD: Final = (
    f"$argon2id$v={RFC_9106_LOW_MEMORY.version}"
    f"$m={RFC_9106_LOW_MEMORY.memory_cost},t={RFC_9106_LOW_MEMORY.time_cost}"
    f",p={RFC_9106_LOW_MEMORY.parallelism}"
    f"${_unpadded(bytes(RFC_9106_LOW_MEMORY.salt_len))}"
    f"${_unpadded(bytes(RFC_9106_LOW_MEMORY.hash_len))}"
)
"""The form of a hash that no password has, not computed: that would take a third of a second of
each start. Verified for a name without an account, so that the time does not tell which names
exist.
"""


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
        return _HASHER.verify(encoded or NO_PASSWORD, password[:MOST]) and bool(encoded)
    except (VerificationError, InvalidHashError):
        return False
