"""``make speed-sot``: a sync of many devices that changes nothing: its time, memory and writes.

The source is a process of its own, which answers with the recorded objects, many times over. The
time in which it answers is taken off; what is left is ours. ARGS="--devices 10000".
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from sources.conftest import CARDS, SELECT, SourceWorld
from sources.product import TOKEN, Entry, Product, serving
from store.world import Maker

from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.site import open_site

MOST_SECONDS, MOST_MIB = 30, 200
_RUN = """
import sys
from bootz.cli.main import run
code = run(sys.argv[1:])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print(line.split()[1])
sys.exit(code)
"""
"""``bootz``, and the most KiB of memory that it had. getrusage would tell those of the process
that started it, if they were more."""
_OWN = ("/dcim/devices/", "/dcim/modules/", "/dcim/module-bays/", "/dcim/interfaces/")
"""Objects that each device has of its own; everything else is shared."""


class LargeProduct(Product):
    """A product with many devices, all of them selected, that adds up the time of its answers."""

    def __init__(self, kind: str, devices: int) -> None:
        super().__init__(kind)
        recorded = {path: self.lists[path.removeprefix("/")] for path in _OWN}
        whole = [each for each in recorded[_OWN[0]] if each["serial"] and each["name"]]
        for each in whole:
            self.set_status(each["name"], "planned")
        recorded[_OWN[0]] = whole
        rounds = range(-(-devices // len(whole)))
        for path in _OWN:
            self.lists[path.removeprefix("/")] = [
                _again(each, number) for number in rounds for each in recorded[path]
            ]
        del self.devices[devices:]
        self.busy = 0.0
        """Seconds in which at least one request was being answered."""
        self._lock, self._answering, self._since = threading.Lock(), 0, 0.0

    def answer(
        self, method: str, target: str, body: Entry | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer, and add up the time."""
        with self._lock:
            self._answering += 1
            if self._answering == 1:
                self._since = time.monotonic()
        try:
            return super().answer(method, target, body, headers)
        finally:
            with self._lock:
                self._answering -= 1
                if not self._answering:
                    self.busy += time.monotonic() - self._since


def _again(value: Any, number: int) -> Any:
    """Return an object as another of its kind; what is not a device's own stays the same object."""
    if isinstance(value, list):
        return [_again(each, number) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _again(inner, number) for key, inner in value.items()}
    url = value.get("url") or ""
    if any(path in url for path in _OWN):
        key = value["id"]
        made["id"] = key + 1000 * number if isinstance(key, int) else f"{number:08x}{key[8:]}"
    if _OWN[0] in url:
        made["name"] = f"{value.get('name')}-{number}"
    for field in ("serial", "asset_tag"):
        if value.get(field):
            made[field] = f"{value[field]}N{number}"
    if value.get("mac_address"):
        made["mac_address"] = f"02:{number >> 8:02X}:{number & 255:02X}{value['mac_address'][8:]}"
    return value if all(made[key] is value[key] for key in value) else made


def _serve(kind: str, devices: int, pipe: Connection) -> None:
    product = LargeProduct(kind, devices)
    with serving(product) as url:
        pipe.send(url)
        while pipe.recv():
            pipe.send((product.busy, len(product.seen)))
            product.busy = 0.0
            product.seen.clear()


@dataclass(frozen=True)
class LargeSource:
    """A source in a process of its own."""

    url: str
    pipe: Connection

    def answered(self) -> tuple[float, int]:
        """Return for how many seconds it answered since the last call, and how many requests."""
        self.pipe.send(True)
        told: tuple[float, int] = self.pipe.recv()
        return told


@contextmanager
def _source(kind: str, devices: int) -> Iterator[LargeSource]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(kind, devices, theirs), daemon=True)
    process.start()
    try:
        yield LargeSource(ours.recv(), ours)
    finally:
        ours.send(False)
        process.join()


@dataclass(frozen=True)
class SyncCost:
    """A ``bootz source sync`` as a process: seconds, CPU seconds, the most memory it had."""

    seconds: float
    answering: float
    requests: int
    cpu: float
    mib: float

    @property
    def own(self) -> float:
        """Seconds less those of the source."""
        return self.seconds - self.answering

    def __str__(self) -> str:
        return (
            f"{self.seconds:5.1f} s, of which {self.answering:.1f} s the source's ({self.requests} "
            f"requests): {self.own:.1f} s of ours, {self.cpu:.1f} s of CPU, {self.mib:.0f} MiB"
        )


def _sync(site: Path, source: LargeSource) -> SyncCost:
    source.answered()
    began = time.monotonic()
    command = [sys.executable, "-c", _RUN, "source", "sync", "sot", "--site", str(site)]
    said = site.parent / "said"
    with said.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    told = said.read_text()
    if started.returncode:
        raise SystemExit(told[-1500:])
    seconds, kib = time.monotonic() - began, int(told.split()[-1])
    return SyncCost(seconds, *source.answered(), used.ru_utime + used.ru_stime, kib / 1024)


def _measure(kind: str, devices: int, page: int, folder: Path) -> bool:
    site = folder / kind
    init = [sys.executable, "-m", "bootz", "init", str(site), "--organization", "Example"]
    subprocess.run(init, check=True, capture_output=True)
    (site / "sot.token").write_text(TOKEN)
    (site / "sot.token").chmod(0o600)
    database = open_site(site).database()
    with database.write() as connection:
        for vendor in ("Cisco", "Arista"):
            add_vendor(connection, Maker(vendor).vendor)
        for name in ("edge", "core", "leaf"):
            add_profile(connection, ProfileRecord.from_document({"name": name}))
    with _source(kind, devices) as source:
        settings = {
            "name": "sot",
            "kind": kind,
            "url": source.url,
            "token_file": "sot.token",
            "select": SELECT[kind],
            "cards": CARDS,
            "page_size": page,
        }
        path = site / "bootz.yaml"
        path.write_text(
            yaml.safe_dump((yaml.safe_load(path.read_text()) or {}) | {"sources": [settings]})
        )
        world = SourceWorld(site, Product(kind), source.url, database, datetime.now(UTC))
        print(f"{kind}: {devices} devices, pages of {page}", flush=True)
        print(f"  first   {_sync(site, source)}", flush=True)
        taken, before = len(world.chassis()), world.digest()
        again = _sync(site, source)
        print(f"  again   {again}", flush=True)
        same = world.digest() == before
    database.close()
    passed = taken == devices and same and again.own <= MOST_SECONDS and again.mib <= MOST_MIB
    told = "as before" if same else "CHANGED"
    print(
        f"  {'passed' if passed else 'FAILED'}  {taken} chassis; database {told}; at most "
        f"{MOST_SECONDS} s of ours and {MOST_MIB} MiB"
    )
    return passed


def main() -> int:
    """Measure, and return 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--page", type=int, default=500)
    parser.add_argument("--product", choices=sorted(SELECT), action="append")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sot-") as folder:
        passed = [
            _measure(kind, chosen.devices, chosen.page, Path(folder))
            for kind in chosen.product or sorted(SELECT)
        ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
