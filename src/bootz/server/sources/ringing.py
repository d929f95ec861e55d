"""The webhook of a source: a bell, nothing more. What it says is never applied.

The signature is HMAC-SHA512 over the body, in hex, in ``X-Hook-Signature``. Source:
docs/source-of-truth.md#webhooks.
"""

import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

MAX_BODY: Final = 1 << 20
HEADER: Final = "X-Hook-Signature"


@dataclass(slots=True)
class HookBell:
    """Judges what a webhook sends. ``own_user`` is whose changes are ours (Nautobot)."""

    secret: bytes = field(repr=False)
    echoes: Collection[str] = ()
    own_user: str = ""
    bad_signatures: int = 0

    def rings(self, body: bytes, signature: str) -> bool | None:
        """Return whether a sync is to be made; None: the signature is wrong or missing."""
        expected = hmac.new(self.secret, body, "sha512").hexdigest()
        # As octets: compare_digest refuses texts beyond ASCII.
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            self.bad_signatures += 1
            return None
        return not self._is_ours(body)

    def _is_ours(self, body: bytes) -> bool:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return False
        if not isinstance(told, dict):
            return False
        request = told.get("request")
        inner = request if isinstance(request, dict) else {}
        # NetBox 4.7 has both under ``request`` alone.
        key = told.get("request_id") or inner.get("id")
        user = told.get("username") or inner.get("user")
        if isinstance(key, str) and key in self.echoes:
            return True
        return bool(self.own_user) and user == self.own_user
