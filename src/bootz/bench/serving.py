"""The server under measurement: ``bootz serve`` as its own process, watched from outside."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootz.bench.builds import Build, this_build
from bootz.errors import OptionError, Unavailable

_ANYWHERE: Final = tuple(
    word
    for option in ("--listen", "--image-http", "--image-https")
    for word in (option, "127.0.0.1:0")
)
LOG: Final = "serve.log"
"""What the server says."""
_START_S: Final = 60
_STOP_S: Final = 30
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used: CPU seconds, and bytes of memory."""

    cpu: float
    resident: int
    resident_peak: int


class ServerProcess:
    """A running server; ``address`` is where it listens."""

    def __init__(self, process: subprocess.Popen[bytes], address: tuple[str, int]) -> None:
        self._process = process
        self.address = address

    def usage(self) -> Usage:
        """Return what the server and its children have used until now.

        Raises:
            Unavailable: it has ended.
        """
        if self._process.poll() is not None:
            raise Unavailable("bench-server-failed", "it ended by itself")
        return usage_of(self.pid)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid


def usage_of(pid: int) -> Usage:
    """Return what a process and its children have used until now.

    Raises:
        Unavailable: there is no such process.
    """
    used = _used(pid)
    if used is None:
        raise Unavailable("bench-server-failed", "there is no such process", where=f"pid {pid}")
    return used


@contextmanager
def serving(site: Path, build: Build | None = None, *, workers: int = 1) -> Iterator[ServerProcess]:
    """Serve a site on a port of the system's choice on 127.0.0.1; its log is beside the site.

    ``build`` is the one that serves; None: this one. ``workers`` processes serve routers.

    Raises:
        OptionError: ``bench-plan-invalid``: this build serves by one process alone.
        Unavailable: the server does not start.
    """
    build = build or this_build()
    known = build.run("serve", "--help")
    # Builds before the operator's door have no option to leave it out.
    no_door = ("--no-door",) if b"--no-door" in known else ()
    several = ("--workers", str(workers)) if workers > 1 else ()
    if several and b"--workers" not in known:
        raise OptionError(
            "bench-plan-invalid",
            f"{build.name} serves by one process alone",
            where="--workers",
            expected="1",
            seen=str(workers),
        )
    words = ("--site", str(site), "serve", *no_door, *several, *_ANYWHERE)
    with _process(build, words, site.parent / LOG, "bound") as process:
        yield process


@contextmanager
def serving_masa(folder: Path) -> Iterator[ServerProcess]:
    """Serve a MASA's folder likewise; ``address`` is that of OVGS.

    Raises:
        Unavailable: the server does not start.
    """
    anywhere = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    words = ("masa", "serve", "--masa", str(folder), *anywhere)
    with _process(this_build(), words, folder / LOG, "grpc") as process:
        yield process


@contextmanager
def _process(
    build: Build, words: Sequence[str], journal: Path, key: str
) -> Iterator[ServerProcess]:
    with journal.open("wb") as writing:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            [*build.command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=writing,
            env=dict(build.environment),
        )
    try:
        yield ServerProcess(process, _await_address(process, journal, key))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_address(process: subprocess.Popen[bytes], journal: Path, key: str) -> tuple[str, int]:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up:
        ended = process.poll() is not None
        for line in journal.read_bytes().splitlines():
            address = read_serving_line(line, key)
            if address is not None:
                return address
        if ended:
            break
        time.sleep(_POLL_S)
    lines = journal.read_text(errors="replace").strip().splitlines()
    raise Unavailable(
        "bench-server-failed",
        lines[-1][:300] if lines else "it printed nothing",
        where=str(journal),
    )


def read_serving_line(line: bytes, key: str = "bound") -> tuple[str, int] | None:
    """Return the first address of the server's line ``serving``, None for any other line."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("event") != "serving":
        return None
    bound = told.get(key)
    if not isinstance(bound, list) or not bound:
        return None
    host, _, port = str(bound[0]).rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdecimal() else None


def _used(pid: int) -> Usage | None:
    """Return what a process and its children have used, None when it is gone (proc(5))."""
    folder = Path("/proc", str(pid))
    try:
        # The name of the program, in parentheses, may hold blanks.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        status = (folder / "status").read_text()
        children = [
            int(child)
            for task in (folder / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return None
    # Times of its own, user and system, and those of children that have ended.
    cpu = sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    resident, peak = _kilobytes(status, "VmRSS") * 1024, _kilobytes(status, "VmHWM") * 1024
    for child in children:
        used = _used(child)
        if used is not None:
            cpu += used.cpu
            resident += used.resident
            peak += used.resident_peak
    return Usage(cpu, resident, peak)


def _kilobytes(status: str, key: str) -> int:
    for line in status.splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0
