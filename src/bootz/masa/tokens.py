"""Bearer tokens: made once, shown once, kept as a digest."""

import secrets
import string
from hashlib import sha256
from typing import Final, NewType

from bootz.errors import ConfigError

TokenDigest = NewType("TokenDigest", bytes)
"""SHA-256 of a token under this program's label; all that is ever stored."""

MAX_TOKEN: Final = 4096
"""Characters of a token on the wire."""

MIN_GIVEN_TOKEN: Final = 16
"""Characters of a token that a person chose: shorter ones could be found by trying."""

_LABEL: Final = b"bootz masa token\x00"
_VISIBLE: Final = frozenset(string.ascii_letters + string.digits + "-._~+/=:")


def new_token() -> str:
    """Return a token of 256 random bits."""
    return "masa_" + secrets.token_urlsafe(32)


def digest_of(token: str) -> TokenDigest:
    """Return what is stored of a token.

    No salt and no stretching: a token is looked up by its digest in every call, and random.
    """
    return TokenDigest(sha256(_LABEL + token.encode("utf-8", "surrogatepass")).digest())


def check_given(token: str) -> str:
    """Return a token that was chosen outside of this program.

    Raises:
        ConfigError: too short, too long, or of characters that no header carries.
    """
    if not MIN_GIVEN_TOKEN <= len(token) <= MAX_TOKEN or not _VISIBLE.issuperset(token):
        raise ConfigError(
            "masa-record-invalid",
            f"a token must have {MIN_GIVEN_TOKEN} to {MAX_TOKEN} letters, digits or -._~+/=:",
            where="token",
        )
    return token
