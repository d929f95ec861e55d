"""What joins a preflight to the other parties: image store, DHCP, network, time server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bootz.cli.dhcp.plan import plan_of
from bootz.config.site import SiteConfig
from bootz.dhcp.kea_control import kea_channel
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


def kea_checks(connection: Connection, config: SiteConfig) -> DhcpChecks | None:
    """Return what asks the site's Kea servers; None where none is configured.

    Each is asked once for its whole configuration, when the first chassis are judged.
    """
    places = {Family.IPV4: config.dhcp.kea4, Family.IPV6: config.dhcp.kea6}
    named = {family: place for family, place in places.items() if place}
    if not named:
        return None
    return _KeaChecks(connection, config, named)


class _KeaChecks:
    def __init__(
        self, connection: Connection, config: SiteConfig, places: Mapping[Family, str]
    ) -> None:
        self._connection = connection
        self._config = config
        self._places = places
        self._read: dict[Family, Reservations | BootzError] = {}

    def __call__(self, records: Sequence[ChassisRecord]) -> Mapping[int, Sequence[PreflightCheck]]:
        devices = plan_of(self._connection, self._config, records).devices
        return {
            record.key: self._device(device)
            for record, device in zip(records, devices, strict=True)
        }

    def _device(self, device: DhcpDevice) -> Sequence[PreflightCheck]:
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
        return failed(name, flaw.detail, reason)

    def _reservations(self, family: Family) -> Reservations | BootzError:
        if family not in self._read:
            try:
                channel = kea_channel(self._places[family], family)
                self._read[family] = Reservations.read(channel, family)
            except BootzError as error:
                self._read[family] = error
        return self._read[family]


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
