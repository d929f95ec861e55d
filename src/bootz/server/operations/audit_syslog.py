"""An entry of the audit as a line of syslog.

Source: RFC 5424 section 6 (the message), section 6.3 (structured data).
"""

import json
from typing import Final

from bootz.server.operations.audit import DONE, AuditEntry

_NOTICE: Final = 13 * 8 + 5
"""Facility "log audit", severity notice (RFC 5424 section 6.2.1)."""
_WARNING: Final = 13 * 8 + 4
_ID: Final = "bootz@32473"
"""The structured data's name; 32473 is the enterprise number for examples (RFC 5612)."""
_MAX_HOST: Final = 255


def syslog_line(entry: AuditEntry) -> str:
    """Return one line; what changed is in the message as JSON."""
    values = {
        "id": str(entry.id),
        "actor": entry.actor,
        "origin": entry.origin,
        "verb": entry.verb,
        "object": entry.object,
        "outcome": entry.outcome,
        "digest": entry.digest,
    }
    data = " ".join(f'{name}="{_escaped(value)}"' for name, value in values.items())
    priority = _NOTICE if entry.outcome == DONE else _WARNING
    at = entry.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    change = json.dumps({"before": entry.before, "after": entry.after}, ensure_ascii=True)
    return f"<{priority}>1 {at} {_host(entry.origin)} bootz - audit [{_ID} {data}] {change}"


def _escaped(text: str) -> str:
    """Escape a value (RFC 5424 section 6.3.3); many readers end the message at a line feed."""
    for special in ("\\", '"', "]"):
        text = text.replace(special, f"\\{special}")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _host(origin: str) -> str:
    """Return a HOSTNAME: printable US-ASCII without blanks, or the nil value."""
    plain = "".join(letter for letter in origin if "!" <= letter <= "~")
    return plain[:_MAX_HOST] or "-"
