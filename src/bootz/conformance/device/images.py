"""The suite's image server: plain HTTP with ranges, and a memory of who fetched what."""

import socket
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bootz.errors import Unavailable
from bootz.transport.binding import peer_address


@dataclass(frozen=True, slots=True)
class SeenDownload:
    """One request that was seen; ``status`` is that of the answer."""

    name: str
    status: int


class SuiteImageServer:
    """Offers files; an async context manager.

    Args:
        folder: where the files are kept while it runs.
        listen: the address to listen on.
        advertised: the host that URLs name.
    """

    def __init__(self, folder: Path, listen: str, advertised: str) -> None:
        self._folder = folder
        self._listen = listen
        self._advertised = advertised
        self._downloads: list[SeenDownload] = []
        self._offered: set[str] = set()
        self._port = 0
        self._dead: socket.socket | None = None
        application = web.Application()
        application.router.add_get("/{name}", self._serve)
        # Without handle_signals: the suite is a guest in its process.
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)

    @property
    def downloads(self) -> tuple[SeenDownload, ...]:
        """Every request so far."""
        return tuple(self._downloads)

    @property
    def dead_url(self) -> str:
        """A URL where no server listens, for as long as this server runs."""
        if self._dead is None:
            raise RuntimeError("the image server does not run")
        return f"http://{peer_address(self._advertised, self._dead.getsockname()[1])}/image.bin"

    def offer(self, name: str, content: bytes) -> str:
        """Offer a file; return its URL."""
        (self._folder / name).write_bytes(content)
        self._offered.add(name)
        return f"http://{peer_address(self._advertised, self._port)}/{name}"

    async def __aenter__(self) -> "SuiteImageServer":
        family = socket.AF_INET6 if ":" in self._listen else socket.AF_INET
        try:
            # Bound and never listening: a connection is refused, and the port stays taken.
            self._dead = socket.socket(family, socket.SOCK_STREAM)
            self._dead.bind((self._listen, 0))
            await self._runner.setup()
            await web.TCPSite(self._runner, self._listen, 0).start()
        except OSError as error:
            await self.__aexit__(None, None, None)
            raise Unavailable(
                "listen-failed", f"cannot listen: {error.strerror or error}", where=self._listen
            ) from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        if self._dead is not None:
            self._dead.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        found = name in self._offered
        self._downloads.append(SeenDownload(name, 200 if found else 404))
        if not found:
            return web.Response(status=404)
        return web.FileResponse(self._folder / name)
