"""The audit: who changed what, from where, and how it ended; append-only and hash-chained.

Each entry holds the digest of the one before, and its own digest over all of its fields. Who
changes an entry, takes one out or puts one in must change every entry after it; whoever kept a
digest (an export, a line in another log) sees that. Secrets are in it as fingerprints only.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, insert, select, update

from bootz.server.operations.secrets import make_fingerprinter, masked_object
from bootz.server.operations.texts import dump_json, load_object
from bootz.server.store.actor import actor_of
from bootz.server.store.schema import AUDIT
from bootz.server.store.words import bounded
from bootz.sql.times import from_text, to_text

DONE: Final = "done"
"""The outcome of a change that was made; any other is the code of the reason it was refused."""
FIRST: Final = "0" * 64
"""What stands for the digest before the first entry."""
MAX_DOCUMENT: Final = 64 * 1024
"""Characters of one side of a change; of a longer one its digest and size are kept."""

_HASHED: Final = ("id", "at", "actor", "origin", "verb", "object", "before", "after", "outcome")

Document = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry; ``before`` and ``after`` are documents without secrets, empty where none was."""

    id: int
    at: datetime
    actor: str
    origin: str
    verb: str
    object: str
    before: Document
    after: Document
    outcome: str
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What ``verify`` found: ``entries`` hold up to the first broken one, None where all do."""

    entries: int
    broken: int | None
    detail: str
    head: str
    """The digest of the last entry that holds: what to keep elsewhere."""


@dataclass(frozen=True, slots=True)
class Note:
    """One change, before it is written down.

    ``verb`` is ``chassis.add`` and the like, ``about`` the name of the thing; ``before`` and
    ``after`` are its documents, None where it was not there, or is gone.
    """

    verb: str
    about: str
    before: Document | None = None
    after: Document | None = None
    outcome: str = DONE


def note(
    connection: Connection,
    verb: str,
    about: str,
    *,
    before: Document | None = None,
    after: Document | None = None,
    outcome: str = DONE,
) -> None:
    """Append one entry, as ``note_all`` does."""
    note_all(connection, [Note(verb, about, before, after, outcome)])


def note_all(connection: Connection, notes: Sequence[Note]) -> None:
    """Append entries in the transaction that makes the changes, so that all stand or none.

    ``connection`` is in a writing transaction of the inventory: such come one after the other.
    """
    if not notes:
        return
    actor = actor_of(connection)
    fingerprint = make_fingerprinter(connection)
    tail = tail_of(connection)
    previous = tail.digest
    at = to_text(datetime.now(UTC))
    rows: list[dict[str, Any]] = []
    for number, each in enumerate(notes, tail.id + 1):
        row: dict[str, Any] = {
            "id": number,
            "at": at,
            "actor": bounded(actor.name),
            "origin": bounded(actor.origin),
            "verb": each.verb,
            "object": bounded(each.about),
            "before": _text(masked_object(each.before or {}, fingerprint)),
            "after": _text(masked_object(each.after or {}, fingerprint)),
            "outcome": bounded(each.outcome),
            "previous": previous,
        }
        row["digest"] = previous = _digest(row)
        rows.append(row)
    connection.execute(insert(AUDIT), rows)


@dataclass(frozen=True, slots=True)
class Tail:
    """The last entry, which the next one follows."""

    id: int
    digest: str


def tail_of(connection: Connection) -> Tail:
    """Return the last entry; what stands for it where there is none."""
    last = connection.execute(
        select(AUDIT.c.id, AUDIT.c.digest).order_by(AUDIT.c.id.desc()).limit(1)
    ).first()
    return Tail(0, FIRST) if last is None else Tail(last.id, last.digest)


def follow(connection: Connection, table: Table, before: Tail, now: Tail) -> None:
    """Let entries that wait to be appended follow another one.

    ``table`` has them, after an entry ``before`` that may be there too.
    """
    waiting = table.c.id > before.id
    # In two steps, as no two entries may have one number in between.
    for number in (-(table.c.id - before.id + now.id), -table.c.id):
        connection.execute(update(table).where(waiting).values(id=number))
        waiting = table.c.id < 0
    at, after, previous = to_text(datetime.now(UTC)), now.id, now.digest
    chained = update(table).where(table.c.id == bindparam("number"))
    while True:
        page = connection.execute(
            select(table).where(table.c.id > after).order_by(table.c.id).limit(1000)
        ).mappings()
        changes: list[dict[str, Any]] = []
        for row in page:
            new = {**row, "at": at, "previous": previous}
            previous = _digest(new)
            changes.append(
                {"number": row["id"], "at": at, "previous": new["previous"], "digest": previous}
            )
        if not changes:
            return
        connection.execute(chained, changes)
        after = changes[-1]["number"]


def verify(connection: Connection) -> AuditVerdict:
    """Go through all entries, and name the first that is not as it was written."""
    previous, expected, checked = FIRST, 1, 0
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings():
        flaw = ""
        if row["id"] != expected:
            flaw = f"entry {expected} is missing"
        elif row["previous"] != previous:
            flaw = "it does not follow the entry before"
        elif row["digest"] != _digest(row):
            flaw = "its content is not what was written"
        if flaw:
            return AuditVerdict(checked, expected, flaw, previous)
        previous, expected, checked = row["digest"], expected + 1, checked + 1
    return AuditVerdict(checked, None, "", previous)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; a field that is empty or None does not choose."""

    actor: str = ""
    verb: str = ""
    object: str = ""
    since: datetime | None = None
    before: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row of ``AUDIT`` must meet; a verb also chooses those below it."""
        wanted: list[ColumnElement[bool]] = []
        if self.actor:
            wanted.append(AUDIT.c.actor == self.actor)
        if self.verb:
            below = AUDIT.c.verb.startswith(f"{self.verb}.", autoescape=True)
            wanted.append((AUDIT.c.verb == self.verb) | below)
        if self.object:
            wanted.append(AUDIT.c.object == self.object)
        if self.since is not None:
            wanted.append(AUDIT.c.at >= to_text(self.since))
        if self.before is not None:
            wanted.append(AUDIT.c.id < self.before)
        return wanted


def latest_entries(
    connection: Connection, wanted: AuditFilter, *, most: int
) -> tuple[AuditEntry, ...]:
    """Return the latest entries, newest first."""
    rows = connection.execute(
        select(AUDIT).where(*wanted.conditions()).order_by(AUDIT.c.id.desc()).limit(most)
    )
    return tuple(_entry(row) for row in rows)


def all_entries(connection: Connection, wanted: AuditFilter) -> Iterator[AuditEntry]:
    """Return all entries, oldest first, in constant memory."""
    after = 0
    while True:
        page = connection.execute(
            select(AUDIT)
            .where(*wanted.conditions(), AUDIT.c.id > after)
            .order_by(AUDIT.c.id)
            .limit(1000)
        ).all()
        if not page:
            return
        yield from map(_entry, page)
        after = page[-1].id


def has_digest(connection: Connection, digest: str) -> bool:
    """Return whether an entry has this digest (64 hex digits)."""
    found = select(AUDIT.c.id).where(AUDIT.c.digest == digest.lower())
    return digest == FIRST or connection.scalar(found) is not None


def audit_record(entry: AuditEntry) -> dict[str, JsonValue]:
    """Return an entry as machines get it."""
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "origin": entry.origin,
        "verb": entry.verb,
        "object": entry.object,
        "before": dict(entry.before),
        "after": dict(entry.after),
        "outcome": entry.outcome,
        "previous": entry.previous,
        "digest": entry.digest,
    }


def _text(document: Document) -> str:
    text = dump_json(document)
    if len(text) <= MAX_DOCUMENT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return dump_json({"too_long": True, "characters": len(text), "sha256": digest})


def _digest(values: Mapping[Any, Any]) -> str:
    parts = [str(values[name]).encode() for name in _HASHED]
    hashed = hashlib.sha256(bytes.fromhex(values["previous"]))
    for part in parts:
        # Lengths first: no two entries have the same bytes.
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.hexdigest()


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=from_text(row.at),
        actor=row.actor,
        origin=row.origin,
        verb=row.verb,
        object=row.object,
        before=load_object(row.before),
        after=load_object(row.after),
        outcome=row.outcome,
        previous=row.previous,
        digest=row.digest,
    )
