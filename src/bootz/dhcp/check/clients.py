"""A router as a DHCP server meets it: the names it sends, and what is not known of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address

from bootz.dhcp.records import DhcpCard
from bootz.protocol.dhcp_offer import Family
from bootz.wire.redirect import RedirectShape

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Unclear:
    """A value that a router sends and that is not known here."""


UNCLEAR = Unclear()

Value = bytes | Unclear | None
"""Octets; None: it is not sent."""


@dataclass(frozen=True, slots=True)
class Client:
    """One way in which a router asks.

    ``name`` is what a person calls it. ``mac``, ``client_id`` and ``duid`` are what it sends;
    ``UNCLEAR`` where it sends one that is not known. ``link`` is an address of the link it is on,
    None where that is not known. ``stranger``: no line of the configuration names it.
    """

    name: str
    family: Family
    mac: bytes | Unclear = UNCLEAR
    client_id: bytes | Unclear = UNCLEAR
    duid: bytes | Unclear = UNCLEAR
    link: Address | None = None
    stranger: bool = False
    mark: RedirectShape | None = None
    mac_wanted: bool = False
    """No MAC address is on record for it, so that a line for one may be its own."""
    others: frozenset[bytes] = field(default=frozenset(), compare=False)
    """The MAC addresses of other cards on record."""

    def option(self, code: int) -> Value:
        """Return what the router sends as an option of its request.

        Source: docs/dhcp.md "The router's side".
        """
        if self.family is Family.IPV4:
            sent: dict[int, Value] = {61: self.client_id, 53: b"\x01"}
            never = _NEVER4
        else:
            sent, never = {1: self.duid}, _NEVER6
        if code in sent:
            return sent[code]
        return None if code in never else UNCLEAR

    def told_duid(self) -> str:
        """Return the DUID in words."""
        return f"DUID {self.duid.hex(':')}" if isinstance(self.duid, bytes) else "some DUID"

    def sends(self, code: int) -> bool | None:
        """Return whether the router sends an option; None: some may."""
        four = self.family is Family.IPV4
        if code in (_SENT4 if four else _SENT6):
            return True
        return False if code in (_NEVER4 if four else _NEVER6) else None


_SENT4 = frozenset({53, 55, 57, 60, 61})
_NEVER4 = frozenset({1, 3, 6, 15, 51, 54, 58, 59, 66, 67, 143})
_SENT6 = frozenset({1, 3, 6, 8, 16})
_NEVER6 = frozenset({2, 23, 24, 59, 60, 136})


@dataclass(frozen=True, slots=True)
class Host:
    """A client that a configuration names: ``names`` as (kind, octets in plain hex)."""

    where: str
    names: tuple[tuple[str, str], ...]
    link: Address | None = None


def clients_of_card(client: Client, card: DhcpCard) -> Iterator[Client]:
    """Return every way in which a card of the inventory may ask, beside what is known already."""
    sent = replace(client, mac=card.mac or UNCLEAR, client_id=card.sent_client_id)
    if client.family is Family.IPV4:
        yield sent
        return
    for duid in card.sent_duids:
        yield replace(sent, duid=duid)


def client_of_host(host: Host, family: Family) -> Client:
    """Return a router that is known by the names of a line alone."""
    known = {kind: bytes.fromhex(value) for kind, value in host.names}
    return Client(
        host.where,
        family,
        known.get("hw-address", UNCLEAR),
        known.get("client-id", UNCLEAR),
        known.get("duid", UNCLEAR),
        host.link,
    )
