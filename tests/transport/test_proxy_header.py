"""The header of the PROXY protocol: read whole or refused, whatever comes."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transport.balancer import header

from bootz.errors import WireError
from bootz.transport.proxy_header import (
    HEAD_BYTES,
    SIGNATURE,
    Announced,
    crc32c,
    parse_header,
    write_header,
)

PORTS = st.integers(0, 65535)
FIELDS = st.lists(
    st.tuples(st.integers(0, 255).filter(lambda kind: kind != 3), st.binary(max_size=40)),
    max_size=4,
).map(lambda rows: b"".join(struct.pack("!BH", kind, len(own)) + own for kind, own in rows))


def fit(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return not (address.is_unspecified or address.is_multicast or mapped)


@given(
    st.sampled_from([4, 6]).flatmap(
        lambda version: st.tuples(
            st.ip_addresses(v=version).filter(fit), st.ip_addresses(v=version).filter(fit)
        )
    ),
    PORTS,
    PORTS,
    FIELDS,
)
def test_what_a_header_says_is_read(
    addresses: tuple[object, object], port: int, other: int, told: bytes
) -> None:
    source, destination = (str(each) for each in addresses)
    made = header((source, port), (destination, other), told=told)
    announced = Announced((source, port), (destination, other))
    assert parse_header(made) == announced
    assert parse_header(write_header(announced)) == announced
    for end in {0, 1, HEAD_BYTES - 1, HEAD_BYTES, len(made) - 1}:
        with pytest.raises(WireError):
            parse_header(made[:end])
    with pytest.raises(WireError) as refused:
        parse_header(made + b"\x16")
    assert refused.value.reason == "proxy-header-invalid"


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda own: SIGNATURE + own)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    reason = ""
    try:
        parse_header(content)
    except WireError as error:
        reason = error.reason
    told = {"", "proxy-header-invalid"}
    assert reason in (
        told if content.startswith(SIGNATURE) else told ^ {"", "proxy-header-missing"}
    )


def test_an_ipv4_address_written_as_ipv6_is_that_of_the_router() -> None:
    made = header(("::ffff:192.0.2.7", 1), ("::ffff:192.0.2.1", 2))
    assert parse_header(made) == Announced(("192.0.2.7", 1), ("192.0.2.1", 2))


def test_a_health_check_of_the_balancer_announces_none() -> None:
    assert parse_header(SIGNATURE + b"\x20\x00\x00\x00") is None
    # What stands there is skipped, whatever it is.
    assert parse_header(header(command=0x20, told=b"\xff")) is None


def test_the_checksum_counts_where_there_is_one() -> None:
    # The check value of CRC-32C for the digits 1 to 9.
    assert crc32c(b"123456789") == 0xE3069283
    empty = header(told=b"\x03\x00\x04" + bytes(4))
    total = crc32c(empty).to_bytes(4, "big")
    assert parse_header(empty[:-4] + total) == parse_header(header())
    wrong = bytearray(empty[:-4] + total)
    wrong[HEAD_BYTES] ^= 1
    with pytest.raises(WireError, match="checksum is wrong"):
        parse_header(bytes(wrong))
    with pytest.raises(WireError, match="another length"):
        parse_header(header(told=b"\x03\x00\x02\x00\x00"))


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n", "proxy-header-invalid", "version 1"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "proxy-header-missing", "does not begin"),
        (header(command=0x11), "proxy-header-invalid", "version or command"),
        (header(command=0x22), "proxy-header-invalid", "version or command"),
        (header(kind=0x00), "proxy-header-invalid", "not TCP"),
        (header(kind=0x12), "proxy-header-invalid", "not TCP"),
        (header(kind=0x31), "proxy-header-invalid", "not TCP"),
        (header(kind=0x21), "proxy-header-invalid", "addresses are cut"),
        (header(length=65535), "proxy-header-invalid", "too long"),
        (header(length=13), "proxy-header-invalid", "is cut"),
        (header(told=b"\x04\x00"), "proxy-header-invalid", "field is cut"),
        (header(told=b"\x04\x00\x09abc"), "proxy-header-invalid", "field is cut"),
        (header(("0.0.0.0", 1)), "proxy-header-invalid", "no router"),
        (header(("ff02::1", 1), ("2001:db8::1", 2)), "proxy-header-invalid", "no router"),
    ],
)
def test_what_is_no_header_is_refused(content: bytes, reason: str, detail: str) -> None:
    with pytest.raises(WireError, match=detail) as refused:
        parse_header(content)
    assert refused.value.reason == reason
