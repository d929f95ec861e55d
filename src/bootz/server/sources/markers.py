"""Which chassis belong to which source, and what a source last said of each; in the database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy import delete as delete_from

from bootz.errors import BootzError
from bootz.server.operations.texts import load_object
from bootz.server.sources.mapping import DeviceFault
from bootz.server.store.schema import SOURCE, SOURCE_CHASSIS
from bootz.sql.times import from_optional_text, to_text

MAX_FAULTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Marker:
    """A chassis that belongs to a source.

    ``chassis`` is the database's key, ``device`` the source's id; ``text`` is the document that was
    last taken from it, as JSON: of ten thousand, objects would take 50 MiB. ``gone`` are the syncs
    in a row in which it was not there. ``left``: it is out of the selection, which is not a fault.
    ``held``: a sync put it on hold.
    """

    chassis: int
    source: str
    device: str
    url: str
    status: str
    text: str = field(repr=False)
    gone: int = 0
    left: bool = False
    held: bool = False
    pushed: str = ""
    push_after: datetime | None = None
    push_tries: int = 0
    push_reason: str = ""

    @property
    def said(self) -> dict[str, JsonValue]:
        """The document that was last taken from the source."""
        return load_object(self.text)


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the database knows of a source: its last failure since a success, and the faults."""

    failed_at: datetime | None = None
    reason: str = ""
    detail: str = ""
    failures: int = 0
    faults: Sequence[Mapping[str, JsonValue]] = ()


def read_markers(connection: Connection, source: str | None = None) -> list[Marker]:
    """Return the chassis that belong to a source, or to any."""
    chosen = select(SOURCE_CHASSIS).order_by(SOURCE_CHASSIS.c.chassis_id)
    if source is not None:
        chosen = chosen.where(SOURCE_CHASSIS.c.source == source)
    return [_marker(row) for row in connection.execute(chosen)]


def marker_of(connection: Connection, chassis: int) -> Marker | None:
    """Return to whom a chassis belongs, by the database's key; None: to no source."""
    row = connection.execute(
        select(SOURCE_CHASSIS).where(SOURCE_CHASSIS.c.chassis_id == chassis)
    ).first()
    return None if row is None else _marker(row)


def add_markers(connection: Connection, markers: Sequence[Marker]) -> None:
    """Say to whom chassis belong from now on."""
    if markers:
        rows = [{"chassis_id": each.chassis, **_values(each)} for each in markers]
        connection.execute(insert(SOURCE_CHASSIS), rows)


def set_markers(connection: Connection, markers: Iterable[Marker]) -> None:
    """Replace what is noted of chassis."""
    for marker in markers:
        connection.execute(
            update(SOURCE_CHASSIS)
            .where(SOURCE_CHASSIS.c.chassis_id == marker.chassis)
            .values(_values(marker))
        )


def remove_markers(connection: Connection, keys: Iterable[int]) -> None:
    """Take chassis out of their source's hands; nothing else of them changes."""
    for key in keys:
        connection.execute(delete_from(SOURCE_CHASSIS).where(SOURCE_CHASSIS.c.chassis_id == key))


def read_state(connection: Connection, source: str) -> SourceState:
    """Return what is noted of a source."""
    row = connection.execute(select(SOURCE).where(SOURCE.c.name == source)).first()
    if row is None:
        return SourceState()
    return SourceState(
        from_optional_text(row.failed_at),
        row.reason,
        row.detail,
        row.failures,
        json.loads(row.faults),
    )


def note_failure(
    connection: Connection,
    source: str,
    error: BootzError,
    now: datetime,
    faults: Sequence[Mapping[str, JsonValue]] | None = None,
) -> None:
    """Note that a sync has failed; without faults of its own, those of the last success stay."""
    before = read_state(connection, source)
    told = before.faults if faults is None else faults
    _put_state(
        connection,
        source,
        SourceState(now, error.reason, str(error), before.failures + 1, told),
    )


def note_success(
    connection: Connection,
    source: str,
    faults: Sequence[Mapping[str, JsonValue]],
    *,
    reached: bool,
) -> bool:
    """Note that a sync has succeeded, and return whether that changed anything.

    If the source itself was not reached, as from a copy, its last failure stays.
    """
    before = read_state(connection, source)
    after = replace(SourceState() if reached else before, faults=list(faults))
    if before == after:
        return False
    _put_state(connection, source, after)
    return True


def fault_row(fault: DeviceFault) -> dict[str, JsonValue]:
    """Return a fault of a device as machines read it."""
    error = fault.error
    return {
        "device": fault.id,
        "name": fault.name,
        "url": fault.url,
        "reason": error.reason,
        "detail": str(error),
        "expected": error.expected,
        "seen": error.seen,
        "next": error.remedy,
    }


def _put_state(connection: Connection, source: str, state: SourceState) -> None:
    values = {
        "failed_at": None if state.failed_at is None else to_text(state.failed_at),
        "reason": state.reason,
        "detail": state.detail[:400],
        "failures": state.failures,
        "faults": json.dumps(list(state.faults)[:MAX_FAULTS]),
    }
    done = connection.execute(update(SOURCE).where(SOURCE.c.name == source).values(values))
    if done.rowcount == 0:
        connection.execute(insert(SOURCE).values(name=source, **values))


def _values(marker: Marker) -> dict[str, Any]:
    after = marker.push_after
    return {
        "source": marker.source,
        "device": marker.device,
        "url": marker.url,
        "status": marker.status,
        "said": marker.text,
        "gone": marker.gone,
        "left": marker.left,
        "held": marker.held,
        "pushed": marker.pushed,
        "push_after": None if after is None else to_text(after),
        "push_tries": marker.push_tries,
        "push_reason": marker.push_reason,
    }


def _marker(row: Row[Any]) -> Marker:
    return Marker(
        row.chassis_id,
        row.source,
        row.device,
        row.url,
        row.status,
        row.said,
        row.gone,
        row.left,
        row.held,
        row.pushed,
        from_optional_text(row.push_after),
        row.push_tries,
        row.push_reason,
    )
