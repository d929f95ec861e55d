"""``make check-sot``: what an operator does with a source, at a real Nautobot of ``real.py``.

Commands run as processes; what is written back, as the operator's door does it. Each row of the
tally is a step; a step that fails does not end the run.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sources.conftest import SourceWorld, attempted
from sources.product import Product
from sources.real import VERSION, Nautobot, running, workplace
from sources.real_devices import (
    EMPTY_TAG,
    FIXED,
    MODULAR,
    NAMELESS,
    READING,
    TAG,
    WITHOUT_SERIAL,
    allow,
    fill,
    hostname,
    mac,
    serial,
)
from store.world import Maker

from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.site import open_site
from bootz.server.sources.pushing import push_all

SETTINGS: dict[str, Any] = {
    "name": "sot",
    "kind": "nautobot",
    "token_file": "sot.token",
    "select": {"status": ["Planned", "Staged"], "tag": [TAG]},
    "profiles": [
        {"role": "check-edge", "profile": "edge"},
        {"role": "check-core", "profile": "core"},
    ],
    "cards": [{"bay": r"^RP\d", "kind": "control"}],
    "on_fault": "hold",
    "page_size": 5,
    "push": {"status": {"success": "Staged"}, "fields": True, "journal": True},
}
TAKEN = {
    serial(number): hostname(number)
    for number in (*FIXED, *MODULAR)
    if number not in {WITHOUT_SERIAL, NAMELESS}
}
READY, PERSONS, DELETED, RELEASED = 1, 2, 3, 4
"""Devices: told back, changed by a person, deleted there, released here."""


@dataclass
class Desk:
    """A site beside a Nautobot."""

    site: Path
    nautobot: Nautobot
    world: SourceWorld
    reading: str
    said: str = ""
    rows: list[tuple[str, bool, float, str]] = field(default_factory=list)

    def bootz(self, *words: str, **settings: Any) -> tuple[int, Any, str]:
        """Run a command of the source; return its exit code, its JSON, and its errors."""
        path = self.site / "bootz.yaml"
        document = yaml.safe_load(path.read_text()) or {}
        document["sources"] = [{**SETTINGS, "url": self.nautobot.url, **settings}]
        path.write_text(yaml.safe_dump(document))
        command = [sys.executable, "-m", "bootz", "source", *words]
        options = ["--site", str(self.site), "--output", "json"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        self.said += done.stdout + done.stderr
        shown = json.loads(done.stdout) if done.stdout.strip() else None
        return done.returncode, shown, done.stderr

    def sync(self, *words: str) -> Any:
        """Sync; return what the command shows."""
        code, shown, error = self.bootz("sync", "sot", *words)
        assert code == 0, error
        return shown

    def push(self) -> int:
        """Tell Nautobot what is due; return of how many devices."""
        room = self.world.room(**SETTINGS)
        return asyncio.run(push_all(room, room.config.sources[0], set()))

    def device(self, number: int) -> dict[str, Any]:
        """Return a device as Nautobot has it."""
        query = f"dcim/devices/?serial={serial(number)}&depth=1"
        return self.nautobot.list(query)[0]

    def change(self, number: int, **values: object) -> None:
        """Change a device there, as a person does."""
        self.nautobot.call("PATCH", f"dcim/devices/{self.device(number)['id']}/", values)

    def written_there(self) -> int:
        """Return how many changes Nautobot has on record."""
        count: int = self.nautobot.call("GET", "extras/object-changes/?limit=1")["count"]
        return count

    def step(self, name: str, run: Callable[[Desk], str]) -> None:
        """Run a step, and write down how it ended."""
        began = time.monotonic()
        try:
            detail, passed = run(self), True
        except Exception as error:
            traceback.print_exc()
            detail, passed = f"{type(error).__name__}: {error}"[:300], False
        self.rows.append((name, passed, time.monotonic() - began, detail))
        print(f"{'passed' if passed else 'FAILED'}  {name}", file=sys.stderr, flush=True)


def fields_are_made(desk: Desk) -> str:
    code, checks, _ = desk.bootz("check", "sot")
    failed = [row for row in checks if row["outcome"] == "failed"]
    assert (code, [row["check"] for row in failed]) == (1, ["custom fields"]), failed
    calls = re.findall(r"POST /api/(\S+) (\{.*?\})(?=;|\.|$|\s)", failed[0]["detail"])
    assert len(calls) == 4, failed[0]["detail"]
    for path, body in calls:
        desk.nautobot.create(path, **json.loads(body))
    return f"{len(calls)} calls, as printed"


def check_passes(desk: Desk) -> str:
    code, checks, error = desk.bootz("check", "sot")
    assert code == 0, [row for row in checks if row["outcome"] == "failed"] or error
    return f"{len(checks)} checks passed, with the rights of the documentation"


def filter_values(desk: Desk) -> str:
    select = {"status": ["planned", "Staged"], "tag": [TAG, "check-sot-none"]}
    code, checks, _ = desk.bootz("check", "sot", select=select)
    failed = {row["check"]: row["reason"] for row in checks if row["outcome"] == "failed"}
    assert code == 1
    for name in ("select status=planned", "select tag=check-sot-none"):
        assert failed.get(name) == "source-filter-unknown", failed
    return "a status in another case and an unknown tag: source-filter-unknown"


def diff_writes_nothing(desk: Desk) -> str:
    before = desk.world.digest()
    code, diff, error = desk.bootz("diff", "sot")
    assert (code, diff["dry_run"], diff["counts"]["add"]) == (0, True, len(TAKEN)), error
    assert desk.world.digest() == before
    return f"{len(TAKEN)} to add; the database as before"


def sync_takes_all(desk: Desk) -> str:
    there = desk.written_there()
    synced = desk.sync()
    assert desk.written_there() == there
    assert sorted(row["reason"] for row in synced["faults"]) == [
        "source-no-name",
        "source-no-serial",
    ]
    chassis = desk.world.chassis()
    assert {name: each.serial_number for name, each in chassis.items()} == {
        name: number for number, name in TAKEN.items()
    }
    edge, core = chassis[hostname(READY)], chassis[hostname(MODULAR[0])]
    assert (edge.vendor, edge.profile, edge.part_number) == ("Juniper", "edge", "ACX7024")
    assert [card.mac for card in edge.cards] == [mac(READY)], edge.cards
    cards = {(card.slot, card.serial_number, card.part_number) for card in core.cards}
    assert cards == {
        (f"0/{bay}/CPU0", f"FXC{MODULAR[0]}{bay}", "RE-X10") for bay in ("RP0", "RP1")
    }, cards
    return f"{len(TAKEN)} chassis with cards, slots and MAC addresses; 2 that lack something told"


def second_sync_is_quiet(desk: Desk) -> str:
    before, there = desk.world.digest(), desk.written_there()
    synced = desk.sync()
    assert synced["changes"] == []
    assert (desk.world.digest(), desk.written_there()) == (before, there)
    return "nothing changed, nothing written here or there"


def card_is_seen(desk: Desk) -> str:
    number = MODULAR[0]
    before = desk.device(number)["last_updated"]
    module = desk.nautobot.list(f"dcim/modules/?serial=FXC{number}RP1")[0]
    desk.nautobot.call("PATCH", f"dcim/modules/{module['id']}/", {"serial": "FXCNEW"})
    assert desk.device(number)["last_updated"] == before
    desk.sync()
    cards = {card.serial_number for card in desk.world.chassis()[hostname(number)].cards}
    assert cards == {f"FXC{number}RP0", "FXCNEW"}
    return "a card's new serial number is taken; the device's last_updated had not moved"


def state_is_told(desk: Desk) -> str:
    attempted(desk.world, hostname(READY), "success")
    assert desk.push() == 1
    device = desk.device(READY)
    fields = device["custom_fields"]
    assert (device["status"]["name"], fields["bootz_state"]) == ("Staged", "ready"), fields
    assert datetime.fromisoformat(fields["bootz_last_attempt"]).tzinfo is not None, fields
    notes = desk.nautobot.list(f"dcim/devices/{device['id']}/notes/")
    assert [f"{serial(READY)} ready" in note["note"] for note in notes] == [True], notes
    there = desk.written_there()
    assert (desk.push(), desk.written_there()) == (0, there)
    return "fields, status and one note read back; the second time nothing is written"


def own_status_changes_nothing(desk: Desk) -> str:
    assert desk.sync()["changes"] == []
    return "a sync behind it: nothing changes"


def persons_change_wins(desk: Desk) -> str:
    desk.change(PERSONS, status="Active")
    attempted(desk.world, hostname(PERSONS), "success")
    assert desk.push() == 1
    device = desk.device(PERSONS)
    told = device["status"]["name"], device["custom_fields"]["bootz_state"]
    assert told == ("Active", "ready"), told
    synced = desk.sync()
    assert synced["held"] == []
    assert not desk.world.chassis()[hostname(PERSONS)].on_hold
    return "its status stays Active; the fields are told; left, and not put on hold"


def missing_right_stops(desk: Desk) -> str:
    path, before = f"users/permissions/{desk.reading}/", desk.world.chassis()
    told = []
    for right in ("extras.status", "dcim.module"):
        kinds = [kind for kind in READING if kind != right]
        desk.nautobot.call("PATCH", path, {"object_types": kinds})
        code, _, error = desk.bootz("sync", "sot")
        assert code == 1, right
        assert "source-forbidden" in error, (right, error)
        told.append(right)
    desk.nautobot.call("PATCH", path, {"object_types": list(READING)})
    assert desk.world.chassis() == before
    return f"without {' or '.join(told)}: source-forbidden, nothing changes"


def empty_answer_stops(desk: Desk) -> str:
    before = desk.world.chassis()
    select = {"status": ["Planned", "Staged"], "tag": [EMPTY_TAG]}
    code, _, error = desk.bootz("sync", "sot", select=select)
    assert code == 1
    assert "source-shrunk" in error, error
    assert desk.world.chassis() == before
    return "a tag that no device has: source-shrunk, nothing changes"


def deletion_holds(desk: Desk) -> str:
    key = desk.device(DELETED)["id"]
    desk.nautobot.call("DELETE", f"dcim/devices/{key}/")
    assert desk.sync()["held"] == []
    held = desk.sync()["held"]
    record = desk.world.chassis()[hostname(DELETED)]
    assert record.on_hold, held
    return f"on hold at the second sync ({', '.join(held)}), and still on record"


def show_tells(desk: Desk) -> str:
    code, shown, error = desk.bootz("show", "sot")
    assert code == 0, error
    assert (shown["chassis"], shown["held"], len(shown["faults"])) == (len(TAKEN), 1, 2), shown
    assert VERSION in shown["product_version"], shown["product_version"]
    return f"{shown['product_version']}, {shown['chassis']} chassis, 1 on hold, 2 faults"


def release_frees(desk: Desk) -> str:
    code, shown, error = desk.bootz("release", serial(RELEASED))
    assert (code, shown and shown["released_from"]) == (0, "sot"), error
    before = desk.world.chassis()[hostname(RELEASED)]
    desk.change(RELEASED, name="renamed-there")
    told = {row["name"]: row["reason"] for row in desk.sync()["faults"]}
    assert told.get("renamed-there") == "source-not-owner", told
    assert desk.world.chassis()[hostname(RELEASED)] == before
    return "a change there is source-not-owner, the chassis as before"


def token_is_nowhere(desk: Desk) -> str:
    token = desk.nautobot.limited.encode()
    files = [path for path in desk.site.rglob("*") if path.is_file()]
    holders = [path.name for path in files if token in path.read_bytes()]
    assert holders == ["sot.token"], holders
    assert desk.nautobot.limited not in desk.said
    return f"in {len(files)} files of the site and all that commands said: in its own file alone"


def off_keeps(desk: Desk) -> str:
    before = desk.world.chassis()
    code, _, error = desk.bootz("sync", "sot")
    assert code == 1
    assert "source-unreachable" in error, error
    assert desk.sync("--from-copy")["changes"] == []
    _, shown, _ = desk.bootz("show", "sot")
    assert shown["reason"] == "source-unreachable", shown
    assert desk.world.chassis() == before
    return "source-unreachable, nothing changes; --from-copy works, and show still has the reason"


STEPS: tuple[tuple[str, Callable[[Desk], str]], ...] = (
    ("check prints the calls that make the fields", fields_are_made),
    ("check", check_passes),
    ("check of filter values", filter_values),
    ("diff", diff_writes_nothing),
    ("sync", sync_takes_all),
    ("sync again", second_sync_is_quiet),
    ("a card is replaced there", card_is_seen),
    ("a router is ready", state_is_told),
    ("sync behind what was told", own_status_changes_nothing),
    ("a person's change", persons_change_wins),
    ("a right is taken away", missing_right_stops),
    ("an empty selection", empty_answer_stops),
    ("a device is deleted there", deletion_holds),
    ("show", show_tells),
    ("release", release_frees),
    ("the token", token_is_nowhere),
)


@contextmanager
def _desk(folder: Path, nautobot: Nautobot) -> Iterator[Desk]:
    site = folder / "site"
    init = [sys.executable, "-m", "bootz", "init", str(site), "--organization", "Example"]
    subprocess.run(init, check=True, capture_output=True)
    (site / "sot.token").write_text(nautobot.limited)
    (site / "sot.token").chmod(0o600)
    database = open_site(site).database()
    with database.write() as connection:
        add_vendor(connection, Maker("Juniper").vendor)
        for name in ("edge", "core"):
            add_profile(connection, ProfileRecord.from_document({"name": name}))
    world = SourceWorld(site, Product("nautobot"), nautobot.url, database, datetime.now(UTC))
    try:
        yield Desk(site, nautobot, world, allow(nautobot))
    finally:
        database.close()


def _end_on_signals() -> None:
    """Make SIGINT and SIGTERM end the run as an error does, with all that it started."""

    def end(number: int, _frame: object) -> None:
        # A second one would stop the end itself; `timeout` sends to the group and to us.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def main() -> int:
    """Run every step, print the tally, and return 1 if one failed."""
    _end_on_signals()
    with ExitStack() as outer, ExitStack() as product:
        folder, began = outer.enter_context(workplace()), time.monotonic()
        nautobot = product.enter_context(running(folder))
        fill(nautobot)
        ready = time.monotonic() - began
        desk = outer.enter_context(_desk(folder, nautobot))
        for name, step in STEPS:
            desk.step(name, step)
        product.close()
        desk.step("Nautobot is off", off_keeps)
    print(f"Nautobot {VERSION}, ready and filled after {ready:.0f} s\n")
    for name, passed, seconds, detail in desk.rows:
        print(f"{'passed' if passed else 'FAILED'}  {seconds:5.1f} s  {name:44} {detail}")
    failed = sum(not passed for _, passed, _, _ in desk.rows)
    print(f"\n{len(desk.rows) - failed} of {len(desk.rows)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
