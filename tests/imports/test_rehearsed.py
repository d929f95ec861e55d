"""An import is rehearsed beside the database: it does what it would do in one transaction.

And while it is read, judged and prepared, others write.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Table, select
from store.fresh import fresh_database
from store.world import NOW, maker, owner

from bootz.errors import PolicyError
from bootz.server.importing.applied import Applied, Terms
from bootz.server.importing.applying import apply_items
from bootz.server.importing.documents import items_of
from bootz.server.importing.items import Item, ReadFile
from bootz.server.operations.audit import AuditFilter, latest_entries, note, verify
from bootz.server.operations.chassis import add_chassis, list_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.actor import Actor
from bootz.server.store.database import Database, open_database
from bootz.server.store.rehearsal import change_rehearsed
from bootz.server.store.schema import METADATA

Document = Mapping[str, Any]

NEVER_SAME = {"url_tag", "at", "previous", "digest", "before", "after"}
"""What is drawn or measured; and secrets' fingerprints, whose key is drawn."""


def terms(*, update: bool = True, late: timedelta = timedelta()) -> Terms:
    return Terms(NOW + late, owner().der, has_image=lambda _: True, update=update)


def rehearsed(
    database: Database, work: Callable[[Connection], Applied], *, dry_run: bool = False
) -> Applied:
    return change_rehearsed(
        database, None, work, keeps=lambda applied: not applied.faults and not dry_run
    )


def in_the_lock(database: Database, work: Callable[[Connection], Applied]) -> Applied:
    with database.write() as connection:
        applied = work(connection)
        if applied.faults:
            connection.rollback()
    return applied


def of(document: Document, **given: Any) -> Callable[[Connection], Applied]:
    return lambda connection: apply_items(connection, [items_of(document, {}, "f")], terms(**given))


def content(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables but what is drawn, measured, or a number for itself alone."""
    with database.read() as connection:
        return {
            table.name: [
                {
                    name: value
                    for name, value in row.items()
                    if name not in NEVER_SAME | ({"id"} if "chassis_id" in row else set())
                }
                for row in connection.execute(select(table).order_by(*_order(table))).mappings()
            ]
            for table in METADATA.sorted_tables
            if table.name != "site_secret"
        }


def _order(table: Table) -> list[Column[Any]]:
    """Return what rows are sorted by: those of a chassis together, in their order."""
    whose = [table.c.chassis_id] if "chassis_id" in table.c else []
    return [*whose, *table.primary_key.columns]


def told(applied: Applied) -> tuple[Any, ...]:
    faults = [(each.place, each.error.reason, each.error.detail) for each in applied.faults]
    return applied.changes, faults, applied.warnings, applied.left_out, applied.changed


@dataclass
class Pair:
    """Two databases: in one imports are rehearsed, in the other made in the transaction itself."""

    beside: Database
    inside: Database

    def both(self, document: Document, **given: Any) -> Applied:
        """Import into both, and find them the same."""
        applied = rehearsed(self.beside, of(document, **given))
        assert told(applied) == told(in_the_lock(self.inside, of(document, **given)))
        assert content(self.beside) == content(self.inside)
        with self.beside.read() as connection:
            assert verify(connection).broken is None
        return applied


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with closing(stocked(tmp_path / "a")) as beside, closing(stocked(tmp_path / "b")) as inside:
        yield Pair(beside, inside)


def stocked(path: Path) -> Database:
    database = fresh_database(path)
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
    return database


def chassis(serial: str, **more: Any) -> dict[str, Any]:
    return {"vendor": "Acme", "serial_number": serial, **more}


def modular(serial: str, *cards: str, **more: Any) -> dict[str, Any]:
    parts = [{"serial_number": card, "slot": str(at)} for at, card in enumerate(cards)]
    return chassis(serial, modular=True, cards=parts, **more)


def vouchers(*serials: str, days: int = 300, since: int = 0) -> list[dict[str, str]]:
    expires, created = NOW + timedelta(days=days), NOW + timedelta(days=since)
    made = [
        maker("Acme").voucher(each, owner().der, created=created, expires=expires)
        for each in serials
    ]
    return [{"vendor": "Acme", "voucher": base64.b64encode(raw).decode()} for raw in made]


def test_every_section_is_written_as_in_one_transaction(pair: Pair) -> None:
    image = {"kind": "image", "name": "xr", "version": "1", "file_name": "xr.iso", "size": 9}
    image |= {"sha256": "ab" * 32}
    named = {"image": {"name": "xr", "version": "1"}}
    pair.both(
        {
            "vendors": [{"name": "Acme", "ien": "9", "aliases": ["Acme Networks"]}],
            "images": [image],
            "profiles": [{"name": "edge", "vendor_config": "a", **named}, {"name": "core"}],
            "chassis": [
                chassis("FX1", profile="edge", hostname="r1", labels={"site": "osl", "x": "y"}),
                chassis("FX2", profile="core", vendor="acme networks", overrides=named),
                modular("CH1", "RP0", "RP1", hostname="r1"),
            ],
            "vouchers": vouchers("FX1", "rp0"),
        }
    )
    pair.both(
        {
            "profiles": [{"name": "edge", "vendor_config": "b"}, {"name": "access"}],
            "chassis": [
                chassis("FX2", profile="access", hostname="r2", labels={"site": "trd"}),
                chassis("FX1"),
                chassis("FX3", profile="access", overrides=named),
                modular("CH1", "RP0", "RP2"),
            ],
            "vouchers": vouchers("FX1", "FX3"),
        }
    )


def test_a_voucher_that_is_renewed_takes_the_ended_ones_away(pair: Pair) -> None:
    pair.both({"chassis": [chassis("FX1"), chassis("FX2")], "vouchers": vouchers("FX1", days=2)})
    pair.both({"vouchers": vouchers("FX2", "FX1", since=3)}, late=timedelta(days=3))
    with pair.beside.read() as connection:
        kept = connection.execute(select(METADATA.tables["voucher"].c.serial)).scalars().all()
    assert sorted(kept) == ["FX1", "FX2"]


SERIALS = st.sampled_from([f"S{number}" for number in range(6)])
ENTRIES = st.one_of(
    st.builds(chassis, SERIALS, hostname=st.sampled_from(["", "a", "b"])),
    st.builds(
        lambda serial, cards, site: modular(serial, *cards, labels={"site": site}),
        SERIALS,
        st.lists(SERIALS, min_size=1, max_size=3),
        st.sampled_from(["x", "y"]),
    ),
)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.tuples(st.lists(ENTRIES, max_size=5), st.booleans()), min_size=1, max_size=3))
def test_any_files_are_imported_as_in_one_transaction(
    files: Sequence[tuple[list[dict[str, Any]], bool]],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with closing(stocked(folder / "a")) as beside, closing(stocked(folder / "b")) as inside:
            for entries, update in files:
                Pair(beside, inside).both({"chassis": entries}, update=update)


@dataclass(frozen=True)
class Beside:
    """The items of a file, beside whose reading something else is done."""

    entries: Sequence[dict[str, Any]]
    act: Callable[[], None]

    def __iter__(self) -> Iterator[Item]:
        for entry in self.entries:
            yield Item("chassis", "f", entry)
        self.act()

    def work(self, connection: Connection) -> Applied:
        read = ReadFile(self, sections=frozenset({"chassis"}))
        return apply_items(connection, [read], terms(update=False))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(stocked(tmp_path / "bootz.db")) as opened:
        yield opened


def test_others_write_while_an_import_is_prepared(database: Database) -> None:
    written: list[int] = []

    def write() -> None:
        # Another process, which does not wait for a lock.
        with closing(elsewhere(database)) as other, other.write_journal():
            written.append(1)

    applied = rehearsed(database, Beside([chassis("FX1"), chassis("FX2")], write).work)
    assert not applied.faults
    assert written
    assert serials(database) == ["FX1", "FX2"]


def test_an_import_that_is_overtaken_is_judged_by_what_is_on_record_then(
    database: Database,
) -> None:
    overtaken = Overtaken(1, "FX2")
    applied = rehearsed(database, overtaken.work(database))
    assert [each.error.reason for each in applied.faults] == ["import-differs"]
    assert serials(database) == ["FX2"]


def test_an_import_that_is_overtaken_each_time_is_made_in_the_transaction_itself(
    database: Database,
) -> None:
    overtaken = Overtaken(3, "N")
    assert not rehearsed(database, overtaken.work(database)).faults
    assert overtaken.calls == 4
    assert serials(database) == ["N", "NN", "NNN", "FX1", "FX2"]


@dataclass
class Overtaken:
    """An import beside whose rehearsals others add chassis, so many times."""

    times: int
    serial: str
    calls: int = 0

    def work(self, database: Database) -> Callable[[Connection], Applied]:
        def do(connection: Connection) -> Applied:
            self.calls += 1
            applied = of(
                {"chassis": [chassis("FX1"), chassis("FX2", hostname="mine")]}, update=False
            )(connection)
            if self.calls <= self.times:
                with closing(elsewhere(database)) as other, other.write() as theirs:
                    add_chassis(theirs, ChassisRecord("Acme", self.serial * self.calls))
            return applied

        return do


def test_the_audit_is_one_chain_whoever_writes_beside(database: Database) -> None:
    def log_in() -> None:
        with closing(elsewhere(database)) as other, other.write() as connection:
            note(connection, "login", "ann")

    assert not rehearsed(database, Beside([chassis("FX1"), chassis("FX2")], log_in).work).faults
    with database.read() as connection:
        assert verify(connection).broken is None
        entries = latest_entries(connection, AuditFilter(), most=3)
    assert [each.verb for each in entries] == ["chassis.add", "chassis.add", "login"]
    assert [each.object for each in entries] == ["FX2", "FX1", "ann"]


def test_an_entry_that_comes_just_before_the_lock_is_followed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_line = Database.journal_turn

    def overtaken(self: Database) -> AbstractContextManager[None]:
        with closing(elsewhere(database)) as other, other.write() as connection:
            note(connection, "login", "ann")
        return in_line(self)

    monkeypatch.setattr(Database, "journal_turn", overtaken)
    assert not rehearsed(database, of({"chassis": [chassis("FX1")]})).faults
    with database.read() as connection:
        assert verify(connection).broken is None
        entries = latest_entries(connection, AuditFilter(), most=2)
    assert [each.object for each in entries] == ["FX1", "ann"]


def test_what_is_tried_only_leaves_nothing(database: Database) -> None:
    before = content(database)
    new = {"chassis": [chassis("FX1")], "profiles": [{"name": "edge"}], "vouchers": vouchers("FX1")}
    assert not rehearsed(database, of(new), dry_run=True).faults
    assert content(database) == before
    wrong = {"chassis": [chassis("FX1"), chassis("FX2", profile="none")]}
    assert [each.error.reason for each in rehearsed(database, of(wrong)).faults] == [
        "profile-not-found"
    ]
    assert content(database) == before


def test_what_refuses_an_import_is_raised_and_noted_once(database: Database) -> None:
    def refuse(connection: Connection) -> Applied:
        of({"chassis": [chassis("FX1")]})(connection)
        raise PolicyError("role-insufficient", "not for you", where="import")

    ann = Actor("user:ann", doing="import.run")
    with pytest.raises(PolicyError):
        change_rehearsed(database, ann, refuse, keeps=lambda _: True)
    with database.read() as connection:
        entries = latest_entries(connection, AuditFilter(actor="user:ann"), most=9)
    assert [(each.verb, each.outcome) for each in entries] == [("import.run", "role-insufficient")]
    assert serials(database) == []


def elsewhere(database: Database) -> Database:
    """Return the database as another process has it that does not wait for locks."""
    return open_database(f"sqlite:///{database.engine.url.database}", lock_seconds=0.0)


def serials(database: Database) -> list[str]:
    with database.read() as connection:
        return [each.serial_number for each in list_chassis(connection)]
