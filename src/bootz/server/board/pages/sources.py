"""Sources of truth: the last sync, the age of the copy, and the faults of devices."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from bootz.server.api.routes.sources import source_room, sync_or_try
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.importing.differences import Action
from bootz.server.sources.checking import check_source
from bootz.server.sources.planning import SyncOrder, fault_rows
from bootz.server.sources.releasing import release_from_source
from bootz.server.sources.showing import show_sources

router = APIRouter(prefix="/sources")

_MOST_SHOWN: Final = 500
"""Changes of a dry run on one page."""


@router.get("")
def sources(visitor: Annotated[Visitor, Depends(visiting("source.list"))]) -> Response:
    """List the sources with the faults of their devices."""
    return _page(visitor)


def _page(visitor: Visitor, **values: Any) -> Response:
    """Show all sources, and above them what was tried or checked."""
    room = source_room(visitor.door)
    found = show_sources(room, [source.name for source in room.config.sources])
    shown = {"tried": "", "checked": "", **values}
    return page(visitor, "sources.html", found=found, address=url("/sources"), **shown)


@router.post("/sync")
def sync_now(
    visitor: Annotated[Visitor, Depends(changing("source.sync"))], form: FormDep
) -> Response:
    """Bring the inventory to what a source says, or only show what would change."""
    room = source_room(visitor.door)
    settings = room.settings(text_of(form, "name", 40))
    order = SyncOrder(
        update=bool(text_of(form, "update", 8)),
        adopt=bool(text_of(form, "adopt", 8)),
        accept_missing=bool(text_of(form, "accept_missing", 8)),
        dry_run=bool(text_of(form, "dry_run", 8)),
    )
    actor = visitor.principal.actor("source.sync")
    from_copy = bool(text_of(form, "from_copy", 8))
    synced, refused = sync_or_try(room, settings, order, actor, from_copy=from_copy)
    told = ", ".join(f"{number} {word}" for word, number in synced.counts.items() if number)
    if not order.dry_run:
        return go(form.get("to"), f"{settings.name}: {told or 'nothing'}.")
    changes = [] if refused else [each for each in synced.changes if each.action is not Action.SAME]
    return _page(
        visitor,
        tried=settings.name,
        told=told,
        refused=refused,
        changes=changes[:_MOST_SHOWN],
        more=max(0, len(changes) - _MOST_SHOWN),
        tried_faults=fault_rows(synced),
    )


@router.post("/check")
def check(
    visitor: Annotated[Visitor, Depends(changing("source.check"))], form: FormDep
) -> Response:
    """Check token, version, rights, filters and fields of a source; change nothing anywhere."""
    room = source_room(visitor.door)
    settings = room.settings(text_of(form, "name", 40))
    checks = asyncio.run(check_source(room, settings))
    return _page(visitor, checked=settings.name, checks=[each.to_record() for each in checks])


@router.post("/release")
def release(
    visitor: Annotated[Visitor, Depends(changing("source.release"))], form: FormDep
) -> Response:
    """Take a chassis out of its source's hands."""
    serial = text_of(form, "serial", 64)
    with visitor.door.database.write(visitor.principal.actor("source.release")) as connection:
        source = release_from_source(connection, serial)
    return go(form.get("to"), f"{serial} no longer belongs to {source}.")
