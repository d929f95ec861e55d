"""Ethernet frames around UDP over IPv4: how DHCP is spoken by a port without an address.

The UDP checksum of a received frame is not checked, because a virtual Ethernet leaves it
unfinished, and the UDP length counts, not the frame's, which may be padded.
Source: RFC 791 section 3.1; RFC 768; docs/protocol/dhcp.md#sockets.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

ETHERNET_IPV4: Final = 0x0800
BROADCAST_MAC: Final = b"\xff" * 6

_UDP: Final = 17


@dataclass(frozen=True, slots=True)
class UdpFrame:
    """A datagram with its frame; MAC addresses are 6 octets."""

    source_mac: bytes
    target_mac: bytes
    source: IPv4Address
    target: IPv4Address
    source_port: int
    target_port: int
    payload: bytes


def encode_frame(frame: UdpFrame) -> bytes:
    """Return the frame; the payload must fit the link."""
    length = 8 + len(frame.payload)
    ports = struct.pack("!HHH", frame.source_port, frame.target_port, length)
    pseudo = frame.source.packed + frame.target.packed + struct.pack("!BBH", 0, _UDP, length)
    checksum = _checksum(pseudo + ports + b"\0\0" + frame.payload) or 0xFFFF
    udp = ports + checksum.to_bytes(2, "big") + frame.payload
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(udp), 0, 0, 64, _UDP)
    addresses = frame.source.packed + frame.target.packed
    sum_ = _checksum(head + b"\0\0" + addresses).to_bytes(2, "big")
    ethernet = frame.target_mac + frame.source_mac + ETHERNET_IPV4.to_bytes(2, "big")
    return ethernet + head + sum_ + addresses + udp


def decode_frame(data: bytes) -> UdpFrame | None:
    """Return the datagram of a frame; None for everything that is not a whole UDP over IPv4."""
    if len(data) < 42 or data[12:14] != b"\x08\x00" or data[14] >> 4 != 4:
        return None
    at = 14 + (data[14] & 15) * 4
    fragment = int.from_bytes(data[20:22], "big") & 0x3FFF
    if data[23] != _UDP or fragment or at < 34 or at + 8 > len(data):
        return None
    source_port, target_port, length = struct.unpack_from("!HHH", data, at)
    if length < 8 or at + length > len(data):
        return None
    return UdpFrame(
        data[6:12],
        data[:6],
        IPv4Address(data[26:30]),
        IPv4Address(data[30:34]),
        source_port,
        target_port,
        data[at + 8 : at + length],
    )


def _checksum(data: bytes) -> int:
    padded = data + b"\0" if len(data) % 2 else data
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
