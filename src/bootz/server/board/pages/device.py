"""One device: where it stands, what happened with evidence, and everything on record of it."""

import json
import shlex
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy import Connection

from bootz.errors import BootzError, ConfigError, UnknownChassis
from bootz.server.api.routes.documents import shown, unmasked
from bootz.server.api.routes.preflight import check_devices, preview_terms
from bootz.server.board.newsroom import Newsroom, Tile
from bootz.server.board.repairs import repairs_of
from bootz.server.board.timeline import timeline
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.operations.audit import AuditFilter, latest_entries
from bootz.server.operations.chassis import (
    chassis_by_key,
    remove_chassis_by_key,
    set_chassis_by_key,
)
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.intent import chassis_intent
from bootz.server.operations.profiles import list_profiles
from bootz.server.operations.replacements import list_replacements, list_seats
from bootz.server.operations.secrets import fingerprinter
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.rendering.differences import as_text
from bootz.server.rendering.preview import preview_chassis
from bootz.server.rendering.sent import sent_beside
from bootz.server.sources.markers import marker_of
from bootz.server.store.attempts import AttemptRecord, attempts_of, events_of
from bootz.wire.preview import preview_payload

router = APIRouter()

TABS: Final = (
    ("timeline", "Timeline", "attempt.show"),
    ("data", "Intended data", "chassis.render"),
    ("preflight", "Preflight", "chassis.check"),
    ("identity", "Identity", "chassis.show"),
    ("vouchers", "Vouchers", "voucher.list"),
    ("history", "History", "attempt.list"),
    ("audit", "Audit", "audit.list"),
    ("change", "Change", "chassis.set"),
)
"""Tabs of the page: name, word, and the verb without which one is not shown."""

_Key = Annotated[int, Path(ge=1, le=2**62)]


@router.get("/devices/{key:int}")
def device(
    visitor: Annotated[Visitor, Depends(visiting("chassis.show"))],
    key: _Key,
    tab: Annotated[str, Query(max_length=16)] = "timeline",
    attempt: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show a device."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    glance = newsroom.look()
    tile = glance.tiles.get(key)
    if tile is None:
        raise UnknownChassis("object-not-found", f"there is no device {key}", where="id")
    tabs = [(name, word) for name, word, verb in TABS if visitor.may(verb)]
    chosen = tab if tab in {name for name, _ in tabs} else "timeline"
    with visitor.door.database.read() as connection:
        record = chassis_by_key(connection, key)
        attempts = _attempts(connection, record)
        current = next((each for each in attempts if each.id == attempt), None)
        current = current or (attempts[0] if attempts else None)
        source = marker_of(connection, key)
        values = _VALUES[chosen](connection, visitor, record, attempts, current)
        names = {record.name, record.serial_number}
        waiting = [each for each in list_replacements(connection) if each.chassis in names]
    return page(
        visitor,
        "device.html",
        glance=glance,
        tile=tile,
        record=record,
        tabs=tabs,
        tab=chosen,
        attempts=attempts,
        attempt=current,
        waiting=waiting,
        source=source,
        repairs=repairs_of(tile, visitor)[1:],
        commands=_commands(tile),
        **values,
    )


@router.post("/devices/{key:int}/change")
def change(
    visitor: Annotated[Visitor, Depends(changing("chassis.set"))], key: _Key, form: FormDep
) -> Response:
    """Change host name, profile, labels and variables of a device."""
    door = visitor.door
    with door.database.write(visitor.principal.actor("chassis.set")) as connection:
        before = chassis_by_key(connection, key)
        document = before.to_document()
        given: dict[str, Any] = {
            **document,
            "hostname": text_of(form, "hostname", 253),
            "profile": text_of(form, "profile", 128) or None,
            "labels": _labels(text_of(form, "labels", 32_768)),
            "variables": _object(text_of(form, "variables", 262_144)),
        }
        wanted = unmasked(connection, visitor.principal, document, given)
        set_chassis_by_key(connection, key, ChassisRecord.from_document(wanted, where=before.name))
    return go(url(f"/devices/{key}"), "The device was changed.")


@router.post("/devices/{key:int}/remove")
def remove(
    visitor: Annotated[Visitor, Depends(changing("chassis.remove"))], key: _Key, form: FormDep
) -> Response:
    """Take a device off the record, if its serial number was typed."""
    with visitor.door.database.write(visitor.principal.actor("chassis.remove")) as connection:
        record = chassis_by_key(connection, key)
        typed = text_of(form, "typed", 128)
        if typed.casefold() not in {record.serial_number.casefold(), record.hostname.casefold()}:
            raise ConfigError(
                "chassis-invalid",
                "nothing was removed: what was typed is another name",
                where="typed",
                expected=record.name,
                seen=typed,
            )
        remove_chassis_by_key(connection, key)
    return go(url("/devices"), f"{record.name} was removed.")


def _attempts(connection: Connection, record: ChassisRecord) -> tuple[AttemptRecord, ...]:
    serials = dict.fromkeys([record.serial_number, *(card.serial_number for card in record.cards)])
    found: dict[int, AttemptRecord] = {}
    for serial in [each for each in serials if each][:8]:
        found |= {each.id: each for each in attempts_of(connection, serial)}
    return tuple(sorted(found.values(), key=lambda each: -each.id))


def _timeline(
    connection: Connection,
    _visitor: Visitor,
    _record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    current: AttemptRecord | None,
) -> dict[str, Any]:
    if current is None:
        return {"steps": []}
    return {"steps": timeline(current, events_of(connection, [current.id]))}


def _data(
    connection: Connection,
    visitor: Visitor,
    record: ChassisRecord,
    attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    """Return what the device would get, and how that differs from what it was last sent."""
    flaw, merged, rendered = None, "", ""
    beside, lines = None, []
    try:
        terms = preview_terms(connection, visitor.door)
        beside = sent_beside(connection, record.key, terms)
        if beside is not None:
            hide = None if visitor.sees_secrets else fingerprinter(connection)
            lines = [] if beside.same else beside.masked(hide).difference()
        intent = chassis_intent(connection, record.key)
        document = {
            **intent.document.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
            "variables": dict(intent.variables),
        }
        merged = as_text(shown(connection, visitor.principal, document))
        preview = preview_chassis(connection, record.key, terms)
        payload: dict[str, Any] = dict(preview_payload(preview.body))
        rendered = as_text(shown(connection, visitor.principal, payload))
    except BootzError as error:
        flaw = error
    return {
        "merged": merged,
        "rendered": rendered,
        "flaw": flaw,
        "beside": beside,
        "lines": lines,
        "answered": next((each for each in attempts if each.sent), None),
    }


def _preflight(
    connection: Connection,
    visitor: Visitor,
    record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    try:
        reports = check_devices(connection, visitor.door, visitor.principal, [record.key])
    except BootzError as error:
        return {"reports": [], "flaw": error}
    return {"reports": reports, "flaw": None}


def _identity(
    connection: Connection,
    _visitor: Visitor,
    record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    return {"seats": list_seats(connection, record.key)}


def _vouchers(
    connection: Connection,
    _visitor: Visitor,
    record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    return {
        "vouchers": [
            (card, list_vouchers(connection, serial=card.serial_number, vendor=record.vendor))
            for card in record.cards
        ]
    }


def _history(
    _connection: Connection,
    _visitor: Visitor,
    _record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    return {}


def _audit(
    connection: Connection,
    _visitor: Visitor,
    record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    names = dict.fromkeys((record.name, record.serial_number))
    found = [
        entry
        for name in names
        if name
        for entry in latest_entries(connection, AuditFilter(object=name), most=100)
    ]
    return {"entries": sorted(found, key=lambda entry: -entry.id)}


def _change(
    connection: Connection,
    visitor: Visitor,
    record: ChassisRecord,
    _attempts: tuple[AttemptRecord, ...],
    _current: AttemptRecord | None,
) -> dict[str, Any]:
    document = shown(connection, visitor.principal, record.to_document())
    return {
        "profiles": [profile.name for profile in list_profiles(connection)],
        "variables": json.dumps(document.get("variables", {}), indent=2, ensure_ascii=False),
    }


_VALUES: Final = {
    "timeline": _timeline,
    "data": _data,
    "preflight": _preflight,
    "identity": _identity,
    "vouchers": _vouchers,
    "history": _history,
    "audit": _audit,
    "change": _change,
}


def _commands(tile: Tile) -> list[str]:
    """Return what the command line says for what this page shows and does."""
    serial = shlex.quote(tile.router.serial_number or tile.name)
    held = tile.listed.facts.hold_since is not None
    return [
        f"bootz attempts {serial}",
        f"bootz chassis check {serial}",
        f"bootz chassis render {serial}",
        f"bootz chassis {'release' if held else 'hold'} {serial}",
    ]


def _labels(text: str) -> dict[str, str]:
    """Return labels of lines of ``key=value``."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ConfigError(
                "chassis-invalid",
                "a label is KEY=VALUE",
                where=f"labels, line {number}",
                expected="site=osl",
                seen=line[:80],
            )
        found[key.strip()] = value.strip()
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise ConfigError("chassis-invalid", f"variables: {error}", where="variables") from error
    if not isinstance(found, dict):
        raise ConfigError("chassis-invalid", "variables are a JSON object", where="variables")
    return found
