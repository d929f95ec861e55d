"""Chassis: what is on record of each router, where it stands, hold and release."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from sqlalchemy import Connection

from bootz.errors import UnknownChassis
from bootz.model.chassis import BootMode
from bootz.server.api.auth.principals import check_role, needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.paging import (
    Fields,
    Ordering,
    Page,
    PagingDep,
    listed,
)
from bootz.server.api.problems import ErrorItem, ManyErrors, item_of
from bootz.server.api.routes.chassis_choice import ChassisChoiceDep, find_visible, raise_all
from bootz.server.api.routes.documents import STRICT, Removed, refuse_hidden, shower, unmasked
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, etag
from bootz.server.operations.chassis import (
    add_chassis,
    chassis_by_key,
    chassis_by_keys,
    remove_chassis_by_key,
    set_chassis_by_key,
)
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.chassis_state import ChassisState, Standing, standing
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.operations.step_limits import read_limits
from bootz.server.store.database import plain
from bootz.server.store.listing import ListChoice, listed_chassis

router = api_router("/chassis", tag="chassis")

MAX_BULK: Final = 10_000

_Key = Annotated[int, Path(ge=1, le=2**62, description="The chassis's id.")]


class ChassisBody(BaseModel):
    """A chassis as it is given. Keys that are left out have their default."""

    model_config = STRICT

    vendor: str = Field(max_length=128)
    serial_number: str = Field("", max_length=64, description="Empty for some modular chassis.")
    part_number: str = Field("", max_length=64)
    hostname: str = Field("", max_length=253)
    modular: bool = False
    cards: list[dict[str, JsonValue]] = Field([], max_length=256)
    boot_mode: BootMode = BootMode.SECURE
    release: str | None = Field(None, description="The protocol's release; null: the profile's.")
    streaming: bool = True
    skip_idevid_serial_check: bool = False
    voucher_delivery: str = "single"
    dynamic_config: str = "merge"
    profile: str | None = Field(None, max_length=128)
    variables: dict[str, JsonValue] = {}
    overrides: dict[str, JsonValue] = {}
    dhcp: dict[str, JsonValue] = {}
    labels: dict[str, str] = {}


_DEFAULTS: Final = ChassisBody(vendor="").model_dump()


class StandingView(BaseModel):
    """Where a chassis stands (docs/states.md)."""

    state: ChassisState
    since: AwareDatetime | None
    attempt: int
    reason: str
    detail: str
    next_action: str
    step: ChassisState | None = Field(description="The state that `stuck` or `on-hold` hides.")


class ChassisView(ChassisBody):
    """A chassis on record, and where it stands."""

    id: int
    standing: StandingView


class ChassisKeys(BaseModel):
    """Which chassis are meant, by id."""

    model_config = STRICT

    ids: list[Annotated[int, Field(ge=1, le=2**62)]] = Field(min_length=1, max_length=MAX_BULK)


class HoldBody(ChassisKeys):
    """Chassis that are put on hold, and why."""

    note: str = Field("", max_length=1024)


class Changed(BaseModel):
    """Which chassis changed, by serial number; those that were so already are left out."""

    changed: list[str]


class ChassisPatch(BaseModel):
    """The same changes for many chassis: keys of a chassis, each with its new value."""

    model_config = STRICT

    ids: list[Annotated[int, Field(ge=1, le=2**62)]] = Field(min_length=1, max_length=MAX_BULK)
    changes: dict[str, JsonValue] = Field(
        description="Keys as of a chassis; null sets the default. Objects (variables, labels) are "
        "merged key by key, and null removes a key."
    )


@router.get("", response_model=Page[ChassisView | dict[str, Any]], **operation("chassis.list"))
def list_(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.list"))],
    paging: PagingDep,
    choice: ChassisChoiceDep,
    fields: Fields = None,
    ordering: Ordering = None,
) -> Response:
    """List chassis, with where each stands."""
    with door.database.read() as connection:
        count, keys = choice.page(connection, door, principal, paging, ordering)
        rows = _views(connection, door, principal, keys)
    return listed(paging, count, ChassisView, rows, fields)


@router.get("/{key:int}", response_model=ChassisView, **operation("chassis.show"))
def show(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.show"))],
    key: _Key,
) -> Response:
    """Show a chassis, with its ETag."""
    with door.database.read() as connection:
        record = _find(connection, principal, key)
        (view,) = _views(connection, door, principal, [key])
    return Answer(view, 200, {"ETag": etag(record.to_document())}).response()


@router.post(
    "", status_code=201, response_model=ChassisView, **operation("chassis.add", 409, 413, 422)
)
def add(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.add"))],
    change: ChangeDep,
    body: ChassisBody,
) -> Response:
    """Put a chassis on record."""

    def work(connection: Connection) -> Answer:
        given = body.model_dump(exclude_unset=True)
        refuse_hidden(given)
        record = add_chassis(connection, record_of(principal, given))
        _find(connection, principal, record.key)
        (view,) = _views(connection, door, principal, [record.key])
        return Answer(view, 201, {"ETag": etag(record.to_document())})

    return change.run(principal, "chassis.add", work)


@router.put(
    "/{key:int}", response_model=ChassisView, **operation("chassis.set", 409, 412, 413, 422)
)
def set_(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.set"))],
    change: ChangeDep,
    key: _Key,
    body: ChassisBody,
) -> Response:
    """Replace what is on record of a chassis."""

    def work(connection: Connection) -> Answer:
        before = _find(connection, principal, key)
        document = before.to_document()
        change.check_match(document)
        given = unmasked(connection, principal, document, body.model_dump(exclude_unset=True))
        after = set_chassis_by_key(connection, key, record_of(principal, given, before))
        _find(connection, principal, key)
        (view,) = _views(connection, door, principal, [key])
        return Answer(view, 200, {"ETag": etag(after.to_document())})

    return change.run(principal, "chassis.set", work)


@router.patch(
    "",
    response_model=Changed,
    **{**operation("chassis.set", 409, 413, 422), "operation_id": "chassis_set_many"},
)
def patch(
    principal: Annotated[Principal, Depends(needs("chassis.set"))],
    change: ChangeDep,
    body: ChassisPatch,
) -> Response:
    """Change many chassis alike: all of them, or none with every error at once."""
    unknown = sorted(set(body.changes) - set(ChassisBody.model_fields))
    if unknown:
        raise ManyErrors(
            "request-invalid",
            f"a chassis has no {', '.join(unknown)}",
            [
                ErrorItem(where=f"changes.{name}", reason="request-invalid", detail="unknown")
                for name in unknown
            ],
        )

    def work(connection: Connection) -> Answer:
        changed: list[str] = []
        errors: list[ErrorItem] = []
        for key in sorted(set(body.ids)):
            try:
                before = _find(connection, principal, key)
                document = before.to_document()
                given = unmasked(connection, principal, document, _merged(document, body.changes))
                after = set_chassis_by_key(connection, key, record_of(principal, given, before))
                if after.to_document() != document:
                    changed.append(after.name)
            except UnknownChassis as error:
                errors.append(item_of(error, where=f"ids.{key}"))
            except Exception as error:
                if not hasattr(error, "reason"):
                    raise
                errors.append(item_of(error, where=f"ids.{key}"))  # type: ignore[arg-type]
        raise_all(errors)
        return Answer(Changed(changed=changed))

    return change.run(principal, "chassis.set", work)


@router.delete("/{key:int}", response_model=Removed, **operation("chassis.remove", 412))
def remove(
    principal: Annotated[Principal, Depends(needs("chassis.remove"))],
    change: ChangeDep,
    key: _Key,
) -> Response:
    """Take a chassis off the record; its attempts stay in the journal."""

    def work(connection: Connection) -> Answer:
        change.check_match(_find(connection, principal, key).to_document())
        return Answer(Removed(removed=remove_chassis_by_key(connection, key).name))

    return change.run(principal, "chassis.remove", work)


@router.post("/hold", response_model=Changed, **operation("chassis.hold", 413, 422))
def hold(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.hold"))],
    change: ChangeDep,
    body: HoldBody,
) -> Response:
    """Put chassis on hold: they are refused, whatever they prove, until they are released."""

    def work(connection: Connection) -> Answer:
        find_visible(connection, principal, body.ids)
        return Answer(
            Changed(changed=list(hold_chassis(connection, body.ids, body.note, now=door.clock())))
        )

    return change.run(principal, "chassis.hold", work)


@router.post("/release", response_model=Changed, **operation("chassis.release", 413, 422))
def release(
    principal: Annotated[Principal, Depends(needs("chassis.release"))],
    change: ChangeDep,
    body: ChassisKeys,
) -> Response:
    """Release chassis that are on hold: a night begins."""

    def work(connection: Connection) -> Answer:
        find_visible(connection, principal, body.ids)
        return Answer(Changed(changed=list(release_chassis(connection, body.ids))))

    return change.run(principal, "chassis.release", work)


def _find(connection: Connection, principal: Principal, key: int) -> ChassisRecord:
    """Return a chassis that the caller may see.

    Raises:
        UnknownChassis: there is none, or a token's scope leaves it out: it cannot tell which.
    """
    find_visible(connection, principal, [key])
    return chassis_by_key(connection, key)


def record_of(
    principal: Principal, given: dict[str, Any], before: ChassisRecord | None = None
) -> ChassisRecord:
    """Return the record of a document; turning proofs off needs a role of its own."""
    record = ChassisRecord.from_document(given, where=f"chassis {given.get('serial_number', '')!r}")
    open_now = record.boot_mode is not BootMode.SECURE or record.skip_idevid_serial_check
    same = before is not None and (
        (before.boot_mode, before.skip_idevid_serial_check)
        == (record.boot_mode, record.skip_idevid_serial_check)
    )
    if open_now and not same:
        check_role(principal, "chassis.insecure")
    return record


def _merged(document: dict[str, Any], changes: dict[str, JsonValue]) -> dict[str, Any]:
    """Return a document with changes merged in: null removes a key (RFC 7396 section 2)."""
    merged = dict(document)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            old = merged.get(name)
            merged[name] = _merged(old if isinstance(old, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def _views(
    connection: Connection, door: Door, principal: Principal, keys: Sequence[int]
) -> list[ChassisView]:
    execute = plain(connection)
    now, limits = door.clock(), read_limits(execute, door.config.progress)
    records = chassis_by_keys(connection, keys)
    facts = {each.key: each for each in listed_chassis(execute, ListChoice(keys=keys))}
    show = shower(connection, principal)
    return [
        ChassisView.model_construct(
            **{
                # What is on record was checked when it was stored.
                **_DEFAULTS,
                **show(records[key].to_document()),
                "vendor": records[key].vendor,
                "boot_mode": records[key].boot_mode,
                "id": key,
                "standing": _standing(
                    standing(facts[key].facts, limits.of(facts[key].vendor), now)
                ),
            }
        )
        for key in keys
        if key in records and key in facts
    ]


def _standing(found: Standing) -> StandingView:
    return StandingView(
        state=found.state,
        since=found.since,
        attempt=found.attempt,
        reason=found.reason,
        detail=found.detail,
        next_action=found.next_action,
        step=found.step,
    )
