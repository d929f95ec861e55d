"""The stored server data of a router, in the two forms in which a vendor configuration has them.

A line, ``ztp bootz-server ip ADDRESS port PORT [trust-anchor FILE]``, or the JSON of the YANG
module ``Cisco-IOS-XR-ztp-cfg``. Both sides read them here, so that the owner can say before a
night what the router would refuse in it. Source: docs/protocol/workflow.md S5;
docs/modular.md#the-stored-server-data.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

from bootz import strict_json
from bootz.errors import WireError
from bootz.wire.uri import BootzUri, parse_bootz_uri

ZTP_CONTAINER: Final = "Cisco-IOS-XR-ztp-cfg:ztp"
"""The member of a JSON configuration that holds the container ``ztp``."""

SERVER_LINE_FORM: Final = "ztp bootz-server ip ADDRESS port PORT [trust-anchor FILE]"

MAX_PORT: Final = 65535
MAX_PATH: Final = 1024
_MAX_VRF: Final = 32

_ANY: Final = re.compile(r"\s*ztp\s+bootz-server\b", re.IGNORECASE)
_LINE: Final = re.compile(
    r"\s*ztp\s+bootz-server\s+ip\s+(\S+)\s+port\s+([0-9]{1,5})(?:\s+trust-anchor\s+(\S+))?\s*",
    re.IGNORECASE,
)
_ROOT: Final = re.compile(r"/|[A-Za-z][A-Za-z0-9_-]{0,31}:/?")
_PIECE: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9_.][A-Za-z0-9._:+@~-]{0,127}")

_MEANT_AS_JSON: Final = re.compile(r"\{\s*[\"}]")

_DECODER: Final = strict_json.decoder()


class CardAction(Enum):
    """What becomes of a card that fails (leaf ``action``)."""

    NONE = 0
    SHUTDOWN = 1


@dataclass(frozen=True, slots=True)
class ServerData:
    """Where the server is, which file has the anchor that it is verified by, and the action.

    ``address`` is an IPv4 or IPv6 address without brackets, or a lower-case name;
    ``trust_anchor`` is empty where no file is named.
    """

    address: str
    port: int
    trust_anchor: str = ""
    action: CardAction = CardAction.SHUTDOWN

    @property
    def line(self) -> str:
        """The line of configuration; there is no public keyword for the action."""
        named = f" trust-anchor {self.trust_anchor}" if self.trust_anchor else ""
        return f"ztp bootz-server ip {self.address} port {self.port}{named}"

    @property
    def members(self) -> dict[str, object]:
        """The container ``bootz-server`` as JSON; the action only where it is not the default."""
        named: dict[str, object] = {"address": self.address, "port": self.port}
        if self.trust_anchor:
            named["trust-anchor"] = self.trust_anchor
        if self.action is not CardAction.SHUTDOWN:
            named["action"] = self.action.value
        return named

    @property
    def uri(self) -> BootzUri:
        """The server as the router addresses it."""
        return _uri(self.address, self.port)


def parse_server_line(line: str, where: str) -> ServerData | None:
    """Read one line of configuration; None where it is another command.

    Raises:
        WireError: ``config-ztp-server``: it is this command, and not of its form.
    """
    if not _ANY.match(line):
        return None
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise _flaw(where, SERVER_LINE_FORM, line.strip())
    return _checked(parts[1], int(parts[2]), parts[3], CardAction.SHUTDOWN, where)


def check_public_part(line: str, where: str) -> bool:
    """Check what is public in a line of an operator; tell whether that is all of it.

    IOS XR has keywords for the action and the VRF that no public document names, so a line with
    words beyond the form may be right for a real router.

    Raises:
        WireError: ``config-ztp-server``: an address, port or file in it cannot be one.
    """
    if not _ANY.match(line) or _LINE.fullmatch(line):
        parse_server_line(line, where)
        return True
    words = line.split()[2:]
    given = {name.casefold(): value for name, value in pairwise(words)}
    port = given.get("port", "")
    if "ip" not in given or not re.fullmatch("[0-9]{1,5}", port):
        raise _flaw(where, SERVER_LINE_FORM, line.strip())
    _checked(given["ip"], int(port), given.get("trust-anchor"), CardAction.SHUTDOWN, where)
    return False


def find_server_data(vendor_text: str, where: str = "vendor_config") -> ServerData | None:
    """Return the stored server data of a vendor configuration; of several the last count.

    Raises:
        WireError: ``config-ztp-server``: some are malformed.
    """
    found = None
    for piece in _pieces(vendor_text, where):
        if piece.document is None:
            found = parse_server_line(piece.text, piece.where) or found
        else:
            found = _read_document(piece.document, piece.where) or found
    return found


@dataclass(frozen=True, slots=True)
class ZtpClient:
    """The container ``bootz``: where the router's own client works. Empty: not given."""

    interface: str
    vrf: str


def find_client(vendor_text: str) -> ZtpClient | None:
    """Return the container ``bootz`` of a vendor configuration; of several the last counts.

    Raises:
        WireError: ``config-ztp-server``: some of it is malformed.
    """
    found = None
    for piece in _pieces(vendor_text, "vendor_config"):
        container = _container(piece.document or {})
        if "bootz" in container:
            found = _read_client(container["bootz"], f"{piece.where}: {ZTP_CONTAINER}/bootz")
    return found


def yang_text(data: ServerData | None, client: ZtpClient | None) -> str:
    """Return both as one JSON configuration, on one line."""
    container: dict[str, object] = {}
    if data is not None:
        container["bootz-server"] = data.members
    if client is not None:
        named = {"bootz-interface": client.interface} if client.interface else {}
        container["bootz"] = {**named, "bootz-vrf": client.vrf}
    return json.dumps({ZTP_CONTAINER: container})


def has_server_data(vendor_text: str) -> bool:
    """Tell whether a vendor configuration has such data, well-formed or not."""
    try:
        return any(
            _ANY.match(piece.text) is not None
            if piece.document is None
            else "bootz-server" in _container(piece.document)
            for piece in _pieces(vendor_text, "")
        )
    except WireError:
        return True


def without_server_data(vendor_text: str) -> str:
    """Return a vendor configuration without such data in either form."""
    kept = []
    for piece in _pieces(vendor_text, ""):
        document = piece.document
        if document is not None and "bootz-server" in _container(document):
            left = dict(_container(document))
            del left["bootz-server"]
            document = {name: each for name, each in document.items() if name != ZTP_CONTAINER}
            if left:
                document[ZTP_CONTAINER] = left
            if document:
                kept.append(json.dumps(document, indent=2))
        elif document is not None or not _ANY.match(piece.text):
            kept.append(piece.text)
    return "".join(f"{each}\n" for each in kept)


def with_server_data(vendor_text: str, data: ServerData) -> str:
    """Return a vendor configuration with the data added in its own form: JSON or a line."""
    pieces = [piece for piece in _pieces(vendor_text, "") if piece.text.strip()]
    if len(pieces) == 1 and pieces[0].document is not None:
        container = {**_container(pieces[0].document), "bootz-server": data.members}
        return json.dumps({**pieces[0].document, ZTP_CONTAINER: container}, indent=2) + "\n"
    if vendor_text and not vendor_text.endswith("\n"):
        vendor_text += "\n"
    return f"{vendor_text}{data.line}\n"


def check_anchor_path(path: str, where: str) -> str:
    """Return a path at which a router may hold a trust anchor.

    It is absolute (``/misc/disk1/ta.cert``), or begins with a file system (``disk0:/ta.cert``).

    Raises:
        WireError: ``config-ztp-server``: it is neither.
    """
    root = _ROOT.match(path)
    pieces = path[root.end() :].split("/") if root else []
    named = len(path) <= MAX_PATH and bool(pieces) and path.strip("/") != "misc"
    if not named or not all(map(_PIECE.fullmatch, pieces)):
        raise _flaw(where, "a file, such as /misc/disk1/ta.cert or disk0:/ta.cert", path)
    return path


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line of a configuration, or a JSON object in it."""

    text: str
    where: str
    document: Mapping[str, object] | None = None


def _pieces(text: str, where: str) -> Iterator[_Piece]:
    """Return the lines of a configuration in their order, and each JSON object as one piece."""
    text = text.replace("\r", "").rstrip("\n")
    at, number = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        place = f"{where} line {number}"
        if text[at:end].lstrip().startswith("{"):
            document, stop = _document(text, at, place)
            if document is not None:
                yield _Piece(text[at:stop], place, document)
                number += text.count("\n", at, stop) + 1
                at = stop + 1
                continue
        yield _Piece(text[at:end], place)
        at, number = end + 1, number + 1


def _document(text: str, at: int, where: str) -> tuple[Mapping[str, object] | None, int]:
    """Return the JSON object that begins on a line, and the end of its last line, or None."""
    begin = text.index("{", at)
    try:
        value, stop = _DECODER.raw_decode(text, begin)
    except (ValueError, RecursionError) as error:
        meant = _MEANT_AS_JSON.match(text, begin) and ZTP_CONTAINER in text[begin:]
        if not meant:
            return None, at
        raise _flaw(where, "JSON in which no name appears twice", str(error)) from error
    end = text.find("\n", stop)
    end = len(text) if end < 0 else end
    if text[stop:end].strip() or not isinstance(value, dict):
        return None, at
    return value, end


def _container(document: Mapping[str, object]) -> Mapping[str, object]:
    container = document.get(ZTP_CONTAINER)
    return container if isinstance(container, dict) else {}


def _read_document(document: Mapping[str, object], where: str) -> ServerData | None:
    if ZTP_CONTAINER not in document:
        return None
    place = f"{where}: {ZTP_CONTAINER}"
    container = _members(document[ZTP_CONTAINER], ("bootz-server", "bootz"), place)
    if "bootz" in container:
        _read_client(container["bootz"], f"{place}/bootz")
    if "bootz-server" not in container:
        return None
    place = f"{place}/bootz-server"
    leaves = _members(
        container["bootz-server"], ("address", "port", "trust-anchor", "action"), place
    )
    action = leaves.get("action", CardAction.SHUTDOWN.value)
    if not _is_number(action) or action not in {each.value for each in CardAction}:
        raise _flaw(f"{place}/action", "0 (none) or 1 (shutdown)", json.dumps(action))
    port = leaves.get("port")
    if not _is_number(port):
        raise _flaw(f"{place}/port", "a port from 1 to 65535", json.dumps(port))
    anchor = leaves.get("trust-anchor")
    if anchor is not None and not isinstance(anchor, str):
        raise _flaw(f"{place}/trust-anchor", "a text", json.dumps(anchor))
    address = leaves.get("address")
    if not isinstance(address, str):
        raise _flaw(f"{place}/address", "an address or a host name", json.dumps(address))
    return _checked(address, int(str(port)), anchor, CardAction(action), place)


def _read_client(value: object, where: str) -> ZtpClient:
    """Read the container ``bootz``."""
    leaves = _members(value, ("bootz-interface", "bootz-vrf"), where)
    interface, vrf = leaves.get("bootz-interface", ""), leaves.get("bootz-vrf")
    if not isinstance(interface, str):
        raise _flaw(f"{where}/bootz-interface", "a text", json.dumps(interface))
    if not isinstance(vrf, str) or not 0 < len(vrf) <= _MAX_VRF:
        raise _flaw(f"{where}/bootz-vrf", "1 to 32 characters", json.dumps(vrf))
    return ZtpClient(interface, vrf)


def _members(value: object, known: tuple[str, ...], where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _flaw(where, "an object", json.dumps(value))
    for name in value:
        if name not in known:
            raise _flaw(where, ", ".join(known), json.dumps(name))
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _checked(
    address: str, port: int, path: str | None, action: CardAction, where: str
) -> ServerData:
    if not 0 < port <= MAX_PORT:
        raise _flaw(where, "a port from 1 to 65535", str(port))
    try:
        uri = _uri(address.removeprefix("[").removesuffix("]"), port)
    except WireError as error:
        raise _flaw(where, "an IPv4 or IPv6 address, or a host name", address) from error
    anchor = "" if path is None else check_anchor_path(path, where)
    return ServerData(uri.host, port, anchor, action)


def _uri(address: str, port: int) -> BootzUri:
    if any(mark in address for mark in "/?@#[]"):
        raise _flaw("address", "an address or a host name", address)
    host = f"[{address}]" if ":" in address else address
    return parse_bootz_uri(f"bootz://{host}:{port}")


def _flaw(where: str, expected: str, seen: str) -> WireError:
    return WireError(
        "config-ztp-server",
        f"the stored server data are malformed: expected {expected}, seen {seen[:80]}",
        where=where,
        expected=expected,
        seen=seen[:200],
    )
