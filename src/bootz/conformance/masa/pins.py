"""Certificates that the suite registers, and those that a service must refuse."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.keystore.files import KeyKind, generate_key, random_serial
from bootz.trust.issuing import issue_root

LIFE: Final = timedelta(days=30)
"""How long the certificates are valid from now on."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Domain certificates, DER. ``other`` is as good as ``registered``; ``expired`` has ended, and
    ``future`` begins tomorrow.
    """

    registered: bytes = field(repr=False)
    other: bytes = field(repr=False)
    expired: bytes = field(repr=False)
    future: bytes = field(repr=False)
    ends: datetime
    """When the two good ones end."""


def make_pins(now: datetime) -> Pins:
    """Make self-signed CAs with new keys."""
    start, end = now - timedelta(days=1), (now + LIFE).replace(microsecond=0)
    return Pins(
        _certificate("bootz conformance", start, end),
        _certificate("bootz conformance other", start, end),
        _certificate("bootz conformance old", start - LIFE, start),
        _certificate("bootz conformance new", now + timedelta(days=1), end),
        end,
    )


def _certificate(name: str, start: datetime, end: datetime) -> bytes:
    key = generate_key(KeyKind.P256)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return issue_root(
        subject,
        key,
        serial_number=random_serial(),
        not_before=start,
        not_after=end,
    )
