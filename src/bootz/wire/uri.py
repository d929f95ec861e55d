"""The bootstrap server's address as a router gets it: ``bootz://host[:port][endpoint]``.

One strict, pure parser for everyone who reads such a URI: a DHCP option, a command line, a
configuration. Source: docs/protocol/dhcp.md#the-uri; RFC 8572 section 8 carries the text.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from bootz.errors import WireError

DEFAULT_PORT = 15006
"""The port where a URI names none: the Go reference's convention."""

MAX_URI_CHARACTERS = 2048

_SCHEME = "bootz://"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class BootzUri:
    """A bootstrap server. ``host`` is a lower-case name or an address without brackets.

    ``endpoint`` (``/path?query``) is for logs; it is never part of a gRPC method's path.
    """

    host: str
    port: int = DEFAULT_PORT
    endpoint: str = ""
    address: IPv4Address | IPv6Address | None = None
    """The host as an address, None where it is a name."""

    def __str__(self) -> str:
        """The normal form: the port always written, IPv6 in brackets."""
        return f"{_SCHEME}{self.authority}{self.endpoint}"

    @property
    def authority(self) -> str:
        """``host:port`` with the brackets that an IPv6 address needs."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return f"{host}:{self.port}"


def parse_bootz_uri(text: str) -> BootzUri:
    """Parse one URI.

    Raises:
        WireError: ``uri-too-long``, ``uri-not-ascii``, ``uri-bad-char``, ``uri-wrong-scheme``,
            ``uri-userinfo``, ``uri-fragment``, ``uri-bad-host`` or ``uri-bad-port``.
    """
    if len(text) > MAX_URI_CHARACTERS:
        raise _flaw("uri-too-long", f"the URI has {len(text)} characters")
    if not text.isascii():
        raise _flaw("uri-not-ascii", "the URI has characters outside ASCII")
    if not all("!" <= character <= "~" for character in text):
        raise _flaw("uri-bad-char", "the URI has a blank or control character")
    if text[: len(_SCHEME)].lower() != _SCHEME:
        raise _flaw("uri-wrong-scheme", "the URI does not begin with bootz://")
    rest = text[len(_SCHEME) :]
    if "#" in rest:
        raise _flaw("uri-fragment", "the URI has a fragment")
    split = re.search(r"[/?]", rest)
    end = split.start() if split else len(rest)
    authority, endpoint = rest[:end], rest[end:]
    if "@" in authority:
        raise _flaw("uri-userinfo", "the URI contains user information")
    if authority.startswith("["):
        literal, closed, tail = authority[1:].partition("]")
        if not closed or (tail and not tail.startswith(":")):
            raise _flaw("uri-bad-host", "the brackets of the IPv6 address are not closed")
        address: IPv4Address | IPv6Address | None = _ipv6(literal)
        host = str(address)
        has_port, port = bool(tail), tail[1:]
    else:
        name, colon, port = authority.partition(":")
        has_port = bool(colon)
        if ":" in port:
            raise _flaw("uri-bad-host", "an IPv6 address must be in brackets")
        host, address = _name_or_ipv4(name.lower())
    return BootzUri(host, _port(port) if has_port else DEFAULT_PORT, endpoint, address)


def _flaw(reason: str, detail: str) -> WireError:
    return WireError(reason, detail, where="bootz URI", expected="bootz://host[:port][/path]")


def _ipv6(literal: str) -> IPv6Address:
    if "%" in literal:
        raise _flaw("uri-bad-host", "an IPv6 address must not have a zone")
    try:
        return IPv6Address(literal)
    except ValueError as error:
        raise _flaw("uri-bad-host", "the text in brackets is not an IPv6 address") from error


def _name_or_ipv4(name: str) -> tuple[str, IPv4Address | None]:
    labels = name.removesuffix(".").split(".")
    # A name whose last label is a number can only be meant as an address (RFC 1123 section 2.1).
    if labels[-1].isdigit():
        try:
            address = IPv4Address(name)
        except ValueError as error:
            raise _flaw("uri-bad-host", "the host is not an IPv4 address") from error
        return str(address), address
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _flaw("uri-bad-host", "the host is neither a name nor an address")
    return name, None


def _port(digits: str) -> int:
    if not _PORT.fullmatch(digits) or not 1 <= int(digits) <= 65535:
        raise _flaw("uri-bad-port", "the port is not a number from 1 to 65535")
    return int(digits)
