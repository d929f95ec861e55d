"""A database of any released version becomes today's with all its data, or stays as it was."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, select, text
from store.cluster import Cluster
from store.large import Size, fill

from bootz.cli.main import run
from bootz.errors import ConfigError, Unavailable
from bootz.masa.store import database as masa_database
from bootz.masa.store.migrations import MASA_SCHEMA
from bootz.masa.store.schema import METADATA as MASA_METADATA
from bootz.server.store.database import open_database, open_engine
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import METADATA
from bootz.sql.engine import sqlite_engine
from bootz.sql.upgrade import Schema, Step, upgrade

SCHEMAS = Path(__file__).parent / "schemas"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SITE_DUMPS = sorted(SCHEMAS.glob("site-v*.sqlite.sql"))
CLUSTER_DUMPS = sorted(SCHEMAS.glob("site-v*.postgresql.sql"))
MASA_DUMPS = sorted(SCHEMAS.glob("masa-v*.sqlite.sql"))


def loaded(dump: Path, folder: Path, name: str = "bootz.db") -> Path:
    """Make an SQLite file of a dump."""
    path = folder / name
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text())
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    path.chmod(0o600)
    return path


def contents(engine: Engine) -> dict[str, list[dict[str, object]]]:
    """Return every row of every table, as it is."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(select(table)).mappings()), key=repr
            )
            for table in found.sorted_tables
        }


def expect_kept(
    before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]
) -> None:
    """Every row of before is there, with every column of before as it was, but for the version."""
    for table, rows in before.items():
        if table == "meta":
            continue
        assert rows, f"the dump has nothing in {table}: a fixture has data of every table"
        old = [{k: row[k] for k in rows[0]} for row in after[table]]
        assert sorted(map(repr, old)) == sorted(map(repr, rows)), table
    ours = {"schema", "oldest_program"}
    assert {row["key"]: row["value"] for row in after["meta"] if row["key"] not in ours} == {
        row["key"]: row["value"] for row in before["meta"] if row["key"] not in ours
    }


def expect_written(
    before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]
) -> None:
    """The dialect of each answer is where a reader of today looks for it."""
    noted = {
        row["id"]: json.loads(str(row["sent"])).get("written_as", "") for row in before["attempt"]
    }
    assert "current" in noted.values()
    assert {row["id"]: row["written"] for row in after["attempt"]} == noted


def shape(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return what an upgraded and a new database must agree on."""
    looked = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (
                    str(column["type"]),
                    column["nullable"],
                    str(column["default"] or ""),
                )
                for column in looked.get_columns(table)
            },
            "primary": sorted(looked.get_pk_constraint(table)["constrained_columns"]),
            "foreign": sorted(
                (key["constrained_columns"], key["referred_table"], str(key["options"]))
                for key in looked.get_foreign_keys(table)
            ),
            "unique": sorted(
                sorted(unique["column_names"]) for unique in looked.get_unique_constraints(table)
            ),
            "indexes": sorted(
                (
                    str(index["name"]),
                    index["column_names"],
                    bool(index["unique"]),
                    sorted((name, str(value)) for name, value in index["dialect_options"].items()),
                )
                for index in looked.get_indexes(table)
            ),
            "checks": sorted(check["sqltext"] for check in looked.get_check_constraints(table)),
            "counted": engine.dialect.name == "sqlite" and _of_sqlite(engine, table),
        }
        for table in looked.get_table_names()
    }


def _of_sqlite(engine: Engine, table: str) -> tuple[bool, ...]:
    """Return what SQLite knows of a table in the words of its own statement alone."""
    with engine.connect() as connection:
        statement = connection.scalar(
            text("SELECT upper(sql) FROM sqlite_master WHERE name = :name"), {"name": table}
        )
    return tuple(words in str(statement) for words in ("WITHOUT ROWID", "AUTOINCREMENT", "STRICT"))


def expect_same_tables(engine: Engine, fresh: Engine, metadata: MetaData) -> None:
    assert shape(engine) == shape(fresh)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("dump", SITE_DUMPS, ids=lambda dump: dump.name)
def test_a_sites_file_is_upgraded_with_all_its_data(dump: Path, tmp_path: Path) -> None:
    path = loaded(dump, tmp_path)
    url = f"sqlite:///{path}"
    fresh = tmp_path / "fresh.db"
    open_database(f"sqlite:///{fresh}", create=True).close()
    engine = open_engine(url)
    before = contents(engine)

    with pytest.raises(ConfigError, match="bootz db upgrade") as refused:
        open_database(url)
    assert refused.value.reason == "database-version"
    result = upgrade(engine, SITE_SCHEMA, NOW)

    assert result.after == SITE_SCHEMA.version
    expect_kept(before, contents(engine))
    expect_written(before, contents(engine))
    expect_same_tables(engine, sqlite_engine(fresh), METADATA)
    open_database(url).close()
    assert result.copy is not None
    assert result.copy.stat().st_mode & 0o777 == 0o600
    assert contents(sqlite_engine(result.copy)) == before
    assert upgrade(engine, SITE_SCHEMA, NOW).steps == ()
    engine.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize("dump", CLUSTER_DUMPS, ids=lambda dump: dump.name)
def test_a_cluster_is_upgraded_with_all_its_data(
    dump: Path, cluster: Cluster, tmp_path: Path
) -> None:
    url = cluster.url()
    cluster.load(url, dump)
    fresh_url = cluster.url()
    open_database(fresh_url, create=True).close()
    engine, fresh = open_engine(url), open_engine(fresh_url)
    before = contents(engine)

    with pytest.raises(ConfigError, match="bootz db upgrade"):
        open_database(url)
    result = upgrade(engine, SITE_SCHEMA, NOW)

    assert result.copy is None
    expect_kept(before, contents(engine))
    expect_written(before, contents(engine))
    expect_same_tables(engine, fresh, METADATA)
    open_database(url).close()
    engine.dispose()
    fresh.dispose()


@pytest.mark.parametrize("dump", MASA_DUMPS, ids=lambda dump: dump.name)
def test_a_masas_file_is_upgraded_with_all_its_data(dump: Path, tmp_path: Path) -> None:
    path = loaded(dump, tmp_path)
    fresh = tmp_path / "fresh.db"
    masa_database.open_database(fresh, create=True).close()
    engine = masa_database.open_engine(path)

    result = upgrade(engine, MASA_SCHEMA, NOW)

    assert result.after == MASA_SCHEMA.version
    expect_same_tables(engine, sqlite_engine(fresh), MASA_METADATA)
    masa_database.open_database(path).close()
    engine.dispose()


@pytest.mark.parametrize(
    ("before", "after"), list(pairwise(SITE_DUMPS)), ids=lambda dump: dump.name
)
def test_a_released_step_never_changes(before: Path, after: Path, tmp_path: Path) -> None:
    """What was released has been run at sites: it still makes the tables that it made there."""
    engine = open_engine(f"sqlite:///{loaded(before, tmp_path, 'before.db')}")
    released = open_engine(f"sqlite:///{loaded(after, tmp_path, 'after.db')}")
    (version,) = (row["value"] for row in contents(released)["meta"] if row["key"] == "schema")
    steps = tuple(step for step in SITE_SCHEMA.steps if step.version <= int(str(version)))

    upgrade(engine, replace(SITE_SCHEMA, version=steps[-1].version, steps=steps), NOW)

    assert shape(engine) == shape(released)
    engine.dispose()
    released.dispose()


def test_every_released_version_has_a_dump_of_each_engine() -> None:
    released = {f"site-v{version}" for version in range(SITE_SCHEMA.oldest, SITE_SCHEMA.version)}

    assert {dump.name.split(".")[0] for dump in SITE_DUMPS} >= released
    assert {dump.name.split(".")[0] for dump in CLUSTER_DUMPS} >= released
    assert [step.version for step in SITE_SCHEMA.steps] == list(
        range(SITE_SCHEMA.oldest + 1, SITE_SCHEMA.version + 1)
    )


def test_a_dump_that_was_made_larger_is_upgraded_with_all_rows(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{loaded(SITE_DUMPS[0], tmp_path)}")
    few = {name: len(rows) for name, rows in contents(engine).items()}
    size = Size(chassis=20, attempts=50)
    with engine.begin() as connection:
        fill(connection, size)

    upgrade(engine, SITE_SCHEMA, NOW)

    many = {name: len(rows) for name, rows in contents(engine).items()}
    assert {name: many[name] - few[name] for name in size.rows} == size.rows
    engine.dispose()


@pytest.mark.parametrize("version", [1, 99])
def test_a_version_from_which_no_way_leads_is_refused(version: int, tmp_path: Path) -> None:
    path = loaded(SITE_DUMPS[0], tmp_path)
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE meta SET value = {version} WHERE key = 'schema'"))

    with pytest.raises(ConfigError) as refused:
        upgrade(engine, SITE_SCHEMA, NOW)

    assert (refused.value.reason, refused.value.seen) == ("database-version", str(version))
    assert list(tmp_path.glob("*.v*")) == []
    engine.dispose()


@pytest.mark.parametrize(("oldest", "runs"), [(SITE_SCHEMA.version, True), (99, False)])
def test_newer_tables_say_whether_this_program_may_work_on_them(
    oldest: int, runs: bool, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'bootz.db'}"
    open_database(url, create=True).close()
    engine = open_engine(url)
    last = Step(SITE_SCHEMA.version + 1, "the last", lambda _op: None, runs_with=oldest)
    upgrade(engine, replace(SITE_SCHEMA, version=last.version, steps=(last,)), NOW)
    engine.dispose()

    if runs:
        open_database(url).close()
        return
    with pytest.raises(ConfigError) as refused:
        open_database(url)
    assert (refused.value.reason, refused.value.seen) == ("database-version", str(last.version))


def test_a_step_that_an_older_program_survives_only_adds(tmp_path: Path) -> None:
    for step in SITE_SCHEMA.steps:
        if step.runs_with is None:
            continue
        # For one step: who is two behind is replaced first.
        assert step.runs_with == step.version - 1
        path = loaded(SCHEMAS / f"site-v{step.runs_with}.sqlite.sql", tmp_path)
        engine = open_engine(f"sqlite:///{path}")
        before = shape(engine)
        upgrade(engine, replace(SITE_SCHEMA, version=step.version, steps=(step,)), NOW)
        after = shape(engine)
        # What an older program reads and writes is as it was; new tables are none of its own, and
        # an index that refuses no row is nothing to it.
        for table, old in before.items():
            kept = [each for each in after[table]["indexes"] if each in old["indexes"] or each[2]]
            assert {**after[table], "indexes": kept} == old, table
        engine.dispose()


def test_a_step_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = loaded(SITE_DUMPS[0], tmp_path)
    engine = open_engine(f"sqlite:///{path}")
    before = contents(engine)

    with pytest.raises(Unavailable):
        upgrade(engine, _with_last(lambda op: op.execute("SELECT * FROM no_such_table")), NOW)

    assert contents(engine) == before
    engine.dispose()


def _with_last(last: Callable[..., None]) -> Schema:
    following = SITE_SCHEMA.version + 1
    return Schema(
        SITE_SCHEMA.meta,
        following,
        (*SITE_SCHEMA.steps, Step(following, "the last", last)),
        SITE_SCHEMA.upgrade_command,
        SITE_SCHEMA.other_version,
        SITE_SCHEMA.unavailable,
    )


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from dataclasses import replace
from bootz.server.store.database import open_engine
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.sql import upgrade as upgrading
from bootz.sql.upgrade import Step

def kill(op):
    os.kill(os.getpid(), signal.SIGKILL)

last = Step(SITE_SCHEMA.version + 1, "killed", kill)
schema = replace(SITE_SCHEMA, version=last.version, steps=(*SITE_SCHEMA.steps, last))
upgrading.upgrade(open_engine(sys.argv[1]), schema, datetime.now(UTC))
"""


def _expect_killed(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, url], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_a_kill_within_an_upgrade_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = loaded(SITE_DUMPS[0], tmp_path)
    url = f"sqlite:///{path}"
    before = contents(open_engine(url))

    _expect_killed(url)

    engine = open_engine(url)
    assert contents(engine) == before
    assert upgrade(engine, SITE_SCHEMA, NOW).after == SITE_SCHEMA.version
    engine.dispose()


@pytest.mark.postgresql
def test_a_kill_within_an_upgrade_leaves_a_cluster_as_it_was(cluster: Cluster) -> None:
    url = cluster.url()
    cluster.load(url, CLUSTER_DUMPS[0])
    engine = open_engine(url)
    before = contents(engine)

    _expect_killed(url)

    assert contents(engine) == before
    assert upgrade(engine, SITE_SCHEMA, NOW).after == SITE_SCHEMA.version
    engine.dispose()


def test_what_a_killed_upgrade_left_of_its_copy_goes(tmp_path: Path) -> None:
    path = loaded(SITE_DUMPS[0], tmp_path)
    left = tmp_path / f".bootz.db.v{SITE_SCHEMA.oldest}-20200101T000000Z.unfinished"
    left.write_bytes(b"the first pages")
    kept = tmp_path / f"bootz.db.v{SITE_SCHEMA.oldest}-20200101T000000Z"
    kept.write_bytes(b"a whole copy")
    engine = open_engine(f"sqlite:///{path}")

    result = upgrade(engine, SITE_SCHEMA, NOW)

    assert not left.exists()
    assert kept.read_bytes() == b"a whole copy"
    assert result.copy is not None
    engine.dispose()


def test_an_upgrade_without_room_for_the_copy_changes_nothing(tmp_path: Path) -> None:
    path = loaded(SITE_DUMPS[0], tmp_path)
    engine = open_engine(f"sqlite:///{path}")
    before = contents(engine)
    in_the_way = tmp_path / f".bootz.db.v{SITE_SCHEMA.oldest}-{NOW:%Y%m%dT%H%M%SZ}.unfinished"
    in_the_way.mkdir()

    with pytest.raises(Unavailable, match="copy of the database"):
        upgrade(engine, SITE_SCHEMA, NOW)

    assert contents(engine) == before
    engine.dispose()


def test_the_command_shows_and_upgrades(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site"
    assert run(["init", str(site), "--organization", "Example"]) == 0
    for rest in site.glob("bootz.db*"):
        rest.unlink()
    loaded(SITE_DUMPS[0], site)
    capsys.readouterr()

    def said(*words: str) -> dict[str, object]:
        assert run([*words, "--site", str(site), "--output", "json"]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert run(["chassis", "list", "--site", str(site)]) == 1
    assert "bootz db upgrade" in capsys.readouterr().err
    status = said("db", "status")
    assert (status["state"], status["database_version"]) == ("upgrade-needed", SITE_SCHEMA.oldest)
    tried = said("db", "upgrade", "--dry-run")
    assert (tried["dry_run"], tried["copy"]) == (True, None)
    assert said("db", "status") == status
    done = said("db", "upgrade")
    assert (done["before"], done["after"]) == (SITE_SCHEMA.oldest, SITE_SCHEMA.version)
    assert Path(str(done["copy"])).is_file()
    assert said("db", "status")["state"] == "current"
    assert run(["chassis", "list", "--site", str(site)]) == 0
    assert "STORY1" in capsys.readouterr().out


def test_the_masas_command_shows_its_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "masa"
    assert run(["masa", "init", str(folder), "--ien", "9999"]) == 0
    capsys.readouterr()

    assert run(["masa", "db", "status", "--masa", str(folder), "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "current"
    assert run(["masa", "db", "upgrade", "--masa", str(folder), "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == []
