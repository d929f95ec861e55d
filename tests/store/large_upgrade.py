"""How long the upgrade of a large database takes, and what is left when it is killed.

``make check-upgrade ARGS="--engine sqlite"``. The oldest released dump is filled, copied and
upgraded by the command; then the command is killed again and again at random moments. After each
kill the tables are those of before with every row, or those of today.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml
from sqlalchemy import inspect, text
from store.cluster import Cluster
from store.large import EVENTS_OF_ATTEMPT, Size, fill

from bootz.processes import COMMAND
from bootz.server.store.database import open_engine
from bootz.server.store.migrations import SITE_SCHEMA

DUMPS = Path(__file__).parent / "schemas"
LIMIT_S = 60.0
"""Seconds that an upgrade of 100,000 chassis and 1,000,000 events may take."""


class Place(Protocol):
    """Where databases are; one that is copied is never opened in between."""

    def loaded(self) -> str: ...

    def copied(self, url: str) -> str: ...

    def settle(self, url: str) -> None:
        """Wait until what was killed is gone, and remove what it left beside the database."""

    def remove(self, url: str) -> None: ...


class Files:
    """SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def loaded(self) -> str:
        path = self._folder / "filled.db"
        connection = sqlite3.connect(path)
        connection.executescript(_oldest("sqlite").read_text())
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        path.chmod(0o600)
        return f"sqlite:///{path}"

    def copied(self, url: str) -> str:
        self._count += 1
        path = self._folder / f"copied{self._count}.db"
        shutil.copy(_path(url), path)
        return f"sqlite:///{path}"

    def settle(self, url: str) -> None:
        path = _path(url)
        connection = sqlite3.connect(path)
        try:
            assert list(connection.execute("PRAGMA quick_check")) == [("ok",)]
        finally:
            connection.close()
        for copy in (*path.parent.glob(f"{path.name}.v*"), *path.parent.glob(f".{path.name}.v*")):
            copy.unlink()

    def remove(self, url: str) -> None:
        path = _path(url)
        for file in (*path.parent.glob(f"{path.name}*"), *path.parent.glob(f".{path.name}*")):
            file.unlink()


class Clusters:
    """PostgreSQL."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def loaded(self) -> str:
        url = self._cluster.url()
        self._cluster.load(url, _oldest("postgresql"))
        return url

    def copied(self, url: str) -> str:
        return self._cluster.url(template=url)

    def settle(self, url: str) -> None:
        engine = open_engine(url)
        with engine.begin() as connection:
            # The server undoes a killed upgrade when it has noticed; this waits for it.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('bootz upgrade'))"))
        engine.dispose()

    def remove(self, url: str) -> None:
        self._cluster.drop(url)


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@dataclass(frozen=True)
class Tally:
    """What came of a run.

    ``after_commit`` counts runs that had committed, killed or not; ``torn`` those after which
    tables or rows were neither all of before nor all of today.
    """

    engine: str
    size: Size
    seconds: float
    kills: int
    after_commit: int
    torn: int
    upgraded: bool

    @property
    def holds(self) -> bool:
        return self.torn == 0 and self.upgraded and self.seconds <= LIMIT_S

    def __str__(self) -> str:
        return (
            f"{self.engine}: {self.size.chassis} chassis, {self.size.attempts} attempts, "
            f"{self.size.events} events: upgraded in {self.seconds:.1f} s; {self.kills} kills, "
            f"{self.after_commit} too late (committed), {self.torn} torn; "
            f"upgraded afterwards: {'yes' if self.upgraded else 'NO'}"
        )


def run(folder: Path, place: Place, size: Size, kills: int, seed: int) -> Tally:
    """Fill, measure, kill, and upgrade what was killed."""
    chance = random.Random(seed)
    filled = place.loaded()
    engine = open_engine(filled)
    with engine.begin() as connection:
        fill(connection, size)
    name = engine.dialect.name
    engine.dispose()
    before = _tables(filled)
    measured = place.copied(filled)
    seconds, _ = _upgrade(_site(folder, "measured", measured))
    today = _tables(measured)
    place.remove(measured)
    done = after = torn = 0
    # A process ends some time after its commit: where a kill came too late, later ones come sooner.
    latest = seconds
    url = place.copied(filled)
    site = _site(folder, "killed", url)
    while done < kills:
        at = chance.uniform(0, latest)
        process = _started(site)
        try:
            process.wait(at)
        except subprocess.TimeoutExpired:
            process.kill()
        done += process.wait() == -signal.SIGKILL
        place.settle(url)
        found = _tables(url)
        torn += found not in (before, today)
        if found != before:
            after, latest = after + 1, at
            place.remove(url)
            url = place.copied(filled)
            _point(site, url)
    _upgrade(site)
    return Tally(name, size, seconds, done, after, torn, _tables(url) == today)


def _oldest(engine: str) -> Path:
    return DUMPS / f"site-v{SITE_SCHEMA.oldest}.{engine}.sql"


def _tables(url: str) -> dict[str, int]:
    """Return the version, and the number of rows of each table."""
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {
            name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
            for name in inspect(connection).get_table_names()
        }
        found["schema"] = SITE_SCHEMA.found(connection) or 0
    engine.dispose()
    return found


def _site(folder: Path, name: str, url: str) -> Path:
    root = folder / name
    quiet = subprocess.DEVNULL
    subprocess.run([*COMMAND, "init", root], check=True, stdout=quiet, stderr=quiet)
    _point(root, url)
    return root


def _point(root: Path, url: str) -> None:
    """Make a database that of a site."""
    settings = root / "bootz.yaml"
    told = yaml.safe_load(settings.read_text()) or {}
    told["database"] = {"url": url}
    settings.write_text(yaml.safe_dump(told))


def _started(site: Path) -> subprocess.Popen[bytes]:
    words = [*COMMAND, "--site", str(site), "db", "upgrade", "--output", "json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)


def _upgrade(site: Path) -> tuple[float, dict[str, object]]:
    begin = time.monotonic()
    process = _started(site)
    said, _ = process.communicate()
    assert process.returncode == 0, f"bootz db upgrade ended with {process.returncode}"
    result: dict[str, object] = json.loads(said)
    return time.monotonic() - begin, result


@contextmanager
def place_of(engine: str, folder: Path) -> Iterator[Place]:
    """Databases of an engine; PostgreSQL with its defaults of durability."""
    if engine == "sqlite":
        yield Files(folder)
        return
    cluster = Cluster(durable=True)
    try:
        yield Clusters(cluster)
    finally:
        cluster.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--chassis", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    held = True
    for engine in told.engine or ["sqlite", "postgresql"]:
        size = Size(told.chassis, told.events // EVENTS_OF_ATTEMPT)
        with tempfile.TemporaryDirectory() as name, place_of(engine, Path(name)) as place:
            tally = run(Path(name), place, size, told.kills, told.seed)
        print(tally, flush=True)
        held = held and tally.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
