"""Writes what happened into attempts and events, a batch in one transaction.

A request with a new nonce opens an attempt; the same chassis with the same nonce repeats into
it, and so does a refusal like the one before. A report or download belongs to the chassis's
latest attempt; so does a question whose router gave up waiting and has asked another server
since, and it moves nothing. Who is not proven gets a row without chassis. The disk cannot be
filled: rows without chassis, attempts of a chassis and events of an attempt are bounded, the
oldest go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from bootz.model.chassis import fold_serial
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.drafts import Draft, latest_of, of_nonces, strays_of, write_drafts
from bootz.server.store.entries import (
    Data,
    DownloadRecord,
    Verdict,
    call_data,
    checks_data,
    refusal_key,
    verdict_of,
)
from bootz.server.store.replacements import note_foreign_cards
from bootz.server.store.schema import ATTEMPT, CHASSIS, EVENT
from bootz.server.store.seats import note_seats
from bootz.server.store.sent_data import keep_sent
from bootz.server.store.words import bounded, words_json
from bootz.sql.prepared import Prepared
from bootz.sql.times import from_text, to_text

Entry = CallRecord | DownloadRecord

_BY_TAG: Final = select(CHASSIS.c.id, CHASSIS.c.url_tag).where(
    CHASSIS.c.url_tag.in_(bindparam("tags", expanding=True))
)
_FORGET_OLD: Final = delete(ATTEMPT).where(
    ATTEMPT.c.chassis_id == bindparam("key"), ATTEMPT.c.number <= bindparam("last")
)
_ADD_EVENTS: Final = Prepared(insert(EVENT).inline(), columns=("attempt_id", "at", "kind", "data"))
_PRUNED_EVERY: Final = 256
# No set: members of an Enum are hashed by a function of Python.
_UNREPORTED: Final = (AttemptState.REFUSED, AttemptState.ANSWERED)


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """How much is kept: rows of strangers, attempts of one chassis, events of one attempt."""

    strays: int = 10_000
    attempts: int = 1_000
    events: int = 200


@dataclass(frozen=True, slots=True)
class Onboarded:
    """An attempt that a report has just ended well, and the seconds that it took."""

    vendor: str
    seconds: float


class AttemptLog:
    """Applies batches of entries; remembers only when it last looked for old rows."""

    def __init__(self, limits: JournalLimits) -> None:
        self._limits = limits
        self._strays_since = _PRUNED_EVERY

    def write(self, connection: Connection, entries: Sequence[Entry]) -> Sequence[Onboarded]:
        """Write entries in their order, and return what ended well; the caller commits."""
        batch = _Batch(connection, entries, self._limits)
        for entry in entries:
            if isinstance(entry, CallRecord):
                batch.take_call(entry)
            else:
                batch.take_download(entry)
        batch.flush()
        self._prune(connection, batch)
        return batch.onboarded

    def _prune(self, connection: Connection, batch: "_Batch") -> None:
        old = []
        for draft in batch.opened:
            if draft.chassis_id is None:
                self._strays_since += 1
            elif draft.number > self._limits.attempts:
                old.append({"key": draft.chassis_id, "last": draft.number - self._limits.attempts})
        if old:
            connection.execute(_FORGET_OLD, old)
        if self._strays_since >= _PRUNED_EVERY:
            self._strays_since = 0
            stray = ATTEMPT.c.refusal_key.is_not(None)
            newest = select(ATTEMPT.c.id).where(stray).order_by(ATTEMPT.c.id.desc())
            last = connection.scalar(newest.offset(self._limits.strays).limit(1))
            if last is not None:
                connection.execute(delete(ATTEMPT).where(stray, ATTEMPT.c.id <= last))


class _Batch:
    """One batch while it is applied to the attempts it belongs to."""

    def __init__(
        self, connection: Connection, entries: Sequence[Entry], limits: JournalLimits
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._touched: dict[int, Draft] = {}
        self._events: list[tuple[Draft, str, EventKind, Data]] = []
        self._sent: list[tuple[int, str, CallRecord]] = []
        self.opened: list[Draft] = []
        self.onboarded: list[Onboarded] = []
        calls: list[CallRecord] = []
        keys: set[int] = set()
        tags: set[str] = set()
        for entry in entries:
            if isinstance(entry, DownloadRecord):
                tags.add(entry.url_tag)
                continue
            calls.append(entry)
            if entry.chassis_key is not None:
                keys.add(entry.chassis_key)
        self._by_tag = self._chassis_of_tags(tags) if tags else {}
        keys.update(self._by_tag.values())
        self._latest = latest_of(connection, keys) if keys else {}
        refusals: set[str] = set()
        nonces: set[tuple[int, str]] = set()
        for call in calls:
            chassis = self._known(call)
            if chassis is None:
                refusals.add(refusal_key(call))
                continue
            latest = self._latest[chassis]
            # Else the latest attempt is the one with this nonce.
            if call.nonce_digest and latest and latest.nonce_digest != call.nonce_digest:
                nonces.add((chassis, call.nonce_digest))
        self._strays = strays_of(connection, refusals) if refusals else {}
        self._by_nonce = of_nonces(connection, nonces) if nonces else {}

    def take_call(self, call: CallRecord) -> None:
        """Apply one call."""
        verdict = verdict_of(call)
        at = to_text(call.at)
        chassis = self._known(call)
        if chassis is None:
            self._take_stray(call, at, verdict)
            return
        draft = self._belongs_to(call, verdict, chassis)
        if draft is None and (later := self._overtaken_by(call, at, chassis)):
            later.repeats += 1
            self._add_event(later, at, verdict.kind, call_data(call, verdict))
            return
        if draft is None:
            draft = self._open(call, at, verdict, chassis)
        elif call.report is None:
            draft.repeats += 1
        if call.nonce_digest and call.nonce_digest != draft.nonce_digest:
            draft.nonce_digest = call.nonce_digest
            draft.nonce_moved = True
        draft.reports += call.report is not None
        self._keep_call(draft, call, at, verdict)
        if call.content:
            self._sent.append((chassis, at, call))
        if call.foreign_cards:
            note_foreign_cards(self._connection, chassis, call)
        if call.seated:
            note_seats(self._connection, chassis, call)

    def take_download(self, download: DownloadRecord) -> None:
        """Note a download for the latest attempt of the chassis whose tag it bears.

        One that is under way moves the attempt and leaves no event.
        """
        chassis = self._by_tag.get(download.url_tag)
        draft = None if chassis is None else self._latest.get(chassis)
        if draft is None:
            return
        at = to_text(download.at)
        draft.updated_at = at
        draft.image_position = max(0, download.start + download.bytes_sent)
        draft.image_size = max(0, download.size)
        if not download.ended:
            self._touched[id(draft)] = draft
            return
        draft.downloads += 1
        draft.image_bytes += max(0, download.bytes_sent)
        self._add_event(draft, at, EventKind.DOWNLOAD, download.data())

    def flush(self) -> None:
        """Write all attempts, what was sent, then the events in their order."""
        write_drafts(self._connection, list(self._touched.values()))
        keep_sent(self._connection, self._sent)
        if self._events:
            _ADD_EVENTS.run(
                self._connection,
                [
                    (draft.key, at, kind.value, words_json(data))
                    for draft, at, kind, data in self._events
                ],
            )

    def _take_stray(self, call: CallRecord, at: str, verdict: Verdict) -> None:
        key = refusal_key(call)
        draft = self._strays.get(key)
        if draft is None:
            draft = self._open(call, at, verdict, None)
            self._strays[key] = draft
        else:
            draft.repeats += 1
        self._keep_call(draft, call, at, verdict)

    def _keep_call(self, draft: Draft, call: CallRecord, at: str, verdict: Verdict) -> None:
        draft.updated_at = at
        draft.peer = bounded(call.peer)
        draft.dialect = bounded(call.dialect)
        draft.written = bounded(call.written) or draft.written
        draft.proven_serial = bounded(call.proven_serial) or draft.proven_serial
        draft.idevid_fingerprint = bounded(call.idevid_fingerprint) or draft.idevid_fingerprint
        data = call_data(call, verdict)
        if call.report is None:
            draft.checks = words_json(checks_data(call))
        else:
            data["checks"] = checks_data(call)
        if call.sent:
            draft.sent = words_json(
                {
                    bounded(name): bounded(value) if isinstance(value, str) else value
                    for name, value in call.sent.items()
                }
            )
        # What the router has reported, a late repetition of its question does not take back.
        reported = draft.state not in _UNREPORTED
        moves = call.report is not None or not reported
        changes = moves and draft.state is not verdict.state
        if changes and verdict.state is AttemptState.SUCCESS:
            seconds = (call.at - from_text(draft.started_at)).total_seconds()
            self.onboarded.append(Onboarded(call.vendor, max(0.0, seconds)))
        if moves:
            draft.state = verdict.state
            draft.reason = verdict.reason
            draft.detail = verdict.detail
        self._add_event(draft, at, verdict.kind, data, changes=changes)

    def _add_event(
        self, draft: Draft, at: str, kind: EventKind, data: Data, *, changes: bool = False
    ) -> None:
        self._touched[id(draft)] = draft
        # A change of state is worth more room; yet not even that without end.
        if draft.events < self._limits.events * (4 if changes else 1):
            draft.events += 1
            self._events.append((draft, at, kind, data))

    def _belongs_to(self, call: CallRecord, verdict: Verdict, chassis: int) -> Draft | None:
        """Return the attempt that a call of a proven chassis is part of, None for a new one."""
        latest = self._latest[chassis]
        if latest is None or call.report is not None:
            return latest
        if call.nonce_digest:
            if latest.nonce_digest == call.nonce_digest:
                return latest
            if earlier := self._by_nonce.get((chassis, call.nonce_digest)):
                return earlier
        elif latest.state is AttemptState.ANSWERED and not latest.nonce_digest:
            return latest
        same = latest.state is AttemptState.REFUSED is verdict.state
        return latest if same and latest.reason == verdict.reason else None

    def _overtaken_by(self, call: CallRecord, at: str, chassis: int) -> Draft | None:
        """Return the attempt with which a router went on that had given up this question.

        A server that waits for its database can write long after its router has asked another
        one; a new attempt would then be taken for the router's newest.
        """
        latest = self._latest[chassis]
        overtaken = call.abandoned and latest is not None and at < latest.started_at
        return latest if overtaken else None

    def _open(self, call: CallRecord, at: str, verdict: Verdict, chassis: int | None) -> Draft:
        latest = None if chassis is None else self._latest[chassis]
        claimed = bounded(call.claimed_serial)
        draft = Draft(
            key=0,
            chassis_id=chassis,
            number=0 if chassis is None else 1 if latest is None else latest.number + 1,
            claimed_manufacturer=bounded(call.claimed_manufacturer),
            claimed_serial=claimed,
            serial_folded=fold_serial(claimed),
            refusal_key=refusal_key(call) if chassis is None else None,
            started_at=at,
            state=verdict.state,
            nonce_digest="" if chassis is None else call.nonce_digest,
        )
        self.opened.append(draft)
        if chassis is not None:
            self._latest[chassis] = draft
            if call.nonce_digest:
                self._by_nonce[chassis, call.nonce_digest] = draft
        return draft

    def _known(self, call: CallRecord) -> int | None:
        """Return the chassis of a call, None for a stranger or one that was removed in between."""
        return call.chassis_key if call.chassis_key in self._latest else None

    def _chassis_of_tags(self, tags: Iterable[str]) -> dict[str, int]:
        wanted = sorted(tag for tag in tags if tag.isascii() and tag.isprintable() and tag)
        if not wanted:
            return {}
        rows = self._connection.execute(_BY_TAG, {"tags": wanted})
        return {row.url_tag: row.id for row in rows}
