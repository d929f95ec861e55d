"""DHCP messages against the bytes of real servers, and against chance.

Source: docs/protocol/dhcp.md#options.
"""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import ConfigError, WireError
from bootz.wire.dhcp4 import (
    Message4,
    MessageType4,
    Op,
    Option4,
    addresses4,
    decode_message4,
    encode_message4,
    encode_options4,
)
from bootz.wire.dhcp6 import (
    IaAddress,
    IaNa,
    Message6,
    MessageType6,
    Option6,
    RelayEnvelope,
    Status6,
    addresses6,
    decode_ia_na,
    decode_message6,
    encode_ia_na,
    encode_message6,
    request_codes6,
)
from bootz.wire.dhcp_identity import (
    DhcpIdentity,
    mac_of_duid,
    mac_of_link_local,
    parse_mac,
    serial_of_client_id,
    serial_of_duid,
)
from bootz.wire.frames import UdpFrame, decode_frame, encode_frame
from bootz.wire.redirect import encode_redirect
from bootz.wire.uri import parse_bootz_uri

U1 = bytes.fromhex("626f6f747a3a2f2f31302e302e302e313a3135303036")
U2 = bytes.fromhex("626f6f747a3a2f2f5b323030313a6462383a3a315d3a3135303036")
LIST = b"\x00\x16" + U1 + b"\x00\x1b" + U2
OFFER_OPTIONS = (
    bytes.fromhex(
        "3501020104ffffff0003040a00000106040a000035330400000e1036040a0000013d0c"
        "00464f4331323334353637388f35"
    )
    + LIST
    + b"\xff"
)


def header(*, file: bytes = b"", sname: bytes = b"", hlen: int = 6) -> bytes:
    return (
        bytes([2, 1, hlen, 0])
        + bytes.fromhex("0000abcd00008000")
        + bytes(4)
        + bytes([10, 0, 0, 12])
        + bytes(8)
        + bytes.fromhex("02aa00000010").ljust(16, b"\0")
        + sname.ljust(64, b"\0")
        + file.ljust(128, b"\0")
        + bytes.fromhex("63825363")
    )


def test_offer_of_kea_is_read_and_written_octet_for_octet() -> None:
    message = decode_message4(header() + OFFER_OPTIONS)
    assert message.type is MessageType4.OFFER
    assert message.yours == IPv4Address("10.0.0.12")
    assert message.address(Option4.SUBNET_MASK) == IPv4Address("255.255.255.0")
    assert message.number(Option4.LEASE_TIME) == 3600
    assert message.hardware_address.hex(":") == "02:aa:00:00:00:10"
    assert serial_of_client_id(message.options[Option4.CLIENT_ID]) == "FOC12345678"
    assert message.options[Option4.REDIRECT] == LIST
    assert encode_options4(message.options) == OFFER_OPTIONS
    assert encode_message4(message).startswith(header() + OFFER_OPTIONS)


def test_advertise_of_kea_is_read_and_written_octet_for_octet() -> None:
    raw = (
        bytes.fromhex("02e7d03d0001000a0003000102aa000000100002000a0003000102bb00000001")
        + bytes.fromhex("0003002800000010000005dc00000960")
        + bytes.fromhex("00050018")
        + IPv6Address("2001:db8::10").packed
        + bytes.fromhex("00000bb800000fa0")
        + bytes.fromhex("00170010")
        + IPv6Address("2001:db8::53").packed
        + bytes.fromhex("00880035001b")
        + U2
        + b"\x00\x16"
        + U1
    )
    envelopes, message = decode_message6(raw)
    assert envelopes == ()
    assert message.type is MessageType6.ADVERTISE
    association = decode_ia_na(message.option(Option6.IA_NA) or b"")
    assert association == IaNa(
        0x10, 1500, 2400, (IaAddress(IPv6Address("2001:db8::10"), 3000, 4000),)
    )
    assert encode_ia_na(association) == message.option(Option6.IA_NA)
    assert addresses6(message.option(Option6.NAME_SERVERS) or b"") == (IPv6Address("2001:db8::53"),)
    assert encode_message6(message) == raw


def test_relay_reply_of_kea_is_read_and_written_octet_for_octet() -> None:
    inner = Message6(MessageType6.ADVERTISE, 1, ((Option6.REDIRECT, b"\x00\x1b" + U2),))
    link, peer = IPv6Address("2001:db8::1"), IPv6Address("fe80::1")
    body = encode_message6(inner)
    raw = (
        b"\x0d\x00"
        + link.packed
        + peer.packed
        + bytes.fromhex("00120005706f727431")
        + b"\x00\x09"
        + len(body).to_bytes(2, "big")
        + body
    )
    envelopes, message = decode_message6(raw)
    assert envelopes == (RelayEnvelope(0, link, peer, ((Option6.INTERFACE_ID, b"port1"),)),)
    assert message == inner
    assert encode_message6(message, envelopes) == raw


def test_long_lists_are_cut_at_255_and_joined_wherever_they_were_cut() -> None:
    uris = [parse_bootz_uri(f"bootz://host{n}.example/{'x' * 30}") for n in range(7)]
    payload = encode_redirect(uris)
    assert len(payload) > 255
    area = encode_options4({Option4.REDIRECT: payload})
    assert area[:2] == b"\x8f\xff"
    for cut in (1, 2, 3, 128, 253):
        parts = [payload[:cut], payload[cut : cut + 160], payload[cut + 160 : cut + 320]]
        parts.append(payload[cut + 320 :])
        pieces = b"".join(bytes([0x8F, len(part)]) + part for part in parts)
        assert decode_message4(header() + pieces + b"\xff").options[Option4.REDIRECT] == payload


def test_overload_goes_on_in_file_and_then_in_the_server_name() -> None:
    area = bytes.fromhex("8f020016") + b"\x34\x01\x03\xff"
    file = bytes([0x8F, 10]) + U1[:10] + b"\xff"
    sname = bytes([0x8F, 12]) + U1[10:] + b"\xff"
    message = decode_message4(header(file=file, sname=sname) + area)
    assert message.options[Option4.REDIRECT] == b"\x00\x16" + U1
    assert (message.file, message.server_name, message.bad_overload) == (b"", b"", False)


def test_an_overload_in_an_overloaded_field_leads_nowhere() -> None:
    message = decode_message4(header(file=b"\x34\x01\x02\xff") + b"\x34\x01\x01\xff")
    assert message.options[52] == b"\x01"
    assert decode_message4(encode_message4(message)) == message


@pytest.mark.parametrize(
    "overload", [b"\x34\x01\x00", b"\x34\x01\x04", b"\x34\x00", b"\x34\x02\x01\x01"]
)
def test_a_bad_overload_reads_the_options_area_alone(overload: bytes) -> None:
    message = decode_message4(header(file=b"boot.bin") + overload + b"\x8f\x01\x00\xff")
    assert message.bad_overload
    assert message.options[Option4.REDIRECT] == b"\x00"
    assert message.file == b"boot.bin"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        header()[:-1],
        header()[:-4] + b"\0\0\0\0",
        header(hlen=17) + b"\xff",
        b"\x03" + header()[1:] + b"\xff",
        header() + b"\x8f",
        header() + b"\x8f\x05abcd",
        header() + b"\x8f\xff" + b"x" * 254,
        header(file=b"\x8f\xff") + b"\x34\x01\x01\xff",
    ],
)
def test_what_is_no_dhcpv4_is_refused(data: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_message4(data)
    assert caught.value.reason == "dhcp-malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x07\x00\x00",
        b"\x63\x00\x00\x01",
        b"\x07\x00\x00\x01\x00\x88",
        b"\x07\x00\x00\x01\x00\x88\x00\x02\x00",
        b"\x0d\x00" + bytes(31),
        b"\x0d\x00" + bytes(32),
    ],
)
def test_what_is_no_dhcpv6_is_refused(data: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_message6(data)
    assert caught.value.reason == "dhcp-malformed"


@pytest.mark.parametrize("value", [b"\0" * 11, bytes(12) + b"\x00\x05\x00\x02ab"])
def test_a_cut_association_is_refused(value: bytes) -> None:
    with pytest.raises(WireError):
        decode_ia_na(value)


def test_nine_relays_are_too_many() -> None:
    envelope = RelayEnvelope(0, IPv6Address("::"), IPv6Address("fe80::1"))
    message = Message6(MessageType6.SOLICIT, 1)
    eight = encode_message6(message, [envelope] * 8, MessageType6.RELAY_FORW)
    assert len(decode_message6(eight)[0]) == 8
    with pytest.raises(WireError):
        decode_message6(encode_message6(message, [envelope] * 9, MessageType6.RELAY_FORW))


def test_no_addresses_is_a_status() -> None:
    association = IaNa(1, status=Status6.NO_ADDRESSES)
    assert decode_ia_na(encode_ia_na(association)) == association


@pytest.mark.parametrize("value", [b"", b"\x0a\x00\x00", b"\x0a\x00\x00\x35\x01"])
def test_a_list_of_addresses_has_whole_ones(value: bytes) -> None:
    assert addresses4(value) is None
    assert addresses6(value) is None


def test_what_does_not_fit_is_not_written() -> None:
    with pytest.raises(ConfigError):
        encode_message4(Message4(Op.REPLY, 1, b"\2" * 6, file=b"x" * 129))
    with pytest.raises(ConfigError):
        encode_message6(Message6(MessageType6.REPLY, 1, ((136, bytes(1 << 16)),)))


def test_a_router_names_itself() -> None:
    identity = DhcpIdentity(bytes.fromhex("02aa00000010"), "FOC12345678", "Cisco", "8808")
    assert identity.client_id.hex() == "00464f433132333435363738"
    assert identity.duid.hex(":") == "00:02:00:00:00:09:46:4f:43:31:32:33:34:35:36:37:38"
    assert identity.vendor_class == b"bootz:Cisco:8808:FOC12345678"
    assert identity.vendor_class6 == b"\0\0\0\x09\0\x1c" + identity.vendor_class
    assert identity.vendor_classes4 == b"\0\0\0\x09\x1c" + identity.vendor_class
    assert serial_of_duid(identity.duid + b"\0") == "FOC12345678"
    by_mac = DhcpIdentity(identity.mac, "X", duid_ll=True)
    assert mac_of_duid(by_mac.duid) == identity.mac
    assert mac_of_duid(bytes.fromhex("0001000112345678") + identity.mac) == identity.mac
    assert mac_of_link_local(IPv6Address("fe80::aa:ff:fe00:10")) == identity.mac
    assert mac_of_link_local(IPv6Address("2001:db8::aa:ff:fe00:10")) == b""
    assert serial_of_client_id(b"\x01" + identity.mac) == ""
    assert serial_of_client_id(b"\x00\xff\xfe") == ""


@pytest.mark.parametrize("text", ["02:aa:00:00:00", "nonsense", "", "02aa0000001000"])
def test_what_is_no_mac_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_mac(text)


def test_macs_are_read_in_every_usual_form() -> None:
    for text in ("02:AA:00:00:00:10", "02-aa-00-00-00-10", "02aa.0000.0010", "02aa00000010"):
        assert parse_mac(text).hex() == "02aa00000010"


FRAME = UdpFrame(
    b"\2" * 6, b"\xff" * 6, IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255"), 68, 67, b"hello"
)


def test_a_frame_may_be_padded_and_must_be_whole() -> None:
    raw = encode_frame(FRAME)
    assert decode_frame(raw + bytes(20)) == FRAME
    assert decode_frame(raw[:-1]) is None
    assert decode_frame(raw[:20] + b"\x20" + raw[21:]) is None  # a fragment
    assert decode_frame(raw[:12] + b"\x86\xdd" + raw[14:]) is None


OPTIONS4 = st.dictionaries(
    st.integers(1, 254).filter(lambda code: code != Option4.OVERLOAD),
    st.binary(max_size=600),
    max_size=8,
)
OPTIONS6 = st.lists(
    st.tuples(
        st.integers(0, 65535).filter(lambda code: code != Option6.RELAY_MESSAGE),
        st.binary(max_size=300),
    ),
    max_size=8,
).map(tuple)
ENVELOPES = st.builds(
    RelayEnvelope, st.integers(0, 255), st.ip_addresses(v=6), st.ip_addresses(v=6), OPTIONS6
)


@given(
    st.builds(
        Message4,
        st.sampled_from(Op),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=16),
        OPTIONS4,
        st.integers(0, 65535),
        st.integers(0, 65535),
        *[st.ip_addresses(v=4)] * 4,
        st.integers(0, 255),
    )
)
def test_what_is_written_is_read_again_v4(message: Message4) -> None:
    assert decode_message4(encode_message4(message)) == message


@given(
    st.builds(Message6, st.sampled_from([*MessageType6][:10]), st.integers(0, 2**24 - 1), OPTIONS6),
    st.lists(ENVELOPES, max_size=8),
)
def test_what_is_written_is_read_again_v6(
    message: Message6, envelopes: list[RelayEnvelope]
) -> None:
    assert decode_message6(encode_message6(message, envelopes)) == (tuple(envelopes), message)


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_hostile_octets_raise_nothing_but_wire_errors(area: bytes, file: bytes) -> None:
    for data in (area, header(file=file) + area, header(file=file) + b"\x34\x01\x01" + area):
        with contextlib.suppress(WireError):
            decode_message4(data)
    for data in (area, b"\x07abc" + area, b"\x0d" + area):
        with contextlib.suppress(WireError):
            for _, value in decode_message6(data)[1].options:
                decode_ia_na(value)
    decode_frame(area)
    decode_frame(encode_frame(FRAME)[:20] + area)
    request_codes6(area)
    serial_of_duid(area)
    serial_of_client_id(area)
