"""A site of any size out of a dump: its rows again and again, by statements of both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, Table, literal_column, select, text, true, update

EVENTS_OF_ATTEMPT = 4


@dataclass(frozen=True)
class Size:
    """How many rows are added; each chassis has a card, two serial numbers and a voucher."""

    chassis: int
    attempts: int

    @property
    def events(self) -> int:
        return self.attempts * EVENTS_OF_ATTEMPT

    @property
    def rows(self) -> dict[str, int]:
        return {
            "chassis": self.chassis,
            "card": self.chassis,
            "serial": 2 * self.chassis,
            "voucher": self.chassis,
            "attempt": self.attempts,
            "event": self.events,
        }


def fill(connection: Connection, size: Size) -> None:
    """Add so many rows, with what the first successful attempt of the dump has in them."""
    tables = MetaData()
    tables.reflect(connection)
    table = tables.tables
    attempt = table["attempt"]
    pattern = connection.execute(
        select(attempt).where(attempt.c.state == "success").order_by(attempt.c.id)
    ).first()
    assert pattern is not None, "the dump has no router that was onboarded"
    chassis, tried = pattern.chassis_id, pattern.id
    many, tries = size.chassis, size.attempts
    # A key that no row of the dump has.
    first, begun = 1_000, 1_000

    def again(name: str, where: str, count: int, own: Mapping[str, str]) -> None:
        _again(connection, table[name], where, count, own)

    again(
        "chassis",
        f"id = {chassis}",
        many,
        {
            "id": f"{first} + i",
            "serial": "'BIG' || i",
            "hostname": "'big-' || i",
            "url_tag": "'big' || i",
        },
    )
    again(
        "card",
        "id = (SELECT min(id) FROM card)",
        many,
        {"id": f"{first} + i", "chassis_id": f"{first} + i", "serial": "'BIG' || i || 'RP0'"},
    )
    for name in ("'big' || i", "'big' || i || 'rp0'"):
        again(
            "serial",
            f"serial_folded = (SELECT min(serial_folded) FROM serial WHERE chassis_id = {chassis})",
            many,
            {"serial_folded": name, "chassis_id": f"{first} + i"},
        )
    again(
        "voucher",
        "id = (SELECT min(id) FROM voucher)",
        many,
        {
            "id": f"{first} + i",
            "serial": "'BIG' || i || 'RP0'",
            "serial_folded": "'big' || i || 'rp0'",
        },
    )
    again(
        "attempt",
        f"id = {tried}",
        tries,
        {
            "id": f"{begun} + i",
            "chassis_id": f"{first} + 1 + i % {many}",
            "number": f"1 + i / {many}",
            "claimed_serial": f"'BIG' || (1 + i % {many}) || 'RP0'",
            "serial_folded": f"'big' || (1 + i % {many}) || 'rp0'",
            "proven_serial": f"'BIG' || (1 + i % {many}) || 'RP0'",
            "nonce_digest": "'nonce' || i",
        },
    )
    again(
        "event",
        f"id = (SELECT max(id) FROM event WHERE attempt_id = {tried})",
        tries * EVENTS_OF_ATTEMPT,
        {"id": f"{begun} + i", "attempt_id": f"{begun} + 1 + (i - 1) / {EVENTS_OF_ATTEMPT}"},
    )
    meta = table["meta"]
    for key, value in {"chassis": first + many, "journal": begun + tries}.items():
        connection.execute(update(meta).where(meta.c.key == key).values(value=value))
    if connection.dialect.name == "postgresql":
        for name in ("card", "voucher", "event"):
            connection.execute(
                text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")
            )


def _again(
    connection: Connection, table: Table, where: str, count: int, own: Mapping[str, str]
) -> None:
    """Insert one row so often, with ``own`` columns as expressions of ``i``, from 1 on."""
    names: Sequence[str] = [column.name for column in table.columns]
    numbers = text(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        "SELECT i FROM n"
    )
    counted = numbers.columns(literal_column("i")).subquery("n")
    chosen = [literal_column(f"({own[name]})") if name in own else table.c[name] for name in names]
    source = select(*chosen).select_from(table.join(counted, true())).where(text(where))
    connection.execute(table.insert().from_select(names, source))
