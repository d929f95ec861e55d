"""A server of the version before and one of today's, on one database: what an upgrade looks like.

Called by ``make check-rolling``. The older program is real: its code comes from the repository.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from store.cluster import Cluster

BEFORE = "1fac860"
"""The last commit of version 6 of the tables."""

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from bootz.cli.main import main; main()")
ANYWHERE = (
    *("--listen", "127.0.0.1:0"),
    *("--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0"),
)


class Program:
    """The command, of one version."""

    def __init__(self, source: Path) -> None:
        self._environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(source)}

    def run(self, *words: str | Path) -> Any:
        done = subprocess.run(
            [*COMMAND, *map(str, words), "--output", "json"],
            env=self._environment,
            capture_output=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr.decode()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextmanager
    def serving(self, *words: str | Path) -> Iterator[dict[str, Any]]:
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            for line in process.stderr:
                told = json.loads(line)
                if told["event"] == "serving":
                    yield told
                    break
            else:
                raise SystemExit(f"{words} did not serve")
        finally:
            process.terminate()
            process.communicate(timeout=60)


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bootz-rolling-")))
        cluster = Cluster()
        stack.callback(cluster.stop)
        archive = ("git", "-C", str(REPOSITORY), "archive", BEFORE, "src")
        code = subprocess.run(archive, check=True, capture_output=True)
        with tarfile.open(fileobj=io.BytesIO(code.stdout)) as tar:
            tar.extractall(folder / "before", filter="data")
        old, new = Program(folder / "before" / "src"), Program(REPOSITORY / "src")
        play(folder, cluster.url(), old, new)


def play(folder: Path, url: str, old: Program, new: Program) -> None:
    maker, routers, site = folder / "maker", folder / "routers", folder / "one"
    new.run("manufacturer", "init", maker, "--name", "Maker")
    serials = [f"RTR{number}" for number in range(1, 5)]
    chosen = [word for serial in serials for word in ("--serial", serial)]
    new.run("router", "manufacture", routers, "--manufacturer", maker, *chosen)
    old.run("init", site, "--database", url, *ANYWHERE)
    at_site = ("--site", site)
    old.run(*at_site, "vendor", "add", "Maker", "--ca", maker / "keys" / "ca.pem")
    old.run(*at_site, "profile", "add", "base", "--vendor-config", _config(folder))
    keys = site / "keys"
    pinned = keys / "pinned-domain" / "1.pem"
    for serial in serials:
        old.run(*at_site, "chassis", "add", serial, "--vendor", "Maker", "--profile", "base")
    vouchers = folder / "vouchers"
    vouchers.mkdir()
    for serial in serials:
        words = ("--manufacturer", maker, "--serial", serial, "--pinned-domain-cert", pinned)
        new.run("voucher", "issue", *words, "--to", vouchers / f"{serial}.vcj")
    old.run(*at_site, "voucher", "import", vouchers)

    def boot(serial: str, *uris: str) -> None:
        words = [word for uri in uris for word in ("--uri", f"bootz://{uri}")]
        account = new.run("router", "boot", routers / serial, *words, "--max-attempts", "3")
        print(f"{serial} by {' or '.join(uris)}: {account['status']}")
        assert account["status"] == "BOOTZ_OK"

    with old.serving(*at_site, "serve", "--no-door") as before:
        boot("RTR1", before["bound"][0])
        done = new.run(*at_site, "db", "upgrade")
        print(f"upgraded from {done['before']} to {done['after']} while it serves")
        boot("RTR2", before["bound"][0])
        second = folder / "two"
        brought = (
            *("--pinned-domain-cert", pinned),
            *("--owner-cert", keys / "owner" / "1.pem", "--owner-key", keys / "owner" / "1.key"),
            *("--trust-anchor", keys / "trust-anchor" / "1.pem"),
            *("--trust-anchor-key", keys / "trust-anchor" / "1.key"),
        )
        new.run("init", second, "--join", "--database", url, *ANYWHERE, *brought)
        with new.serving("--site", second, "serve", "--no-door") as after:
            boot("RTR3", after["bound"][0])
            # The old one still answers beside the new one.
            boot("RTR4", before["bound"][0])
            rows = new.run(*at_site, "attempts")
    states = sorted((row["serial_number"], row["state"]) for row in rows)
    print(states)
    assert states == [(serial, "success") for serial in serials]


def _config(folder: Path) -> Path:
    path = folder / "router.conf"
    path.write_text("hostname {{ chassis.serial_number }}\n")
    return path


if __name__ == "__main__":
    main()
