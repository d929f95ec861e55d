"""Where webhooks may go: not into the networks around us, unless the site's settings name them.

A name is resolved once and the connection goes to an address that was judged, so that a name
which leads elsewhere a moment later gains nothing.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from bootz.errors import PolicyError

MAX_URL: Final = 2048
"""Characters of a target."""

_PLAIN: Final = re.compile(r"[!-~]+")
"""Visible ASCII: no space, no line break, nothing that could become a header."""

_TRANSLATED: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("::/96"),
)
"""IPv6 addresses that end in the IPv4 address to which they may lead.

NAT64 (RFC 6052 section 2.1), translated and IPv4-compatible ones.
"""
_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
"""NAT64 of a network's own, which Python takes for an address of the Internet."""

_NUMBER: Final = re.compile(r"\d+|0[xX][0-9a-fA-F]*")
"""The last part of a host that some programs read as an IPv4 address, and others as a name."""

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """A target's URL, taken apart; ``host`` is without brackets."""

    url: str
    host: str
    port: int
    plain: bool
    """Whether it is ``http``."""


def parse_target(url: str) -> Target:
    """Return what a URL means as a target.

    Raises:
        ValueError: not ``http(s)://HOST[:PORT][/PATH][?QUERY]`` in plain ASCII.
    """
    if len(url) > MAX_URL or _PLAIN.fullmatch(url) is None:
        raise ValueError(f"is not a URL of up to {MAX_URL} visible ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL: its port or address cannot be read") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("does not begin with https://HOST")
    if parts.username is not None or parts.password is not None or "#" in url or "\\" in url:
        raise ValueError("has a user, a password, a fragment or a backslash")
    if port == 0:
        raise ValueError("has port 0")
    host = parts.hostname
    if "%" in host and ":" not in host:
        raise ValueError("has an escaped character in its host")
    last = host.rstrip(".").rpartition(".")[2]
    if literal(host.partition("%")[0]) is None and _NUMBER.fullmatch(last):
        raise ValueError("has an address that is not four decimal numbers without leading zeros")
    plain = parts.scheme == "http"
    return Target(url, host, port or (80 if plain else 443), plain)


def literal(host: str) -> Address | None:
    """Return the address that a host is, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def admitted(address: Address, allowed: Collection[Network], *, plain: bool) -> bool:
    """Return whether a webhook may go to an address.

    To addresses of the Internet it may by TLS alone; to others where ``allowed`` names them.
    """
    seen = _embedded(address)
    if any(each.version == seen.version and seen in each for each in allowed):
        return True
    if seen.version == _LOCAL.version and seen in _LOCAL:
        return False
    return not plain and seen.is_global and not seen.is_multicast


_LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def refused_whatever_is_sent(target: Target, allowed: Collection[Network]) -> bool:
    """Return whether no try could go to a target: by its address, or as plain HTTP to a name.

    Where else a name leads is known when it is resolved, at each try.
    """
    host = target.host.rstrip(".").lower()
    address = literal(host.partition("%")[0])
    if address is not None:
        return not admitted(address, allowed, plain=target.plain)
    if host == "localhost" or host.endswith(".localhost"):
        # A name of this machine everywhere.
        return not any(admitted(each, allowed, plain=target.plain) for each in _LOOPBACK)
    return target.plain and not allowed


def target_refused(target: Target, seen: str) -> PolicyError:
    """Return the error of a target that leads to ``seen``, where nothing may be sent."""
    return PolicyError(
        "webhook-target-refused",
        f"{target.host} leads to {seen}" if seen != target.host else "nothing may be sent there",
        where="url",
        expected="an address in webhooks.private_targets"
        + ("" if target.plain else ", or of the Internet"),
        seen=seen,
        keys=(("url",),),
    )


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, else itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if any(address in each for each in _TRANSLATED) and int(address) > 1:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
