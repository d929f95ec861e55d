"""What an answer means to a router: usable, or why not. The judge is the router's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bootz.dhcp.check.answers import CheckedAnswer, Sent
from bootz.dhcp.check.clients import Client
from bootz.dhcp.check.findings import Finding, Severity
from bootz.dhcp.records import LARGE6, MOST4, SPLIT4
from bootz.dhcp.render_kea import CODES
from bootz.protocol.dhcp_offer import Family, Offer, fault_of, read_redirect
from bootz.wire.dhcp4 import Option4, addresses4
from bootz.wire.dhcp6 import Option6, addresses6
from bootz.wire.dialects import DIALECTS
from bootz.wire.redirect import RedirectShape
from bootz.wire.uri import BootzUri

NAME_SERVERS: Final = {
    Family.IPV4: int(Option4.NAME_SERVERS),
    Family.IPV6: int(Option6.NAME_SERVERS),
}
FRAME4: Final = 1300
"""Octets of option 143 that fit no message on an Ethernet link, whatever else it has."""


@dataclass(frozen=True, slots=True)
class ServedOutcome:
    """What becomes of a router in one world.

    ``faults``: why it cannot go on; ``open``: what cannot be told, so that it is not known
    whether it can; ``remarks``: what a person should know though it can. ``silent``: it hears
    nothing; ``refused``: it hears that there is not an address for it.
    """

    faults: tuple[Finding, ...] = ()
    open: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()
    redirect: Sent | None = None
    shape: RedirectShape | None = None
    silent: bool = False
    refused: bool = False


def judge(
    client: Client, answer: CheckedAnswer, unreachable: Mapping[BootzUri, str]
) -> ServedOutcome:
    """Return what an answer means; ``unreachable``: URIs without a server, with what was found."""
    if answer.silence:
        words = f"{client.name}: {answer.silence}"
        return ServedOutcome((Finding("not-served", answer.where, words),), silent=True)
    code = CODES[client.family]
    sent = answer.options.get(code)
    servers = answer.options.get(NAME_SERVERS[client.family])
    unclear = tuple(
        Finding("not-evaluated", each.where, each.why)
        for each in (sent, servers)
        if each is not None and each.octets is None
    )
    if unclear:
        return ServedOutcome(open=unclear)
    offer = _offer(client, answer, sent, servers)
    fault = fault_of(offer)
    if fault is not None:
        found = _fault(client, answer, offer, fault.reason, sent, servers)
        return ServedOutcome(tuple(found), redirect=sent, refused=offer.address is None)
    assert sent is not None and sent.octets is not None  # noqa: S101, PT018 -- it is usable
    assert offer.redirect is not None  # noqa: S101 -- it is usable
    shape = offer.redirect.shape
    if client.mark not in {None, shape}:
        return ServedOutcome((_marked(client, sent, shape),), redirect=sent, shape=shape)
    dead = [uri for uri in offer.uris() if uri in unreachable]
    weight = None if len(dead) == len(offer.uris()) else Severity.WARNING
    remarks = [
        *_entries(offer, sent),
        *_size(client.family, sent),
        *(_path(uri, sent) for uri in offer.uris() if uri.endpoint),
        *(Finding("unreachable", sent.where, f"{uri}: {unreachable[uri]}", weight) for uri in dead),
    ]
    name, place = answer.boot_file
    if name:
        remarks.append(Finding("boot-file-beside", place or answer.where, name))
    if client.family is Family.IPV4 and len(sent.octets) > FRAME4:
        words = f"{client.name}: {len(sent.octets)} octets fit no message"
        return ServedOutcome(
            (Finding("too-large", sent.where, words, Severity.ERROR),), redirect=sent
        )
    return ServedOutcome(remarks=tuple(remarks), redirect=sent, shape=shape)


def _offer(client: Client, answer: CheckedAnswer, sent: Sent | None, servers: Sent | None) -> Offer:
    payload = sent.octets if sent else None
    redirect, _ = read_redirect(payload, strict=False)
    listed = servers.octets if servers else None
    found = (addresses4 if client.family is Family.IPV4 else addresses6)(listed or b"")
    return Offer(
        family=client.family,
        server=b"",
        address=answer.address,
        prefix_length=0,
        gateway=None,
        name_servers=found or (),
        lease_time=0,
        renewal_time=0,
        rebinding_time=0,
        redirect=redirect,
        payload=payload or b"",
    )


def _fault(
    client: Client,
    answer: CheckedAnswer,
    offer: Offer,
    reason: str,
    sent: Sent | None,
    servers: Sent | None,
) -> list[Finding]:
    match reason:
        case "dhcp-multiple-name-servers" if servers is not None:
            words = ", ".join(map(str, offer.name_servers))
            return [Finding("several-name-servers", servers.where, words)]
        case "dhcp-bad-redirect" if sent is not None and offer.redirect is not None:
            names = [
                Finding("name-without-server", sent.where, str(uri)) for uri in offer.redirect.uris
            ]
            return names or [
                Finding("bad-redirect", sent.where, "; ".join(offer.ignored()) or "no URI")
            ]
        case "dhcp-no-redirect":
            return [Finding("no-redirect", answer.where, f"for {client.name}")]
        case _:
            return [Finding("not-served", answer.where, f"{client.name}: there is not an address")]


def _marked(client: Client, sent: Sent, shape: RedirectShape) -> Finding:
    code = {RedirectShape.TEXT: "text-redirect", RedirectShape.U8: "u8-redirect"}.get(
        shape, "framed-redirect"
    )
    mark = client.mark.value if client.mark else ""
    words = f"{client.name} is marked {mark}; octets {(sent.octets or b'')[:24].hex()}…"
    return Finding(code, sent.where, words, Severity.ERROR)


def _entries(offer: Offer, sent: Sent) -> list[Finding]:
    assert offer.redirect is not None  # noqa: S101 -- it is usable
    usable = offer.uris()
    found = [
        Finding(
            "bad-entry",
            sent.where,
            f"entry {entry.position}: {entry.flaw.value} {entry.detail}".strip(),
        )
        for entry in offer.redirect.ignored
    ]
    found += [
        Finding("name-without-server", sent.where, str(uri), Severity.WARNING)
        for uri in offer.redirect.uris
        if uri not in usable
    ]
    return found


def _size(family: Family, sent: Sent) -> list[Finding]:
    octets = len(sent.octets or b"")
    much = SPLIT4 if family is Family.IPV4 else LARGE6
    if octets <= much:
        return []
    code = "too-large" if family is Family.IPV4 and octets > MOST4 else "will-be-cut"
    return [Finding(code, sent.where, f"{octets} octets, {much} go in one piece")]


def _path(uri: BootzUri, sent: Sent) -> Finding:
    doubled = any(row.path in uri.endpoint for row in DIALECTS)
    return Finding("path-doubled" if doubled else "has-path", sent.where, str(uri))
