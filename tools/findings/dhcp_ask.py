"""Asks a DHCP server on a link once, and prints the options of its answer: `CODE hex`, one a line.

Only the standard library. Usage: dhcp_ask.py 4|6 INTERFACE MAC CODE...; the codes are asked for.
"""

import os
import socket
import struct
import sys
import time


def checksum(data: bytes) -> int:
    """Return the checksum of a header (RFC 791 section 3.1)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ask4(interface: str, mac: bytes, codes: list[int]) -> dict[int, bytes]:
    """Send a DISCOVER and return the options of the OFFER; TimeoutError where none comes."""
    xid = os.urandom(4)
    message = b"\1\1\6\0" + xid + b"\0\0\x80\0" + bytes(16) + mac.ljust(16, b"\0") + bytes(192)
    message += b"\x63\x82\x53\x63\x35\1\1\x37" + bytes([len(codes), *codes]) + b"\xff"
    udp = struct.pack("!4H", 68, 67, 8 + len(message), 0) + message
    head = struct.pack(
        "!BBHHHBBH4s4s", 69, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4
    )
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as port:
        port.bind((interface, 0x0800))
        port.settimeout(5)
        port.send(b"\xff" * 6 + mac + b"\x08\0" + head + udp)
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            frame = port.recv(65536)
            reply = frame[42:]
            if frame[23:24] == b"\x11" and reply[:1] == b"\2" and reply[4:8] == xid:
                return options(reply[240:], 1)
    return {}


def ask6(interface: str, mac: bytes, codes: list[int]) -> dict[int, bytes]:
    """Send a SOLICIT and return the options of the ADVERTISE; TimeoutError where none comes."""
    transaction = os.urandom(3)
    wanted = b"".join(code.to_bytes(2, "big") for code in codes)
    duid = b"\0\2\0\0\0\x09serial"
    message = b"\1" + transaction + struct.pack("!HH", 1, len(duid)) + duid
    message += struct.pack("!HHIII", 3, 12, 1, 0, 0) + struct.pack("!HH", 6, len(wanted)) + wanted
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as port:
        index = socket.if_nametoindex(interface)
        port.bind(("::", 546, 0, 0))
        port.settimeout(5)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        ends = time.monotonic() + 5
        while True:
            try:
                port.sendto(message, ("ff02::1:2", 547, 0, index))
                break
            except OSError:
                # The link-local address is not ready yet.
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)
        reply = port.recv(65536)
    return options(reply[4:], 2)


def options(data: bytes, width: int) -> dict[int, bytes]:
    """Return options whose code and length have ``width`` octets each."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 2 * width <= len(data) and data[at : at + width] != b"\xff":
        code = int.from_bytes(data[at : at + width], "big")
        length = int.from_bytes(data[at + width : at + 2 * width], "big")
        found[code] = data[at + 2 * width : at + 2 * width + length]
        at += 2 * width + length
    return found


if __name__ == "__main__":
    family, interface, mac, *codes = sys.argv[1:]
    ask = ask4 if family == "4" else ask6
    answer = ask(interface, bytes.fromhex(mac.replace(":", "")), [int(code) for code in codes])
    for code, value in answer.items():
        print(code, value.hex())
