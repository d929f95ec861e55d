"""A long change of the inventory, tried beside the database and then put into it at once.

SQLite has one writer at a time. What reads, judges and writes thousands of rows would hold up
every router's entry in the journal for seconds. Here it runs against temporary tables of its own
connection (``rehearsal_tables.py``), to which what is on record is brought as it is asked for.
Then one short transaction puts the rows that were written into the database, if the inventory is
still the one that was read.

The temporary tables are in a file without a name that only this process reads; they end with the
connection.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, NoReturn, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    func,
    select,
    text,
    true,
)
from sqlalchemy import update as update_of
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from bootz.errors import BootzError
from bootz.server.operations.audit import Tail, follow, tail_of
from bootz.server.operations.secrets import has_fingerprint_key, make_fingerprinter
from bootz.server.store.actor import Actor, set_actor
from bootz.server.store.database import Database
from bootz.server.store.rehearsal_tables import (
    BROUGHT,
    KEPT,
    MAIN,
    PARTS,
    REHEARSED,
    TEMPORARY,
    WHOLE,
    columns_of,
    copy_rows,
    rows_of,
)
from bootz.server.store.schema import AUDIT, CHASSIS, IMAGE_USE, META, VOUCHER
from bootz.sql.prepared import driver_of

_COUNTERS: Final = ("revision", "shared_revision", "chassis")
_CACHE_KIB: Final = 16_000
"""Of pages in memory, so that some ten thousand chassis are put in place without the disk."""
_REHEARSALS: Final = 3
"""Before a change that others overtake each time is made in the transaction itself."""

_Result = TypeVar("_Result")
_Answer = TypeVar("_Answer")


def change_rehearsed(
    database: Database,
    actor: Actor | None,
    work: Callable[[Connection], _Result],
    *,
    keeps: Callable[[_Result], bool],
) -> _Result:
    """Make a long change of the inventory, and return what the work returned.

    Args and errors: as of ``finish_rehearsed``.
    """
    return finish_rehearsed(
        database, actor, work, keeps=keeps, finish=lambda connection, do: do(connection)
    )


def finish_rehearsed(
    database: Database,
    actor: Actor | None,
    work: Callable[[Connection], _Result],
    *,
    keeps: Callable[[_Result], bool],
    finish: Callable[[Connection, Callable[[Connection], _Result]], _Answer],
) -> _Answer:
    """Make a long change of the inventory that holds up others for a moment only.

    Args:
        database: where the inventory is. With PostgreSQL, where inventory and journal have locks
            of their own, all is done in one transaction.
        actor: whom the audit names; None: the one that the database was opened for.
        work: the change, on the connection that it is given; it may be done several times.
        keeps: whether what it returned is to stay; else it is undone.
        finish: what is done in the writing transaction; what it is given does the work.

    Raises:
        BootzError: whatever the work raises, and ``finish``; nothing has changed then.
    """
    for _ in range(_REHEARSALS if database.embedded else 0):
        with database.apart() as connection:
            rehearsal = Rehearsal(database, connection)
            tried = _tried(rehearsal, actor, work, keeps)
            try:
                with rehearsal.write(actor) as connection:
                    return finish(connection, tried)
            except InventoryMovedError:
                continue

    def work_here(connection: Connection) -> _Result:
        result = work(connection)
        if not keeps(result):
            connection.rollback()
        return result

    with database.write(actor) as connection:
        return finish(connection, work_here)


def _tried(
    rehearsal: "Rehearsal",
    actor: Actor | None,
    work: Callable[[Connection], _Result],
    keeps: Callable[[_Result], bool],
) -> Callable[[Connection], _Result]:
    """Rehearse work, and return what does it in the writing transaction."""
    with rehearsal.run(actor) as connection:
        try:
            result = work(connection)
        except BootzError as error:
            return partial(_refuse, error)

    def merge(connection: Connection) -> _Result:
        if keeps(result):
            rehearsal.merge(connection)
        return result

    return merge


def _refuse(error: BootzError, _connection: Connection) -> NoReturn:
    raise error


class InventoryMovedError(Exception):
    """The inventory is no longer the one that a rehearsal has read: it is to be done again."""


class Rehearsal:
    """One rehearsal of a change, on a connection of its own, with SQLite.

    Args:
        database: where the inventory is.
        connection: to it; ends with this.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self._counted: dict[str, int] = {}
        self._tail = Tail(0, "")
        self._voucher = 0
        self._changed = False

    @contextmanager
    def run(self, actor: Actor | None) -> Iterator[Connection]:
        """One view of the inventory in which a change is tried; nothing of it reaches the database.

        Whatever an import writes can be written: vendors, images, profiles, chassis, vouchers.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        with self._database.read() as connection:
            has_key = has_fingerprint_key(connection)
        if not has_key:
            # The one thing that the audit would write besides.
            with self._database.write() as connection:
                make_fingerprinter(connection)
        with self._database.read(on=self._connection) as connection:
            self._fill(connection)
            set_actor(connection, actor or self._database.actor)
            connection.info[REHEARSED] = True
            try:
                yield connection
            finally:
                del connection.info[REHEARSED]
            self._keep(connection)

    @contextmanager
    def write(self, actor: Actor | None = None) -> Iterator[Connection]:
        """One transaction as of ``Database.write``, in which ``merge`` may be called.

        Raises:
            Unavailable: the database does not answer or refuses.
        """
        # What can be done before does not hold up others.
        with self._database.read(on=self._connection) as connection:
            self._chain(connection)
        # Whoever writes the journal is woken at once when this has ended.
        with (
            self._database.journal_turn(),
            self._database.write(actor, on=self._connection) as connection,
        ):
            yield connection
        # What grew much is taken over from the log here, not in the next commit of a router.
        driver_of(self._connection).execute("PRAGMA wal_checkpoint(PASSIVE)").close()

    def merge(self, connection: Connection) -> None:
        """Put what was written into the database, in the transaction that ``write`` began.

        Raises:
            InventoryMovedError: it is another than it was; nothing was written.
        """
        if _counters(connection, META) != self._counted:
            raise InventoryMovedError
        now = _counters(connection, KEPT[META.name])
        if now["revision"] == self._counted["revision"]:
            return
        if now["shared_revision"] != self._counted["shared_revision"]:
            self._merge_shared(connection)
        self._merge_chassis(connection)
        self._merge_vouchers(connection)
        self._chain(connection)
        audit = KEPT[AUDIT.name]
        rows = rows_of(audit, AUDIT.name).where(audit.c.id > self._tail.id).order_by(audit.c.id)
        copy_rows(connection, AUDIT.name, rows, MAIN[AUDIT.name])
        for counter in _COUNTERS:
            connection.execute(
                update_of(META).where(META.c.key == counter).values(value=now[counter])
            )

    def _merge_shared(self, connection: Connection) -> None:
        for table in WHOLE:
            kept, main = KEPT[table.name], MAIN[table.name]
            other = rows_of(kept, table.name).except_(rows_of(main, table.name)).subquery()
            _put(connection, table.name, kept.c.id.in_(select(other.c.id)))
        uses, kept = MAIN[IMAGE_USE.name], KEPT[IMAGE_USE.name]
        connection.execute(delete(uses).where(uses.c.profile_id.is_not(None)))
        rows = rows_of(kept, IMAGE_USE.name).where(kept.c.profile_id.is_not(None))
        copy_rows(connection, IMAGE_USE.name, rows, uses)

    def _merge_chassis(self, connection: Connection) -> None:
        if self._changed:
            kept = KEPT[CHASSIS.name]
            changed = select(kept.c.id).where(kept.c.id <= self._counted["chassis"])
            for part in PARTS:
                main = MAIN[part.name]
                connection.execute(delete(main).where(main.c.chassis_id.in_(changed)))
        _put(connection, CHASSIS.name)
        for part in PARTS:
            kept = KEPT[part.name]
            rows = rows_of(kept, part.name).order_by(*kept.primary_key.columns)
            if part is IMAGE_USE:
                rows = rows.where(kept.c.chassis_id.is_not(None))
            copy_rows(connection, part.name, rows, MAIN[part.name])

    def _merge_vouchers(self, connection: Connection) -> None:
        main, kept = MAIN[VOUCHER.name], KEPT[VOUCHER.name]
        gone = (
            main.c.serial_folded.in_(select(BROUGHT.c.serial_folded)),
            main.c.id.not_in(select(kept.c.id)),
        )
        connection.execute(delete(main).where(*gone))
        rows = rows_of(kept, VOUCHER.name).where(kept.c.id > self._voucher).order_by(kept.c.id)
        copy_rows(connection, VOUCHER.name, rows, main)

    def _fill(self, connection: Connection) -> None:
        for schema in ("main", "temp"):
            connection.exec_driver_sql(f"PRAGMA {schema}.cache_size=-{_CACHE_KIB}")
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        for table in TEMPORARY.values():
            table.create(connection, checkfirst=False)
        for table in (META, *WHOLE):
            rows = rows_of(MAIN[table.name], table.name)
            copy_rows(connection, table.name, rows, TEMPORARY[table.name])
        uses, audit = MAIN[IMAGE_USE.name], MAIN[AUDIT.name]
        rows = rows_of(uses, IMAGE_USE.name).where(uses.c.profile_id.is_not(None))
        copy_rows(connection, IMAGE_USE.name, rows, TEMPORARY[IMAGE_USE.name])
        last = select(func.max(audit.c.id)).scalar_subquery()
        rows = rows_of(audit, AUDIT.name).where(audit.c.id == last)
        copy_rows(connection, AUDIT.name, rows, TEMPORARY[AUDIT.name])
        BROUGHT.create(connection, checkfirst=False)
        self._fill_vouchers(connection)
        self._counted = _counters(connection, META)
        self._tail = tail_of(connection)

    def _fill_vouchers(self, connection: Connection) -> None:
        """Bring none, but let those that are added have the numbers that they will have."""
        main, temporary = MAIN[VOUCHER.name], TEMPORARY[VOUCHER.name]
        self._voucher = connection.scalar(select(func.max(main.c.id))) or 0
        rows = rows_of(main, VOUCHER.name).where(main.c.id == self._voucher)
        copy_rows(connection, VOUCHER.name, rows, temporary)
        connection.execute(delete(temporary))

    def _keep(self, connection: Connection) -> None:
        """Give the inventory its names back, and keep only what was written."""
        for name, table in KEPT.items():
            connection.execute(text(f"ALTER TABLE temp.{name} RENAME TO {table.name}"))
        # What was only brought is taken out here, so that the transaction need not choose.
        chassis = KEPT[CHASSIS.name]
        connection.execute(delete(chassis).where(chassis.c.revision <= self._counted["revision"]))
        for part in PARTS:
            kept = KEPT[part.name]
            others = kept.c.chassis_id.not_in(select(chassis.c.id))
            connection.execute(delete(kept).where(others))
        changed = select(chassis.c.id).where(chassis.c.id <= self._counted["chassis"]).limit(1)
        self._changed = connection.scalar(changed) is not None

    def _chain(self, connection: Connection) -> None:
        """Let the new entries of the audit follow what others have entered in the meantime."""
        tail = tail_of(connection)
        if tail != self._tail:
            follow(connection, KEPT[AUDIT.name], self._tail, tail)
            self._tail = tail


def _put(connection: Connection, name: str, *conditions: ColumnElement[bool]) -> None:
    """Put rows that have keys of their own into the database, new or in place of what was there."""
    kept = KEPT[name]
    rows: Select[tuple[object, ...]] = (
        rows_of(kept, name).where(*(conditions or (true(),))).order_by(kept.c.id)
    )
    names = columns_of(name)
    put = insert_or_update(MAIN[name]).from_select(names, rows)
    connection.execute(
        put.on_conflict_do_update(
            index_elements=["id"],
            set_={each: put.excluded[each] for each in names if each != "id"},
        )
    )


def _counters(connection: Connection, table: Table) -> dict[str, int]:
    rows = connection.execute(select(table.c.key, table.c.value).where(table.c.key.in_(_COUNTERS)))
    return {row.key: row.value for row in rows}
