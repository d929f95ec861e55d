"""Signatures of webhooks, which a receiver checks before it believes anything.

Source: Standard Webhooks, "Signature scheme"; docs/webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
"""What the text of a secret begins with."""
_SHORTEST: Final = 24
_LONGEST: Final = 64
"""Bytes of a secret."""


def new_secret() -> bytes:
    """Return a secret for a new webhook, 32 bytes."""
    return secrets.token_bytes(32)


def secret_text(secret: bytes) -> str:
    """Return a secret as receivers are given it."""
    return PREFIX + base64.b64encode(secret).decode()


def parse_secret(text: str) -> bytes:
    """Return the secret that a text stands for.

    Raises:
        ValueError: it is not ``whsec_`` and the base64 of 24 to 64 bytes.
    """
    form = f"is not {PREFIX} and the base64 of {_SHORTEST} to {_LONGEST} bytes"
    try:
        secret = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(form) from None
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ValueError(form)
    return secret


def signed_headers(secret: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body; ``at`` is the time of this try, aware UTC."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
