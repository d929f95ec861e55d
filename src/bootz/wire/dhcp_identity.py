"""How a router names itself in DHCP, both ways: client-id, DUID, vendor class, MAC address.

Source: RFC 2132 section 9.14; RFC 3925 section 3; RFC 8415 sections 11 and 21.16;
docs/protocol/dhcp.md#the-routers-client (5); docs/protocol/dhcp.md#the-labs-server.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

ENTERPRISE: Final = 9
"""IANA enterprise number in DUID-EN and vendor class: Cisco's, as the emulated vendor sends it."""

_DUID_EN: Final = b"\x00\x02"
_DUID_LL: Final = b"\x00\x03"
_DUID_LLT: Final = b"\x00\x01"
_ETHERNET: Final = b"\x00\x01"


@dataclass(frozen=True, slots=True)
class DhcpIdentity:
    """A router on one management port. ``mac`` is 6 octets; ``duid_ll``: the DUID is the MAC's.

    ``serial_trailer`` is what follows the serial number in a DUID-EN: real IOS XR adds a NUL.
    """

    mac: bytes
    serial_number: str
    vendor: str = ""
    platform: str = ""
    duid_ll: bool = False
    serial_trailer: bytes = b""

    @property
    def client_id(self) -> bytes:
        """Option 61: type 0, that is not a hardware address, and the serial number."""
        return client_id_of(self.serial_number)

    @property
    def duid(self) -> bytes:
        """DHCPv6 option 1."""
        if self.duid_ll:
            return duid_ll(self.mac)
        return duid_en(self.serial_number) + self.serial_trailer

    @property
    def vendor_class(self) -> bytes:
        """Option 60: ``bootz:VENDOR:PLATFORM:SERIAL``."""
        text = ":".join(("bootz", self.vendor, self.platform, self.serial_number))
        return text.encode("ascii", "replace")[:255]

    @property
    def vendor_classes4(self) -> bytes:
        """Option 124 (RFC 3925): the same text below the enterprise number."""
        text = self.vendor_class[:250]
        return ENTERPRISE.to_bytes(4, "big") + bytes([len(text)]) + text

    @property
    def vendor_class6(self) -> bytes:
        """DHCPv6 option 16: the same text below the enterprise number."""
        text = self.vendor_class
        return ENTERPRISE.to_bytes(4, "big") + len(text).to_bytes(2, "big") + text


def client_id_of(serial_number: str) -> bytes:
    """Return the client-id of a serial number."""
    return b"\x00" + serial_number.encode("ascii", "replace")


def duid_en(serial_number: str) -> bytes:
    """Return the DUID-EN of a serial number."""
    return _DUID_EN + ENTERPRISE.to_bytes(4, "big") + serial_number.encode("ascii", "replace")


def duid_ll(mac: bytes) -> bytes:
    """Return the DUID-LL of a MAC address."""
    return _DUID_LL + _ETHERNET + mac


def serial_of_client_id(client_id: bytes) -> str:
    """Return the serial number in a client-id; empty where there is none."""
    if not client_id.startswith(b"\x00"):
        return ""
    return _text(client_id[1:])


def serial_of_duid(duid: bytes) -> str:
    """Return the serial number in a DUID-EN; empty where there is none."""
    return _text(duid[6:]) if duid.startswith(_DUID_EN) else ""


def mac_of_duid(duid: bytes) -> bytes:
    """Return the MAC address in a DUID-LL or DUID-LLT; empty where there is none."""
    if duid.startswith(_DUID_LL + _ETHERNET) and len(duid) == 10:
        return duid[4:]
    if duid.startswith(_DUID_LLT + _ETHERNET) and len(duid) == 14:
        return duid[8:]
    return b""


def mac_of_link_local(address: IPv6Address) -> bytes:
    """Return the MAC address in a link-local EUI-64 address; empty where there is none."""
    packed = address.packed
    if not address.is_link_local or packed[11:13] != b"\xff\xfe":
        return b""
    return bytes([packed[8] ^ 2]) + packed[9:11] + packed[13:]


def parse_mac(text: str) -> bytes:
    """Return the octets of a MAC address with colons, dashes, dots or nothing between.

    Raises:
        ValueError: it is not one.
    """
    digits = text.strip()
    for separator in ":-.":
        digits = digits.replace(separator, "")
    mac = bytes.fromhex(digits)
    if len(mac) != 6:
        raise ValueError(f"{text[:40]!r} is not a MAC address")
    return mac


def _text(data: bytes) -> str:
    stripped = data.rstrip(b"\0")
    return stripped.decode() if stripped.isascii() and stripped.decode().isprintable() else ""
