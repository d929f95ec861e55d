"""What each chassis was last sent: one row, written with the answer's journal entry.

The data are kept as they were signed, but for the nonce, so that nothing is computed from them
while a router waits: secrets in them are hidden when they are read. They are the secrets of the
inventory, which is in the same database. Source: docs/operator.md#what-was-last-sent.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, text

from bootz.server.ports import CallRecord
from bootz.server.store.schema import SENT_DATA
from bootz.sql.prepared import Prepared, Row
from bootz.sql.times import from_text

MAX_KEPT: Final = 1 << 20
"""Bytes of one chassis's data, compressed; of larger data only digest and size are kept."""

_KEEP: Final = Prepared(
    text(
        "INSERT INTO sent_data (chassis_id, since, dialect, reached_at, sha256, size, content)"
        " VALUES (:chassis_id, :since, :dialect, :reached_at, :sha256, :size, :content)"
        " ON CONFLICT (chassis_id) DO UPDATE SET since = excluded.since,"
        " dialect = excluded.dialect, reached_at = excluded.reached_at,"
        " sha256 = excluded.sha256, size = excluded.size, content = excluded.content"
        " WHERE sent_data.sha256 <> excluded.sha256 OR sent_data.dialect <> excluded.dialect"
        " OR sent_data.reached_at <> excluded.reached_at"
    ),
    columns=("chassis_id", "since", "dialect", "reached_at", "sha256", "size", "content"),
)


@dataclass(frozen=True, slots=True)
class SentData:
    """What a chassis was last sent, without the nonce.

    ``since`` is when these data were first sent; ``reached_at`` host and port at which the router
    reached the server; ``size`` in bytes, of ``content``, which is None where it was too large to
    be kept.
    """

    since: datetime
    dialect: str
    reached_at: tuple[str, int]
    sha256: str
    size: int
    content: bytes | None = field(repr=False)


def keep_sent(connection: Connection, calls: Sequence[tuple[int, str, CallRecord]]) -> None:
    """Keep what these chassis, by their keys, were sent, and when; the last of each counts."""
    if calls:
        last = {key: (since, call) for key, since, call in calls}
        _KEEP.run(connection, [_row(key, since, call) for key, (since, call) in last.items()])


def last_sent(connection: Connection, chassis_key: int) -> SentData | None:
    """Return what a chassis was last sent, None where nothing is on record."""
    row = connection.execute(select(SENT_DATA).where(SENT_DATA.c.chassis_id == chassis_key)).first()
    if row is None:
        return None
    host, _, port = row.reached_at.rpartition(":")
    return SentData(
        since=from_text(row.since),
        dialect=row.dialect,
        reached_at=(host, int(port)),
        sha256=row.sha256,
        size=row.size,
        content=None if row.content is None else zlib.decompress(row.content),
    )


def _row(key: int, since: str, call: CallRecord) -> Row:
    packed = zlib.compress(call.content, 1)
    host, port = call.reached_at
    return (
        key,
        since,
        call.written,
        f"{host}:{port}",
        call.content_sha256,
        len(call.content),
        packed if len(packed) <= MAX_KEPT else None,
    )
