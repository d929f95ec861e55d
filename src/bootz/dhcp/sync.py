"""Reservations into a running Kea: merged, tested, set, verified; nothing else is changed.

Reservations of ours carry a mark in their user-context; what has none is another's and stays.
A whole configuration is pushed, because reservation commands are no part of open-source Kea
before 2.7.7. After a failed config-set Kea 2.2 answers no client any more until a good one, so
it is tested before, and set back at once if it fails. Source:
docs/protocol/dhcp.md#its-control-channel.
"""

import copy
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bootz.dhcp.kea_control import SUCCESS, KeaChannel, ask_kea
from bootz.dhcp.records import DhcpPlan, Network
from bootz.dhcp.render_kea import kea_reservations
from bootz.errors import ConfigError, ConflictError, PolicyError
from bootz.protocol.dhcp_offer import Family

IDENTIFIERS: Final = ("hw-address", "client-id", "duid", "circuit-id", "flex-id")
DEFAULT_IDENTIFIERS: Final = {
    Family.IPV4: ("hw-address", "duid", "circuit-id", "client-id"),
    Family.IPV6: ("hw-address", "duid"),
}
"""What Kea looks at, in this order, where ``host-reservation-identifiers`` is not set."""

_NEEDED: Final = frozenset({"config-get", "config-test", "config-set"})

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did, or would do: reservations by ``kind value address``."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    applied: bool = False
    written: bool = False

    @property
    def differs(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.added or self.changed or self.removed)


def sync_kea(
    channel: KeaChannel,
    plan: DhcpPlan,
    family: Family,
    *,
    dry_run: bool = False,
    write: bool = False,
) -> SyncResult:
    """Make Kea's reservations those of the plan; ``write`` lets Kea save its file too.

    Raises:
        ConfigError: ``kea-unfit``: Kea's configuration has no place for them, or refuses them.
        ConflictError: ``kea-conflict``: a reservation is another's, or Kea was changed in between.
        PolicyError: ``kea-failed``: Kea did not accept it; the previous one was restored.
        Unavailable: ``kea-unreachable``.
        WireError: ``kea-answer``.
    """
    commands = ask_kea(channel, "list-commands").arguments
    missing = _NEEDED.difference(str(each) for each in commands)
    if missing:
        raise ConfigError("kea-unfit", f"it lacks {', '.join(sorted(missing))}", where=channel.name)
    saved = _configuration(channel)
    merged, result = merge(saved, plan, family)
    if not result.differs:
        return result
    tested = ask_kea(channel, "config-test", merged)
    if tested.result != SUCCESS:
        raise ConfigError("kea-unfit", f"config-test: {tested.text}", where=channel.name)
    if dry_run:
        return result
    if _configuration(channel) != saved:
        raise ConflictError(
            "kea-conflict",
            "Kea's configuration was changed during the sync; run it again",
            where=channel.name,
        )
    done = ask_kea(channel, "config-set", merged)
    if done.result != SUCCESS:
        back = ask_kea(channel, "config-set", saved)
        state = (
            "the previous configuration is restored"
            if back.result == SUCCESS
            else "rollback failed: Kea is not answering clients; restart it from its file"
        )
        raise PolicyError("kea-failed", f"config-set: {done.text}; {state}", where=channel.name)
    _, left = merge(_configuration(channel), plan, family)
    if left.differs:
        raise PolicyError(
            "kea-failed", "it does not show the reservations that were set", where=channel.name
        )
    written = False
    if write:
        answer = ask_kea(channel, "config-write")
        if answer.result != SUCCESS:
            raise PolicyError(
                "kea-failed",
                f"set, but config-write: {answer.text}; a restart would lose it",
                where=channel.name,
            )
        written = True
    return SyncResult(
        result.added,
        result.changed,
        result.removed,
        result.unchanged,
        applied=True,
        written=written,
    )


def merge(
    configuration: Mapping[str, Any], plan: DhcpPlan, family: Family
) -> tuple[dict[str, Any], SyncResult]:
    """Return a configuration with the plan's reservations in their subnets, and what differs.

    Raises:
        ConfigError: ``kea-unfit``: an address is in none of its subnets, or a setting forbids it.
        ConflictError: ``kea-conflict``: a reservation of the same identifier is another's.
    """
    merged: dict[str, Any] = copy.deepcopy(dict(configuration))
    root = root_of(merged, family)
    subnets = list(subnets_of(root, family))
    wanted = _placed(plan, family, root, subnets)
    _check_settings(root, wanted, family)
    added, changed, removed, unchanged = [], [], [], 0
    for index, (subnet, scopes) in enumerate(subnets):
        mine = {identity(row): row for row in wanted.get(index, ())}
        kept: list[Row] = []
        for row in rows_of(subnet, "reservations"):
            key = identity(row)
            if not is_managed(row):
                if key in mine:
                    raise ConflictError(
                        "kea-conflict",
                        f"{_words(row)} is already reserved by another entry",
                        where=str(subnet.get("subnet")),
                    )
                kept.append(row)
            elif key not in mine:
                removed.append(_words(row))
            else:
                new = mine.pop(key)
                _one_name_server(new, scopes, plan, family)
                if _same(row, new):
                    unchanged += 1
                    kept.append(row)
                else:
                    changed.append(_words(new))
                    kept.append(new)
        for row in mine.values():
            _one_name_server(row, scopes, plan, family)
            added.append(_words(row))
            kept.append(row)
        if kept or "reservations" in subnet:
            subnet["reservations"] = kept
    return merged, SyncResult(tuple(added), tuple(changed), tuple(removed), unchanged)


def root_of(configuration: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Return what stands under Dhcp4 or Dhcp6.

    Raises:
        ConfigError: ``kea-unfit``: it is not there.
    """
    name = "Dhcp4" if family is Family.IPV4 else "Dhcp6"
    root = configuration.get(name)
    if not isinstance(root, dict):
        raise ConfigError("kea-unfit", f"it has no {name}", where="Kea")
    return root


def subnets_of(root: Mapping[str, Any], family: Family) -> Iterator[tuple[Row, list[Row]]]:
    """Return each subnet with the scopes around it, the outermost first."""
    name = "subnet4" if family is Family.IPV4 else "subnet6"
    for subnet in rows_of(root, name):
        yield subnet, [dict(root), subnet]
    for shared in rows_of(root, "shared-networks"):
        for subnet in rows_of(shared, name):
            yield subnet, [dict(root), shared, subnet]


def rows_of(holder: Mapping[str, Any], name: str) -> list[Row]:
    """Return the objects in a list; what is of another kind is passed over."""
    rows = holder.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def identity(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return by what a reservation knows its client: kind, and octets in plain hex."""
    for kind in IDENTIFIERS:
        if isinstance(row.get(kind), str):
            text = row[kind]
            if len(text) > 1 and text[0] == text[-1] == "'":
                return kind, text[1:-1].encode().hex()
            return kind, text.lower().removeprefix("0x").replace(":", "").replace("-", "")
    return "", ""


def is_managed(row: Mapping[str, Any]) -> bool:
    """Return whether a reservation carries our mark."""
    context = row.get("user-context")
    mark = context.get("bootz") if isinstance(context, dict) else None
    return isinstance(mark, dict) and mark.get("managed") is True


def name_servers_of(scope: Mapping[str, Any], family: Family) -> list[str] | None:
    """Return the name-servers that a scope sets; None where it says nothing."""
    name, code = ("domain-name-servers", 6) if family is Family.IPV4 else ("dns-servers", 23)
    for option in rows_of(scope, "option-data"):
        if option.get("name") == name or option.get("code") == code:
            data = str(option.get("data", ""))
            if option.get("csv-format") is False:
                width = 8 if family is Family.IPV4 else 32
                digits = data.replace(":", "").replace(" ", "")
                return [digits[at : at + width] for at in range(0, len(digits), width)]
            return [part.strip() for part in data.split(",") if part.strip()]
    return None


def _configuration(channel: KeaChannel) -> dict[str, Any]:
    answer = ask_kea(channel, "config-get")
    if answer.result != SUCCESS or not isinstance(answer.arguments, dict):
        raise PolicyError("kea-failed", f"config-get: {answer.text}", where=channel.name)
    # From 2.4 on; config-set refuses it.
    return {key: value for key, value in answer.arguments.items() if key != "hash"}


def _placed(
    plan: DhcpPlan, family: Family, root: Row, subnets: list[tuple[Row, list[Row]]]
) -> dict[int, list[Row]]:
    networks = [_network(subnet) for subnet, _ in subnets]
    allowed = root.get("host-reservation-identifiers") or DEFAULT_IDENTIFIERS[family]
    wanted: dict[int, list[Row]] = {}
    for device in plan.devices:
        address = device.address(family)
        if address is None:
            continue
        index = next((i for i, network in enumerate(networks) if address.ip in network), None)
        if index is None:
            raise ConfigError(
                "kea-unfit", f"{device.name}: {address.ip} is in none of its subnets", where="Kea"
            )
        _check_reservations(subnets[index][1])
        for card in device.cards:
            rows = [
                row
                for row in kea_reservations(replace(device, cards=(card,)), family)
                if identity(row)[0] in allowed
            ]
            # Each card by itself: one that Kea would not recognise is as lost as a whole router.
            if not rows:
                raise ConfigError(
                    "kea-unfit",
                    f"{device.row}: host-reservation-identifiers allows no name of card "
                    f"{card.serial_number}; give its MAC address, or allow its other names",
                    where="Kea",
                    seen=", ".join(map(str, allowed)),
                )
            wanted.setdefault(index, []).extend(rows)
    return wanted


def _network(subnet: Row) -> Network:
    """Return a subnet's network; Kea takes one with the bits of a host, too."""
    text = str(subnet.get("subnet", ""))
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigError("kea-unfit", "a subnet has no prefix", where="Kea", seen=text) from error


def _check_reservations(scopes: list[Row]) -> None:
    """Refuse a subnet in which Kea does not look at reservations.

    The innermost setting counts (Kea Administrator Reference Manual, "Host Reservation Modes").
    """
    looks, where = True, ""
    for scope in scopes:
        old = scope.get("reservation-mode")
        if old is not None:
            looks = old not in {"disabled", "off", "global"}
            where = f"reservation-mode {old}"
        if "reservations-in-subnet" in scope:
            looks, where = scope["reservations-in-subnet"] is not False, "reservations-in-subnet"
    if not looks:
        raise ConfigError(
            "kea-unfit",
            f"subnet {scopes[-1].get('subnet')}: {where} makes Kea ignore reservations there",
            where="Kea",
        )


def _check_settings(root: Row, wanted: Mapping[int, list[Row]], family: Family) -> None:
    if root.get("ip-reservations-unique", True) is False:
        return
    key = "ip-address" if family is Family.IPV4 else "ip-addresses"
    addresses = [str(row[key]) for rows in wanted.values() for row in rows]
    if len(set(addresses)) != len(addresses):
        raise ConfigError(
            "kea-unfit",
            'a router has one address under several names; set "ip-reservations-unique": false',
            where="Kea",
        )


def _one_name_server(row: Row, scopes: list[Row], plan: DhcpPlan, family: Family) -> None:
    """Give a reservation a single name-server where its surroundings have several (W3)."""
    effective: list[str] = []
    for scope in scopes:
        own = name_servers_of(scope, family)
        effective = effective if own is None else own
    if len(effective) < 2:
        return
    field = row["ip-address"] if family is Family.IPV4 else row["ip-addresses"][0]
    address = ipaddress.ip_address(field)
    planned = next(
        (str(s.name_server) for s in plan.subnets if s.name_server and address in s.network),
        effective[0],
    )
    name = "domain-name-servers" if family is Family.IPV4 else "dns-servers"
    row["option-data"] = [{"name": name, "data": planned}, *row["option-data"]]


def _same(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Compare as Kea shows it: with defaults filled in and hex in capitals."""

    def facts(row: Mapping[str, Any]) -> tuple[object, ...]:
        addresses = row.get("ip-addresses") or [row.get("ip-address")]
        options = sorted(
            (
                str(option.get("code") or _CODES.get(str(option.get("name")), option.get("name"))),
                str(option.get("data", "")).replace(" ", "").lower(),
            )
            for option in row.get("option-data", ())
        )
        return addresses, options, row.get("user-context")

    return facts(shown) == facts(wanted)


_CODES: Final = {"routers": 3, "domain-name-servers": 6, "dns-servers": 23}
"""Names under which Kea shows, beside the code, what was given without one."""


def _words(row: Mapping[str, Any]) -> str:
    kind, value = identity(row)
    addresses = row.get("ip-addresses") or [row.get("ip-address")]
    return f"{kind} {value} {', '.join(map(str, addresses))}"
