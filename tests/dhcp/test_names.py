"""Names in URIs are asked of the lease's name-server, and of no other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from dhcp.plans import SUBNETS, device, plan
from dhcp.router import Told, discover
from dhcp.test_lab_on_the_wire import serving

from bootz.device.discovery import DhcpSource
from bootz.device.names import resolve_name
from bootz.errors import BootzError, Unavailable
from bootz.lab.namespaces import HUB_INTERFACE, Network
from bootz.protocol.dhcp_offer import Family
from bootz.wire.uri import parse_bootz_uri

pytestmark = pytest.mark.kea

NAMED = parse_bootz_uri("bootz://server.example:15006")
RECORDS = {
    ("server.example.", "A"): "10.0.0.1",
    ("six.example.", "AAAA"): "2001:db8::1",
}


def answer(question: bytes) -> bytes:
    asked = dns.message.from_wire(question)
    reply = dns.message.make_response(asked)
    (row,) = asked.question
    kind = dns.rdatatype.to_text(row.rdtype)
    value = RECORDS.get((str(row.name), kind))
    if value is not None:
        reply.answer.append(dns.rrset.from_text(row.name, 60, "IN", kind, value))
    elif str(row.name) not in {name for name, _ in RECORDS}:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


@contextmanager
def name_server(link: Network) -> Iterator[None]:
    with contextlib.suppress(Unavailable):
        link.hub.add_address(HUB_INTERFACE, ip_interface("10.0.0.53/24"))

    def open_socket() -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("10.0.0.53", 53))
        opened.settimeout(0.05)
        return opened

    serving_names = link.hub.call_inside(open_socket)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                question, sender = serving_names.recvfrom(4096)
                serving_names.sendto(answer(question), sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        serving_names.close()


def test_a_name_is_located_by_the_name_server_of_the_lease(link: Network) -> None:
    found: list[str] = []
    reasons: list[str] = []

    async def locate(source: DhcpSource, _told: Told) -> None:
        for text in ("server.example", "six.example", "10.0.0.9", "[fe80::7]", "[2001:db8::7]"):
            found.append(await source.locate(parse_bootz_uri(f"bootz://{text}")))
        try:
            await source.locate(parse_bootz_uri("bootz://nowhere.example"))
        except BootzError as error:
            reasons.append(error.reason)

    with name_server(link), serving(link, device(uris4=(NAMED,))):
        told = discover(link.routers[0], Family.IPV4, during=locate)
    assert told.uris == (NAMED,)
    assert found == ["10.0.0.1", "2001:db8::1", "10.0.0.9", "fe80::7%mgmt0", "2001:db8::7"]
    assert reasons == ["dhcp-name-unresolved"]


def test_a_name_without_a_name_server_is_no_server() -> None:
    with pytest.raises(Unavailable) as caught:
        asyncio.run(resolve_name("server.example", [], 1))
    assert caught.value.reason == "dhcp-name-unresolved"


def test_a_silent_name_server_is_told() -> None:
    with pytest.raises(Unavailable) as caught:
        asyncio.run(resolve_name("server.example", [ip_address("127.0.0.77")], 0.2))
    assert caught.value.reason == "dhcp-name-unresolved"


def test_a_lease_without_a_name_server_leaves_only_addresses(link: Network) -> None:
    bare = plan(device(uris4=(NAMED,)))
    bare = replace(bare, subnets=tuple(replace(each, name_server=None) for each in SUBNETS))
    with serving(link, *bare.devices, subnets=bare.subnets):
        told = discover(link.routers[0], Family.IPV4)
    assert told.error is not None
    assert told.error.reason == "dhcp-bad-redirect"
    assert told.account is not None
    assert "there is no name-server" in told.account.ignored[0]
