"""Whether a running Kea has the reservation that a router needs, octet by octet.

Judged by what ``config-get`` shows (docs/protocol/dhcp.md#its-control-channel), also of
reservations that someone else wrote.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from bootz.dhcp.kea_control import SUCCESS, KeaChannel, ask_kea
from bootz.dhcp.records import DhcpCard, DhcpDevice
from bootz.dhcp.render_kea import CODES, kea_reservations
from bootz.dhcp.sync import DEFAULT_IDENTIFIERS, identity, root_of, rows_of, subnets_of
from bootz.errors import PolicyError
from bootz.protocol.dhcp_offer import Family

_NAMES: Final = {
    Family.IPV4: frozenset({"v4-sztp-redirect", "sztp-redirect"}),
    Family.IPV6: frozenset({"v6-sztp-redirect", "sztp-redirect"}),
}
_SHOWN: Final = 24
"""Octets of an option that are shown."""


@dataclass(frozen=True, slots=True)
class ReservationFlaw:
    """What is wrong with a router's reservation. ``missing``: there is none."""

    detail: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Reservations:
    """All reservations of one Kea server, by what they know their client by."""

    family: Family
    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    allowed: tuple[str, ...]

    @classmethod
    def read(cls, channel: KeaChannel, family: Family) -> Self:
        """Ask Kea for its configuration.

        Raises:
            ConfigError: ``kea-unfit``: it is that of another family.
            PolicyError: ``kea-failed``: Kea refuses.
            Unavailable: ``kea-unreachable``.
            WireError: ``kea-answer``.
        """
        answer = ask_kea(channel, "config-get")
        if answer.result != SUCCESS or not isinstance(answer.arguments, dict):
            raise PolicyError("kea-failed", f"config-get: {answer.text}", where=channel.name)
        return cls.of(answer.arguments, family)

    @classmethod
    def of(cls, configuration: Mapping[str, Any], family: Family) -> Self:
        """Return those of a configuration.

        Raises:
            ConfigError: ``kea-unfit``.
        """
        root = root_of(configuration, family)
        rows: dict[tuple[str, str], Mapping[str, Any]] = {}
        holders = [root, *(subnet for subnet, _ in subnets_of(root, family))]
        for holder in holders:
            for row in rows_of(holder, "reservations"):
                rows.setdefault(identity(row), row)
        allowed = root.get("host-reservation-identifiers") or DEFAULT_IDENTIFIERS[family]
        return cls(family, rows, tuple(map(str, allowed)))

    def flaw(self, device: DhcpDevice) -> ReservationFlaw | None:
        """Return what is wrong with the reservation of each of a device's cards; None: nothing.

        Raises:
            ConfigError: ``redirect-unwritable``.
        """
        for card in device.cards:
            found = self._card_flaw(device, card)
            if found is not None:
                return found
        return None

    def _card_flaw(self, device: DhcpDevice, card: DhcpCard) -> ReservationFlaw | None:
        wanted = [
            row
            for row in kea_reservations(replace(device, cards=(card,)), self.family)
            if identity(row)[0] in self.allowed
        ]
        there = [row for each in wanted if (row := self.rows.get(identity(each))) is not None]
        if not there:
            names = ", ".join(f"{kind} {value}" for kind, value in map(identity, wanted))
            tried = names or f"no name that Kea looks at ({', '.join(self.allowed)})"
            return ReservationFlaw(f"card {card.serial_number}: none for {tried}", missing=True)
        address = device.address(self.family)
        payload = device.payload(self.family).hex()
        for row in there:
            place = " ".join(identity(row))
            addresses = _addresses(row)
            if address is not None and str(address.ip) not in addresses:
                return ReservationFlaw(
                    f"{place}: expected address {address.ip}, seen {', '.join(addresses) or 'none'}"
                )
            octets = self._option(row)
            if octets is not None and octets != payload:
                code = CODES[self.family]
                return ReservationFlaw(f"{place}: option {code}: {_difference(payload, octets)}")
            if octets is None:
                words = f"{place}: it has no option {CODES[self.family]}"
                return ReservationFlaw(words)
        return None

    def _option(self, row: Mapping[str, Any]) -> str | None:
        """Return the octets of the redirect option in hex, None where there is none."""
        for option in rows_of(row, "option-data"):
            if option.get("code") == CODES[self.family] or (
                option.get("name") in _NAMES[self.family]
            ):
                data = str(option.get("data", ""))
                if option.get("csv-format") is False:
                    return data.lower().removeprefix("0x").replace(":", "").replace(" ", "")
                return json.dumps(data)
        return None


def _addresses(row: Mapping[str, Any]) -> Sequence[str]:
    several = row.get("ip-addresses")
    if isinstance(several, list):
        return [str(each) for each in several]
    return [str(row["ip-address"])] if "ip-address" in row else []


def _difference(expected: str, seen: str) -> str:
    """Return two texts of hex digits from the first octet on in which they differ."""
    octets = min(len(expected), len(seen)) // 2
    at = next(
        (i for i in range(octets) if expected[2 * i : 2 * i + 2] != seen[2 * i : 2 * i + 2]), octets
    )
    return f"from octet {at} on expected {_cut(expected[2 * at :])}, seen {_cut(seen[2 * at :])}"


def _cut(digits: str) -> str:
    return f"{digits[: _SHOWN * 2]}…" if len(digits) > _SHOWN * 2 else digits or "nothing"
