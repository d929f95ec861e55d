"""One POST to a receiver: to an address that was judged, without a proxy, no redirect followed."""

import asyncio
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bootz import __version__
from bootz.config.operator import WebhookSettings
from bootz.errors import BootzError, ConfigError, PolicyError, Unavailable
from bootz.server.webhooks.envelope import MEDIA_TYPE
from bootz.server.webhooks.signing import signed_headers
from bootz.server.webhooks.targets import (
    Network,
    Target,
    admitted,
    literal,
    parse_target,
    target_refused,
)

TIMEOUT_S: Final = 15.0
"""Seconds for one try, from the look-up of the name to the status of the answer."""

_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """What a try came to: ``status`` is 0 where no answer came.

    ``error`` is None where the receiver has acknowledged it; ``asked`` are the seconds of a
    ``Retry-After``; ``gone``: the receiver wants no more.
    """

    status: int
    error: BootzError | None
    asked: float | None = None
    gone: bool = False


class _Judged(AbstractResolver):
    """Resolves names of targets, and gives no address that a webhook may not go to."""

    def __init__(self, allowed: Collection[Network], *, plain: bool) -> None:
        self._allowed = allowed
        self._plain = plain

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none.
            _TargetRefused: one of them is not admitted; whoever mixes them tries something.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for _, _, _, _, address in found:
            _judge(str(address[0]), self._allowed, plain=self._plain)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=each_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for each_family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


class _TargetRefused(Exception):
    """An address that a webhook may not go to."""


def _judge(host: str, allowed: Collection[Network], *, plain: bool) -> None:
    # Of a link-local address the interface comes after the percent sign.
    address = literal(host.partition("%")[0])
    if address is None or not admitted(address, allowed, plain=plain):
        raise _TargetRefused(host)


class Deliverer:
    """Sends; holds no connection open between two tries, so that each is judged by itself.

    Args:
        settings: the site's.
        root: the site's folder, for the file of CAs.

    Raises:
        ConfigError: the file of CAs cannot be used.
    """

    def __init__(self, settings: WebhookSettings, root: Path | None) -> None:
        self._allowed = settings.private_targets
        self._tls = ssl.create_default_context()
        if settings.ca is not None:
            path = settings.ca if root is None else root / settings.ca
            try:
                self._tls.load_verify_locations(cafile=path)
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    "site-config-invalid",
                    f"the CAs cannot be read: {error}",
                    where="webhooks.ca",
                ) from error

    async def post(
        self, url: str, secret: bytes, message_id: str, body: bytes, now: datetime
    ) -> DeliveryAnswer:
        """Send one message, signed at ``now`` (aware UTC); whatever happens is in the answer."""
        target = parse_target(url)
        headers = {
            "Content-Type": MEDIA_TYPE,
            "User-Agent": f"bootz/{__version__}",
            **signed_headers(secret, message_id, now, body),
        }
        try:
            if literal(target.host) is not None:
                # The client resolves no address, and so would not ask for a judgement.
                _judge(target.host, self._allowed, plain=target.plain)
            async with asyncio.timeout(TIMEOUT_S):
                return await self._send(target, headers, body)
        except _TargetRefused as refused:
            return DeliveryAnswer(0, target_refused(target, str(refused)))
        except TimeoutError:
            return DeliveryAnswer(
                0, Unavailable("webhook-timeout", f"no answer within {TIMEOUT_S:g} s", where="url")
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return DeliveryAnswer(0, Unavailable("webhook-unreachable", _words(error), where="url"))

    async def _send(self, target: Target, headers: dict[str, str], body: bytes) -> DeliveryAnswer:
        connector = aiohttp.TCPConnector(
            resolver=_Judged(self._allowed, plain=target.plain),
            ssl=self._tls,
            use_dns_cache=False,
            force_close=True,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            session.post(target.url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            # Of the answer only its head is read.
            return _judged(answer.status, answer.headers.get("Retry-After", ""))


def _judged(status: int, retry_after: str) -> DeliveryAnswer:
    if 200 <= status < 300:
        return DeliveryAnswer(status, None)
    if 300 <= status < 400:
        error: BootzError = PolicyError(
            "webhook-redirected", "it answered with a redirect", where="url", seen=str(status)
        )
        return DeliveryAnswer(status, error)
    asked = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None
    error = Unavailable(
        "webhook-refused", f"it answered {status}", where="url", expected="2xx", seen=str(status)
    )
    return DeliveryAnswer(status, error, asked, gone=status == _GONE)


def _words(error: Exception) -> str:
    """Return why a receiver was not reached; the words of a certificate, not a URL."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate does not hold: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or type(error.os_error).__name__
    return type(error).__name__
