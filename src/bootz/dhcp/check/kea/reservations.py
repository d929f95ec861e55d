"""Reservations of a Kea configuration: one identifier each, an address once in a subnet."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bootz.dhcp.check.clients import Address
from bootz.dhcp.check.kea.nouns import (
    KeaHost,
    Subnet,
)
from bootz.dhcp.check.kea.places import PlaceReader
from bootz.dhcp.check.kea.values import ValueProblem, hex_octets
from bootz.protocol.dhcp_offer import Family

KINDS: Final = {
    Family.IPV4: ("hw-address", "duid", "circuit-id", "client-id", "flex-id"),
    Family.IPV6: ("hw-address", "duid", "flex-id"),
}
"""The identifiers that Kea knows."""
_MOST: Final = {"hw-address": 20, "duid": 130, "client-id": 255}


@dataclass(frozen=True, slots=True)
class ReservationReader:
    """Reads reservations. ``unique``: an address is reserved once in a subnet."""

    places: PlaceReader
    unique: bool
    taken: dict[tuple[str, Address], str] = field(default_factory=dict)

    def read(self, row: Mapping[str, Any], around: str, subnet: Subnet | None) -> KeaHost | None:
        """Return a reservation, None for one that Kea refuses; ``subnet`` None: a global one."""
        kinds = [kind for kind in KINDS[self.places.config.family] if kind in row]
        shown = str(row.get(kinds[0], "")) if kinds else "?"
        where = f"{around} reservation {kinds[0] if kinds else ''} {shown}"
        self.places.keywords(row, "reservation", where)
        if len(kinds) != 1:
            words = " and ".join(kinds) or "no identifier"
            self.places.refuse(where, f"a reservation has one identifier, this one {words}")
            return None
        (kind,) = kinds
        try:
            octets = hex_octets(shown)
        except ValueProblem:
            self.places.refuse(where, f"{shown!r} is not a {kind}: hex, with colons or without")
            return None
        if not octets or len(octets) > _MOST.get(kind, 128):
            self.places.refuse(where, f"a {kind} has no {len(octets)} octets")
            return None
        made = KeaHost(
            f"{around} reservation {kind} {octets.hex()}",
            kind=kind,
            octets=octets,
            classes=tuple(map(str, row.get("client-classes") or ())),
        )
        self.places.fill(made, row)
        self._address(made, row, subnet)
        says = ("hostname", "client-classes", "next-server", "server-hostname", "boot-file-name")
        more = ("prefixes", "option-data")
        if made.address is None and not any(row.get(key) for key in (*says, *more)):
            self.places.refuse(where, "it reserves nothing: no address, no option, no class")
        return made

    def _address(self, made: KeaHost, row: Mapping[str, Any], subnet: Subnet | None) -> None:
        if self.places.config.family is Family.IPV4:
            listed: list[object] = [row["ip-address"]] if "ip-address" in row else []
        else:
            found = row.get("ip-addresses")
            listed = found if isinstance(found, list) else []
        for text in listed:
            try:
                address = ipaddress.ip_address(str(text))
            except ValueError:
                self.places.refuse(made.where, f"{str(text)[:50]!r} is not an address")
                continue
            if (address.version == 4) is not (self.places.config.family is Family.IPV4):
                self.places.refuse(made.where, f"{address} is of the other family")
                continue
            if subnet is not None and address not in subnet.network:
                self.places.refuse(made.where, f"{address} is not in its subnet")
            if made.address is None:
                made.address = address

    def put(self, host: KeaHost, subnet: Subnet) -> None:
        """Put a reservation into its subnet; a name or an address stands there once."""
        name = (host.kind, host.octets)
        if name in subnet.by_name:
            self.places.refuse(host.where, "its identifier is reserved twice in the subnet")
        if self.unique and host.address is not None:
            key = (subnet.where, host.address)
            if key in self.taken:
                self.places.refuse(
                    host.where, f"{host.address} is reserved already: {self.taken[key]}"
                )
            self.taken[key] = host.where
        subnet.by_name.setdefault(name, host)
        subnet.hosts.append(host)
