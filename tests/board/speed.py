"""What the board costs: first paint, bytes, onboardings beside it. ``make speed-board``."""

from __future__ import annotations

import argparse
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from board import night
from board.browser import CHROMIUM
from board.open_streams import OpenStreams, door
from playwright.sync_api import Page, sync_playwright

from bootz.bench.builds import this_build
from bootz.bench.clients import Clients
from bootz.bench.factory import Factory
from bootz.bench.measure import warm_up
from bootz.bench.plan import BenchPlan, IdentityKey
from bootz.bench.serving import serving, usage_of
from bootz.bench.site import build_site, onboarding_serials
from bootz.cli.main import run
from bootz.server.api.auth.accounts import add_account, begin_session
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.store.database import Database, open_database

PAINT_S, PAGE_BYTES, EVENT_BYTES = 1.0, 150_000, 2_000
"""What is asked of the board with 2,000 routers."""
_TIMES = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const [page] = performance.getEntriesByType("navigation");
  const sizes = performance.getEntriesByType("resource").map((each) => each.transferSize);
  return [paint.startTime, page.transferSize, sizes.reduce((a, b) => a + b, 0)];
}"""


def session(database: Database) -> str:
    """Return the secret of an operator's session."""
    now = datetime.now(UTC)
    with database.write() as connection:
        account = add_account(connection, "speed", OperatorRole.OPERATOR, now=now)
        return begin_session(connection, account, "127.0.0.1", now=now)


def visited(page: Page, address: str, pid: int) -> dict[str, float]:
    """Open a page; return its first paint, the door's CPU (both seconds), and bytes on the wire."""
    before = usage_of(pid).cpu
    page.goto(address)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    paint, octets, parts = page.evaluate(_TIMES)
    spent = usage_of(pid).cpu - before
    return {"paint": paint / 1000, "cpu": spent, "page": octets, "parts": parts}


def event_bytes(base: str, secret: str, database: Database, router: tuple[int, str]) -> int:
    """Return the bytes of one event: a router that was refused."""
    request = urllib.request.Request(
        f"{base}/board/live", headers={"Cookie": f"{SESSION_COOKIE}={secret}"}
    )
    with urllib.request.urlopen(request) as answer:
        while not answer.readline().startswith(b"id:"):
            pass
        answer.readline()
        key, serial = router
        at = datetime.now(UTC) + timedelta(seconds=1)
        night.write(database, list(night.entries_of("ready", key, serial, "", at, 0.0, ""))[-1:])
        count = 0
        while not (line := answer.readline()).startswith(b"id:"):
            if not line.startswith(b":"):
                count += len(line)
        return count + len(line)


def look(routers: int, visits: int) -> bool:
    """Measure pages of a site with so many routers; return whether all is as it is asked."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        assert run(["init", str(site), "--organization", "Example"]) == 0
        database = open_database(f"sqlite:///{site}/bootz.db")
        whole = sum(count for _, count in night.NIGHT)
        plan = [(state, max(1, routers * count // whole)) for state, count in night.NIGHT]
        plan[0] = (plan[0][0], plan[0][1] + routers - sum(count for _, count in plan))
        filled = night.fill(database, datetime.now(UTC), plan=plan)
        secret = session(database)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        good = True

        def opened(base: str) -> Page:
            context = browser.new_context()
            context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": base}])
            return context.new_page()

        firsts, later = [], []
        # Chromium's own first page is in no number.
        browser.new_page().goto("data:text/html,warm")
        for _ in range(3):
            with door(site) as (base, pid):
                firsts.append(visited(opened(base), f"{base}/board/", pid))
        with door(site) as (base, pid):
            for _ in range(visits):
                later.append(visited(opened(base), f"{base}/board/", pid))
            event = event_bytes(base, secret, database, filled[-1])
        browser.close()
        database.close()
        for name, found in (("first call after a start", firsts), ("later calls", later)):
            paints = sorted(each["paint"] for each in found)
            octets = max(each["page"] + each["parts"] for each in found)
            good = good and median(paints) <= PAINT_S and octets <= PAGE_BYTES
            print(
                f"{name}: first paint {median(paints):.2f} s "
                f"({paints[0]:.2f} to {paints[-1]:.2f}, {len(paints)} visits), "
                f"CPU of the door {median(each['cpu'] for each in found):.2f} s, "
                f"page {max(each['page'] for each in found) / 1000:.0f} kB, "
                f"with style, script and icons {octets / 1000:.0f} kB"
            )
        print(f"an event: {event} bytes")
        return good and event <= EVENT_BYTES


def beside(boards: int, rounds: int, onboardings: int) -> None:
    """Measure onboardings without and with open boards, in turns A B B A."""
    plan = BenchPlan(
        inventory=2000,
        onboardings=onboardings,
        routers=2000,
        clients=2,
        concurrency=4,
        dialect="current",
        identity=IdentityKey.P256,
        config_bytes=16384,
    )

    def quiet(_words: str, _done: int, _whole: int) -> None:
        pass

    with tempfile.TemporaryDirectory() as folder:
        factory = Factory(plan.identity, datetime.now(UTC))
        site = build_site(this_build(), plan, factory, Path(folder) / "own", quiet)
        material = factory.material(Path(folder) / "own/m", onboarding_serials(plan), quiet)
        database = open_database(f"sqlite:///{site}/bootz.db")
        secret = session(database)
        database.close()
        with serving(site) as server, door(site) as (base, pid), Clients(plan, material) as clients:
            warm_up(plan, clients, server.address, server.usage, quiet)

            def block() -> tuple[float, float]:
                done = clients.onboard(
                    server.address, server.usage, plan.onboardings, lambda _done: None
                )
                return done.cpu_ms, len(done.seconds) / done.elapsed

            cpu, rate, spent = [], [], []
            for number in range(rounds):
                alone, among = [block()], []
                with OpenStreams(
                    base, "/board/live", f"Cookie: {SESSION_COOKIE}={secret}", boards
                ) as opened:
                    began, before = time.perf_counter(), usage_of(pid).cpu
                    among += [block(), block()]
                    spent.append((usage_of(pid).cpu - before) / (time.perf_counter() - began))
                alone.append(block())
                cpu.append(sum(each[0] for each in among) / sum(each[0] for each in alone))
                rate.append(sum(each[1] for each in among) / sum(each[1] for each in alone))
                print(
                    f"round {number + 1}: {alone[0][0]:.2f} ms alone, {among[0][0]:.2f} and "
                    f"{among[1][0]:.2f} beside {boards} boards ({opened.octets >> 10} KiB read), "
                    f"{alone[1][0]:.2f} alone; ratio of CPU {cpu[-1]:.3f}, of rate {rate[-1]:.3f}",
                    flush=True,
                )
    print(
        f"the server's CPU of an onboarding beside {boards} boards: {median(cpu):.3f} of alone "
        f"({min(cpu):.3f} to {max(cpu):.3f}); rate {median(rate):.3f} ({min(rate):.3f} to "
        f"{max(rate):.3f}); the door's own CPU {median(spent):.3f} s a second"
    )


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routers", type=int, default=2000)
    parser.add_argument("--visits", type=int, default=10)
    parser.add_argument("--boards", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--onboardings", type=int, default=200, help="of each turn")
    chosen: Any = parser.parse_args()
    good = True
    if chosen.visits:
        good = look(chosen.routers, chosen.visits)
    if chosen.rounds:
        beside(chosen.boards, chosen.rounds, chosen.onboardings)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
