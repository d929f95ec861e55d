"""The tables of a rehearsal: temporary ones, which stand before the inventory's own.

While a rehearsal runs, a name means its temporary table, which has what was brought and written.
What reads rows by serial numbers, or all rows, asks here first; on any other connection that
changes nothing.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Column, Connection, FromClause, MetaData, Select, Table, insert, select

from bootz.server.store.schema import (
    AUDIT,
    CARD,
    CHASSIS,
    CHASSIS_LABEL,
    IMAGE,
    IMAGE_USE,
    META,
    PROFILE,
    SERIAL,
    VENDOR,
    VOUCHER,
)

REHEARSED: Final = "bootz_rehearsed"
"""In ``Connection.info`` while a rehearsal runs on it."""

WHOLE: Final = (VENDOR, PROFILE, IMAGE)
"""Tables that are copied as a whole: they are small."""
PARTS: Final = (CARD, SERIAL, CHASSIS_LABEL, IMAGE_USE)
"""Tables of which a chassis has rows; ``chassis_id`` says whose they are."""
_COUNTED_BY_ITSELF: Final = frozenset({CARD.name, IMAGE_USE.name})
"""Tables whose keys mean nothing elsewhere: a copied row gets another."""


def _tables(schema: str, prefix: str = "") -> dict[str, Table]:
    """Return the tables in another schema of SQLite, by name; of their keys the primary one."""
    metadata = MetaData(schema=schema)
    return {
        table.name: Table(
            f"{prefix}{table.name}",
            metadata,
            *[
                Column(
                    column.name,
                    column.type,
                    primary_key=column.primary_key,
                    nullable=column.nullable,
                    index=column.name == "chassis_id",
                    server_default=column.server_default,
                )
                for column in table.columns
            ],
            # No number of a voucher that is brought later is given to one that is added.
            sqlite_autoincrement=table is VOUCHER,
        )
        for table in (META, AUDIT, *WHOLE, CHASSIS, *PARTS, VOUCHER)
    }


MAIN: Final = _tables("main")
"""The inventory's own, whatever stands before them."""
TEMPORARY: Final = _tables("temp")
KEPT: Final = _tables("temp", "rehearsed_")
"""The temporary tables after the rehearsal, when the inventory's names are its own again."""


BROUGHT: Final = Table(
    "rehearsed_voucher_serials",
    MetaData(schema="temp"),
    Column("serial_folded", VOUCHER.c.serial_folded.type, primary_key=True),
)
"""Whose vouchers were brought, all of them: of these what is gone was taken away."""


def columns_of(name: str) -> list[str]:
    """Return the columns that a copied row keeps, in one order."""
    names = [column.name for column in MAIN[name].columns]
    return [each for each in names if each != "id"] if name in _COUNTED_BY_ITSELF else names


def copy_rows(
    connection: Connection, name: str, rows: Select[tuple[object, ...]], into: Table
) -> None:
    """Copy rows, which ``rows`` selects with all columns of ``columns_of``."""
    connection.execute(insert(into).from_select(columns_of(name), rows))


def rows_of(table: Table, name: str) -> Select[tuple[object, ...]]:
    """Return the query of a table's rows as ``copy_rows`` wants it."""
    return select(*(table.c[each] for each in columns_of(name)))


def bring(connection: Connection, serials: Collection[str]) -> None:
    """In a rehearsal, bring the chassis that have one of these folded serial numbers on record.

    What was brought before stays as it was written since.
    """
    if REHEARSED not in connection.info:
        return
    serial, chassis = MAIN[SERIAL.name], TEMPORARY[CHASSIS.name]
    found = connection.scalars(
        select(serial.c.chassis_id)
        .where(
            serial.c.serial_folded.in_(serials), serial.c.chassis_id.not_in(select(chassis.c.id))
        )
        .distinct()
    ).all()
    if found:
        _bring_keys(connection, found)


def _bring_keys(connection: Connection, keys: Collection[int]) -> None:
    for table, key in [(CHASSIS, "id"), *((part, "chassis_id") for part in PARTS)]:
        main = MAIN[table.name]
        rows = rows_of(main, table.name).where(main.c[key].in_(keys))
        copy_rows(connection, table.name, rows, TEMPORARY[table.name])


def bring_vouchers(connection: Connection, serial: str) -> None:
    """In a rehearsal, bring all vouchers for a folded serial number, and whose it is on record."""
    if REHEARSED not in connection.info:
        return
    bring(connection, [serial])
    if connection.scalar(select(BROUGHT).where(BROUGHT.c.serial_folded == serial)) is None:
        connection.execute(insert(BROUGHT).values(serial_folded=serial))
        main = MAIN[VOUCHER.name]
        rows = rows_of(main, VOUCHER.name).where(main.c.serial_folded == serial)
        copy_rows(connection, VOUCHER.name, rows, TEMPORARY[VOUCHER.name])


def seen(connection: Connection, table: Table) -> FromClause:
    """Return where all rows of chassis, cards or vouchers are read, with what a rehearsal wrote."""
    if REHEARSED not in connection.info:
        return table
    main, chassis = MAIN[table.name], TEMPORARY[CHASSIS.name]
    if table is VOUCHER:
        key, brought = main.c.serial_folded, select(BROUGHT.c.serial_folded)
    else:
        key, brought = main.c["id" if table is CHASSIS else "chassis_id"], select(chassis.c.id)
    others = select(main).where(key.not_in(brought))
    return others.union_all(select(TEMPORARY[table.name])).subquery(table.name)
