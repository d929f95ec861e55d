"""Serves the depot over HTTP and HTTPS: what the catalogue names, and nothing else.

Source: RFC 9110 sections 13 and 14 (conditions, ranges). Over HTTP the kernel copies files to
the peer; over HTTPS they are read in chunks. Memory stays flat, and a slow disk delays no call.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, TypeVar, TypeVarTuple

from aiohttp import web

from bootz.errors import BootzError, Unavailable
from bootz.images.addresses import ImageAddress, parse_target
from bootz.images.checking import ImageChecker
from bootz.images.connection import ImageConnection
from bootz.images.depot import Depot
from bootz.images.fetching import ImageFetcher
from bootz.images.limits import ImageLimits
from bootz.images.ports import Catalogue, CatalogueEntry, Download, DownloadObserver
from bootz.images.ranges import ByteRange, RangeVerdict, names_tag, parse_range
from bootz.images.sending import FileReader, KernelSender
from bootz.log import get_logger
from bootz.transport.acceptor import Acceptor
from bootz.transport.admission import Admission, RoomWanted
from bootz.transport.pressure import LoadCounts
from bootz.transport.proxy_door import Network

log = get_logger()

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

_LAST_WORDS_S = 5.0
"""Seconds that the records of cut downloads may take."""

_RETRY_AFTER_S = 30
"""Seconds after which a router may ask again for a file that cannot be served now."""

_CHUNKS_BY_KERNEL = 16
"""Chunks that the kernel may take at once: all that a socket's buffer has room for, in one call.

They cost no memory here."""

_METHODS = ("GET", "HEAD")

_FETCHED = frozenset({"image-file-missing", "image-file-damaged"})
"""Faults that go away with a copy from another store."""


class ImageServer:
    """The depot's door.

    Args:
        depot: where the files are.
        catalogue: knows what may be served.
        observer: hears of downloads.
        limits: bounds for each peer and all together.
        check_every: seconds after which all files are compared with their digests again; 0: never.
        share_port: whether other processes listen on the same addresses.
        proxies: load balancers, whose connections begin with a header of the PROXY protocol.
        fetcher: brings from other stores what is lacking; None: nothing is brought.
    """

    def __init__(
        self,
        depot: Depot,
        catalogue: Catalogue,
        observer: DownloadObserver,
        limits: ImageLimits | None = None,
        *,
        check_every: float = 86400.0,
        share_port: bool = False,
        proxies: Collection[Network] = (),
        fetcher: ImageFetcher | None = None,
    ) -> None:
        self._share_port = share_port
        self._proxies = proxies
        self._depot = depot
        self._catalogue = catalogue
        self._observer = observer
        self._limits = limits or ImageLimits()
        self._acceptors: list[Acceptor] = []
        self._counts = LoadCounts()
        self._http: web.Server | None = None
        self._answering: set[asyncio.Task[object]] = set()
        self._checker = ImageChecker(depot)
        self._check_every = check_every
        self._checking: asyncio.Task[None] | None = None
        self._fetcher = fetcher
        self._fetching: asyncio.Task[None] | None = None
        self._readers = ThreadPoolExecutor(self._limits.readers, "image-reader")
        self.downloads = 0
        """Downloads under way."""
        self.bytes_sent = 0
        """Bytes of all downloads since the server was made."""

    async def start(
        self, addresses: Sequence[tuple[str, int]], tls: ssl.SSLContext | None = None
    ) -> tuple[tuple[str, int], ...]:
        """Listen, with TLS or without; may be called for each of the two.

        Returns the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on; then none of this call is.
        """
        http = self._http = self._http or web.Server(self._handle)

        def connection(place: Admission) -> ImageConnection:
            return ImageConnection(http, self._limits, place.leave, place.announced)

        acceptor = Acceptor(
            connection,
            limits=self._limits,
            context=tls,
            counts=self._counts,
            share_port=self._share_port,
            proxies=self._proxies,
            make_room=partial(_close_idle, http),
        )
        bound = await acceptor.start(addresses)
        self._acceptors.append(acceptor)
        if self._check_every and self._checking is None:
            self._checking = asyncio.get_running_loop().create_task(self._check_on_schedule())
        if self._fetcher is not None and self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(
                self._fetcher.run(self._catalogue)
            )
        return bound

    @property
    def counts(self) -> LoadCounts:
        """What has happened since the start at the bounds, HTTP and HTTPS together."""
        return self._counts

    def replace_tls(self, tls: ssl.SSLContext) -> None:
        """Use another context for TLS connections to come."""
        for acceptor in self._acceptors:
            if acceptor.context is not None:
                acceptor.context = tls

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let downloads end for at most ``timeout`` seconds, then cut the rest."""
        for acceptor in self._acceptors:
            await acceptor.stop()
        if self._http is not None:
            close_idle = self._http.pre_shutdown
            await asyncio.gather(
                *(acceptor.finish(timeout, close_idle) for acceptor in self._acceptors)
            )
            if self._answering:
                await asyncio.wait(self._answering, timeout=_LAST_WORDS_S)
        background = [each for each in (self._checking, self._fetching) if each is not None]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await self._checker.close()
        self._acceptors.clear()
        self._readers.shutdown(wait=False)

    async def check(self) -> None:
        """Compare all files with their digests; what is damaged is no longer served.

        Raises:
            BootzError: the catalogue does not answer.
        """
        await self._checker.check_all(await self._catalogue.files())

    async def _check_on_schedule(self) -> None:
        while True:
            try:
                await self.check()
            except BootzError as error:
                log.error("images-not-checked", reason=error.reason, detail=str(error))
            except Exception:
                # A defect of ours must not end the schedule.
                log.exception("images-not-checked")
            await asyncio.sleep(self._check_every)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is handled in a task")
        self._answering.add(task)
        try:
            return await self._answer(request)
        except BootzError as error:
            # The image is on record, and the fault is on this side.
            log.error("image-unavailable", reason=error.reason, detail=str(error))
            return _refusal(503, {"Retry-After": str(_RETRY_AFTER_S)})
        finally:
            self._answering.discard(task)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method not in _METHODS:
            return _refusal(405, {"Allow": ", ".join(_METHODS)})
        address = parse_target(request.raw_path)
        entry = address and await self._catalogue.find(address.sha256, address.file_name)
        if not address or not entry:
            log.info("image-not-found", peer=_connection(request).peer)
            return _refusal(404)
        headers = {"ETag": f'"{entry.sha256}"', "Accept-Ranges": "bytes", "Server": "bootz"}
        match = request.headers.get("If-Match")
        if match is not None and not names_tag(match, entry.sha256, weak=False):
            return _refusal(412, headers)
        none_match = request.headers.get("If-None-Match")
        if none_match is not None and names_tag(none_match, entry.sha256, weak=True):
            return web.Response(status=304, headers=headers)
        part = _wanted(request, entry)
        if part is RangeVerdict.UNSATISFIABLE:
            return _refusal(416, {**headers, "Content-Range": f"bytes */{entry.size}"})
        status = 200
        if isinstance(part, ByteRange):
            status = 206
            last = part.start + part.length - 1
            headers["Content-Range"] = f"bytes {part.start}-{last}/{entry.size}"
        else:
            part = ByteRange(0, entry.size)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_type = "application/octet-stream"
        response.content_length = part.length
        reading = await self._opened(entry)
        try:
            if request.method == "HEAD":
                await response.prepare(request)
            else:
                await self._send(request, response, reading, part, address, entry.size)
        finally:
            await self._off_loop(reading.close)
        return response

    async def _opened(self, entry: CatalogueEntry) -> BinaryIO:
        """Open a file that may be served; what is lacking is fetched, if there is a source."""
        status = None
        try:
            reading = await self._off_loop(self._depot.open, entry.sha256)
            try:
                status = os.fstat(reading.fileno())
                await self._checker.admit(entry, status)
            except BaseException:
                reading.close()
                raise
        except Unavailable as error:
            if self._fetcher is None or error.reason not in _FETCHED:
                raise
            self._fetcher.want(entry, status)
            raise Unavailable(
                "image-file-fetching", f"it is being fetched: {error.detail}", where=entry.sha256
            ) from error
        return reading

    async def _send(
        self,
        request: web.BaseRequest,
        response: web.StreamResponse,
        reading: BinaryIO,
        part: ByteRange,
        address: ImageAddress,
        size: int,
    ) -> None:
        connection = _connection(request)
        peer = connection.peer
        sent = 0
        cut = ""

        def download(*, ended: bool) -> Download:
            return Download(
                url_tag=address.url_tag,
                sha256=address.sha256,
                file_name=address.file_name,
                peer=peer,
                start=part.start,
                bytes_sent=sent,
                size=size,
                complete=ended and not cut,
                ended=ended,
            )

        def note(more: int) -> None:
            nonlocal sent
            sent += more
            self.bytes_sent += more

        interval = self._limits.progress_interval
        reader = FileReader(reading.fileno(), self._readers)
        self.downloads += 1
        try:
            plain = connection.plain_socket()
            if plain is not None:
                async with self._by_kernel(connection, plain, reader, part, note) as kernel:
                    await response.prepare(request)
                    await connection.all_written()
                    while sent < part.length:
                        await kernel.send(interval)
                        if sent < part.length:
                            await self._tell(download(ended=False))
            else:
                await response.prepare(request)
            told_at = connection.now
            while sent < part.length:
                wanted = min(self._limits.chunk_bytes, part.length - sent)
                chunk = await reader.read(part.start + sent, wanted)
                if not chunk:
                    raise EOFError
                await response.write(chunk)
                note(len(chunk))
                if connection.now - told_at >= interval:
                    told_at = connection.now
                    await self._tell(download(ended=False))
            await response.write_eof()
        except EOFError:
            cut = "the file became shorter"
        except TimeoutError:
            cut = "the peer stalled"
        except ConnectionError:
            cut = "the peer stalled" if connection.stalled else "the peer left"
        except OSError as error:
            cut = error.strerror or type(error).__name__
        except asyncio.CancelledError:
            cut = "cancelled"
            raise
        finally:
            self.downloads -= 1
            if cut:
                connection.abort()
            log.info(
                "image-sent" if not cut else "image-cut",
                sha256=address.sha256,
                peer=peer,
                start=part.start,
                bytes=sent,
                why=cut or None,
            )
            await self._tell(download(ended=True))

    def _by_kernel(
        self,
        connection: ImageConnection,
        plain: socket.socket,
        reader: FileReader,
        part: ByteRange,
        on_sent: Callable[[int], None],
    ) -> KernelSender:
        return KernelSender(
            reader,
            plain,
            part,
            lost=connection.lost,
            at_once=self._limits.chunk_bytes * _CHUNKS_BY_KERNEL,
            stall_timeout=self._limits.stall_timeout,
            on_sent=on_sent,
        )

    async def _tell(self, download: Download) -> None:
        try:
            await self._observer.downloaded(download)
        except BootzError as error:
            # The router has its image; a journal that fails takes nothing from it.
            log.error("download-not-recorded", reason=error.reason, detail=str(error))

    async def _off_loop(
        self, call: Callable[[*_Arguments], _Result], *args: *_Arguments
    ) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, call, *args)


def _close_idle(http: web.Server, wanted: RoomWanted) -> int:
    """Close connections on which nothing is asked, of one address or of any."""
    closed = 0
    for connection in tuple(http.connections):
        if isinstance(connection, ImageConnection) and wanted.host in (None, connection.host):
            closed += connection.close_if_idle()
    return closed


def _connection(request: web.BaseRequest) -> ImageConnection:
    if not isinstance(request.protocol, ImageConnection):
        raise TypeError("a request for another server")
    return request.protocol


def _wanted(request: web.BaseRequest, entry: CatalogueEntry) -> ByteRange | RangeVerdict:
    """Return the part that a request asks for; only GET has ranges (RFC 9110 section 14.2)."""
    ranges = request.headers.getall("Range", [])
    if request.method != "GET" or len(ranges) != 1:
        return RangeVerdict.WHOLE
    condition = request.headers.get("If-Range")
    # A date never matches: without Last-Modified no client can have one of ours.
    if condition is not None and condition.strip() != f'"{entry.sha256}"':
        return RangeVerdict.WHOLE
    return parse_range(ranges[0], entry.size)


def _refusal(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, text=f"{status}\n", headers={"Server": "bootz", **(headers or {})}
    )
