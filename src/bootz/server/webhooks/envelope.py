"""What a webhook says: an event of the journal as a CloudEvent.

Source: CloudEvents 1.0; docs/webhooks.md.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from bootz.server.store.attempt_states import EventKind
from bootz.server.store.attempts import Event

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"

ANSWERED: Final = "bootz.attempt.answered"
REFUSED: Final = "bootz.attempt.refused"
DOWNLOAD: Final = "bootz.image.download"
INITIATED: Final = "bootz.report.initiated"
SUCCESS: Final = "bootz.report.success"
FAILURE: Final = "bootz.report.failure"
TEST: Final = "bootz.test"
"""Sent on request alone."""

TYPES: Final = (ANSWERED, REFUSED, DOWNLOAD, INITIATED, SUCCESS, FAILURE)
"""What a webhook can be about."""

_REPORTS: Final = {"SUCCESS": SUCCESS, "FAILURE": FAILURE}


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what webhooks are chosen by: the vendor and labels of its chassis."""

    event: Event
    vendor: str
    labels: Mapping[str, str]

    @property
    def type(self) -> str:
        """What the event is about, as in ``TYPES``."""
        match self.event.kind:
            case EventKind.ANSWERED:
                return ANSWERED
            case EventKind.REFUSED:
                return REFUSED
            case EventKind.DOWNLOAD:
                return DOWNLOAD
            case EventKind.REPORT:
                return _REPORTS.get(str(self.event.data.get("status")), INITIATED)

    def wanted(self, types: Collection[str], labels: Mapping[str, str]) -> bool:
        """Return whether a webhook wants it: one of its types (none: all), and all its labels."""
        if types and self.type not in types:
            return False
        return all(self.labels.get(key) == value for key, value in labels.items())


def source_of(organization: str) -> str:
    """Return the CloudEvents source of a site: with the id of an event, it is unique."""
    return f"/bootz/{quote(organization, safe='')}"


def envelope(told: Told, source: str) -> bytes:
    """Return a CloudEvent in structured JSON; nothing in it is a secret."""
    event = told.event
    data: dict[str, JsonValue] = {
        "event_id": event.id,
        "kind": event.kind.value,
        "attempt_id": event.attempt,
        "attempt": event.number,
        "chassis": event.chassis,
        "serial_number": event.serial_number,
        "vendor": told.vendor,
        "labels": dict(told.labels),
        "dialect": event.dialect,
        "details": dict(event.data),
    }
    return _cloud_event(
        str(event.id), source, told.type, event.chassis or event.serial_number, event.at, data
    )


def trial_envelope(message_id: str, source: str, at: datetime) -> bytes:
    """Return a CloudEvent that means nothing."""
    return _cloud_event(message_id, source, TEST, "", at, {"message": "a test of this webhook"})


def _cloud_event(
    event_id: str, source: str, kind: str, subject: str, at: datetime, data: JsonValue
) -> bytes:
    document: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": kind,
        "time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    if subject:
        document["subject"] = subject
    return json.dumps(document, separators=(",", ":")).encode()
