"""Sources of truth: what is known of each, a sync now, and chassis taken out of their hands."""

import asyncio
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field, RootModel
from sqlalchemy import Connection

from bootz.config.sources import SourceSettings
from bootz.errors import UnknownChassis
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, tagged
from bootz.server.sources import syncing
from bootz.server.sources.checking import check_source
from bootz.server.sources.planning import RefusedSync, Synced, SyncOrder, fault_rows
from bootz.server.sources.releasing import release_from_source
from bootz.server.sources.showing import show_sources
from bootz.server.sources.syncing import SourceRoom
from bootz.server.store.actor import Actor

router = api_router("/sources", tag="sources")

_Name = Annotated[str, Path(max_length=40, description="The source's name in bootz.yaml.")]


class SourceFault(BaseModel):
    """What is wrong with a device, or what it waits for."""

    device: str = Field(description="The source's id.")
    name: str
    url: str = Field(description="The device's page there.")
    reason: str
    detail: str
    expected: str
    seen: str
    next: str = Field(description="What a person does next.")


class SourcePushFault(BaseModel):
    """Why the state of a chassis was not written back."""

    device: str = Field(description="The source's id.")
    name: str
    url: str = Field(description="The device's page there.")
    reason: str
    next: str = Field(description="What a person does next.")


class SourceCheckView(BaseModel):
    """One check of a source: of its token, a right, a filter's value, the custom fields."""

    check: str
    outcome: Literal["passed", "failed"]
    detail: str
    reason: str = Field(description="Empty where it passed.")
    next: str


class SourceChecks(RootModel[list[SourceCheckView]]):
    """The checks of a source, in their order."""


class SourceView(BaseModel):
    """A source: its last good copy, its last failure since, and how many chassis it has."""

    name: str
    kind: Literal["netbox", "nautobot"]
    url: str
    copy_at: AwareDatetime | None = Field(description="When it was read for the last time.")
    copy_age_seconds: int | None
    product_version: str
    devices: int
    chassis: int
    held: int
    failed_at: AwareDatetime | None
    reason: str
    detail: str
    next: str = Field(description="What a person does about the failure.")
    failures: int
    push_faults: list[SourcePushFault]
    faults: list[SourceFault]
    warnings: list[str]


class SourceOrderBody(BaseModel):
    """What is asked of a sync."""

    model_config = STRICT

    update: bool = Field(False, description="Take the source's values over changes made here.")
    adopt: bool = Field(False, description="Take chassis that say the same into its hands.")
    accept_missing: bool = Field(False, description="Go on although many devices disappeared.")
    from_copy: bool = Field(False, description="Use the last good copy.")


class SourceChange(BaseModel):
    """What became of a chassis."""

    action: Literal["add", "update", "same"]
    name: str
    changes: list[str]


class SyncedView(BaseModel):
    """What a sync did, or would do."""

    dry_run: bool
    refused: bool = Field(
        description="A dry run whose sync would change nothing, for faults and on_fault: stop."
    )
    changes: list[SourceChange]
    faults: list[SourceFault]
    held: list[str]
    released: list[str]
    warnings: list[str]
    counts: dict[str, int]


class SourceReleaseBody(BaseModel):
    """Which chassis is taken out of its source's hands."""

    model_config = STRICT

    serial_number: str = Field(min_length=1, max_length=64)
    vendor: str | None = Field(None, max_length=128)


class SourceReleased(BaseModel):
    """The source that a chassis belonged to."""

    serial_number: str
    released_from: str


def source_room(door: Door) -> SourceRoom:
    """Return what a sync of the door works with.

    Raises:
        UnknownChassis: ``source-not-found``: there is no folder of the site here.
    """
    root = door.root
    if root is None:
        if door.config.sources:
            raise UnknownChassis("source-not-found", "the door has no folder of a site")
        root = FilePath()
    return SourceRoom(root, door.config, door.database, door.clock)


def sync_or_try(
    room: SourceRoom,
    settings: SourceSettings,
    order: SyncOrder,
    actor: Actor,
    *,
    from_copy: bool,
) -> tuple[Synced, bool]:
    """Sync, and return what was done; a dry run also if it was refused, which is told beside it.

    Raises:
        BootzError: nothing was changed.
    """
    try:
        if from_copy:
            return syncing.sync_from_copy(room, settings, order, actor), False
        return asyncio.run(syncing.sync(room, settings, order, actor)), False
    except RefusedSync as error:
        if not order.dry_run:
            raise
        return error.synced, True


def _views(room: SourceRoom, names: list[str]) -> list[SourceView]:
    return [
        SourceView.model_validate({**each.to_record(whole=True), "warnings": each.warnings})
        for each in show_sources(room, names)
    ]


@router.get("", **operation("source.list"))
def list_(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("source.list"))]
) -> list[SourceView]:
    """List the sources of truth of the site."""
    return _views(source_room(door), [source.name for source in door.config.sources])


def _view(room: SourceRoom, settings: SourceSettings) -> SourceView:
    (view,) = _views(room, [settings.name])
    return view


def _held_to(view: SourceView) -> dict[str, Any]:
    """Return what the ETag is of: the time that passes changes nothing."""
    return view.model_dump(mode="json", exclude={"copy_age_seconds"})


@router.get("/{name}", response_model=SourceView, **operation("source.show", 404))
def show(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("source.show"))], name: _Name
) -> Response:
    """Show a source, with the faults of its devices and its ETag."""
    room = source_room(door)
    view = _view(room, room.settings(name))
    return tagged(view, _held_to(view)).response()


@router.post(
    "/release", response_model=SourceReleased, **operation("source.release", 404, 409, 413)
)
def release(
    principal: Annotated[Principal, Depends(needs("source.release"))],
    change: ChangeDep,
    body: SourceReleaseBody,
) -> Response:
    """Take a chassis out of its source's hands: no sync changes it any more."""

    def work(connection: Connection) -> Answer:
        source = release_from_source(connection, body.serial_number, body.vendor)
        return Answer(SourceReleased(serial_number=body.serial_number, released_from=source))

    return change.run(principal, "source.release", work)


@router.post(
    "/{name}/check",
    response_model=list[SourceCheckView],
    **operation("source.check", 404, 413, 503),
)
def check(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("source.check"))],
    change: ChangeDep,
    name: _Name,
) -> Response:
    """Check token, version, rights, filters and fields of a source.

    It changes nothing anywhere, with ``dry_run`` or without.
    """
    room = source_room(door)

    def work() -> Answer:
        settings = room.settings(name)
        change.check_match(_held_to(_view(room, settings)))
        checks = asyncio.run(check_source(room, settings))
        return Answer(
            SourceChecks([SourceCheckView.model_validate(each.to_record()) for each in checks])
        )

    return change.run_outside(principal, work)


@router.post(
    "/{name}/sync", response_model=SyncedView, **operation("source.sync", 404, 409, 413, 422, 503)
)
def sync(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("source.sync"))],
    change: ChangeDep,
    name: _Name,
    body: SourceOrderBody,
) -> Response:
    """Bring the inventory to what a source says, in one transaction; repeating it is harmless."""
    room = source_room(door)
    order = SyncOrder(
        update=body.update,
        adopt=body.adopt,
        accept_missing=body.accept_missing,
        dry_run=change.dry_run,
    )

    def work() -> Answer:
        settings = room.settings(name)
        change.check_match(_held_to(_view(room, settings)))
        synced, refused = sync_or_try(
            room, settings, order, principal.actor("source.sync"), from_copy=body.from_copy
        )
        return Answer(_synced_view(synced, dry_run=change.dry_run, refused=refused))

    return change.run_outside(principal, work)


def _synced_view(synced: Synced, *, dry_run: bool, refused: bool) -> SyncedView:
    return SyncedView(
        dry_run=dry_run,
        refused=refused,
        changes=[
            SourceChange(action=each.action.value, name=each.name, changes=list(each.changes))
            for each in ([] if refused else synced.changes)
        ],
        faults=[SourceFault.model_validate(each) for each in fault_rows(synced)],
        held=synced.held,
        released=synced.released,
        warnings=synced.notes,
        counts=synced.counts,
    )
