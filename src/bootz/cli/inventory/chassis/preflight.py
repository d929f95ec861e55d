"""What joins a preflight to the other parties: image store, DHCP, network, time server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from bootz.cli.dhcp.plan import plan_of
from bootz.config.site import SiteConfig
from bootz.dhcp.kea_control import kea_channel
from bootz.dhcp.probes import PROBE_FILE, LastProbes, LinkProbe
from bootz.dhcp.records import DhcpDevice
from bootz.dhcp.reservations import Reservations
from bootz.errors import BootzError
from bootz.images.depot import Depot, StoredFile
from bootz.protocol.dhcp_words import Family
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.preflight.findings import PreflightCheck, failed, passed, warned
from bootz.server.preflight.terms import DhcpChecks


@dataclass(frozen=True, slots=True)
class DepotFiles:
    """Fills the port ``ImageFiles`` with a folder."""

    depot: Depot

    @classmethod
    def of(cls, root: Path, config: SiteConfig) -> "DepotFiles":
        """Return those of a site."""
        return cls(Depot(root / config.images.folder))

    def verify(self, sha256: str, size: int) -> None:
        """Read a whole file and compare it with its record.

        Raises:
            Unavailable: it is missing, cannot be read, or is not what was added.
        """
        self.depot.verify(StoredFile(sha256, size))


_OLD: Final = timedelta(days=1)
"""A probe before that is told with its age, and what it found may be corrected by now."""


def dhcp_checks(
    connection: Connection,
    config: SiteConfig,
    root: Path,
    now: datetime,
    *,
    ask: bool,
    server: bool,
) -> DhcpChecks:
    """Return what judges DHCP: by the probes of the site, and by its Kea servers.

    Each Kea is asked once for its whole configuration, when the first chassis are judged.

    Args:
        connection: to the site's database.
        config: the site's settings.
        root: its folder.
        now: aware UTC.
        ask: whether Kea is to be asked.
        server: whether it is our server that routers are to be told.
    """
    places = {Family.IPV4: config.dhcp.kea4, Family.IPV6: config.dhcp.kea6}
    named = {family: place for family, place in places.items() if place and ask}
    return _DhcpChecks(connection, config, named, root / PROBE_FILE, now, server=server)


class _DhcpChecks:
    def __init__(
        self,
        connection: Connection,
        config: SiteConfig,
        places: Mapping[Family, str],
        probes: Path,
        now: datetime,
        *,
        server: bool,
    ) -> None:
        self._connection = connection
        self._config = config
        self._places = places
        self._now = now
        self._server = server
        self._read: dict[Family, Reservations | BootzError] = {}
        self._probes: LastProbes | None = None
        self._unread: BootzError | None = None
        try:
            self._probes = LastProbes.read(probes)
        except BootzError as error:
            self._unread = error

    def __call__(self, records: Sequence[ChassisRecord]) -> Mapping[int, Sequence[PreflightCheck]]:
        if not self._places and self._probes is not None and not self._probes.found:
            return {}
        plan = plan_of(self._connection, self._config, records, own_uris=self._server)
        return {
            record.key: [*self._device(device), *self._probed(device)]
            for record, device in zip(records, plan.devices, strict=True)
        }

    def _device(self, device: DhcpDevice) -> Sequence[PreflightCheck]:
        if not self._places:
            return []
        families = [family for family in self._places if device.address(family) is not None]
        if not families:
            words = "it has no address on record: DHCP reserves nothing for it"
            return [warned("dhcp", words, "dhcp-reservation-missing")]
        return [self._reserved(device, family) for family in families]

    def _reserved(self, device: DhcpDevice, family: Family) -> PreflightCheck:
        name = f"dhcp-{family.value}"
        reservations = self._reservations(family)
        if isinstance(reservations, BootzError):
            return failed(name, str(reservations), reservations.reason)
        try:
            flaw = reservations.flaw(device)
        except BootzError as error:
            return failed(name, str(error), error.reason)
        if flaw is None:
            return passed(name, f"each card has its reservation at {self._places[family]}")
        reason = "dhcp-reservation-missing" if flaw.missing else "dhcp-reservation-wrong"
        return (failed if flaw.certain else warned)(name, flaw.detail, reason)

    def _reservations(self, family: Family) -> Reservations | BootzError:
        if family not in self._read:
            try:
                channel = kea_channel(self._places[family], family)
                self._read[family] = Reservations.read(channel, family)
            except BootzError as error:
                self._read[family] = error
        return self._read[family]

    def _probed(self, device: DhcpDevice) -> Iterator[PreflightCheck]:
        """Tell what the last probe as this router met, else the last one on its link."""
        if self._probes is None:
            if self._unread is not None:
                yield warned("dhcp-probe", str(self._unread), self._unread.reason)
            return
        with_address = [family for family in Family if device.address(family) is not None]
        for family in with_address or Family:
            own = self._probes.of_device(device, family)
            if own is not None:
                yield self._judged(own, device)
            elif (near := self._probes.of_link(device, family)) is not None:
                yield self._judged(near, None)

    def _judged(self, probe: LinkProbe, device: DhcpDevice | None) -> PreflightCheck:
        name = f"dhcp-probe-{probe.family.value}"
        as_whom = "" if device is not None else f" as {probe.serial_number}"
        words = f"{probe.at:%Y-%m-%d %H:%M} UTC on {probe.interface}{as_whom}"
        try:
            flaw = probe.flaw(device)
        except BootzError as error:
            return failed(name, str(error), error.reason)
        if not flaw:
            (server,) = {each.server for each in probe.servers}
            return passed(name, f"{words}: {server} answers, and a router can go on")
        old = self._now - probe.at > _OLD
        return (warned if old or device is None else failed)(
            name, f"{words}: {flaw}", "dhcp-probe-failed"
        )


def ntp_offset(server: str, wall: Callable[[], float]) -> Callable[[], float]:
    """Return what asks a time server: NAME, ADDRESS, or either with :PORT."""
    from bootz.config.values import parse_endpoint
    from bootz.transport.sntp import PORT, clock_offset

    try:
        endpoint = parse_endpoint(server)
        host, port = endpoint.host, endpoint.port
    except ValueError:
        host, port = server, PORT
    return lambda: clock_offset(host, wall=wall, port=port)
