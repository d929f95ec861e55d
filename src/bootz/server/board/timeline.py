"""The steps of an attempt, each with its evidence, out of what the journal keeps. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bootz.model.checks import Outcome
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.attempts import AttemptRecord, Event

_CHECKS: Final[Mapping[str, str]] = {
    "client-certificate": "Client certificate",
    "identity": "Kind of identity",
    "chassis-on-record": "Chassis on record",
    "streaming": "Stream",
    "idevid-chain": "IDevID under the vendor's CA",
    "idevid-serial": "Serial number of the IDevID",
    "challenge": "Challenge answered",
    "hold": "Hold",
    "nonce": "Nonce",
    "cards": "Cards of the chassis",
    "voucher": "Voucher",
    "report-form": "Form of the report",
    "report-cards": "Cards of the report",
}
"""Checks of the security chain in words; one that is not here is shown by its name."""

Evidence = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One row: what happened, how it ended (a class of the style sheet), and the evidence."""

    step: str
    outcome: str
    icon: str
    evidence: Evidence
    at: datetime | None = None
    words: str = ""
    """Of a report: what the router said, as it said it."""
    loaded: tuple[int, int] | None = None
    """Of a download: bytes from the first one to the last that was sent, and the whole."""


def timeline(attempt: AttemptRecord, events: Sequence[Event]) -> list[TimelineStep]:
    """Return the steps of an attempt in their order."""
    return list(_steps(attempt, events))


def _steps(attempt: AttemptRecord, events: Sequence[Event]) -> Iterator[TimelineStep]:
    yield TimelineStep(
        "TLS connection",
        "passed",
        "connected",
        _told(
            ("peer", attempt.peer),
            ("path", attempt.dialect),
            ("IDevID SHA-256", attempt.idevid_fingerprint),
        ),
        attempt.started_at,
    )
    yield TimelineStep(
        "Claim",
        "passed",
        "device",
        _told(
            ("manufacturer", attempt.claimed_manufacturer),
            ("serial number", attempt.claimed_serial),
            ("proven", attempt.proven_serial),
        ),
        attempt.started_at,
    )
    for check in attempt.checks:
        yield _check(check.name, check.outcome.value, check.expected, check.seen)
    if attempt.state is AttemptState.REFUSED:
        yield TimelineStep(
            "Refused",
            "failed",
            "failed",
            _told(("reason", attempt.reason), ("detail", attempt.detail)),
            attempt.updated_at,
        )
    for event in events:
        yield from _event(event, attempt)


def _event(event: Event, attempt: AttemptRecord) -> Iterator[TimelineStep]:
    data: Mapping[str, Any] = event.data
    match event.kind:
        case EventKind.ANSWERED if data.get("abandoned"):
            yield TimelineStep(
                "Question given up by the router",
                "warning",
                "connected",
                _told(("peer", str(data.get("peer", "")))),
                event.at,
                words="The router had gone before it could be answered, and asked again.",
            )
        case EventKind.ANSWERED:
            yield TimelineStep(
                "Data sent",
                "passed",
                "sent",
                _told(
                    ("cards", ", ".join(map(str, data.get("answered", ())))),
                    ("dialect", str(data.get("written", ""))),
                    *((name.replace("_", " "), str(told)) for name, told in attempt.sent.items()),
                ),
                event.at,
            )
        case EventKind.DOWNLOAD:
            start, sent, whole = (int(data.get(n, 0)) for n in ("start", "bytes_sent", "size"))
            seconds = (event.at - attempt.started_at).total_seconds()
            rate = f"{sent / seconds / 1e6:.1f} MB/s at least" if seconds > 0 else ""
            yield TimelineStep(
                "Image loaded" if data.get("complete") else "Image loaded in part",
                "passed" if data.get("complete") else "warning",
                "image",
                _told(
                    ("file", str(data.get("file_name", ""))),
                    ("peer", str(data.get("peer", ""))),
                    ("from byte", str(start)),
                    ("rate", rate),
                ),
                event.at,
                loaded=(start + sent, whole),
            )
        case EventKind.REPORT:
            status = str(data.get("status", ""))
            cards = [f"{serial} {state}" for serial, state in data.get("cards", ())]
            yield TimelineStep(
                f"Report {status}",
                "failed" if status == "FAILURE" else "passed",
                {"FAILURE": "failed", "SUCCESS": "ready"}.get(status, "applying"),
                _told(("cards", ", ".join(cards)), ("peer", str(data.get("peer", "")))),
                event.at,
                words=str(data.get("detail", "")),
            )
            failed = [each for each in data.get("checks", ()) if each[1] == "failed"]
            for name, outcome, expected, seen in failed:
                yield _check(name, outcome, expected, seen)
        case EventKind.REFUSED:
            if attempt.state is not AttemptState.REFUSED or event.at != attempt.updated_at:
                yield TimelineStep(
                    "Refused",
                    "failed",
                    "failed",
                    _told(
                        ("reason", str(data.get("reason", ""))),
                        ("detail", str(data.get("detail", ""))),
                    ),
                    event.at,
                )


def _check(name: str, outcome: str, expected: str, seen: str) -> TimelineStep:
    icon = {"passed": "ready", "failed": "failed"}.get(outcome, "stranger")
    return TimelineStep(
        _CHECKS.get(name, name),
        outcome if outcome in {each.value for each in Outcome} else "skipped",
        icon,
        _told(("expected", expected), ("seen", seen)),
    )


def _told(*pairs: tuple[str, str]) -> Evidence:
    return [(name, text) for name, text in pairs if text]
