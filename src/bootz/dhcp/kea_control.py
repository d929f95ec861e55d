"""Kea's control channel: a Unix socket, or HTTP.

One command per connection on the socket; over HTTP the answer is a list, one for each service
(kea-ctrl-agent), or of one (Kea itself, from 2.7.2). Source:
docs/protocol/dhcp.md#its-control-channel.
"""

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from bootz.errors import ConfigError, Unavailable, WireError
from bootz.protocol.dhcp_offer import Family

MAX_ANSWER: Final = 256 << 20
"""Bytes of an answer; 20 000 reservations are 4 MB."""

TIMEOUT: Final = 60.0
"""Seconds; a push of 20 000 reservations takes 2."""

SUCCESS: Final = 0
UNSUPPORTED: Final = 2
EMPTY: Final = 3


@dataclass(frozen=True, slots=True)
class KeaAnswer:
    """An answer: ``result`` 0 is success, 1 an error, 2 an unknown command, 3 nothing found."""

    result: int
    text: str
    arguments: Mapping[str, Any] | list[Any] = field(default_factory=dict)


class KeaChannel(Protocol):
    """A way to one Kea server."""

    @property
    def name(self) -> str:
        """Where it is, for errors; without secrets."""
        ...

    def send(self, request: Mapping[str, Any]) -> Any:
        """Return the answer's JSON.

        Raises:
            Unavailable: ``kea-unreachable``.
            WireError: ``kea-answer``.
        """
        ...


def ask_kea(
    channel: KeaChannel, command: str, arguments: Mapping[str, Any] | None = None
) -> KeaAnswer:
    """Send one command.

    Raises:
        Unavailable: ``kea-unreachable``.
        WireError: ``kea-answer``: it is not Kea's.
    """
    request: dict[str, Any] = {"command": command}
    if arguments is not None:
        request["arguments"] = arguments
    answer = channel.send(request)
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, dict) or not isinstance(answer.get("result"), int):
        raise WireError("kea-answer", f"no answer to {command}", where=channel.name)
    return KeaAnswer(
        answer["result"], str(answer.get("text", ""))[:2000], answer.get("arguments") or {}
    )


class SocketChannel:
    """A Unix socket."""

    def __init__(self, path: str) -> None:
        self.name = path

    def send(self, request: Mapping[str, Any]) -> Any:
        """Return the answer's JSON.

        Raises:
            Unavailable: ``kea-unreachable``.
            WireError: ``kea-answer``.
        """
        try:
            with socket.socket(socket.AF_UNIX) as opened:
                opened.settimeout(TIMEOUT)
                opened.connect(self.name)
                opened.sendall(json.dumps(request).encode())
                opened.shutdown(socket.SHUT_WR)
                return _parse(iter(lambda: opened.recv(1 << 16), b""), self.name)
        except OSError as error:
            raise Unavailable(
                "kea-unreachable", error.strerror or str(error), where=self.name
            ) from error


class HttpChannel:
    """HTTP or HTTPS, with the user and password of the URL if it has them."""

    def __init__(self, url: str, family: Family) -> None:
        """Read the URL.

        Raises:
            ConfigError: ``usage``: it is invalid.
        """
        parts = urlsplit(url)
        try:
            self._port = parts.port
        except ValueError as error:
            raise ConfigError("usage", "the port is invalid", where="Kea") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(
                "usage", "must be the path of a socket or http://HOST:PORT", where="Kea"
            )
        self._tls = parts.scheme == "https"
        self._host = parts.hostname
        self._path = parts.path or "/"
        self._service = "dhcp4" if family is Family.IPV4 else "dhcp6"
        self._headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        port = f":{self._port}" if self._port else ""
        self.name = f"{parts.scheme}://{self._host}{port}{self._path}"

    def send(self, request: Mapping[str, Any]) -> Any:
        """Return the answer's JSON.

        Raises:
            Unavailable: ``kea-unreachable``.
            WireError: ``kea-answer``.
        """
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        )
        body = json.dumps({**request, "service": [self._service]})
        try:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise Unavailable(
                    "kea-unreachable",
                    f"HTTP {response.status} {response.reason}",
                    where=self.name,
                )
            return _parse(iter(lambda: response.read(1 << 16), b""), self.name)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("kea-unreachable", str(error)[:300], where=self.name) from error
        finally:
            connection.close()


def kea_channel(place: str, family: Family) -> KeaChannel:
    """Return the way to a Kea: a socket's path, or a URL.

    Raises:
        ConfigError: ``usage``.
    """
    return HttpChannel(place, family) if "://" in place else SocketChannel(place)


def _parse(pieces: Iterable[bytes], where: str) -> Any:
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_ANSWER:
            raise WireError("kea-answer", "it is too large", where=where)
        kept.append(piece)
    try:
        return json.loads(b"".join(kept))
    except (ValueError, RecursionError) as error:
        raise WireError("kea-answer", "it is not JSON", where=where) from error
