"""The router's client against a real Kea: leases, the error table, and what is on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import U1, U2, ask, config4, config6, kea
from dhcp.router import (
    CLIENT_ID,
    DUID,
    Told,
    captured,
    discover,
    payloads4,
    payloads6,
    quick,
)

from bootz.device.discovery import DhcpSource
from bootz.lab.namespaces import Namespace, Network
from bootz.protocol.dhcp_offer import Family, NameServerPolicy
from bootz.wire.dhcp4 import MessageType4, Option4, decode_message4
from bootz.wire.dhcp6 import MessageType6, decode_message6

pytestmark = pytest.mark.kea

FIRST, SECOND = "bootz://10.0.0.1:15006", "bootz://[2001:db8::1]:15006"


class Keas:
    """Both servers of a link, with one reservation each that a test replaces."""

    def __init__(self, link: Network, folder: Path, control4: Path, control6: Path) -> None:
        self.router: Namespace = link.routers[0]
        self._folder = folder
        self._control4 = control4
        self._control6 = control6

    def give4(self, redirect: str | None, *options: Any, **more: Any) -> None:
        data = [{"code": 143, "csv-format": False, "data": redirect}] if redirect else []
        reservation = {"client-id": CLIENT_ID, "ip-address": "10.0.0.12"}
        reservation["option-data"] = [*data, *options]
        config = config4(self._folder, [reservation | more])
        assert ask(self._control4, "config-set", config)["result"] == 0

    def give6(self, redirect: str | None, *options: Any) -> None:
        data = [{"code": 136, "csv-format": False, "data": redirect}] if redirect else []
        reservation = {"duid": DUID, "ip-addresses": ["2001:db8::12"]}
        reservation["option-data"] = [*data, *options]
        config = config6(self._folder, [reservation])
        assert ask(self._control6, "config-set", config)["result"] == 0


@pytest.fixture(scope="module")
def keas(link: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keas]:
    folder = tmp_path_factory.mktemp("kea")
    with (
        kea(4, link.hub, folder, config4(folder, [])) as control4,
        kea(6, link.hub, folder, config6(folder, [])) as control6,
    ):
        yield Keas(link, folder, control4, control6)


def test_a_lease_and_the_servers_come_over_ipv4_octet_for_octet(keas: Keas) -> None:
    keas.give4(U1 + U2)
    with captured(keas.router) as frames:
        told = discover(keas.router)
    assert [str(uri) for uri in told.uris] == [FIRST, SECOND]
    account = told.account
    assert account is not None
    assert (account.family, account.state, account.address) == ("ipv4", "bound", "10.0.0.12/24")
    assert (account.gateway, account.name_servers) == ("10.0.0.1", ("10.0.0.53",))
    assert account.shape == "rfc8572"
    # The area of options is that of docs/protocol/dhcp.md#options, from the cookie to the end mark.
    tail = (
        "0104ffffff0003040a00000106040a000035330400000e1036040a0000013d0c"
        + CLIENT_ID
        + "8f35"
        + U1
        + U2
        + "ff"
    )
    offer, ack = payloads4(frames)
    assert offer[236:].rstrip(b"\0").hex() == "63825363350102" + tail
    assert ack[236:].rstrip(b"\0").hex() == "63825363350105" + tail


def test_the_router_asks_and_names_itself(keas: Keas) -> None:
    keas.give4(U1)
    with captured(keas.router) as frames:
        discover(keas.router, with_vendor_classes=True)
    sent = [decode_message4(data) for data in payloads4(frames, 68)]
    assert [message.type for message in sent] == [
        MessageType4.DISCOVER,
        MessageType4.REQUEST,
        MessageType4.RELEASE,
    ]
    for message in sent[:2]:
        asked = message.options[Option4.PARAMETER_REQUEST_LIST]
        assert Option4.REDIRECT in asked
        assert not {Option4.BOOT_FILE, Option4.TFTP_SERVER_NAME} & set(asked)
        assert message.number(Option4.MAX_MESSAGE_SIZE) == 1472
        assert message.options[Option4.CLIENT_ID].hex() == CLIENT_ID
        assert message.options[Option4.VENDOR_CLASS] == b"bootz:Cisco:8808:FOC12345678"
        assert message.options[Option4.VENDOR_CLASSES].endswith(b"bootz:Cisco:8808:FOC12345678")
        assert message.flags == 0x8000
    assert sent[0].xid == sent[1].xid
    keas.give6(U2)
    with captured(keas.router) as frames:
        discover(keas.router, Family.IPV6)
    kinds = []
    for data in payloads6(frames, 546):
        _, said = decode_message6(data)
        kinds.append(said.type)
        assert (said.option(1) or b"").hex(":") == DUID
        assert (said.option(16) or b"").endswith(b"bootz:Cisco:8808:FOC12345678")
        assert b"\x00\x88" in (said.option(6) or b"")
    assert kinds[-1] is MessageType6.RELEASE
    assert {MessageType6.SOLICIT, MessageType6.REQUEST} <= set(kinds)


def test_a_lease_and_the_servers_come_over_ipv6_octet_for_octet(keas: Keas) -> None:
    keas.give6(U2 + U1)
    with captured(keas.router) as frames:
        told = discover(keas.router, Family.IPV6)
    assert [str(uri) for uri in told.uris] == [SECOND, FIRST]
    assert told.account is not None
    assert told.account.address == "2001:db8::12/128"
    assert told.account.name_servers == ("2001:db8::53",)
    tail = "00170010" + IPv6Address("2001:db8::53").packed.hex() + "00880035" + U2 + U1
    first, *_, reply = [data for data in payloads6(frames) if data[0] in (2, 7)][:2]
    assert first[0] == MessageType6.ADVERTISE
    assert reply[0] == MessageType6.REPLY
    assert first.hex().endswith(tail)
    assert reply.hex().endswith(tail)


def test_without_a_redirect_over_ipv4_the_router_goes_on_over_ipv6(keas: Keas) -> None:
    keas.give4(None)
    keas.give6(U2)
    told = discover(keas.router)
    assert [str(uri) for uri in told.uris] == [SECOND]
    assert [fields["reason"] for fields in told.named("dhcp-failed")] == ["dhcp-no-redirect"]


def framed(text: bytes) -> str:
    return len(text).to_bytes(2, "big").hex() + text.hex()


BAD = {
    "half length": "0016",
    "shorter than its length": U1[:42],
    "length too big": "01" + U1[2:],
    "bytes swapped": "1600" + U1[4:],
    "only zero entries": "0000",
    "not utf-8": framed(b"bootz://h\xff\xfe"),
    "not ascii": framed("bootz://bücher".encode()),
    "newline": framed(b"bootz://10.0.0.1:1\n"),
    "scheme": framed(b"https://10.0.0.1:443"),
    "no host": framed(b"bootz://"),
    "bare ipv6": framed(b"bootz://2001:db8::1:15006"),
    "zone": framed(b"bootz://[fe80::1%25eth0]:1"),
    "no address": framed(b"bootz://300.1.1.1"),
    "port empty": framed(b"bootz://h:"),
    "port zero": framed(b"bootz://h:0"),
    "port large": framed(b"bootz://h:70000"),
    "user": framed(b"bootz://u:p@h"),
    "fragment": framed(b"bootz://h#x"),
    "random": bytes(range(40)).hex(),
}


@pytest.mark.parametrize("payload", BAD.values(), ids=BAD.keys())
def test_a_redirect_without_a_usable_entry_is_refused_with_its_bytes(
    keas: Keas, payload: str
) -> None:
    keas.give4(payload)
    told = discover(keas.router, Family.IPV4)
    assert told.error is not None
    assert told.error.reason == "dhcp-bad-redirect"
    assert payload.startswith(told.error.seen)
    assert told.account is not None
    assert told.account.state == "dhcp-bad-redirect"
    assert told.account.ignored


KEPT = {
    "second entry cut": U1 + "001b626f6f",
    "odd octet": U1 + "00",
    "zero entry": "0000" + U1,
    "scheme beside": framed(b"https://10.0.0.1:443") + U1,
    "repeated": U1 + U1,
    "text": U1[4:],
    "short lengths": "16" + U1[4:],
}


READ = {"text", "short lengths"}
"""What is read whole, with a warning: a form that some devices use."""


@pytest.mark.parametrize("name", KEPT)
def test_what_is_right_in_a_bad_redirect_is_used(keas: Keas, name: str) -> None:
    keas.give4(KEPT[name])
    told = discover(keas.router, Family.IPV4)
    assert [str(uri) for uri in told.uris] == [FIRST]
    assert told.account is not None
    assert bool(told.account.ignored) is (name not in READ)
    assert bool(told.named("dhcp-warning")) is (name in READ)


@pytest.mark.parametrize("payload", [U1 + "00", U1[4:], "16" + U1[4:]])
def test_strict_reading_refuses_what_a_strict_device_ignores(keas: Keas, payload: str) -> None:
    keas.give4(payload)
    told = discover(keas.router, Family.IPV4, strict=True)
    assert told.error is not None
    assert told.error.reason == "dhcp-bad-redirect"


def test_a_long_list_arrives_whole(keas: Keas) -> None:
    uris = [f"bootz://10.0.0.{n}:15006/{'x' * 30}".encode() for n in range(1, 8)]
    keas.give4("".join(map(framed, uris)))
    assert len(discover(keas.router, Family.IPV4).uris) == 7


def test_several_name_servers_are_refused_in_each_family(keas: Keas) -> None:
    keas.give4(U1, {"name": "domain-name-servers", "data": "10.0.0.53, 10.0.0.54"})
    keas.give6(U2, {"name": "dns-servers", "data": "2001:db8::53, 2001:db8::54"})
    told = discover(keas.router)
    assert told.error is not None
    assert told.error.reason == "dhcp-multiple-name-servers"
    assert len(told.named("dhcp-failed")) == 2
    assert told.account is not None
    assert told.account.name_servers == ("10.0.0.53", "10.0.0.54")
    first = discover(keas.router, Family.IPV4, name_servers=NameServerPolicy.FIRST)
    assert [str(uri) for uri in first.uris] == [FIRST]
    assert any("10.0.0.53" in str(fields) for fields in first.named("dhcp-warning"))


def test_a_boot_file_is_no_way_around_ownership(keas: Keas) -> None:
    keas.give4(None, {"name": "boot-file-name", "data": "evil.bin", "always-send": True})
    told = discover(keas.router, Family.IPV4)
    assert told.error is not None
    assert told.error.reason == "dhcp-no-redirect"
    assert told.named("dhcp-boot-file-ignored") == [{"boot_file": "evil.bin"}]


def test_a_header_boot_file_is_ignored_too(keas: Keas) -> None:
    keas.give4(U1, **{"boot-file-name": "evil.bin", "next-server": "10.0.0.66"})
    told = discover(keas.router, Family.IPV4)
    assert [str(uri) for uri in told.uris] == [FIRST]
    assert told.named("dhcp-boot-file-ignored") == [{"boot_file": "evil.bin"}]


def test_a_name_needs_a_name_server(keas: Keas) -> None:
    keas.give4(framed(b"bootz://server.example"), {"name": "domain-name-servers", "data": ""})
    told = discover(keas.router, Family.IPV4)
    assert told.error is not None
    assert told.error.reason == "dhcp-bad-redirect"


def test_an_unknown_router_hears_nothing(keas: Keas) -> None:
    keas.give4(U1)
    told = discover(
        keas.router,
        Family.IPV4,
        serial="UNKNOWN1",
        timing=quick(discover=(0.5,)),
    )
    assert told.error is not None
    assert told.error.reason == "dhcp-no-answer"


def test_the_address_is_worn_while_the_lease_is_held_and_renewed(keas: Keas) -> None:
    keas.give4(U1)
    seen: list[str] = []

    async def hold(source: DhcpSource, told: Told) -> None:
        seen.append(_addresses())
        while not told.named("dhcp-renewed"):
            await asyncio.sleep(0.01)
        seen.append(_addresses())

    # T1 is 1800 s; answers have as long as ever, because request is scaled back.
    timing = quick(scale=0.0005, discover=(10_000,), request=(10_000,))
    told = discover(keas.router, Family.IPV4, during=hold, timing=timing)
    assert told.error is None
    assert ["10.0.0.12/24" in text for text in seen] == [True, True]
    assert "10.0.0.12" not in keas.router.call_inside(_addresses)


def _addresses() -> str:
    import subprocess

    return subprocess.run(
        ["ip", "address", "show", "dev", "mgmt0"], capture_output=True, text=True, check=True
    ).stdout
