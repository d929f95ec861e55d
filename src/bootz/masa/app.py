"""The composition root of the MASA: serves a folder until it is told to stop."""

import asyncio
import ipaddress
import signal
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf import descriptor_pool

from bootz.errors import ConfigError
from bootz.log import get_logger
from bootz.masa.folder import Clock, MasaFolder, open_masa
from bootz.masa.grpc import ovgs_methods
from bootz.masa.http import HttpDoor
from bootz.masa.service import MasaService
from bootz.transport.http2.engines import EngineName
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.standard import StandardServices
from bootz.transport.tls import server_context
from bootz.wire.ovgs import SERVICE

log = get_logger()

Address = tuple[str, int]

_DRAIN_S: Final = 10.0
"""Seconds that running calls get when the MASA stops."""


@dataclass(frozen=True, slots=True)
class MasaBound:
    """Where a MASA listens."""

    grpc: tuple[Address, ...]
    http: tuple[Address, ...]


class Masa:
    """A running MASA: both doors over one service.

    Args:
        service: what both call.
        limits: bounds for each peer and all together.
        tls: makes the TLS context for an ALPN protocol; None for plaintext.
        cookies: take tokens from cookies, too.
        engine: which HTTP/2 engine.

    Raises:
        ConfigError: the engine is not installed.
    """

    def __init__(
        self,
        service: MasaService,
        *,
        limits: ListenerLimits,
        tls: Callable[[str], ssl.SSLContext] | None,
        cookies: bool = False,
        engine: EngineName = "auto",
    ) -> None:
        self._tls = tls
        self._standard = StandardServices([SERVICE], pool=descriptor_pool.Default(), limits=limits)
        methods = ovgs_methods(service, limits, cookies=cookies)
        self._grpc = GrpcListener(
            {**methods, **self._standard.methods},
            limits=limits,
            context=None if tls is None else tls("h2"),
            engine=engine,
        )
        self._http = HttpDoor(
            service, limits=limits, context=None if tls is None else tls("http/1.1")
        )

    async def start(self, grpc: Sequence[Address], http: Sequence[Address]) -> MasaBound:
        """Listen.

        Raises:
            Unavailable: an address cannot be listened on; then none is.
        """
        bound = await self._grpc.start(grpc)
        try:
            both = MasaBound(bound, await self._http.start(http))
        except BaseException:
            await self._grpc.drain(0)
            raise
        self._standard.set_serving(serving=True)
        return both

    def reload_tls(self) -> None:
        """Read certificate and key again, for connections to come.

        Raises:
            ConfigError: they cannot be loaded; the old ones stay in use.
        """
        if self._tls is not None:
            grpc, http = self._tls("h2"), self._tls("http/1.1")
            self._grpc.context = grpc
            self._http.replace_tls(http)

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let running calls end for at most ``timeout`` seconds, then close."""
        self._standard.stop()
        await asyncio.gather(self._grpc.drain(timeout), self._http.drain(timeout))


async def serve_masa(
    folder: Path,
    *,
    clock: Clock,
    grpc_listen: Sequence[str] = (),
    http_listen: Sequence[str] = (),
    plaintext: bool = False,
    limits: ListenerLimits | None = None,
    on_bound: Callable[[MasaBound], None] = lambda _: None,
) -> None:
    """Serve a MASA's folder until SIGTERM or SIGINT; SIGHUP reads the TLS files again.

    ``on_bound`` is called with the addresses once they listen.

    Raises:
        BootzError: the folder, a key or an address does not do.
    """
    limits = limits or ListenerLimits()
    opened = open_masa(folder, clock=clock, lock_seconds=limits.database_seconds)
    try:
        await _serve(
            opened,
            grpc_listen,
            http_listen,
            plaintext=plaintext,
            limits=limits,
            on_bound=on_bound,
        )
    finally:
        opened.close()
    log.info("stopped", party="masa")


async def _serve(
    opened: MasaFolder,
    grpc_listen: Sequence[str],
    http_listen: Sequence[str],
    *,
    plaintext: bool,
    limits: ListenerLimits,
    on_bound: Callable[[MasaBound], None],
) -> None:
    config = opened.config
    grpc = [parse_address(text) for text in grpc_listen or config.grpc_listen]
    http = [parse_address(text) for text in http_listen or config.http_listen]
    if plaintext and not all(_is_loopback(host) for host, _ in (*grpc, *http)):
        raise ConfigError(
            "masa-config-invalid", "tokens and vouchers need TLS beyond loopback", where="plaintext"
        )

    def tls(protocol: str) -> ssl.SSLContext:
        files = config.tls
        return server_context(
            opened.path / files.certificate, opened.path / files.key, protocols=(protocol,)
        )

    masa = Masa(
        opened.make_service(),
        limits=limits,
        tls=None if plaintext else tls,
        cookies=config.cookie_tokens,
        engine=config.http2_engine,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, masa)
    bound = await masa.start(grpc, http)
    log.info(
        "serving",
        party="masa",
        grpc=[write_address(address) for address in bound.grpc],
        http=[write_address(address) for address in bound.http],
        tls=not plaintext,
    )
    on_bound(bound)
    await stop.wait()
    log.info("draining", party="masa")
    await masa.drain(_DRAIN_S)


def _reload(masa: Masa) -> None:
    try:
        masa.reload_tls()
    except ConfigError as error:
        log.error("reload-failed", reason=error.reason, detail=str(error))
    else:
        log.info("reloaded", party="masa")


def parse_address(text: str) -> Address:
    """Read ``host:port``, an IPv6 host in brackets; port 0 lets the system choose.

    Raises:
        ConfigError: it has another form.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    fits = port.isascii() and port.isdecimal() and int(port) <= 65535
    if not (colon and bare and fits) or (":" in bare) != bracketed:
        raise ConfigError("masa-config-invalid", "is host:port", where="listen", seen=text)
    return bare, int(port)


def write_address(address: Address) -> str:
    """Return what ``parse_address`` reads."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
