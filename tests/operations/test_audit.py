"""The audit: who made each change, refused tries too; what is rewritten is found.

docs/operator-ids.md: O25.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from operations.shell import Shell
from sqlalchemy import text
from store.fresh import fresh_database

from bootz.server.operations.audit import (
    FIRST,
    MAX_DOCUMENT,
    AuditFilter,
    all_entries,
    note,
    verify,
)
from bootz.server.store.actor import Actor
from bootz.server.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fresh_database(tmp_path / "audit.db")
    yield opened
    opened.close()


def change(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def verdict(database: Database) -> tuple[int, int | None]:
    with database.read() as connection:
        found = verify(connection)
    return found.entries, found.broken


@pytest.fixture
def filled(database: Database) -> Database:
    for number in range(1, 6):
        with database.write(Actor("user:ann", "192.0.2.7")) as connection:
            note(connection, "chassis.add", f"FX{number}", after={"hostname": f"r{number}"})
    return database


def test_entries_follow_each_other(filled: Database) -> None:
    with filled.read() as connection:
        entries = list(all_entries(connection, AuditFilter()))

    assert [entry.id for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].previous == FIRST
    assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
    assert (entries[0].actor, entries[0].origin) == ("user:ann", "192.0.2.7")
    assert verdict(filled) == (5, None)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'user:eve' WHERE id = 3", 3),
        ("UPDATE audit SET after = '{}' WHERE id = 1", 1),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE id = 5", 5),
        ("UPDATE audit SET outcome = 'refused' WHERE id = 2", 2),
        ("UPDATE audit SET digest = previous WHERE id = 4", 4),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("UPDATE audit SET object = verb, verb = object WHERE id = 2", 2),
    ],
)
def test_what_was_changed_is_named(filled: Database, statement: str, broken: int) -> None:
    change(filled, statement)

    assert verdict(filled) == (broken - 1, broken)


def test_the_end_cannot_be_cut_unseen_by_who_kept_the_head(
    shell: Shell, database: Database
) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme")
    shell.ok("chassis", "add", "FX2", "--vendor", "Acme")
    head = shell.json("audit", "verify")["head"]
    assert shell.json("audit", "verify", "--head", head)["broken"] is None

    shell.change("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")

    assert shell.json("audit", "verify")["broken"] is None
    assert shell.refused("audit", "verify", "--head", head) == "audit-broken"


def test_a_change_that_is_undone_leaves_no_entry(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        note(connection, "chassis.add", "FX1")
        raise ZeroDivisionError

    assert verdict(database) == (0, None)


def test_the_command_line_is_audited_with_its_user_and_refusals_too(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    shell.ok("chassis", "set", "FX1", "--hostname", "r2")
    assert shell.refused("chassis", "remove", "FX9") == "chassis-not-found"
    shell.ok("chassis", "remove", "FX1")

    removed, refused, changed, added = shell.json("audit", "list", "-n", "4")

    assert all(f"uid={os.getuid()}(" in row["actor"] for row in (removed, refused, changed))
    assert (added["verb"], added["object"], added["outcome"]) == ("chassis.add", "FX1", "done")
    assert added["before"] == {}
    assert (changed["before"]["hostname"], changed["after"]["hostname"]) == ("r1", "r2")
    assert (refused["verb"], refused["outcome"]) == ("chassis.remove", "chassis-not-found")
    assert removed["after"] == {}
    assert [row["id"] for row in shell.json("audit", "list", "--object", "FX1")] == [
        removed["id"],
        changed["id"],
        added["id"],
    ]
    assert (
        shell.json("audit", "list", "--verb", "chassis", "--before", str(changed["id"]))[0]["id"]
        == (added["id"])
    )


def test_secrets_are_fingerprints_by_which_a_change_is_seen(shell: Shell) -> None:
    def profile(secret: str) -> str:
        document = {"vendor_config": "hostname x", "boot_password_hash": secret}
        return shell.file("profile.json", json.dumps(document))

    shell.ok("profile", "add", "base", "--file", profile("$6$planted-one"))
    shell.ok("profile", "set", "base", "--file", profile("$6$planted-two"))

    listed = shell.ok("audit", "list", "--output", "json", "--verb", "profile")
    changed, added = json.loads(listed)

    assert "planted" not in listed + shell.ok("audit", "export")
    first, second = (row["after"]["boot_password_hash"] for row in (added, changed))
    assert re.fullmatch(r"hidden:[0-9a-f]{16}", first)
    assert first != second
    assert changed["before"]["boot_password_hash"] == first


def test_a_long_document_is_kept_by_its_digest(database: Database) -> None:
    with database.write() as connection:
        note(connection, "profile.add", "base", after={"script": "x" * MAX_DOCUMENT})

    with database.read() as connection:
        (entry,) = all_entries(connection, AuditFilter())
    assert entry.after["too_long"] is True
    assert verdict(database) == (1, None)


def test_export_as_syslog_escapes_what_strangers_write(database: Database, shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    (line,) = [
        row for row in shell.ok("audit", "export", "--form", "syslog").splitlines() if "FX1" in row
    ]

    assert re.match(
        r'<109>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ bootz - audit \[bootz@32473 id="\d+"', line
    )
    assert 'verb="chassis.add" object="FX1" outcome="done"' in line
    assert json.loads(line.partition("] ")[2])["after"]["hostname"] == "r1"


def test_a_value_cannot_end_its_structured_data() -> None:
    from datetime import UTC, datetime

    from bootz.server.operations.audit import AuditEntry
    from bootz.server.operations.audit_syslog import syslog_line

    entry = AuditEntry(
        1, datetime.now(UTC), 'a"] <13>\n', "ho st\x00", "v", "\\", {}, {}, "done", FIRST, FIRST
    )

    line = syslog_line(entry)

    assert "\n" not in line
    assert r'actor="a\"\] <13>' in line
    assert r'object="\\"' in line
    assert line.split()[2] == "host"
