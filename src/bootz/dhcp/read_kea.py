"""Reading Kea's configuration: JSON with comments, and what each place in it tells clients."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bootz.dhcp.render_kea import CODES
from bootz.dhcp.scopes import Scope, unreadable
from bootz.dhcp.sync import identity, name_servers_of, rows_of
from bootz.protocol.dhcp_offer import Family

MAX_DEPTH: Final = 100
_ROOTS: Final = {"Dhcp4": Family.IPV4, "Dhcp6": Family.IPV6}
_NAMES: Final = {Family.IPV4: "v4-sztp-redirect", Family.IPV6: "v6-sztp-redirect"}
_BOOT: Final = {
    Family.IPV4: {"67", "boot-file-name", "66", "tftp-server-name"},
    Family.IPV6: {"59", "bootfile-url"},
}

_SPACES: Final = frozenset({"", "dhcp4", "dhcp6"})

_Definitions = Mapping[str, Mapping[str, Any]]
"""Definitions of options by their code."""

_TOKEN: Final = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|#[^\n]*|/\*.*?\*/|<\?include[^>]*\?>|,(?=\s*[}\]])', re.DOTALL
)


def read_kea(text: str) -> list[Scope]:
    """Return the scopes of a configuration of kea-dhcp4 or kea-dhcp6.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    included = "<?include" in text

    def plain(found: re.Match[str]) -> str:
        token = found.group()
        # Lines stay, so that an error names the right one.
        return token if token.startswith('"') else "\n" * token.count("\n")

    try:
        # Twice: a comma may stand before a comment before a bracket.
        document = json.loads(_TOKEN.sub(plain, _TOKEN.sub(plain, text)))
    except json.JSONDecodeError as error:
        raise unreadable(error.msg, f"line {error.lineno}") from error
    except RecursionError as error:
        raise unreadable("it is nested too deeply", "document") from error
    if not isinstance(document, dict):
        raise unreadable("it is not an object", "document")
    scopes: list[Scope] = []
    for name, family in _ROOTS.items():
        root = document.get(name)
        if isinstance(root, dict):
            scopes += _root(root, name, family)
    if not scopes:
        raise unreadable("it has neither Dhcp4 nor Dhcp6", "document")
    if included:
        scopes[0].notes.append(("not-evaluated", "an included file is not read"))
    return scopes


def _root(root: Mapping[str, Any], name: str, family: Family) -> Iterator[Scope]:
    definitions = {
        str(row.get("code")): row
        for row in rows_of(root, "option-def")
        if str(row.get("space", "")) in _SPACES
    }
    top = _scope(root, name, family, None, definitions)
    definition = definitions.get(str(CODES[family]))
    if definition is not None:
        kind = f"{definition.get('type')}{' array' if definition.get('array') else ''}"
        words = f"option {CODES[family]} is defined as {kind}; Kea from 2.3.6 on refuses that"
        top.notes.append(("option-definition", words))
    if not _drops_strangers(root, family):
        top.notes.append(("strangers-served", "clients without a reservation are answered"))
    yield top
    for index, row in enumerate(rows_of(root, "client-classes")):
        yield _scope(row, f"class {row.get('name', index)}", family, top, definitions)
    for row in rows_of(root, "reservations"):
        yield _host(row, name, family, top, definitions)
    yield from _subnets(root, family, top, definitions)
    for index, shared in enumerate(rows_of(root, "shared-networks")):
        place = f"shared network {shared.get('name', index)}"
        around = _scope(shared, place, family, top, definitions)
        yield around
        yield from _subnets(shared, family, around, definitions)


def _subnets(
    holder: Mapping[str, Any],
    family: Family,
    around: Scope,
    definitions: _Definitions,
) -> Iterator[Scope]:
    for row in rows_of(holder, "subnet4" if family is Family.IPV4 else "subnet6"):
        place = f"subnet {row.get('subnet')}"
        subnet = _scope(row, place, family, around, definitions)
        yield subnet
        for index, pool in enumerate(rows_of(row, "pools")):
            yield _scope(pool, f"{place} pool {index + 1}", family, subnet, definitions)
        for host in rows_of(row, "reservations"):
            yield _host(host, place, family, subnet, definitions)


def _host(
    row: Mapping[str, Any],
    place: str,
    family: Family,
    around: Scope,
    definitions: _Definitions,
) -> Scope:
    kind, value = identity(row)
    scope = _scope(row, f"{place} reservation {kind} {value}", family, around, definitions)
    if kind:
        scope.clients.append((kind, value))
    return scope


def _scope(
    row: Mapping[str, Any],
    where: str,
    family: Family,
    around: Scope | None,
    definitions: _Definitions,
) -> Scope:
    scope = Scope(where, family, around=around)
    scope.name_servers = name_servers_of(row, family)
    boot = [str(row[key]) for key in ("boot-file-name", "next-server") if _is_set(row.get(key))]
    own = {str(CODES[family]), _NAMES[family], *_own_names(definitions, family)}
    for option in rows_of(row, "option-data"):
        names = {str(option.get("name")), str(option.get("code"))}
        if names & _BOOT[family]:
            boot.append(str(option.get("data")))
        if names & own:
            _read_redirect(option, scope, definitions.get(str(CODES[family])))
    if boot:
        scope.boot_file = " ".join(boot)
    return scope


def _read_redirect(
    option: Mapping[str, Any], scope: Scope, definition: Mapping[str, Any] | None
) -> None:
    data = str(option.get("data", ""))
    if option.get("csv-format") is False or (definition or {}).get("type") == "binary":
        try:
            scope.redirect = bytes.fromhex(data.replace(":", "").removeprefix("0x"))
        except ValueError:
            scope.notes.append(("not-evaluated", "the redirect's data is not hex"))
        return
    kind = (definition or {}).get("type", "tuple")
    parts = [part.strip() for part in re.split(r"(?<!\\),", data)]
    texts = [part.replace("\\,", ",").encode() for part in parts]
    if kind == "string":
        scope.redirect = data.encode()
    elif kind == "tuple":
        # Before 2.3.6 Kea wrote lengths of one octet in a tuple of DHCPv4 that was defined here.
        width = 1 if definition is not None and scope.family is Family.IPV4 else 2
        scope.redirect = b"".join(len(t).to_bytes(width, "big") + t for t in texts)
    else:
        scope.notes.append(("not-evaluated", f"a redirect of type {kind} is not evaluated"))


def _own_names(definitions: _Definitions, family: Family) -> set[str]:
    definition = definitions.get(str(CODES[family]))
    return {str(definition.get("name"))} if definition else set()


def _drops_strangers(root: Mapping[str, Any], family: Family) -> bool:
    for row in rows_of(root, "client-classes"):
        if row.get("name") == "DROP" and "UNKNOWN" in str(row.get("test", "")):
            return True
    if family is Family.IPV6:
        return False
    holders = [root, *rows_of(root, "shared-networks")]
    pools = [
        pool
        for holder in holders
        for subnet in rows_of(holder, "subnet4")
        for pool in rows_of(subnet, "pools")
    ]
    return all(pool.get("client-class") == "KNOWN" for pool in pools)


def _is_set(value: object) -> bool:
    return value not in (None, "", "0.0.0.0")  # noqa: S104 -- no address is bound
