"""What Kea sends a router: classes, subnet, reservation, address, and the options of each place.

The order is that of Kea's own work on a DISCOVER or SOLICIT, seen in release 2.2: classes, subnet,
reservation, classes that ask whether the client is known, address, classes that a place asks for.
Of an option the most specific place counts: reservation, pool, subnet, shared network, classes in
their order, global. Source: Kea Administrator Reference Manual, "Client Classification";
docs/dhcp.md#what-the-servers-do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bootz.dhcp.check.answers import CheckedAnswer, Sent
from bootz.dhcp.check.clients import Address, Client, Unclear
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.kea.config import KeaConfig
from bootz.dhcp.check.kea.expressions import Facts, holds
from bootz.dhcp.check.kea.nouns import BY_RELAY, KeaClass, KeaHost, Place, Pool, Subnet
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import mac_of_duid

_BOOT: dict[Family, tuple[int, ...]] = {Family.IPV4: (67, 66), Family.IPV6: (59,)}
MOST_CANDIDATES = 8
"""Reservations that are tried for a router of which no name is known."""

_RELAYED = frozenset({"client-link-addr-option", "rfc6939", "remote-id", "rfc4649", "docsis-cmts"})


@dataclass(slots=True)
class Conversation:
    """One question of one router, in one world."""

    config: KeaConfig
    client: Client
    world: World
    classes: list[str] = field(default_factory=list)
    hosts: dict[int, KeaHost] = field(default_factory=dict)
    everywhere: KeaHost | None = None

    def answer(self) -> CheckedAnswer:
        """Return what the router gets."""
        config = self.config
        self.classes = ["ALL", *self._vendor_class()]
        self._classify(late=False)
        if "DROP" in self.classes:
            return CheckedAnswer(self._dropped(), silence="Kea drops it (class DROP)")
        subnet = self._subnet()
        if subnet is None:
            return CheckedAnswer(config.where, silence="no subnet is for its link and classes")
        self._find_hosts(subnet)
        self._reserved_classes(subnet)
        known = bool(self.hosts) or self.everywhere is not None
        self.classes.append("KNOWN" if known else "UNKNOWN")
        self._classify(late=True)
        if "DROP" in self.classes:
            host = self._host(subnet)
            where = host.where if host else self._dropped()
            return CheckedAnswer(where, silence="Kea drops it (class DROP)")
        subnet, address, pool = self._address(subnet)
        host = self._host(subnet)
        where = host.where if host else (pool or subnet).where
        if address is None and config.family is Family.IPV4:
            return CheckedAnswer(
                where, silence="no address is reserved for it, and no pool has one"
            )
        if subnet.shared is not None and host is not None and host is not self.everywhere:
            self._add(host.classes)
        self._additional(subnet, pool)
        return self._answer(where, address, [host, pool, subnet, subnet.shared])

    def _dropped(self) -> str:
        made = self.config.classes.get("DROP")
        return made.where if made else self.config.where

    def _vendor_class(self) -> Iterator[str]:
        """Return the class that Kea makes of option 60, as far as the file asks for it."""
        for name in self.config.classes:
            if name.startswith("VENDOR_CLASS_") and self.world.holds(
                f"its vendor class is {name.removeprefix('VENDOR_CLASS_')!r}", f"class {name}"
            ):
                yield name

    def _classify(self, *, late: bool) -> None:
        for made in self.config.classes.values():
            if not made.on_demand and made.late is late and self._belongs(made):
                self._add((made.name,))

    def _belongs(self, made: KeaClass) -> bool:
        if made.opaque:
            return self.world.holds(f"the test of {made.where} holds", made.where)
        if made.test is None:
            return False
        return holds(made.test, Facts(self.client, self.classes, self.world, made.where))

    def _add(self, names: Sequence[str]) -> None:
        self.classes += [name for name in dict.fromkeys(names) if name not in self.classes]

    def _allows(self, place: Place) -> bool:
        return not place.guards or any(name in self.classes for name in place.guards)

    def _open_to_all(self, subnet: Subnet) -> bool:
        return self._allows(subnet) and (subnet.shared is None or self._allows(subnet.shared))

    def _subnet(self) -> Subnet | None:
        """Return the subnet of the router's link; a subnet for other classes is passed over."""
        near = self._near()
        interfaces = {interface for each in near if (interface := _interface(each))}
        if interfaces:
            # Kea takes the first subnet of the interface on which it hears, whatever its prefix.
            near = [each for each in self.config.subnets if _interface(each) in interfaces]
        return next((each for each in near if self._open_to_all(each)), None)

    def _near(self) -> list[Subnet]:
        link = self.client.link
        if link is not None:
            return [each for each in self.config.subnets if link in each.network]
        for subnet in self.config.subnets[:-1]:
            if self.world.holds(f"{self.client.name} is on {subnet.where}", subnet.where):
                return [subnet]
        return self.config.subnets[-1:]

    def _names(self) -> Iterator[tuple[str, bytes]]:
        """Return how Kea may know the router, in the order in which it looks."""
        client = self.client
        for kind in self.config.identifiers if not client.stranger else ():
            value: bytes | Unclear = b""
            if kind == "hw-address":
                value = self._mac()
            elif kind == "client-id":
                value = client.client_id
            elif kind == "duid" and client.family is Family.IPV6:
                value = client.duid
            if isinstance(value, bytes) and value:
                yield kind, value

    def _mac(self) -> bytes | Unclear:
        client = self.client
        if client.family is Family.IPV4 or isinstance(client.mac, Unclear):
            return client.mac
        for source in self.config.mac_sources:
            if source in {"any", "duid"} and isinstance(client.duid, bytes):
                found = mac_of_duid(client.duid)
                if found:
                    return found
            # Of a locally administered MAC address Kea does not believe that the address is made.
            if source in {"any", "ipv6-link-local"} and not client.mac[0] & 3:
                return client.mac
            if source in _RELAYED and self.world.holds(
                f"a relay tells the MAC address of {client.name} ({source})", self.config.where
            ):
                return client.mac
        return b""

    def _find_hosts(self, subnet: Subnet) -> None:
        names = list(self._names())
        if subnet.modes.everywhere:
            listed = self.config.by_name
            self.everywhere = next((listed[name] for name in names if name in listed), None)
        for each in self._link(subnet):
            # Kea passes over a subnet whose class the client is not in yet, also where the class
            # is KNOWN and the reservation would make it so.
            if each.modes.in_subnet and (each is subnet or self._allows(each)):
                found = next((each.by_name[name] for name in names if name in each.by_name), None)
                found = found or self._perhaps(each)
                if found is not None:
                    self.hosts[id(each)] = found

    def _perhaps(self, subnet: Subnet) -> KeaHost | None:
        """Return a reservation that may be the router's though none of its known names says so."""
        client = self.client
        kinds = BY_RELAY | ({"hw-address"} if client.mac_wanted else set())
        if client.stranger:
            return None
        free = (
            host
            for host in subnet.hosts
            if host.kind in kinds
            and host.octets not in client.others
            and (host.address is None or client.link is None or host.address == client.link)
        )
        for host in islice(free, MOST_CANDIDATES):
            if self.world.holds(f"{host.where} is that of {client.name}", host.where):
                return host
        return None

    @staticmethod
    def _link(subnet: Subnet) -> list[Subnet]:
        """Return the subnets of a link, the one that was chosen first."""
        if subnet.shared is None:
            return [subnet]
        all_of_it = subnet.shared.subnets
        at = next(i for i, each in enumerate(all_of_it) if each is subnet)
        return [*all_of_it[at:], *all_of_it[:at]]

    def _host(self, subnet: Subnet) -> KeaHost | None:
        return self.hosts.get(id(subnet)) or (self.everywhere if subnet.modes.everywhere else None)

    def _reserved_classes(self, subnet: Subnet) -> None:
        """Give the router the classes of its reservation, and look at the others once more."""
        host = self._host(subnet)
        if host is None or not host.classes:
            return
        if subnet.shared is not None and host is not self.everywhere:
            return
        self.classes = ["ALL", *(n for n in self.classes if n.startswith("VENDOR_CLASS_"))]
        self._add(host.classes)
        self._classify(late=False)

    def _address(self, subnet: Subnet) -> tuple[Subnet, Address | None, Pool | None]:
        link = self._link(subnet)
        for each in link:
            host = self.hosts.get(id(each))
            if self.everywhere is not None and each.modes.everywhere and host is None:
                host = self.everywhere
            if host is None or host.address is None or host.address not in each.network:
                continue
            if not self._allows(each):
                continue
            pool = _pool_of(each, host.address)
            if pool is not None and each.modes.out_of_pool:
                continue
            return each, host.address, pool
        for each in link:
            if not self._allows(each):
                continue
            for pool in each.pools:
                taken = sum(
                    host.address is not None and pool.first <= int(host.address) <= pool.last
                    for host in each.hosts
                )
                if self._allows(pool) and pool.free(taken):
                    return each, each.network[pool.first - int(each.network[0])], pool
        return subnet, None, None

    def _additional(self, subnet: Subnet, pool: Pool | None) -> None:
        for place in (subnet.shared, subnet, pool):
            for name in place.additional if place is not None else ():
                made = self.config.classes.get(name)
                if made is not None and name not in self.classes and self._belongs(made):
                    self._add((name,))

    def _answer(
        self, where: str, address: Address | None, near: Sequence[Place | None]
    ) -> CheckedAnswer:
        classes = [
            self.config.classes[name] for name in self.classes if name in self.config.classes
        ]
        places = [place for place in [*near, *classes, self.config.top] if place is not None]
        cancelled = {option.code for each in places for option in each.options if option.never}
        options: dict[int, Sent] = {}
        always: dict[int, str] = {}
        names: dict[int, str] = {}
        for place in places:
            for option in place.options:
                if option.always:
                    always.setdefault(option.code, place.where)
                if option.code in cancelled or option.code in options:
                    continue
                if option.classes and not any(name in self.classes for name in option.classes):
                    continue
                told = option.sent
                options[option.code] = Sent(told.octets, _told(place, told.where), told.why)
                names[option.code] = option.data
        boot = next(((p.boot.words, p.where) for p in places if p.boot.words), ("", ""))
        for code in _BOOT[self.config.family]:
            if not boot[0] and code in options and names[code]:
                sent = f", sent unasked (always-send in {always[code]})" if code in always else ""
                boot = (f"{names[code]}{sent}", options[code].where)
        return CheckedAnswer(where, address, options=options, boot_file=boot)


def _interface(subnet: Subnet) -> str:
    return subnet.interface or (subnet.shared.interface if subnet.shared is not None else "")


def _pool_of(subnet: Subnet, address: Address) -> Pool | None:
    number = int(address)
    return next((pool for pool in subnet.pools if pool.first <= number <= pool.last), None)


def _told(place: Place, line: str) -> str:
    return f"{place.where} ({line})" if line else place.where
