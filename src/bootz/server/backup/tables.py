"""All rows of a site's tables, from one database to another, of whichever engine.

A backup keeps the database as an SQLite file, so that a site can be restored to either engine,
and to another version of PostgreSQL.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table, func, insert, select, text

from bootz.errors import ConflictError, Unavailable
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import METADATA
from bootz.sql.engine import Begin, make_file, sqlite_engine, transaction

_UNAVAILABLE: Final = "database-unavailable"
_LAST: Final = text("SELECT pg_sequence_last_value(CAST(:name AS regclass))")
_BATCH: Final = 1000
"""Rows in memory at a time."""


def copy_file(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, while others read and write it.

    Raises:
        Unavailable: one of them cannot be used.
    """
    try:
        make_file(target)
        reader = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        writer = sqlite3.connect(target)
        try:
            # All pages in one step: a writer in between would begin the copy again.
            reader.backup(writer, pages=-1)
            # One file, whatever the journal of its source.
            writer.execute("PRAGMA journal_mode=DELETE")
        finally:
            writer.close()
            reader.close()
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(
            _UNAVAILABLE, f"it cannot be copied: {error}", where="database"
        ) from error


def copy_to_file(source: Engine, target: Path) -> None:
    """Copy all rows as they are at one moment into a new SQLite file.

    Raises:
        ConfigError: the tables are of another version.
        Unavailable: one of them cannot be used.
    """
    make_file(target)
    written = sqlite_engine(target)
    try:
        with (
            transaction(source, Begin.READ, unavailable=_UNAVAILABLE) as reading,
            transaction(written, Begin.WRITE, unavailable=_UNAVAILABLE) as writing,
        ):
            SITE_SCHEMA.check(SITE_SCHEMA.found(reading))
            METADATA.create_all(writing)
            _copy_rows(reading, writing)
            _raise_counters(writing, _last_keys(reading))
        with written.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    finally:
        written.dispose()


def fill(source: Path, target: Engine) -> None:
    """Copy all rows of an SQLite file into a database without tables, in one transaction.

    Raises:
        ConflictError: ``database-in-use``: it has tables of a site.
        Unavailable: one of them cannot be used.
    """
    read = sqlite_engine(source)
    try:
        with (
            transaction(read, Begin.READ, unavailable=_UNAVAILABLE) as reading,
            transaction(target, Begin.WRITE, unavailable=_UNAVAILABLE) as writing,
        ):
            if SITE_SCHEMA.found(writing) is not None:
                raise ConflictError("database-in-use", "it contains a site", where="database")
            METADATA.create_all(writing)
            _copy_rows(reading, writing)
            _raise_counters(writing, _last_keys(reading))
    finally:
        read.dispose()


def _copy_rows(reading: Connection, writing: Connection) -> None:
    for table in METADATA.sorted_tables:
        # A cursor of the server, so that a long journal is not held in memory.
        rows = reading.execution_options(yield_per=_BATCH).execute(select(table))
        for batch in rows.mappings().partitions(_BATCH):
            writing.execute(insert(table), [dict(row) for row in batch])


def _counted() -> tuple[Table, ...]:
    """Return the tables whose keys the database gives."""
    return tuple(
        table for table in METADATA.sorted_tables if table.autoincrement_column is not None
    )


def _last_keys(connection: Connection) -> Mapping[str, int]:
    """Return the last key that each table gave, also where its row is gone: none comes twice."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        given = {row.name: int(row.seq) for row in rows}
    else:
        given = {}
        for table in _counted():
            sequence = _sequence(connection, table)
            given[table.name] = connection.scalar(_LAST, {"name": sequence}) or 0
    for table in _counted():
        highest = connection.scalar(select(func.max(table.autoincrement_column))) or 0
        given[table.name] = max(given.get(table.name, 0), highest)
    return given


def _raise_counters(connection: Connection, last: Mapping[str, int]) -> None:
    embedded = connection.dialect.name == "sqlite"
    for table in _counted():
        key = last.get(table.name, 0)
        if not key:
            continue
        if embedded:
            values = {"name": table.name, "key": key}
            done = connection.execute(
                text("UPDATE sqlite_sequence SET seq = :key WHERE name = :name"), values
            )
            if not done.rowcount and table.dialect_options["sqlite"]["autoincrement"]:
                connection.execute(
                    text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :key)"), values
                )
        elif (sequence := _sequence(connection, table)) is not None:
            connection.execute(text("SELECT setval(:name, :key)"), {"name": sequence, "key": key})


def _sequence(connection: Connection, table: Table) -> str | None:
    column = table.autoincrement_column
    name: str | None = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"),
        {"table": table.name, "column": "" if column is None else column.name},
    )
    return name
