"""What a lab's DHCP server knows: who is who, what they get, and what was handed out.

Known devices only: a stranger hears nothing, and costs a counter. The lease belongs to the
device, so that any of its cards gets the same address at once. Source:
docs/protocol/dhcp.md#the-labs-server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bootz.dhcp.lab_faults import BAD_REDIRECTS, Misbehaviour
from bootz.dhcp.records import DhcpDevice, DhcpPlan, DhcpSubnet
from bootz.errors import ConfigError
from bootz.model.chassis import fold_serial
from bootz.protocol.dhcp_offer import Family
from bootz.wire.redirect import decode_redirect

STRANGER_PERIOD: Final = timedelta(minutes=1)
"""Of strangers one event in this time is told, with their count."""

LARGEST_REDIRECT: Final = 1100
"""Octets of a payload with which a message still fits an Ethernet frame."""

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LabServerOptions:
    """What a person may choose. ``fault`` is empty, or one of ``lab_faults.FAULTS``."""

    families: tuple[Family, ...] = tuple(Family)
    always_send: bool = False
    fault: str = ""


@dataclass(slots=True)
class LabServer:
    """The devices by every name that they may send, and the events of what happens.

    Args:
        clock: aware UTC now.
        tell: takes each event.
    """

    plan: DhcpPlan
    options: LabServerOptions
    clock: Callable[[], datetime]
    tell: Callable[[Event], None]
    strangers: int = 0
    _names: dict[tuple[str, bytes | str], DhcpDevice] = field(default_factory=dict)
    _subnets: dict[tuple[Family, DhcpDevice], DhcpSubnet] = field(default_factory=dict)
    _told_strangers: datetime | None = None

    def __post_init__(self) -> None:
        """Read the plan.

        Raises:
            ConfigError: ``redirect-unwritable``.
        """
        self.load(self.plan)

    def load(self, plan: DhcpPlan) -> None:
        """Take another plan, whole, or keep the one before.

        Raises:
            ConfigError: ``redirect-unwritable``: also where an answer would fit no frame.
        """
        names: dict[tuple[str, bytes | str], DhcpDevice] = {}
        for device in plan.devices:
            for card in device.cards:
                if card.mac:
                    names["mac", card.mac] = device
                names["client-id", card.sent_client_id] = device
                for duid in card.sent_duids:
                    names["duid", duid] = device
                names["serial", fold_serial(card.serial_number)] = device
        subnets: dict[tuple[Family, DhcpDevice], DhcpSubnet] = {}
        for family in self.options.families:
            for device, subnet in plan.placed(family):
                # What does not fit must be known now: it cannot be left out later.
                if len(device.payload(family)) > LARGEST_REDIRECT:
                    raise ConfigError(
                        "redirect-unwritable", "it does not fit into a frame", where=device.name
                    )
                subnets[family, device] = subnet
        self._names = names
        self._subnets = subnets
        self.plan = plan

    def subnet(self, device: DhcpDevice, family: Family) -> DhcpSubnet | None:
        """Return the subnet of a device's address; None where it has none."""
        return self._subnets.get((family, device))

    def find(self, names: Sequence[tuple[str, bytes | str]]) -> DhcpDevice | None:
        """Return the device that the first known name belongs to."""
        for kind, name in names:
            key = fold_serial(name) if isinstance(name, str) else name
            device = self._names.get((kind, key)) if key else None
            if device is not None:
                return device
        return None

    def payload(self, device: DhcpDevice, family: Family) -> bytes | None:
        """Return the redirect option's octets as they go out; None: no option."""
        if self.options.fault == Misbehaviour.BOOT_FILE_ONLY.value:
            return None
        good = device.payload(family)
        spoil = BAD_REDIRECTS.get(self.options.fault)
        return good if spoil is None else spoil(good)

    def stranger(self, family: Family, client: str, interface: str) -> None:
        """Count a device that is not on record; of many, one a minute is told."""
        self.strangers += 1
        now = self.clock()
        if self._told_strangers is None or now - self._told_strangers >= STRANGER_PERIOD:
            self._told_strangers = now
            self.tell(
                {
                    "at": now.isoformat(),
                    "event": "dhcp-unknown",
                    "family": family.value,
                    "client": client,
                    "interface": interface,
                    "count": self.strangers,
                }
            )

    def record(
        self,
        kind: str,
        family: Family,
        device: DhcpDevice,
        *,
        client: str,
        interface: str,
        relay: str = "",
        redirect: bytes | None = None,
        detail: str = "",
    ) -> None:
        """Tell one transaction; ``redirect`` are the octets of the option that went out."""
        address = device.address(family)
        uris = decode_redirect(redirect).uris if redirect else ()
        self.tell(
            {
                "at": self.clock().isoformat(),
                "event": f"dhcp-{kind}",
                "family": family.value,
                "device": device.name,
                "client": client,
                "interface": interface,
                "relay": relay,
                "address": str(address or ""),
                "seconds": self.plan.lease_time,
                "redirect": "" if redirect is None else redirect.hex(),
                "uris": [str(uri) for uri in uris],
                "detail": detail,
            }
        )
