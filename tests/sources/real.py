"""A real Nautobot for `make check-sot`, from a database dump that is cached by its version.

The first run makes the cache (some minutes): an environment with Nautobot, and its migrated tables.
Later runs restore the dump. PostgreSQL and Redis are the run's own, and end with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "3.2.7"
USER = "bootz-door"
"""The user without rights."""
_READY_S = 300
_PACKAGES = {
    **dict.fromkeys(("initdb", "pg_ctl", "createdb", "pg_dump", "pg_restore"), "postgresql"),
    "redis-server": "redis-server",
}
"""The programs that a run needs, and where Debian has them."""


def cache_folder() -> Path:
    """Where the environment and the dump of a version are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bootz" / "sot" / f"nautobot-{VERSION}"


@dataclass(frozen=True)
class Nautobot:
    """The API of a Nautobot, as its superuser.

    ``limited`` is the token of ``USER``, who has no right yet.
    """

    url: str
    token: str
    limited: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer's document."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")[:300]
            raise RuntimeError(f"{method} {path}: {error.code} {words}") from error
        return json.loads(content) if content else None

    def create(self, path: str, **body: object) -> dict[str, Any]:
        """Make an object."""
        made: dict[str, Any] = self.call("POST", path, body)
        return made

    def list(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a list, which must fit one page."""
        join = "&" if "?" in path else "?"
        found: list[dict[str, Any]] = self.call("GET", f"{path}{join}limit=1000")["results"]
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not newest:
        raise SystemExit(f"{name} is missing: apt-get install {_PACKAGES[name]}")
    return str(newest[-1])


def _as_postgres(*command: str) -> list[str]:
    # PostgreSQL refuses to run as root.
    return [*(("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()), *command]


def _run(command: Sequence[str], **options: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {(done.stderr + done.stdout)[-1500:]}")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[int]:
    cluster, port = folder / "pg", _free_port()
    cluster.mkdir()
    if os.geteuid() == 0:
        shutil.chown(cluster, "postgres")
    _run(
        _as_postgres(_tool("initdb"), "-D", str(cluster), *("-A", "trust", "-U", "nautobot", "-N"))
    )
    options = f"-p {port} -k {cluster} -c listen_addresses=127.0.0.1 -c fsync=off"
    log = str(cluster / "log")
    control = _as_postgres(_tool("pg_ctl"), "-D", str(cluster), "-w", "-l", log)
    try:
        _run([*control, "-o", options, "start"], stdin=subprocess.DEVNULL)
        _run([_tool("createdb"), *_address(port), "nautobot"])
        yield port
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], capture_output=True, check=False)


def _address(port: int) -> list[str]:
    return ["-h", "127.0.0.1", "-p", str(port), "-U", "nautobot"]


@contextlib.contextmanager
def _process(command: Sequence[str], log: Path, env: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _environment(cache: Path) -> Path:
    """Return the folder of programs of an environment with Nautobot, made if it is not there."""
    ready = cache / "venv"
    if not ready.exists():
        _say(f"installing nautobot=={VERSION}")
        shutil.rmtree(cache / "making", ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(cache / "making")])
        pip = [str(cache / "making/bin/python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, f"nautobot=={VERSION}"])
        (cache / "making").rename(ready)
    return ready / "bin"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Nautobot]:
    """Run a Nautobot, from the cache."""
    for name in _PACKAGES:
        _tool(name)  # Told before minutes are spent.
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    programs = _environment(cache)
    python, server = str(programs / "python"), str(programs / "nautobot-server")
    dump, redis, http = cache / "migrated.dump", _free_port(), _free_port()
    with _database(folder) as port:
        env = os.environ | {
            "NAUTOBOT_CONFIG": str(folder / "nautobot_config.py"),
            "NAUTOBOT_ROOT": str(folder / "root"),
            "NAUTOBOT_DB_HOST": "127.0.0.1",
            "NAUTOBOT_DB_PORT": str(port),
            "NAUTOBOT_DB_USER": "nautobot",
            "NAUTOBOT_DB_NAME": "nautobot",
            "NAUTOBOT_DB_PASSWORD": "trust",
            "NAUTOBOT_REDIS_PORT": str(redis),
            "NAUTOBOT_ALLOWED_HOSTS": "*",
            "NAUTOBOT_SECRET_KEY": secrets.token_hex(32),
        }
        env.pop("PYTHONPATH", None)
        programs_of_redis = [_tool("redis-server"), "--port", str(redis), "--save", ""]
        with _process([*programs_of_redis, "--dir", str(folder)], folder / "redis.log", env):
            config = str(folder / "nautobot_config.py")
            _run([python, server, "init", "--disable-installation-metrics", config], env=env)
            if dump.exists():
                _say("restoring the dump")
                _run([_tool("pg_restore"), *_address(port), "-d", "nautobot", str(dump)])
            else:
                _say("migrating: this takes some minutes, once")
                _run([python, server, "migrate"], env=env)
                half = dump.with_suffix(".new")
                _run([_tool("pg_dump"), *_address(port), "-Fc", "-f", str(half), "nautobot"])
                half.rename(dump)
            token, limited = secrets.token_hex(20), secrets.token_hex(20)
            _run([python, server, "shell"], env=env, input=_users(token, limited))
            arguments = ["runserver", f"127.0.0.1:{http}", "--noreload", "--insecure"]
            with _process([python, server, *arguments], folder / "server.log", env):
                nautobot = Nautobot(f"http://127.0.0.1:{http}", token, limited)
                _await(nautobot, folder / "server.log")
                yield nautobot


def _users(token: str, limited: str) -> str:
    # Over the API a token is always of the caller.
    return (
        "from django.contrib.auth import get_user_model\n"
        "from nautobot.users.models import Token\n"
        "users = get_user_model().objects\n"
        "user, _ = users.get_or_create(username='bootz-admin')\n"
        "user.is_superuser = user.is_staff = True\n"
        "user.save()\n"
        f"Token.objects.create(user=user, key='{token}')\n"
        f"user, _ = users.get_or_create(username='{USER}')\n"
        f"Token.objects.create(user=user, key='{limited}')\n"
    )


def _await(nautobot: Nautobot, log: Path) -> None:
    end = time.monotonic() + _READY_S
    while True:
        try:
            nautobot.call("GET", "status/")
            return
        except (OSError, RuntimeError) as error:
            if time.monotonic() > end:
                raise SystemExit(f"Nautobot does not answer: {log.read_text()[-1500:]}") from error
            time.sleep(1)


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="sot-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
