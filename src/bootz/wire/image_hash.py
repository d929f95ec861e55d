"""How the SHA-256 of an image is spelt. Source: docs/dialects.md#what-differs."""

import re
from enum import Enum
from typing import Final

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_COLON_HEX: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){31}")


class HashFormat(Enum):
    """The two forms that releases and platforms use; the names stand in profiles."""

    HEX = "hex"
    COLON_HEX = "colon-hex"
    """Pairs with colons between them (RFC 6991 hex-string)."""


def write_hash(sha256: str, form: HashFormat) -> str:
    """Return 64 lower-case hex digits in that form."""
    if form is HashFormat.HEX:
        return sha256
    return ":".join(sha256[at : at + 2] for at in range(0, len(sha256), 2))


def read_hash(text: str) -> str:
    """Return the 64 lower-case hex digits of either form, empty if the text is neither."""
    text = text.strip().lower()
    if _HEX.fullmatch(text):
        return text
    return text.replace(":", "") if _COLON_HEX.fullmatch(text) else ""
