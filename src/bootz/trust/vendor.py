"""A manufacturer, as far as trust goes: its names, and the anchors it answers for."""

from dataclasses import dataclass

from bootz.trust.certificates import VendorCAs


@dataclass(frozen=True, slots=True)
class Vendor:
    """A manufacturer whose devices are served.

    ``idevid_anchors`` vouch for IDevIDs; ``voucher_anchors`` for vouchers (the same, where the
    operator names no others). ``idevid_intermediates`` (DER) help to build chains.
    """

    name: str
    aliases: tuple[str, ...]
    ien: str
    idevid_anchors: VendorCAs
    voucher_anchors: VendorCAs
    idevid_intermediates: tuple[bytes, ...] = ()

    def is_called(self, manufacturer: str) -> bool:
        """Tell whether a request's manufacturer names this vendor, without case."""
        wanted = manufacturer.strip().casefold()
        return wanted in {self.name.casefold(), *(alias.casefold() for alias in self.aliases)}
