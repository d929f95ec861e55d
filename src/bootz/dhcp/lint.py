"""The mistakes that make a turn-up fail, found in an existing configuration.

Source: docs/protocol/dhcp.md#shapes; docs/protocol/dhcp.md#malformed-lists;
docs/protocol/workflow.md W1, W3.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from bootz.dhcp.records import LARGE6, MOST4, MOST6, SPLIT4, DhcpPlan
from bootz.dhcp.scopes import Scope, known_names
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dialects import DIALECTS
from bootz.wire.redirect import RedirectShape, decode_redirect
from bootz.wire.uri import BootzUri


class Severity(Enum):
    """Whether a router stays unconfigured, or only may."""

    ERROR = "error"
    WARNING = "warning"


_RENDERED: Final = "Write it as `bootz dhcp render` does."

RULES: Final[Mapping[str, tuple[Severity, str]]] = MappingProxyType(
    {
        "text-redirect": (
            Severity.ERROR,
            f"{_RENDERED} If the platform needs text, set --redirect-shape text.",
        ),
        "u8-redirect": (Severity.ERROR, f"Lengths must have two octets. {_RENDERED}"),
        "framed-redirect": (
            Severity.ERROR,
            "The platform is set to another form; see --redirect-shape.",
        ),
        "bad-redirect": (Severity.ERROR, f"No router can use it. {_RENDERED}"),
        "bad-entry": (Severity.WARNING, f"Routers skip this entry. {_RENDERED}"),
        "several-name-servers": (
            Severity.ERROR,
            "Hand out exactly one: routers apply no configuration from a lease with more.",
        ),
        "boot-file-beside": (
            Severity.WARNING,
            "Routers in secure mode ignore the boot file; others boot from it, without Bootz.",
        ),
        "path-doubled": (
            Severity.ERROR,
            "Remove the path from the URI: the device adds the path of the method itself.",
        ),
        "has-path": (
            Severity.WARNING,
            "A path is used in logs only; remove it if it was meant for something else.",
        ),
        "unreachable": (Severity.ERROR, "Check address, port, and that `bootz serve` listens."),
        "name-without-server": (
            Severity.ERROR,
            "Hand out a name-server, or a URI with an address.",
        ),
        "too-large": (Severity.ERROR, "Hand out fewer or shorter URIs."),
        "will-be-cut": (
            Severity.WARNING,
            "It is sent as several option instances, which some devices cannot join.",
        ),
        "unknown-client": (
            Severity.WARNING,
            "Add the chassis to the inventory, or remove the reservation.",
        ),
        "device-missing": (Severity.WARNING, "Render or sync the configuration."),
        "no-redirect": (Severity.ERROR, f"The router finds no bootstrap server. {_RENDERED}"),
        "option-definition": (Severity.WARNING, "Remove it; code and hex data need no definition."),
        "strangers-served": (Severity.WARNING, "Answer known routers only."),
        "not-evaluated": (Severity.WARNING, "Look at the octets: `bootz dhcp probe`."),
    }
)
"""Each mistake with its weight and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where, what, and what to do next."""

    code: str
    where: str
    detail: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return RULES[self.code][0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return RULES[self.code][1]


def check_scopes(
    scopes: Sequence[Scope], plan: DhcpPlan | None, unreachable: Mapping[BootzUri, str]
) -> tuple[Finding, ...]:
    """Return every mistake; the plan, if there is one, is the site's inventory.

    ``unreachable``: URIs that were found to have no server, with what was found.
    """
    names = known_names(plan) if plan else {}
    shapes = {device.name: device.shape for device in plan.devices} if plan else {}
    findings: list[Finding] = []
    for scope in scopes:
        devices = {names[client] for client in scope.clients if client in names}
        wanted = next((shapes[name] for name in sorted(devices)), RedirectShape.RFC8572)
        findings += _own(scope)
        findings += _redirect(scope, wanted, unreachable)
        if plan and scope.clients and not devices:
            told = ", ".join(f"{kind} {value}" for kind, value in scope.clients)
            findings.append(
                Finding("unknown-client", scope.where, f"{told} is not a card in the inventory")
            )
        if devices and not _has_redirect(scope):
            findings.append(Finding("no-redirect", scope.where, f"for {', '.join(devices)}"))
    if plan:
        findings += _missing(scopes, plan, names)
    return tuple(findings)


def uris_of(scopes: Sequence[Scope]) -> tuple[BootzUri, ...]:
    """Return every URI that a configuration hands out, each once."""
    found = (decode_redirect(scope.redirect).uris for scope in scopes if scope.redirect)
    return tuple(dict.fromkeys(uri for uris in found for uri in uris))


def _own(scope: Scope) -> Iterator[Finding]:
    for code, detail in scope.notes:
        yield Finding(code, scope.where, detail)
    if scope.name_servers is not None and len(scope.name_servers) > 1:
        yield Finding("several-name-servers", scope.where, ", ".join(scope.name_servers))


def _redirect(
    scope: Scope, wanted: RedirectShape, unreachable: Mapping[BootzUri, str]
) -> Iterator[Finding]:
    payload = scope.redirect
    if payload is None:
        return
    redirect = decode_redirect(payload)
    if redirect.shape is not wanted and redirect.uris:
        code = {
            RedirectShape.TEXT: "text-redirect",
            RedirectShape.U8: "u8-redirect",
        }.get(redirect.shape, "framed-redirect")
        yield Finding(code, scope.where, f"octets {payload[:24].hex()}…")
    for entry in redirect.ignored:
        code = "bad-entry" if redirect.uris else "bad-redirect"
        words = f"entry {entry.position}: {entry.flaw.value} {entry.detail}".strip()
        yield Finding(code, scope.where, words)
    most, much = (MOST4, SPLIT4) if scope.family is Family.IPV4 else (MOST6, LARGE6)
    if len(payload) > much:
        code = "too-large" if len(payload) > most else "will-be-cut"
        yield Finding(code, scope.where, f"{len(payload)} octets, {much} go in one piece")
    for uri in redirect.uris:
        yield from _uri(uri, scope, unreachable)
    boot_file = scope.effective_boot_file()
    if boot_file:
        yield Finding("boot-file-beside", scope.where, boot_file)


def _uri(uri: BootzUri, scope: Scope, unreachable: Mapping[BootzUri, str]) -> Iterator[Finding]:
    if any(row.path in uri.endpoint for row in DIALECTS):
        yield Finding("path-doubled", scope.where, str(uri))
    elif uri.endpoint:
        yield Finding("has-path", scope.where, str(uri))
    if uri.address is None and not scope.effective_name_servers():
        yield Finding("name-without-server", scope.where, str(uri))
    if uri in unreachable:
        yield Finding("unreachable", scope.where, f"{uri}: {unreachable[uri]}")


def _has_redirect(scope: Scope | None) -> bool:
    while scope is not None:
        if scope.redirect is not None:
            return True
        scope = scope.around
    return False


def _missing(
    scopes: Sequence[Scope], plan: DhcpPlan, names: Mapping[tuple[str, str], str]
) -> Iterator[Finding]:
    for family in {scope.family for scope in scopes}:
        served = {
            names[client]
            for scope in scopes
            if scope.family is family
            for client in scope.clients
            if client in names
        }
        for device in plan.devices:
            if device.address(family) is not None and device.name not in served:
                detail = f"{device.name} has an address but no reservation"
                yield Finding("device-missing", family.value, detail)
