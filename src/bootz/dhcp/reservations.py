"""Whether a running Kea has the reservation that a router needs, octet by octet.

Judged by what ``config-get`` shows (docs/protocol/dhcp.md#its-control-channel), also of
reservations that someone else wrote. The option may stand at the reservation, or wherever else
Kea takes it from: the subnet, a shared network, a class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from bootz.dhcp.kea_control import SUCCESS, KeaChannel, ask_kea
from bootz.dhcp.records import DhcpCard, DhcpDevice
from bootz.dhcp.render_kea import CODES, client_names
from bootz.dhcp.served import ServedOptions
from bootz.dhcp.sync import DEFAULT_IDENTIFIERS, identity, root_of, rows_of, subnets_of
from bootz.errors import ConfigError, PolicyError
from bootz.protocol.dhcp_offer import Family, read_redirect

_NAMES: Final = {
    Family.IPV4: frozenset({"v4-sztp-redirect", "sztp-redirect"}),
    Family.IPV6: frozenset({"v6-sztp-redirect", "sztp-redirect"}),
}
_SHOWN: Final = 24
"""Octets of an option that are shown."""
_MOST_WORDS: Final = 400


@dataclass(frozen=True, slots=True)
class ReservationFlaw:
    """What is wrong with a router's reservation. ``missing``: there is none.

    ``certain`` is false where Kea may know better: what its configuration alone does not tell.
    """

    detail: str
    missing: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class WantedRedirect:
    """What the redirect option is to hold: octets; None: any list that a router can use."""

    payload: bytes | None

    @classmethod
    def of(cls, device: DhcpDevice, family: Family) -> Self:
        """Return what a device expects; without URIs on record it is another's server.

        Raises:
            ConfigError: ``redirect-unwritable``.
        """
        uris = device.uris4 if family is Family.IPV4 else device.uris6
        return cls(device.payload(family) if uris else None)

    def flaw(self, octets: bytes, what: str) -> ReservationFlaw | None:
        """Compare octets with what is expected; ``what`` names the option and its place."""
        if self.payload is None:
            redirect, _ = read_redirect(octets, strict=False)
            if redirect is not None and redirect.uris:
                return None
            return ReservationFlaw(f"{what}: no entry is usable, seen {_cut(octets.hex())}")
        if octets == self.payload:
            return None
        return ReservationFlaw(f"{what}: {_difference(self.payload.hex(), octets.hex())}")


@dataclass(frozen=True, slots=True)
class Reservations:
    """All reservations of one Kea server, by what they know their client by."""

    family: Family
    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    allowed: tuple[str, ...]
    configuration: Mapping[str, Any] = field(repr=False)
    elsewhere: bool = False
    """Kea also looks into a database of hosts, which its configuration does not show."""
    _served: list[ServedOptions | None] = field(default_factory=list, repr=False, compare=False)
    """Made when it is first needed; None: the configuration cannot be followed."""

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
        elsewhere = bool(root.get("hosts-database") or root.get("hosts-databases"))
        return cls(family, rows, tuple(map(str, allowed)), configuration, elsewhere)

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
            identity({kind: value})
            for kind, value in client_names(card, self.family)
            if kind in self.allowed
        ]
        there = [row for each in wanted if (row := self.rows.get(each)) is not None]
        if not there:
            names = ", ".join(f"{kind} {value}" for kind, value in wanted)
            tried = names or f"no name that Kea looks at ({', '.join(self.allowed)})"
            words = f"card {card.serial_number}: none for {tried}"
            if self.elsewhere:
                words += "; its database of hosts may have one, which is not asked"
            return ReservationFlaw(words, missing=True, certain=not self.elsewhere)
        address = device.address(self.family)
        for row in there:
            kind, value = identity(row)
            place = f"{kind} {value}"
            addresses = _addresses(row)
            if address is not None and str(address.ip) not in addresses:
                return ReservationFlaw(
                    f"{place}: expected address {address.ip}, seen {', '.join(addresses) or 'none'}"
                )
            # It is this one of its names that the row answers.
            named = replace(card, duid=bytes.fromhex(value)) if kind == "duid" else card
            flaw = self._redirect_flaw(device, named, row)
            if flaw is not None:
                return replace(flaw, detail=f"{place}: {flaw.detail}")
        return None

    def _redirect_flaw(
        self, device: DhcpDevice, card: DhcpCard, row: Mapping[str, Any]
    ) -> ReservationFlaw | None:
        """Compare the option of a reservation, or what Kea sends in its place."""
        expected = WantedRedirect.of(device, self.family)
        octets = self._option(row)
        if octets is not None:
            return expected.flaw(octets, f"option {CODES[self.family]}")
        # A name and text, or an option of a wider place.
        return self._inherited_flaw(device, card, expected)

    def _inherited_flaw(
        self, device: DhcpDevice, card: DhcpCard, expected: "WantedRedirect"
    ) -> ReservationFlaw | None:
        code = CODES[self.family]
        address = device.address(self.family)
        served = self._served_options()
        if served is None or address is None:
            words = f"it has no option {code}, and where else Kea takes it from cannot be followed"
            return ReservationFlaw(words, certain=False)
        found = served.redirect(card, device.name, address.ip)
        flaws = [
            ReservationFlaw(f"it has no option {code}, and no wider place gives it one")
            if each is None
            else ReservationFlaw(f"option {code} of {each.where}: {each.why}", certain=False)
            if each.octets is None
            else expected.flaw(each.octets, f"option {code} of {each.where}")
            for each in found.cases
        ]
        wrong = [flaw for flaw in flaws if flaw is not None]
        if found.whole and len(wrong) == len(flaws):
            return next((flaw for flaw in wrong if not flaw.certain), wrong[0])
        if not wrong and found.whole:
            return None
        words = f"option {code} depends on whether {'; '.join(found.doubts)}"
        return ReservationFlaw(words[:_MOST_WORDS], certain=False)

    def _served_options(self) -> ServedOptions | None:
        if not self._served:
            try:
                self._served.append(ServedOptions(self.configuration, self.family))
            except ConfigError:
                self._served.append(None)
        return self._served[0]

    def _option(self, row: Mapping[str, Any]) -> bytes | None:
        """Return the octets of a reservation's own option, None where none are written there."""
        for option in rows_of(row, "option-data"):
            if option.get("code") == CODES[self.family] or (
                option.get("name") in _NAMES[self.family]
            ):
                digits = str(option.get("data", "")).lower().removeprefix("0x")
                try:
                    if option.get("csv-format") is False:
                        return bytes.fromhex(digits.replace(":", ""))
                except ValueError:
                    return None
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
