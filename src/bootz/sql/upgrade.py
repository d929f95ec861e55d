"""Upgrading a database from one version of its tables to the next: all of it, or nothing.

Each step brings the tables from the version before to its own. All steps of an upgrade run in
one transaction, which both engines undo if the process dies. The tables of SQLite are copied to
a file first, from the very state that the upgrade begins with.

The version is in the table ``meta``: databases made before upgrades existed have it there.
Steps are written with alembic's operations (https://alembic.sqlalchemy.org/en/latest/ops.html),
which hide the engines' differences.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, Table, delete, insert, inspect, select, update

from bootz.errors import ConfigError, Unavailable
from bootz.sql.engine import Begin, transaction

if TYPE_CHECKING:
    from alembic.operations import Operations

_LOCK_TIMEOUT_MS: Final = 30_000
"""Milliseconds that PostgreSQL waits for a lock on a table, of a server that is running."""

OLDEST_PROGRAM: Final = "oldest_program"
"""The key in ``meta`` for the oldest version of the program that works on the tables."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tables; ``version`` is theirs afterwards.

    ``runs_with`` is the oldest version of the program that works on them all the same, because
    the step only adds what that program need not know; None: the step's own version alone.
    """

    version: int
    summary: str
    upgrade: "Callable[[Operations], None]"
    runs_with: int | None = None

    @property
    def oldest_program(self) -> int:
        """The oldest version of the program that works on the tables afterwards."""
        return self.version if self.runs_with is None else self.runs_with


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one database of this program.

    ``meta`` is the table with the version under the key ``schema``; ``steps`` are in order, each
    one version above the last. The two reasons are for a database of another version, and for
    one that does not answer.
    """

    meta: Table
    version: int
    steps: Sequence[Step]
    upgrade_command: str
    other_version: str
    unavailable: str

    @property
    def oldest(self) -> int:
        """The oldest version that can be upgraded."""
        return self.steps[0].version - 1 if self.steps else self.version

    def found(self, connection: Connection) -> int | None:
        """Return the version of the tables that are there, None where there are none."""
        if not inspect(connection).has_table(self.meta.name):
            return None
        version: int | None = connection.scalar(
            select(self.meta.c.value).where(self.meta.c.key == "schema")
        )
        return version

    def oldest_program(self, connection: Connection) -> int | None:
        """Return the oldest version of the program that the tables allow; None: they do not say."""
        oldest: int | None = connection.scalar(
            select(self.meta.c.value).where(self.meta.c.key == OLDEST_PROGRAM)
        )
        return oldest

    def check(self, found: int | None, oldest_program: int | None = None) -> None:
        """Accept the version that this program reads and writes, and a newer one that allows it.

        ``oldest_program`` is what the tables say of the oldest version that works on them, so that
        servers are replaced one after the other.

        Raises:
            ConfigError: it is older or newer; the error says which command helps.
        """
        if found == self.version:
            return
        allowed = oldest_program is not None and oldest_program <= self.version
        if found is not None and found > self.version and allowed:
            return
        older = found is not None and self.oldest <= found < self.version
        raise ConfigError(
            self.other_version,
            f"the tables are of an older version; run `{self.upgrade_command}`"
            if older
            else "the tables have a version that this program does not support",
            where="database",
            expected=str(self.version),
            seen=str(found),
        )

    def pending(self, found: int | None) -> tuple[Step, ...]:
        """Return the steps from a version to this program's.

        Raises:
            ConfigError: there is no way from that version.
        """
        if found is None or not self.oldest <= found <= self.version:
            self.check(found)
        return tuple(step for step in self.steps if step.version > (found or 0))


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did; ``copy`` is the file with the state before it, if one was made."""

    before: int
    after: int
    steps: tuple[Step, ...]
    copy: Path | None


def read_version(engine: Engine, schema: Schema) -> int | None:
    """Return the version of a database's tables, None for an empty database.

    Raises:
        Unavailable: it does not answer.
    """
    with transaction(engine, Begin.READ, unavailable=schema.unavailable) as connection:
        return schema.found(connection)


def upgrade(engine: Engine, schema: Schema, now: datetime) -> Upgraded:
    """Bring a database's tables to this program's version; does nothing where they are.

    ``now`` (aware UTC) names the copy that is made of an SQLite file.

    Raises:
        ConfigError: there is no way from its version.
        Unavailable: the database does not answer, or the copy cannot be written. Nothing has
            changed then.
    """
    with transaction(engine, Begin.WRITE, unavailable=schema.unavailable) as connection:
        embedded = connection.dialect.name == "sqlite"
        if not embedded:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('bootz upgrade'))")
        found = schema.found(connection)
        steps = schema.pending(found)
        before = found or 0
        if not steps:
            return Upgraded(before, before, (), None)
        copy = _copy(engine, before, now, schema) if embedded else None
        operations = _operations(connection)
        for step in steps:
            step.upgrade(operations)
            connection.execute(
                update(schema.meta).where(schema.meta.c.key == "schema").values(value=step.version)
            )
        connection.execute(delete(schema.meta).where(schema.meta.c.key == OLDEST_PROGRAM))
        connection.execute(
            insert(schema.meta).values(key=OLDEST_PROGRAM, value=steps[-1].oldest_program)
        )
    return Upgraded(before, steps[-1].version, steps, copy)


def _operations(connection: Connection) -> "Operations":
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    return Operations(MigrationContext.configure(connection))


def _copy(engine: Engine, version: int, now: datetime, schema: Schema) -> Path:
    """Write the committed state beside the file; the caller holds the lock against writers."""
    source = Path(str(engine.url.database))
    place = source.with_name(f"{source.name}.v{version}-{now:%Y%m%dT%H%M%SZ}")
    unfinished = place.with_name(f".{place.name}.unfinished")
    # Of upgrades that were killed; nothing writes one now, as the caller holds the lock.
    for left in source.parent.glob(f".{source.name}.v*.unfinished"):
        with suppress(OSError):
            left.unlink()
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        reader = sqlite3.connect(source)
        writer = sqlite3.connect(unfinished)
        try:
            reader.backup(writer)
        finally:
            writer.close()
            reader.close()
        descriptor = os.open(unfinished, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(place)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            unfinished.unlink()
        raise Unavailable(
            schema.unavailable,
            f"a copy of the database cannot be written: {error}",
            where=str(place),
        ) from error
    return place
