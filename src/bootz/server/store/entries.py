"""What the journal is told, and how it looks in the database; nothing here is a secret."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

from bootz.model.bootstrap import ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, fold_serial
from bootz.server.ports import CallRecord
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.words import MAX_WORDS, bounded

MAX_LISTED: Final = 64
"""Serial numbers of one list that are kept."""
_MAX_EVIDENCE: Final = 1024
"""Characters of what a check expected, and of what it saw."""

Data = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """One answer of the image store that had content, ended or under way.

    ``url_tag`` is what stood in the URL, unverified; ``start`` the offset of the first byte;
    sizes in bytes; ``complete``: all that was asked for was sent.
    """

    at: datetime
    url_tag: str
    sha256: str
    file_name: str
    peer: str
    start: int
    bytes_sent: int
    size: int
    complete: bool
    ended: bool = True

    def data(self) -> Data:
        """Return what the event keeps; not the tag, which is the chassis's own."""
        return {
            "file_name": bounded(self.file_name),
            "sha256": bounded(self.sha256),
            "peer": bounded(self.peer),
            "start": self.start,
            "bytes_sent": self.bytes_sent,
            "size": self.size,
            "complete": self.complete,
        }


class Verdict(NamedTuple):
    """What one call makes of its attempt."""

    kind: EventKind
    state: AttemptState
    reason: str
    detail: str


_ANSWERED: Final = Verdict(EventKind.ANSWERED, AttemptState.ANSWERED, "", "")


def verdict_of(call: CallRecord) -> Verdict:
    """Return what a call means for the attempt it belongs to."""
    if call.reason:
        return Verdict(
            EventKind.REFUSED, AttemptState.REFUSED, call.reason, bounded(call.detail, MAX_WORDS)
        )
    if call.report is None:
        return _ANSWERED
    message = bounded(call.report.message, MAX_WORDS)
    match call.report.status:
        case ReportedStatus.FAILURE:
            return Verdict(
                EventKind.REPORT, AttemptState.FAILURE, "device-reported-failure", message
            )
        case ReportedStatus.SUCCESS:
            failed = any(state.status is CardStatus.NOT_INITIALIZED for state in call.report.states)
            reason = "device-cards-failed" if failed else ""
            return Verdict(EventKind.REPORT, AttemptState.SUCCESS, reason, message)
        case ReportedStatus.INITIATED | ReportedStatus.UNSPECIFIED:
            return Verdict(EventKind.REPORT, AttemptState.INSTALLING, "", message)


def call_data(call: CallRecord, verdict: Verdict) -> dict[str, object]:
    """Return what the event of a call keeps."""
    data: dict[str, object] = {
        "rpc": bounded(call.rpc),
        "dialect": bounded(call.dialect),
        "peer": bounded(call.peer),
    }
    if call.abandoned:
        data["abandoned"] = True
    if call.written:
        data["written"] = bounded(call.written)
    if verdict.reason:
        data["reason"] = verdict.reason
    if verdict.detail:
        data["detail"] = verdict.detail
    if call.answered_serials:
        data["answered"] = [bounded(serial) for serial in call.answered_serials[:MAX_LISTED]]
    if call.foreign_cards:
        data["foreign"] = [bounded(card.serial_number) for card in call.foreign_cards[:MAX_LISTED]]
    if call.report is not None:
        data |= _report_data(call.report)
    return data


def checks_data(call: CallRecord) -> list[list[str]]:
    """Return the checks as lists of name, outcome, expected, seen."""
    rows = [
        [check.name, check.outcome._value_, check.expected, check.seen] for check in call.checks
    ]
    together = "".join(chain.from_iterable(rows))
    if bounded(together, _MAX_EVIDENCE) is together:
        # Then it leaves each of them as it is.
        return rows
    return [
        [name, outcome, bounded(expected, _MAX_EVIDENCE), bounded(seen, _MAX_EVIDENCE)]
        for name, outcome, expected, seen in rows
    ]


def refusal_key(call: CallRecord) -> str:
    """Return what calls of strangers have in common that are counted in one row.

    The peer's port is left out: it is another one for each connection.
    """
    host = call.peer.rpartition(":")[0]
    words = (host, fold_serial(call.claimed_serial), call.rpc, call.reason)
    return hashlib.sha256("\x00".join(words).encode("utf-8", "replace")).hexdigest()


def _report_data(report: StatusReport) -> dict[str, object]:
    return {
        "status": report.status.name,
        "cards": [
            [bounded(state.serial_number), state.status.name]
            for state in report.states[:MAX_LISTED]
        ],
    }
