"""Writing a chassis's state back to its source: the latest state, once, and never over a person's.

What is due follows from the journal and from what was pushed before, so that nothing is lost with a
process. Source: docs/source-of-truth.md#what-is-written-back.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import JsonValue

from bootz.config.sources import PushSettings, SourceSettings
from bootz.errors import BootzError, ConfigError, ConflictError, Unavailable
from bootz.server.operations.chassis_state import ChassisState, Standing, standing
from bootz.server.operations.step_limits import read_limits
from bootz.server.sources.client import SourceAnswer, SourceClient, open_source
from bootz.server.sources.markers import Marker, read_markers, set_markers
from bootz.server.sources.syncing import SourceRoom, read_roots, read_token
from bootz.server.store.database import plain
from bootz.server.store.listing import ListChoice, listed_chassis

MAX_TEXT: Final = 200
_LATEST: Final = 50
"""Entries of a device's journal that are looked at before another is made."""

_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(minutes=30)
_KINDS: Final = {
    ChassisState.READY: "success",
    ChassisState.FAILED: "danger",
    ChassisState.STUCK: "warning",
}
"""States of which an entry of the journal is made, and its kind there (NetBox)."""


@dataclass(frozen=True, slots=True)
class Push:
    """What is to be told of one chassis."""

    marker: Marker
    serial: str
    standing: Standing
    attempt: int

    @property
    def key(self) -> str:
        """Names this state of this attempt."""
        return f"{self.attempt}:{self.standing.state.value}:{self.standing.reason}"

    def fields(self) -> dict[str, JsonValue]:
        """Return the custom fields: words of ours, never what a router said."""
        since = self.standing.since
        return {
            "bootz_state": self.standing.state.value,
            "bootz_reason": self.standing.reason[:MAX_TEXT],
            "bootz_last_attempt": None if since is None else f"{since:%Y-%m-%dT%H:%M:%SZ}",
        }

    def words(self) -> str:
        """Return the text of a journal entry; it has the attempt's number in it."""
        reason = f" ({self.standing.reason})" if self.standing.reason else ""
        return f"Bootz: {self.serial} {self.standing.state.value}{reason}, attempt {self.attempt}"[
            :MAX_TEXT
        ]


def due_pushes(room: SourceRoom, settings: SourceSettings) -> list[Push]:
    """Return what is to be told now, in the order of the chassis."""
    now = room.clock()
    with room.database.read() as connection:
        markers = {marker.chassis: marker for marker in read_markers(connection, settings.name)}
        limits = read_limits(plain(connection), room.config.progress)
        listed = listed_chassis(plain(connection), ListChoice(keys=sorted(markers)))
    found: list[Push] = []
    for chassis in listed:
        marker = markers[chassis.key]
        state = standing(chassis.facts, limits.of(chassis.vendor), now)
        push = Push(marker, chassis.serial_number or chassis.hostname, state, state.attempt)
        if state.state is ChassisState.EXPECTED and not marker.pushed:
            continue
        waits = marker.push_after is not None and marker.push_after > now
        if push.key != marker.pushed and not waits:
            found.append(push)
    return found


async def push_all(room: SourceRoom, settings: SourceSettings, echoes: set[str]) -> int:
    """Tell a source everything that is due, and return how many chassis were told.

    ``echoes`` gets the ids of our own requests, by which a webhook of NetBox is known as ours.

    Raises:
        BootzError: the token's or the CA's file cannot be used.
    """
    if not settings.push.anything:
        return 0
    due = await asyncio.to_thread(due_pushes, room, settings)
    if not due:
        return 0
    token, tls = read_token(room, settings), read_roots(room, settings)
    told = 0
    async with open_source(settings, token, tls) as client:
        for push in due:
            marker = await _pushed(client, push, echoes, room.clock())
            await asyncio.to_thread(_note, room, marker)
            told += not marker.push_reason
    return told


def _note(room: SourceRoom, marker: Marker) -> None:
    with room.database.write() as connection:
        # A sync may have changed the rest of the row since.
        current = {each.chassis: each for each in read_markers(connection, marker.source)}
        before = current.get(marker.chassis)
        if before is not None and before.device == marker.device:
            after = replace(
                before,
                status=marker.status,
                pushed=marker.pushed,
                push_after=marker.push_after,
                push_tries=marker.push_tries,
                push_reason=marker.push_reason,
            )
            set_markers(connection, [after])


async def _pushed(client: SourceClient, push: Push, echoes: set[str], now: datetime) -> Marker:
    """Tell one chassis's state, and return its marker afterwards."""
    marker = push.marker
    try:
        status = await _write(client, push, echoes)
        with suppress(ConfigError):
            # Without the right, the fields are told all the same.
            await _journal(client, push)
    except (Unavailable, ConflictError) as error:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(marker.push_tries, 10))
        return replace(
            marker,
            push_after=now + wait,
            push_tries=marker.push_tries + 1,
            push_reason=error.reason,
        )
    except BootzError as error:
        return replace(marker, pushed=push.key, push_after=None, push_reason=error.reason)
    return replace(
        marker, status=status, pushed=push.key, push_after=None, push_tries=0, push_reason=""
    )


async def _write(client: SourceClient, push: Push, echoes: set[str]) -> str:
    """Change the fields and the status of a device, and return the status that it has then."""
    path = f"dcim/devices/{push.marker.device}/"
    settings = client.settings
    for _ in range(2):
        read = await client.get(path, [("depth", "1")] if settings.kind == "nautobot" else [])
        if read.status == 404:
            raise ConfigError("source-gone", "the device is not there", where=path)
        device: Mapping[str, Any] = read.body if isinstance(read.body, Mapping) else {}
        status = _status(device)
        body = _changes(device, push, settings, status)
        if not body:
            return status
        etag = read.header("ETag")
        headers = {"If-Match": etag} if etag and settings.kind == "netbox" else {}
        answer = await client.send("PATCH", path, body=body, headers=headers)
        if answer.status == 412:
            continue
        if answer.status >= 400:
            raise ConfigError(
                "source-push-refused", f"HTTP {answer.status}", where=path, seen=str(answer.status)
            )
        echoes.add(answer.header("X-Request-ID"))
        # Without a name in the answer, the status is what was written, or what it was.
        return _kept(answer, body, path) or str(body.get("status") or status)
    raise ConflictError("source-push-conflict", "the device changed twice in between", where=path)


def _changes(
    device: Mapping[str, Any], push: Push, settings: SourceSettings, status: str
) -> dict[str, Any]:
    """Return what of a device is to be written: nothing where it says the same already."""
    body: dict[str, Any] = {}
    if settings.push.fields:
        there = device.get("custom_fields")
        known = there if isinstance(there, Mapping) else {}
        fields = push.fields()
        changed = {
            key: value
            for key, value in fields.items()
            if (known.get(key) or None) != (value or None)
        }
        if changed:
            body["custom_fields"] = {key: value or None for key, value in changed.items()}
    wanted = _wanted_status(push.standing.state, settings.push)
    # A person's word counts: only what we last read is changed.
    unchanged = status.casefold() == push.marker.status.casefold()
    if wanted and unchanged and wanted.casefold() != status.casefold():
        body["status"] = wanted
    return body


def _wanted_status(state: ChassisState, push: PushSettings) -> str | None:
    match state:
        case ChassisState.READY:
            return push.status.get("ready") or push.status.get("success")
        case ChassisState.FAILED:
            return push.status.get("failed")
        case _:
            return None


def _kept(answer: SourceAnswer, body: Mapping[str, Any], path: str) -> str:
    """Return the device's status, empty where it is not told, having seen what was written."""
    device: Mapping[str, Any] = answer.body if isinstance(answer.body, Mapping) else {}
    fields = device.get("custom_fields")
    known = fields if isinstance(fields, Mapping) else {}
    dropped = [
        key
        for key, value in body.get("custom_fields", {}).items()
        if not _same(known.get(key), value)
    ]
    status = _status(device)
    if "status" in body and status and status.casefold() != body["status"].casefold():
        dropped.append("status")
    if dropped:
        raise ConfigError(
            "source-push-dropped", f"{', '.join(dropped)}: not kept", where=path, seen="HTTP 200"
        )
    return status


def _same(kept: object, written: object) -> bool:
    if isinstance(kept, str) and isinstance(written, str):
        # A time comes back as the product writes it.
        return kept == written or _instant(kept) == _instant(written) is not None
    return (kept or None) == (written or None)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _status(device: Mapping[str, Any]) -> str:
    status = device.get("status")
    if not isinstance(status, Mapping):
        return ""
    # Nautobot answers a PATCH with a stub, in which there is no name.
    return str(status.get("value") or status.get("name") or "")


async def _journal(client: SourceClient, push: Push) -> None:
    kind = _KINDS.get(push.standing.state)
    if not client.settings.push.journal or kind is None:
        return
    key = push.marker.device
    with suppress(ConfigError):
        # Without the right to read entries, one is made all the same.
        if push.words() in await _entries(client, key):
            return
    if client.settings.kind == "netbox":
        path = "extras/journal-entries/"
        body: dict[str, JsonValue] = {
            "assigned_object_type": "dcim.device",
            "assigned_object_id": int(key) if key.isdecimal() else key,
            "kind": kind,
            "comments": push.words(),
        }
    else:
        path, body = f"dcim/devices/{key}/notes/", {"note": push.words()}
    answer = await client.send("POST", path, body=body)
    if answer.status >= 400:
        raise ConfigError("source-push-refused", f"HTTP {answer.status}", where=path)


async def _entries(client: SourceClient, key: str) -> set[str]:
    """Return the texts of the latest entries of a device.

    Whoever was killed between an entry and its own note of it has made the entry already.
    """
    newest = [("limit", str(_LATEST)), ("ordering", "-created")]
    if client.settings.kind == "netbox":
        field, path = "comments", "extras/journal-entries/"
        chosen = [("assigned_object_type", "dcim.device"), ("assigned_object_id", key)]
    else:
        field, path, chosen = "note", f"dcim/devices/{key}/notes/", []
    answer = await client.get(path, [*chosen, *newest])
    listed = answer.body.get("results") if isinstance(answer.body, Mapping) else None
    entries = listed if isinstance(listed, list) else []
    return {str(each.get(field)) for each in entries if isinstance(each, Mapping)}
