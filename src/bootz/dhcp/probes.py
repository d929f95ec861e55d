"""What the last probe of a router, or of its link, met: kept, and held to what is on record.

One line of JSON for each family of a probe, in a file of the site.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from pathlib import Path
from typing import Final, Self

from bootz.dhcp.leases import LeaseLog, read_leases
from bootz.dhcp.probe import ProbeAnswer
from bootz.dhcp.records import DhcpDevice
from bootz.dhcp.reservations import WantedRedirect
from bootz.model.chassis import fold_serial
from bootz.protocol.dhcp_offer import Family

PROBE_FILE: Final = "dhcp-probes.jsonl"
"""Below the site's folder."""

_MOST_SERVERS: Final = 3
"""Servers of a probe that are kept; two are one too many already, and a line has its bound."""
_MOST_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class ProbedServer:
    """One server's answer. ``address`` with its prefix length or empty; ``octets`` in hex."""

    server: str
    sender: str
    verdict: str
    detail: str
    address: str
    octets: str

    @classmethod
    def of(cls, answer: ProbeAnswer) -> Self:
        """Return what is kept of an answer."""
        offer = answer.offer
        return cls(
            offer.server_name,
            answer.sender,
            answer.verdict,
            "" if answer.fault is None else str(answer.fault)[:_MOST_TEXT],
            "" if offer.address is None else f"{offer.address}/{offer.prefix_length}",
            offer.payload.hex(),
        )


@dataclass(frozen=True, slots=True)
class LinkProbe:
    """A probe over one family: as which router, when (aware UTC), and who answered."""

    serial_number: str
    family: Family
    interface: str
    at: datetime
    servers: tuple[ProbedServer, ...] = ()

    @classmethod
    def of(cls, event: Mapping[str, object]) -> Self:
        """Read a line.

        Raises:
            ValueError: it is malformed.
        """
        listed = event.get("servers")
        servers = listed if isinstance(listed, list) else []
        names = tuple(ProbedServer.__dataclass_fields__)
        at = datetime.fromisoformat(str(event.get("at")))
        if at.tzinfo is None:
            raise ValueError("its time has no zone")
        found = tuple(
            ProbedServer(*(str(each.get(name, "")) for name in names))
            for each in servers[:_MOST_SERVERS]
            if isinstance(each, dict)
        )
        for each in found:
            bytes.fromhex(each.octets)
        return cls(
            str(event.get("serial_number")),
            Family(event.get("family")),
            str(event.get("interface")),
            at.astimezone(UTC),
            found,
        )

    @property
    def networks(self) -> Iterable[IPv4Interface | IPv6Interface]:
        """The addresses that were offered, with their networks."""
        for each in self.servers:
            try:
                yield ip_interface(each.address)
            except ValueError:
                continue

    def flaw(self, device: DhcpDevice | None) -> str:
        """Return why the router could not go on, empty where it could.

        ``device`` is what is on record of the router that was asked for; None: only the link is
        judged.

        Raises:
            ConfigError: ``redirect-unwritable``.
        """
        if not self.servers:
            return "no server answers"
        names = dict.fromkeys(each.server for each in self.servers)
        if len(names) > 1:
            return f"{len(names)} servers answer: {', '.join(names)}"
        unusable = next((each for each in self.servers if each.verdict != "usable"), None)
        if unusable is not None:
            return f"{unusable.server}: {unusable.detail or unusable.verdict}"
        return "" if device is None else self._other_than(device)

    def _other_than(self, device: DhcpDevice) -> str:
        expected = WantedRedirect.of(device, self.family)
        address = device.address(self.family)
        for each in self.servers:
            offered = each.address.partition("/")[0]
            if address is not None and offered != str(address.ip):
                return f"{each.server}: expected address {address.ip}, seen {offered}"
            flaw = expected.flaw(bytes.fromhex(each.octets), "its redirect option")
            if flaw is not None:
                return f"{each.server}: {flaw.detail}"
        return ""


@dataclass(frozen=True, slots=True)
class LastProbes:
    """The last probe of each router and family."""

    found: Mapping[tuple[str, Family], LinkProbe] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a site's file; a malformed line is passed over.

        Raises:
            Unavailable: ``file-unreadable``.
        """
        found: dict[tuple[str, Family], LinkProbe] = {}
        for event in read_leases(path):
            try:
                probe = LinkProbe.of(event)
            except ValueError:
                continue
            found[fold_serial(probe.serial_number), probe.family] = probe
        return cls(found)

    def of_device(self, device: DhcpDevice, family: Family) -> LinkProbe | None:
        """Return the last probe as one of a router's cards."""
        own = (self.found.get((fold_serial(c.serial_number), family)) for c in device.cards)
        return max(filter(None, own), key=lambda each: each.at, default=None)

    def of_link(self, device: DhcpDevice, family: Family) -> LinkProbe | None:
        """Return the last probe, as whichever router, that was offered an address of its link."""
        address = device.address(family)
        near = (
            each
            for each in self.found.values()
            if each.family is family
            and address is not None
            and any(address.ip in offered.network for offered in each.networks)
        )
        return max(near, key=lambda each: each.at, default=None)


def keep_probes(
    path: Path,
    serial_number: str,
    interface: str,
    families: Sequence[Family],
    answers: Sequence[ProbeAnswer],
    *,
    at: datetime,
) -> None:
    """Append what a probe met, silence too.

    Raises:
        Unavailable: ``file-unwritable``.
    """
    log = LeaseLog(path)
    try:
        for family in families:
            servers = [ProbedServer.of(each) for each in answers if each.offer.family is family]
            log.append(
                {
                    "serial_number": serial_number,
                    "family": family.value,
                    "interface": interface,
                    "at": at.astimezone(UTC).isoformat(),
                    "servers": [asdict(each) for each in servers[:_MOST_SERVERS]],
                }
            )
    finally:
        log.close()
