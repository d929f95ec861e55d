"""An event of the journal as the API shows it."""

import json

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.server.store.attempts import Event


class JournalEvent(BaseModel):
    """One thing that happened; ``state`` is the attempt's when this was read."""

    id: int
    at: AwareDatetime
    kind: EventKind
    attempt_id: int
    attempt: int = Field(description="Counts the attempts of the chassis; 0 for a stranger.")
    chassis: str
    serial_number: str
    dialect: str = Field(description="The attempt's: of the path that was called.")
    written: str = Field(description="The attempt's: of the answer; empty where there was none.")
    state: AttemptState
    data: dict[str, JsonValue]


def event_view(event: Event) -> JournalEvent:
    """Return an event as the API shows it."""
    return JournalEvent(
        id=event.id,
        at=event.at,
        kind=event.kind,
        attempt_id=event.attempt,
        attempt=event.number,
        chassis=event.chassis,
        serial_number=event.serial_number,
        dialect=event.dialect,
        written=event.written,
        state=event.state,
        data=dict(event.data),
    )


def event_message(event: Event) -> str:
    """Return an event as a stream has it (HTML Living Standard, "Server-sent events")."""
    data = json.dumps(event_view(event).model_dump(mode="json"), separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind.value}\ndata: {data}\n\n"
