"""Who a caller is that no record names: what its certificate proves by itself.

It opens nothing: whoever is not on record is refused all the same. It tells a person that the box
at a site is one of a known manufacturer, with which number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bootz.errors import PeerError
from bootz.protocol.idevid import TlsCertificate, named_serial
from bootz.trust.certificates import verify_chain
from bootz.trust.vendor import Vendor


@dataclass(frozen=True, slots=True)
class ProvenStranger:
    """A caller without a record: its serial number, and whose CA vouches for it."""

    vendor: str
    serial_number: str


def prove_stranger(
    certificate: TlsCertificate | None, vendors: Sequence[Vendor], *, now: datetime
) -> ProvenStranger | None:
    """Return who a caller has proven to be in TLS; None if no vendor on record vouches for it."""
    if certificate is None:
        return None
    for vendor in vendors:
        try:
            verify_chain(
                certificate.leaf,
                (*certificate.intermediates, *vendor.idevid_intermediates),
                vendor.idevid_anchors,
                now=now,
            )
            serial = named_serial(certificate)
        except PeerError:
            continue
        if serial:
            return ProvenStranger(vendor.name, serial)
    return None
