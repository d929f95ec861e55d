"""How the bytes of a file reach a peer: by the kernel alone where there is no TLS.

What is in the page cache is sent or read in the event loop, since it waits for no disk; everything
else off the loop.

Source: sendfile(2); preadv2(2).
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final, Self

from bootz.images.ranges import ByteRange

_UNKNOWN: Final = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
"""What a file system says that cannot tell whether a read would wait."""


class FileReader:
    """Reads one open file, and never lets the event loop wait for a disk.

    Args:
        descriptor: of the file; stays the caller's.
        threads: where a disk is waited for.
    """

    def __init__(self, descriptor: int, threads: Executor) -> None:
        self.descriptor = descriptor
        self.threads = threads
        self._probe = [bytearray(1)]

    async def read(self, start: int, length: int) -> bytes:
        """Return so many bytes of the file, fewer at its end.

        Raises:
            OSError: it cannot be read.
        """
        if self.cached(start + length - 1):
            return os.pread(self.descriptor, length, start)
        return await asyncio.get_running_loop().run_in_executor(
            self.threads, os.pread, self.descriptor, length, start
        )

    def cached(self, offset: int) -> bool:
        """Tell whether a byte is in memory; what was read ahead ends with the last one.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            # None at its end: the read finds that out without a disk.
            os.preadv(self.descriptor, self._probe, offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _UNKNOWN:
                return False
            raise
        return True


class KernelSender:
    """Lets the kernel send a part of a file on a connection, whenever it takes more.

    An async context manager, which begins before the headers are written: segments are filled from
    the first octet on, which halves what the kernel has to do. When ``send`` is called, the
    transport must have nothing left to write.

    Args:
        reader: of the file.
        connection: of the transport; stays the transport's.
        part: what of the file is sent.
        lost: done when the transport has lost its connection, or cut it.
        at_once: bytes that one download may send before others have their turn.
        stall_timeout: seconds in which the peer must take something.
        on_sent: told how many bytes more have left.
    """

    def __init__(
        self,
        reader: FileReader,
        connection: socket.socket,
        part: ByteRange,
        *,
        lost: "asyncio.Future[None]",
        at_once: int,
        stall_timeout: float,
        on_sent: Callable[[int], None],
    ) -> None:
        self._sent = 0
        self._on_sent = on_sent
        self._reader = reader
        self._part = part
        self._lost = lost
        self._at_once = at_once
        self._stall_timeout = stall_timeout
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Future[None] = self._loop.create_future()
        self._disk: asyncio.Future[int] | None = None
        self._progress = self._until = 0.0
        # The transport has its own for itself; one of ours may be waited for, and outlives it.
        self._connection = socket.socket(fileno=os.dup(connection.fileno()))

    async def __aenter__(self) -> Self:
        self._cork(1)
        return self

    async def __aexit__(self, *_: object) -> None:
        # What is left of the last segment goes now.
        self._cork(0)
        if self._disk is not None:
            # A thread has our descriptor.
            await asyncio.wait({self._disk})
        self._connection.close()

    def _cork(self, value: int) -> None:
        with suppress(OSError):
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, value)

    async def send(self, seconds: float) -> None:
        """Send until all has left, or so many seconds have passed.

        Raises:
            TimeoutError: the peer took nothing for too long.
            EOFError: the file is shorter.
            OSError: the file cannot be read, or the peer has gone.
        """
        self._turn = self._loop.create_future()
        self._progress = self._loop.time()
        self._until = self._progress + seconds
        stall = self._loop.call_later(self._stall_timeout, self._look)
        self._lost.add_done_callback(self._leave)
        self._loop.add_writer(self._connection, self._step)
        try:
            await self._turn
        finally:
            self._loop.remove_writer(self._connection)
            self._lost.remove_done_callback(self._leave)
            stall.cancel()

    def _leave(self, _lost: object) -> None:
        # The transport is closed; our descriptor alone would keep the connection.
        self._end(ConnectionResetError("the connection is lost"))

    def _look(self) -> None:
        if self._turn.done():
            return
        left = self._progress + self._stall_timeout - self._loop.time()
        if left > 0 or self._disk is not None:
            self._loop.call_later(max(left, 0.1), self._look)
        else:
            self._end(TimeoutError())

    def _step(self) -> None:
        """The socket takes more: give it all that it takes in one call, then others have a turn."""
        start = self._part.start + self._sent
        wanted = min(self._at_once, self._part.length - self._sent)
        arguments = (self._connection.fileno(), self._reader.descriptor, start, wanted)
        try:
            if self._reader.cached(start + wanted - 1):
                self._account(os.sendfile(*arguments))
                return
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        self._loop.remove_writer(self._connection)
        self._disk = self._loop.run_in_executor(self._reader.threads, os.sendfile, *arguments)
        self._disk.add_done_callback(self._read)

    def _read(self, disk: "asyncio.Future[int]") -> None:
        """A thread has sent what a disk had to be waited for."""
        self._disk = None
        error = None if disk.cancelled() else disk.exception()
        if error is None and not disk.cancelled():
            self._account(disk.result())
        elif error is not None and not isinstance(error, BlockingIOError):
            self._end(error)
        if not self._turn.done():
            self._loop.add_writer(self._connection, self._step)

    def _account(self, taken: int) -> None:
        if not taken:
            self._end(EOFError())
            return
        self._sent += taken
        self._on_sent(taken)
        self._progress = self._loop.time()
        if self._sent == self._part.length or self._progress >= self._until:
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if self._turn.done():
            return
        self._loop.remove_writer(self._connection)
        if error is None:
            self._turn.set_result(None)
        else:
            self._turn.set_exception(error)
