"""The lab's server by its messages: who is served, with what, and who hears nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from dhcp.plans import FIRST, MODULAR, SECOND, device, plan

from bootz.dhcp.lab4 import Lab4
from bootz.dhcp.lab6 import Lab6
from bootz.dhcp.lab_server import LabServer, LabServerOptions
from bootz.dhcp.leases import LeaseLog, previous, read_leases
from bootz.errors import ConfigError
from bootz.protocol.dhcp4_client import Client4
from bootz.protocol.dhcp6_client import Client6
from bootz.protocol.dhcp_offer import Family, Offer
from bootz.wire.dhcp4 import Message4, MessageType4, Option4, decode_message4
from bootz.wire.dhcp6 import (
    Message6,
    MessageType6,
    Option6,
    RelayEnvelope,
    Status6,
    decode_message6,
    decode_status,
)
from bootz.wire.dhcp_identity import DhcpIdentity, duid_ll
from bootz.wire.uri import parse_bootz_uri

SERVER = IPv4Address("10.0.0.1")
SERVER_DUID = duid_ll(b"\x02\xbb\0\0\0\1")
LINK_LOCAL = IPv6Address("fe80::2")
MAC = bytes.fromhex("02aa00000010")
OTHER_MAC = bytes.fromhex("02cc00000099")
U1 = b"\x00\x16bootz://10.0.0.1:15006"
U2 = b"\x00\x1bbootz://[2001:db8::1]:15006"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Lab:
    def __init__(self, **options: Any) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.clock = Clock()
        self.server = LabServer(
            plan(), LabServerOptions(**options), self.clock, lambda event: self.events.append(event)
        )
        self.v4 = Lab4(self.server, "eth0", SERVER)
        self.v6 = Lab6(self.server, "eth0", SERVER_DUID)

    def ask4(self, message: Message4) -> Message4 | None:
        answer = self.v4.answer(message)
        return None if answer is None else decode_message4(answer.data)

    def ask6(self, message: Message6, *envelopes: RelayEnvelope) -> Message6 | None:
        answer = self.v6.answer(envelopes, message, LINK_LOCAL)
        if answer is None:
            return None
        returned, inner = decode_message6(answer)
        assert len(returned) == len(envelopes)
        return inner


def client4(serial: str = "FOC12345678", mac: bytes = MAC) -> Client4:
    return Client4(DhcpIdentity(mac, serial))


def client6(serial: str = "FOC12345678", **changes: Any) -> Client6:
    return Client6(DhcpIdentity(OTHER_MAC, serial, **changes))


def offered4(lab: Lab, client: Client4) -> Offer:
    answer = lab.ask4(client.discover(7))
    assert answer is not None
    offer = client.read(answer, 7)
    assert offer is not None
    return offer


def test_a_known_router_gets_its_lease_with_the_octets_of_the_list() -> None:
    lab = Lab()
    client = client4()
    offer = offered4(lab, client)
    assert (str(offer.address), offer.prefix_length, str(offer.gateway)) == (
        "10.0.0.12",
        24,
        "10.0.0.1",
    )
    assert offer.payload == U1 + U2
    answer = lab.ask4(client.request(7, offer))
    assert answer is not None
    assert answer.type is MessageType4.ACK
    assert answer.options[Option4.CLIENT_ID] == client.identity.client_id
    assert [event["event"] for event in lab.events] == ["dhcp-offer", "dhcp-ack"]
    assert lab.events[1]["redirect"] == (U1 + U2).hex()
    assert lab.events[1]["uris"] == [str(FIRST), str(SECOND)]
    assert lab.events[1]["client"] == MAC.hex(":")


@pytest.mark.parametrize(
    ("serial", "mac", "address"),
    [
        ("nobody", MAC, "10.0.0.12"),
        ("foc12345678", OTHER_MAC, "10.0.0.12"),
        ("FOC12345678\0\0", OTHER_MAC, "10.0.0.12"),
        ("rp-one", OTHER_MAC, "10.0.0.13"),
        ("RP1", OTHER_MAC, "10.0.0.13"),
        ("RP0", OTHER_MAC, "10.0.0.13"),
    ],
)
def test_a_router_is_known_by_mac_or_identifier_or_serial(
    serial: str, mac: bytes, address: str
) -> None:
    assert str(offered4(Lab(), client4(serial, mac)).address) == address


def test_a_mac_counts_before_a_serial_number() -> None:
    assert str(offered4(Lab(), client4("RP0", MAC)).address) == "10.0.0.12"


def test_strangers_hear_nothing_and_cost_a_counter() -> None:
    lab = Lab()
    for number in range(5000):
        stranger = client4(f"X{number}", b"\2" + number.to_bytes(5, "big"))
        assert lab.ask4(stranger.discover(number)) is None
        assert lab.ask6(client6(f"X{number}").solicit(number)) is None
    assert lab.server.strangers == 10000
    assert [event["event"] for event in lab.events] == ["dhcp-unknown"]
    lab.clock.now += timedelta(minutes=1)
    assert lab.ask4(client4("X", OTHER_MAC).discover(1)) is None
    assert lab.events[1]["count"] == 10001


def test_the_list_is_sent_to_those_who_ask_unless_always() -> None:
    message = client4().discover(1)
    deaf = replace(message, options={**message.options, Option4.PARAMETER_REQUEST_LIST: b"\x01"})
    answer = Lab().ask4(deaf)
    assert answer is not None
    assert Option4.REDIRECT not in answer.options
    answer = Lab(always_send=True).ask4(deaf)
    assert answer is not None
    assert answer.options[Option4.REDIRECT] == U1 + U2


@pytest.mark.parametrize("how", ["selecting", "init-reboot", "renewing"])
def test_a_wrong_address_is_refused(how: str) -> None:
    lab = Lab()
    client = client4()
    offer = replace(offered4(lab, client), address=IPv4Address("10.0.0.99"))
    message = client.request(7, offer)
    if how == "init-reboot":
        options = {k: v for k, v in message.options.items() if k != Option4.SERVER_ID}
        message = replace(message, options=options)
    if how == "renewing":
        message = client.renew(7, IPv4Address("10.0.0.99"))
    answer = lab.ask4(message)
    assert answer is not None
    assert answer.type is MessageType4.NAK
    assert Option4.REDIRECT not in answer.options


def test_a_renewal_goes_to_the_client_and_an_answer_without_address_to_all() -> None:
    lab = Lab()
    renewal = lab.v4.answer(client4().renew(1, IPv4Address("10.0.0.12")))
    assert renewal is not None
    assert (str(renewal.address), renewal.port) == ("10.0.0.12", 68)
    offer = lab.v4.answer(client4().discover(1))
    assert offer is not None
    assert (str(offer.address), offer.port) == ("255.255.255.255", 68)


def test_what_is_for_another_server_is_left_to_it() -> None:
    lab = Lab()
    client = client4()
    offer = replace(offered4(lab, client), server=b"\x0a\0\0\x02")
    assert lab.ask4(client.request(7, offer)) is None
    assert lab.ask4(client.release(7, IPv4Address("10.0.0.12"), b"\x0a\0\0\x02")) is None
    assert [event["event"] for event in lab.events] == ["dhcp-offer"]
    assert lab.ask4(client.release(7, IPv4Address("10.0.0.12"), SERVER.packed)) is None
    assert lab.events[-1]["event"] == "dhcp-release"


def test_inform_is_answered_without_a_lease() -> None:
    message = client4().renew(1, IPv4Address("10.0.0.12"))
    inform = replace(message, options={**message.options, Option4.MESSAGE_TYPE: b"\x08"})
    answer = Lab().ask4(inform)
    assert answer is not None
    assert (answer.type, int(answer.yours)) == (MessageType4.ACK, 0)
    assert Option4.LEASE_TIME not in answer.options
    assert answer.options[Option4.REDIRECT] == U1 + U2


def relayed(giaddr: str, agent: bytes = b"\x01\x02p1") -> Message4:
    message = client4().discover(1)
    return replace(
        message,
        relay=IPv4Address(giaddr),
        options={**message.options, Option4.RELAY_AGENT: agent},
    )


def test_a_relay_gets_the_answer_with_its_information_unchanged() -> None:
    answer = Lab().v4.answer(relayed("10.0.0.254"))
    assert answer is not None
    assert (str(answer.address), answer.port) == ("10.0.0.254", 67)
    decoded = decode_message4(answer.data)
    assert decoded.options[Option4.RELAY_AGENT] == b"\x01\x02p1"
    assert list(decoded.options)[-1] == Option4.RELAY_AGENT


def test_a_relay_of_another_subnet_gets_nothing_unless_it_selects_ours() -> None:
    lab = Lab()
    assert lab.ask4(relayed("10.9.0.1")) is None
    assert lab.events[-1]["event"] == "dhcp-ignored"
    assert lab.ask4(relayed("10.9.0.1", b"\x05\x04\x0a\0\0\0")) is not None
    assert lab.ask4(relayed("10.9.0.1", b"\x05\x09\x0a")) is None


def test_what_does_not_fit_is_not_sent_without_the_list() -> None:
    lab = Lab()
    uris = tuple(parse_bootz_uri(f"bootz://10.0.0.{n}/{'x' * 60}") for n in range(1, 9))
    lab.server.load(plan(device(uris4=uris)))
    message = client4().discover(1)
    options = {k: v for k, v in message.options.items() if k != Option4.MAX_MESSAGE_SIZE}
    assert lab.ask4(replace(message, options=options)) is None
    assert lab.events[-1]["event"] == "dhcp-too-large"
    answer = lab.ask4(message)
    assert answer is not None
    assert len(answer.options[Option4.REDIRECT]) > 512


def test_a_list_that_fits_no_frame_is_refused_when_it_is_loaded() -> None:
    lab = Lab()
    uris = tuple(parse_bootz_uri(f"bootz://10.0.0.{n}/{'x' * 200}") for n in range(1, 9))
    with pytest.raises(ConfigError) as caught:
        lab.server.load(plan(device(uris4=uris)))
    assert caught.value.reason == "redirect-unwritable"
    assert str(offered4(lab, client4()).address) == "10.0.0.12"


def test_a_plan_is_replaced_while_the_server_runs() -> None:
    lab = Lab()
    lab.server.load(plan(MODULAR))
    assert lab.ask4(client4().discover(1)) is None
    assert lab.ask4(client4("RP0", OTHER_MAC).discover(1)) is not None


def advertised(lab: Lab, client: Client6) -> Offer:
    answer = lab.ask6(client.solicit(5))
    assert answer is not None
    assert answer.type is MessageType6.ADVERTISE
    offer = client.read(answer, 5)
    assert offer is not None
    return offer


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (client6(), "2001:db8::12"),
        (client6(serial_trailer=b"\0"), "2001:db8::12"),
        (client6("foc12345678"), "2001:db8::12"),
        (Client6(DhcpIdentity(MAC, "nobody", duid_ll=True)), "2001:db8::12"),
        (client6("RP1"), "2001:db8::13"),
    ],
)
def test_dhcpv6_knows_the_same_routers(client: Client6, address: str) -> None:
    lab = Lab()
    offer = advertised(lab, client)
    assert str(offer.address) == address
    assert offer.payload == U2 + U1
    for make, kind in (
        (client.request, "dhcp-reply"),
        (client.renew, "dhcp-reply"),
        (client.rebind, "dhcp-reply"),
    ):
        answer = lab.ask6(make(6, offer))
        assert answer is not None
        lease = client.read(answer, 6)
        assert lease is not None
        assert (lease.address, lease.failure) == (offer.address, "")
        assert lab.events[-1]["event"] == kind
    answer = lab.ask6(client.release(6, offer))
    assert answer is not None
    assert decode_status(answer.options) == Status6.SUCCESS
    assert lab.events[-1]["event"] == "dhcp-release"


def test_dhcpv6_ignores_what_is_for_another_server_or_for_none() -> None:
    lab = Lab()
    client = client6()
    offer = advertised(lab, client)
    assert lab.ask6(client.request(6, replace(offer, server=b"\0\3\0\1other"))) is None
    request = client.request(6, offer)
    without = tuple(pair for pair in request.options if pair[0] != Option6.SERVER_ID)
    assert lab.ask6(replace(request, options=without)) is None
    solicit = client.solicit(6)
    to_us = (*solicit.options, (Option6.SERVER_ID, SERVER_DUID))
    assert lab.ask6(replace(solicit, options=to_us)) is None


def test_an_information_request_gets_the_list_and_no_address() -> None:
    solicit = client6().solicit(6)
    options = tuple(pair for pair in solicit.options if pair[0] != Option6.IA_NA)
    answer = Lab().ask6(Message6(MessageType6.INFORMATION_REQUEST, 6, options))
    assert answer is not None
    assert answer.option(Option6.REDIRECT) == U2 + U1
    assert answer.option(Option6.IA_NA) is None


@pytest.mark.parametrize(
    ("address", "status"),
    [("2001:db8::12", Status6.SUCCESS), ("2001:db9::12", Status6.NOT_ON_LINK)],
)
def test_confirm_says_whether_the_link_is_right(address: str, status: Status6) -> None:
    lab = Lab()
    client = client6()
    offer = replace(advertised(lab, client), address=IPv6Address(address))
    rebind = client.rebind(6, offer)
    answer = lab.ask6(replace(rebind, type=MessageType6.CONFIRM))
    assert answer is not None
    assert decode_status(answer.options) == status


def test_an_address_that_is_not_its_own_ends_at_once() -> None:
    lab = Lab()
    client = client6()
    offer = replace(advertised(lab, client), address=IPv6Address("2001:db8::99"))
    answer = lab.ask6(client.renew(6, offer))
    assert answer is not None
    lease = client.read(answer, 6)
    assert lease is not None
    assert str(lease.address) == "2001:db8::12"


def test_relays_around_relays_get_their_envelopes_back() -> None:
    lab = Lab()
    outer = RelayEnvelope(1, IPv6Address("2001:db8::1"), IPv6Address("fe80::8"))
    inner = RelayEnvelope(
        0,
        IPv6Address("2001:db8::2"),
        IPv6Address("fe80::9"),
        ((Option6.INTERFACE_ID, b"port1"), (Option6.LINK_LAYER_ADDRESS, b"\0\1" + MAC)),
    )
    answer = lab.v6.answer([outer, inner], client6("nobody").solicit(5), LINK_LOCAL)
    assert answer is not None
    envelopes, message = decode_message6(answer)
    assert envelopes == (outer, replace(inner, options=((Option6.INTERFACE_ID, b"port1"),)))
    assert message.option(Option6.REDIRECT) == U2 + U1


def test_a_cut_association_is_silence() -> None:
    lab = Lab()
    solicit = client6().solicit(5)
    options = tuple((c, b"\0" if c == Option6.IA_NA else v) for c, v in solicit.options)
    assert lab.ask6(replace(solicit, options=options)) is None


def test_faults_are_what_they_say() -> None:
    assert Lab(fault="silent").ask4(client4().discover(1)) is None
    assert Lab(fault="silent").ask6(client6().solicit(1)) is None
    lab = Lab(fault="nak")
    answer = lab.ask4(client4().request(7, offered4(lab, client4())))
    assert answer is not None
    assert answer.type is MessageType4.NAK
    assert advertised(lab, client6()).failure == "status NO_ADDRESSES"
    lab = Lab(fault="two-name-servers")
    assert len(offered4(lab, client4()).name_servers) == 2
    assert len(advertised(lab, client6()).name_servers) == 2
    lab = Lab(fault="boot-file-only")
    assert offered4(lab, client4()).redirect is None
    assert offered4(lab, client4()).boot_file
    assert advertised(lab, client6()).redirect is None


def test_only_the_families_that_were_asked_for_are_loaded() -> None:
    lab = Lab(families=(Family.IPV6,))
    assert lab.ask4(client4().discover(1)) is None
    assert lab.ask6(client6().solicit(1)) is not None


def test_events_survive_and_a_cut_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "leases.jsonl"
    log = LeaseLog(path)
    log.append({"event": "one"})
    log.close()
    with path.open("ab") as file:
        file.write(b'{"event": "cu')
    log = LeaseLog(path)
    log.append({"event": "two"})
    log.close()
    assert [event["event"] for event in read_leases(path)] == ["one", "two"]


def test_events_fill_two_files_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.dhcp.leases.MAX_FILE", 1000)
    path = tmp_path / "leases.jsonl"
    log = LeaseLog(path)
    for number in range(500):
        log.append({"event": number})
    log.close()
    assert path.stat().st_size + previous(path).stat().st_size <= 2000
    numbers = [event["event"] for event in read_leases(path)]
    assert numbers == list(range(numbers[0], 500))  # type: ignore[call-overload]
