"""A real TPM in a process of its own: ``swtpm``, started for a few commands and ended again.

It gets one end of a socket pair and ends by itself when the other is closed, so that neither a
port nor a process is left behind, whatever happens to the router. The TPM's state is its folder.
"""

import contextlib
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bootz.errors import Unavailable

MAX_RESPONSE: Final = 4096
"""Bytes; TPM2_PT_MAX_RESPONSE_SIZE of libtpms, also its bound for a TPM 1.2."""

_ANSWER_S: Final = 60.0
"""A TPM that makes RSA keys takes its time."""

_END_S: Final = 10.0

_SHUTDOWN: Final = struct.pack(">HIIH", 0x8001, 12, 0x145, 0)
"""TPM2_Shutdown(TPM_SU_CLEAR)."""


class Swtpm:
    """A running TPM; ``transact`` is all that it does."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def transact(self, command: bytes) -> bytes:
        """Send a command and return the whole response, whatever it says.

        Raises:
            Unavailable: ``tpm-unavailable``.
        """
        try:
            self._connection.sendall(command)
            head = self._receive(10)
            (size,) = struct.unpack_from(">I", head, 2)
            if not len(head) <= size <= MAX_RESPONSE:
                raise _unavailable("its response has an impossible size")
            return head + self._receive(size - len(head))
        except OSError as error:
            raise _unavailable(str(error)) from error

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            part = self._connection.recv(size - len(received))
            if not part:
                raise _unavailable("it stopped in the middle of a command")
            received += part
        return bytes(received)


def _unavailable(detail: str) -> Unavailable:
    return Unavailable("tpm-unavailable", detail, where="swtpm")


@contextlib.contextmanager
def running(folder: Path, *, tpm2: bool) -> Iterator[Swtpm]:
    """Run the TPM whose state is in ``folder``; an empty folder is a new TPM.

    Raises:
        Unavailable: ``tpm-unavailable``; swtpm is not installed, or does not start.
    """
    ours, its = socket.socketpair()
    words = ["swtpm", "socket", *(["--tpm2"] if tpm2 else [])]
    words += ["--tpmstate", f"dir={folder}", "--fd", str(its.fileno())]
    words += ["--flags", "not-need-init,startup-clear"]
    with ours, its:
        try:
            process = subprocess.Popen(  # noqa: S603 -- no shell, and no word from outside
                words,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise _unavailable(f"swtpm cannot be run: {error.strerror}") from error
        its.close()
        ours.settimeout(_ANSWER_S)
        try:
            tpm = Swtpm(ours)
            yield tpm
            if tpm2:
                # Without it the TPM counts a loss of power, and soon takes that for an attack.
                tpm.transact(_SHUTDOWN)
        finally:
            ours.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
