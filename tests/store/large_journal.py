"""What a large journal costs an onboarding, and what upkeep costs while routers onboard.

``make check-retention ARGS="--attempts 1000000"``. A site is measured with an empty journal, with a
large one, and while that is pruned, counted, and told in a support bundle; the server runs on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, literal_column, select, text, true, update

from bootz.bench.builds import this_build
from bootz.bench.clients import Clients
from bootz.bench.factory import Factory
from bootz.bench.plan import BenchPlan, IdentityKey, percentile
from bootz.bench.serving import ServerProcess, serving
from bootz.bench.site import build_site, onboarding_serials
from bootz.processes import COMMAND
from bootz.server.store.database import Database, open_database
from bootz.server.store.schema import ATTEMPT, CHASSIS, EVENT, META
from bootz.sql.times import to_text

KEPT_DAYS = 100
_PRUNE = ("journal", "prune", "--attempts-days", str(KEPT_DAYS))
FACTOR = 1.5
"""What an onboarding may cost with a large journal, beside one with an empty journal."""


@dataclass(frozen=True)
class Phase:
    """Onboardings at one time: CPU milliseconds of the server for each, and seconds."""

    name: str
    onboarded: int
    cpu_ms: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.onboarded} onboarded, {self.cpu_ms:.1f} ms of CPU each, "
            f"p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms"
        )


class Upkeep:
    """A command of the operator's, beside the server."""

    def __init__(self, site: Path, *words: str) -> None:
        self._words = words
        self._begin = time.monotonic()
        self._process = subprocess.Popen(
            [*COMMAND, "--site", str(site), *words, "--output", "json"], stdout=subprocess.PIPE
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> str:
        """Wait for it, and return what it told."""
        said, _ = self._process.communicate()
        assert self._process.returncode == 0, f"{self._words} failed"
        seconds = time.monotonic() - self._begin
        return f"bootz {' '.join(self._words)}: {seconds:.1f} s, {json.dumps(json.loads(said))}"


def make_room(connection: Connection, attempts: int) -> None:
    """Let the journal begin with later keys: what is filled in later is older."""
    journal = META.c.key == "journal"
    connection.execute(update(META).where(journal).values(value=2 * attempts))
    connection.execute(
        text("INSERT INTO sqlite_sequence VALUES ('event', :last)"), {"last": 2 * attempts}
    )


def fill(connection: Connection, attempts: int, now: datetime) -> None:
    """Add attempts of all chassis, over the year before ``KEPT_DAYS``, each with an event."""
    pattern = select(func.max(ATTEMPT.c.id)).where(ATTEMPT.c.state == "success")
    key = connection.scalar(pattern)
    first, many = connection.execute(select(func.min(CHASSIS.c.id), func.count(CHASSIS.c.id))).one()
    assert key is not None, "none was onboarded"
    at = to_text(now - timedelta(days=KEPT_DAYS + 1))
    own = {
        "id": "i",
        "chassis_id": f"{first} + i % {many}",
        "number": f"1 + i / {many}",
        "nonce_digest": "'old' || i",
        "started_at": f"'{at}'",
        "updated_at": f"'{at}'",
    }
    events = {"id": "i", "attempt_id": "i", "at": f"'{at}'"}
    numbers = text(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {attempts}) "
        "SELECT i FROM n"
    )
    counted = numbers.columns(literal_column("i")).subquery("n")
    event = select(func.max(EVENT.c.id)).where(EVENT.c.attempt_id == key)
    for table, changed, row in ((ATTEMPT, own, key), (EVENT, events, connection.scalar(event))):
        names = [column.name for column in table.columns]
        chosen = [
            literal_column(changed[name]) if name in changed else table.c[name] for name in names
        ]
        source = select(*chosen).select_from(table.join(counted, true())).where(table.c.id == row)
        connection.execute(table.insert().from_select(names, source))


def counts(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        attempts = connection.scalar(select(func.count()).select_from(ATTEMPT)) or 0
        # Those that never came again keep their last attempt.
        chassis = select(func.count(func.distinct(ATTEMPT.c.chassis_id)))
        return attempts, connection.scalar(chassis) or 0


def run(folder: Path, attempts: int, plan: BenchPlan) -> bool:
    """Measure all phases, and tell each; return whether all was as it must be."""
    now = datetime.now(UTC)
    factory = Factory(plan.identity, now)
    site = build_site(this_build(), plan, factory, folder, lambda *_: None)
    material = factory.material(folder / "material", onboarding_serials(plan), lambda *_: None)
    database = open_database(f"sqlite:///{site}/bootz.db")
    with database.write_journal() as connection:
        make_room(connection, attempts)

    def phase(name: str, clients: Clients, server: ServerProcess) -> Phase:
        onboarded = clients.onboard(server.address, server.usage, plan.onboardings, lambda _: None)
        seconds = onboarded.seconds
        told = Phase(
            name,
            len(seconds),
            onboarded.cpu_ms,
            percentile(seconds, 0.5),
            percentile(seconds, 0.99),
        )
        print(told, flush=True)
        return told

    with Clients(plan, material) as clients:
        with serving(site) as server:
            phase("warming up", clients, server)
            empty = phase("an empty journal", clients, server)
        with database.write_journal() as connection:
            fill(connection, attempts, now)
        with serving(site) as server:
            large = phase(f"{attempts} attempts", clients, server)
            support = Upkeep(site, "support", str(folder / "support.tar.gz"))
            count = Upkeep(site, *_PRUNE, "--dry-run")
            phase("while it is counted, and a support bundle written", clients, server)
            print(support.end(), count.end(), sep="\n", flush=True)
            pruned = Upkeep(site, *_PRUNE)
            while pruned.running:
                phase("while it is pruned", clients, server)
            print(pruned.end(), flush=True)
    left, chassis = counts(database)
    database.close()
    ran = sum(1 for line in (folder / "serve.log").read_bytes().splitlines() if b"not-" in line)
    print(f"left: {left} attempts of {chassis} chassis; faults in the server's log: {ran}")
    print(f"CPU of an onboarding: {large.cpu_ms / empty.cpu_ms:.2f} of that with an empty journal")
    return chassis == plan.inventory and not ran and large.cpu_ms <= FACTOR * empty.cpu_ms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--onboardings", type=int, default=200)
    told = parser.parse_args()
    plan = BenchPlan(
        inventory=2_000,
        onboardings=told.onboardings,
        routers=told.onboardings,
        clients=2,
        concurrency=4,
        dialect="current",
        identity=IdentityKey.RSA_2048,
        config_bytes=16_384,
    )
    with tempfile.TemporaryDirectory() as folder:
        held = run(Path(folder), told.attempts, plan)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
