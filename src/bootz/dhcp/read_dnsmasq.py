"""Reading dnsmasq's configuration: a line each, and what each tag's clients are told."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from bootz.dhcp.render_kea import CODES
from bootz.dhcp.scopes import Scope
from bootz.protocol.dhcp_offer import Family

_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+")
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_SERVERS: Final = {Family.IPV4: ("6", "dns-server"), Family.IPV6: ("23", "dns-server")}
_BOOT: Final = {
    Family.IPV4: ("66", "67", "bootfile-name", "tftp-server"),
    Family.IPV6: ("59", "bootfile-url"),
}


def read_dnsmasq(text: str) -> list[Scope]:
    """Return a scope for each family and tag; lines that are not about DHCP are passed over."""
    scopes: dict[tuple[Family, str], Scope] = {}
    top = {family: Scope(f"{family.value} options", family) for family in Family}
    ignores = False

    def scope(family: Family, tag: str) -> Scope:
        if not tag:
            return top[family]
        return scopes.setdefault(
            (family, tag), Scope(f"{family.value} tag {tag}", family, around=top[family])
        )

    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split(" #")[0].strip()
        key, equals, value = line.partition("=")
        parts = [part.strip() for part in value.split(",")]
        if line.startswith("#") or not equals:
            continue
        match key.strip():
            case "dhcp-option" | "dhcp-option-force":
                _option(parts, scope, number)
            case "dhcp-boot":
                tags = [part for part in parts if part.startswith("tag:")]
                name = parts[len(tags)] if len(parts) > len(tags) else ""
                scope(Family.IPV4, ",".join(tag[4:] for tag in tags)).boot_file = name
            case "dhcp-host":
                _host(parts, scope)
            case "dhcp-ignore":
                ignores = ignores or "tag:!known" in parts
    found = [*top.values(), *scopes.values()]
    if not ignores:
        found[0].notes.append(("strangers-served", "`dhcp-ignore=tag:!known` is missing"))
    return found


def _option(parts: list[str], scope: Callable[[Family, str], Scope], number: int) -> None:
    tags: list[str] = []
    while parts and re.match(r"(tag|set|encap|vi-encap|vendor):", parts[0]):
        if parts[0].startswith("tag:"):
            tags.append(parts[0][4:])
        parts = parts[1:]
    if not parts:
        return
    family = Family.IPV6 if parts[0].startswith("option6:") else Family.IPV4
    name = parts[0].removeprefix("option6:").removeprefix("option:")
    values = parts[1:]
    place = scope(family, ",".join(tags))
    if name in _SERVERS[family]:
        place.name_servers = [value.strip("[]") for value in values if value]
    elif name in _BOOT[family]:
        place.boot_file = ",".join(values)
    elif name == str(CODES[family]):
        octets = _octets(values)
        if octets is None:
            place.notes.append(("not-evaluated", f"line {number}: the redirect's value"))
        place.redirect = octets


def _octets(values: Sequence[str]) -> bytes | None:
    """Return the octets of one value: colon hex is exact, anything else is bare text."""
    value = ",".join(values).strip().strip('"')
    if not value:
        return None
    if _HEX.fullmatch(value):
        return bytes(int(part, 16) for part in value.split(":"))
    return value.encode()


def _host(parts: Sequence[str], scope: Callable[[Family, str], Scope]) -> None:
    tags = [part[4:] for part in parts if part.startswith("set:")]
    six = any(part.startswith("[") for part in parts)
    place = scope(Family.IPV6 if six else Family.IPV4, ",".join(tags))
    for part in parts:
        if _MAC.fullmatch(part):
            place.clients.append(("hw-address", part.lower().replace(":", "")))
        elif part.startswith("id:"):
            value = part[3:]
            octets = _octets([value]) or b""
            place.clients.append(("duid" if six else "client-id", octets.hex()))
