"""What the image store costs for each GiB, over HTTP and HTTPS, and nginx beside it if installed.

Both serve the same file to the same clients, in turns, so that a busy machine touches both.
"""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Final

from bootz.bench.builds import this_build
from bootz.bench.plan import OnProgress
from bootz.bench.serving import LOG, read_serving_line, serving, usage_of
from bootz.errors import Unavailable

_NAME: Final = "image.bin"
_BLOCK: Final = 1 << 20
_AT_ONCE: Final = 4
_GIB: Final = 1 << 30
_START_S: Final = 20.0
_NGINX: Final = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  server {{ listen 127.0.0.1:{http}; root {folder}; }}
  server {{
    listen 127.0.0.1:{https} ssl; root {folder};
    ssl_certificate {certificate}; ssl_certificate_key {key};
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ImageCost:
    """CPU seconds for each GiB by one server over one scheme, a number for each round."""

    server: str
    scheme: str
    seconds: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.seconds)


@dataclass(frozen=True, slots=True)
class _Source:
    server: str
    scheme: str
    pid: int
    port: int
    path: str


def measure_images(
    folder: Path, size: int, rounds: int, on_progress: OnProgress
) -> tuple[ImageCost, ...]:
    """Serve a file of ``size`` bytes, and load it four times at once in each round.

    Raises:
        ConfigError: the site cannot be made.
        Unavailable: a server does not serve, or a download is not whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root, file = folder / "site", folder / _NAME
    digest = _make_file(file, size)
    build = this_build()
    build.run("init", str(root))
    # The digests that are compared on schedule are no part of a download.
    with (root / "bootz.yaml").open("a") as settings:
        settings.write("\nimages: {check_hours: 0}\n")
    build.run("--site", str(root), "image", "add", str(file), "--name", "bench", "--version", "1")
    with ExitStack() as running:
        server = running.enter_context(serving(root))
        path = f"/images/{digest}/{_NAME}"
        log = root.parent / LOG
        sources = [
            _Source("bootz", scheme, server.pid, _port(log, f"image_{scheme}"), path)
            for scheme in ("http", "https")
        ]
        sources += running.enter_context(_nginx(folder, root / "keys" / "tls"))
        found: dict[_Source, list[float]] = {source: [] for source in sources}
        for number in range(rounds):
            # In turns: what is first in one round is last in the next.
            for source in sources if number % 2 else reversed(sources):
                found[source].append(_load(source, size))
            on_progress("loading images", number + 1, rounds)
    return tuple(
        ImageCost(each.server, each.scheme, tuple(seconds)) for each, seconds in found.items()
    )


def _make_file(file: Path, size: int) -> str:
    digest = hashlib.sha256()
    block = os.urandom(_BLOCK)
    with file.open("wb") as writing:
        for start in range(0, size, _BLOCK):
            part = (start.to_bytes(8, "big") + block[8:])[: size - start]
            digest.update(part)
            writing.write(part)
    file.chmod(0o644)
    return digest.hexdigest()


def _port(log: Path, key: str) -> int:
    for line in log.read_bytes().splitlines():
        address = read_serving_line(line, key)
        if address is not None:
            return address[1]
    raise Unavailable("bench-server-failed", "it does not serve images", where=str(log))


def _load(source: _Source, size: int) -> float:
    """Load the file four times at once; return the server's CPU seconds for each GiB."""
    before = usage_of(source.pid).cpu
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        loaded = list(threads.map(_download, [source] * _AT_ONCE))
    if set(loaded) != {size}:
        raise Unavailable("bench-server-failed", "a download is not whole", where=source.server)
    return (usage_of(source.pid).cpu - before) * _GIB / (size * _AT_ONCE)


def _download(source: _Source) -> int:
    if source.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: HTTPConnection = HTTPSConnection("127.0.0.1", source.port, context=context)
    else:
        connection = HTTPConnection("127.0.0.1", source.port)
    loaded = 0
    try:
        connection.request("GET", source.path)
        answer = connection.getresponse()
        if answer.status == 200:
            buffer = bytearray(_BLOCK)
            while count := answer.readinto(buffer):
                loaded += count
    except (OSError, HTTPException) as error:
        raise Unavailable("bench-server-failed", str(error), where=source.server) from error
    finally:
        connection.close()
    return loaded


@contextmanager
def _nginx(folder: Path, tls: Path) -> Iterator[list[_Source]]:
    """Serve the folder by nginx; yields nothing where it is not installed."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        yield []
        return
    http, https = _free_port(), _free_port()
    settings = folder / "nginx.conf"
    settings.write_text(
        _NGINX.format(
            folder=folder,
            user="user root;" if os.geteuid() == 0 else "",
            http=http,
            https=https,
            certificate=tls / "1.pem",
            key=tls / "1.key",
        )
    )
    process = subprocess.Popen(  # noqa: S603 -- what is installed as nginx
        [program, "-c", str(settings)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    sources = [
        _Source("nginx", scheme, process.pid, port, f"/{_NAME}")
        for scheme, port in (("http", http), ("https", https))
    ]
    try:
        _await(lambda: _answers(sources[0]) or process.poll() is not None)
        if process.poll() is not None:
            raise Unavailable("bench-server-failed", "nginx does not serve", where=str(settings))
        yield sources
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _await(done: Callable[[], bool]) -> None:
    give_up = monotonic() + _START_S
    while not done() and monotonic() < give_up:
        sleep(0.05)


def _answers(source: _Source) -> bool:
    connection = HTTPConnection("127.0.0.1", source.port)
    try:
        connection.request("HEAD", source.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
