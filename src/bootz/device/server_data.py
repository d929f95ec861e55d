"""The stored server data of the router: ``ztp bootz-server ip A port P trust-anchor FILE`` (S5).

The line is part of the vendor configuration; the file is on the router's own disk, where only
/misc can be named. Without both the router has no server to ask about a card that comes later.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bootz.device.openconfig import InvalidConfiguration
from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import atomic_write, load_certificates
from bootz.trust.certificates import pem_from_der
from bootz.wire.uri import BootzUri, parse_bootz_uri

_ANY = re.compile(r"\s*ztp\s+bootz-server\b")
_LINE = re.compile(
    r"\s*ztp\s+bootz-server\s+ip\s+(\S+)\s+port\s+([0-9]{1,5})\s+trust-anchor\s+(\S+)\s*"
)
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class ServerData:
    """Where the server is, and which file has the anchor that it is verified by."""

    address: str
    port: int
    trust_anchor: str

    @property
    def line(self) -> str:
        """The line of configuration."""
        return (
            f"ztp bootz-server ip {self.address} port {self.port} trust-anchor {self.trust_anchor}"
        )

    @property
    def uri(self) -> BootzUri:
        """The server as the router addresses it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return parse_bootz_uri(f"bootz://{host}:{self.port}")


def parse_server_line(line: str, where: str) -> ServerData | None:
    """Read one line of configuration; None where it is another command.

    Raises:
        InvalidConfiguration: it is this command, and not of its form.
    """
    if not _ANY.match(line):
        return None
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise _flaw(where, "ztp bootz-server ip ADDRESS port PORT trust-anchor FILE", line.strip())
    address, port, path = parts[1].strip("[]"), int(parts[2]), parts[3]
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError as error:
        raise _flaw(where, "an IPv4 or IPv6 address", address) from error
    if not 0 < port <= MAX_PORT:
        raise _flaw(where, "a port from 1 to 65535", parts[2])
    pieces = PurePosixPath(path).parts
    if pieces[:2] != ("/", "misc") or not pieces[2:] or not all(map(_PART.fullmatch, pieces[2:])):
        raise _flaw(where, "a file below /misc, such as /misc/disk1/ta.cert", path)
    return ServerData(address, port, path)


def find_server_data(vendor_text: str) -> ServerData | None:
    """Return the stored server data of a vendor configuration; of several lines the last counts.

    Raises:
        InvalidConfiguration: such a line is malformed.
    """
    found = None
    for number, line in enumerate(_lines(vendor_text), start=1):
        found = parse_server_line(line, f"vendor_config line {number}") or found
    return found


def without_server_line(vendor_text: str) -> str:
    """Return a vendor configuration without any such line."""
    return "".join(f"{line}\n" for line in _lines(vendor_text) if not _ANY.match(line))


def save_anchor(disk: Path, data: ServerData, anchor: bytes) -> None:
    """Write the trust anchor (DER) as the named file, PEM, onto the router's disk."""
    path = _on(disk, data)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_write(path, pem_from_der([anchor]), mode=0o600)


def load_anchor(disk: Path, data: ServerData) -> bytes:
    """Return the trust anchor, DER.

    Raises:
        ConfigError: the file is missing, or holds no certificate.
    """
    try:
        return load_certificates(_on(disk, data))[0]
    except BootzError as error:
        raise ConfigError(
            "server-data-anchor",
            "the trust anchor of the stored server data cannot be read",
            where=data.trust_anchor,
            expected="a certificate in PEM",
            seen=error.reason,
        ) from error


def _on(disk: Path, data: ServerData) -> Path:
    return disk / data.trust_anchor.lstrip("/")


def _lines(text: str) -> Iterable[str]:
    return text.replace("\r", "").rstrip("\n").split("\n") if text else ()


def _flaw(where: str, expected: str, seen: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        "config-ztp-server",
        "the `ztp bootz-server` line is malformed",
        where=where,
        expected=expected,
        seen=seen[:200],
    )
