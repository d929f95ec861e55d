"""Sources of truth: the last sync, the age of the copy, and the faults of devices."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from bootz.server.api.routes.sources import source_room
from bootz.server.board.view import go, page
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.sources.planning import SyncOrder
from bootz.server.sources.releasing import release_from_source
from bootz.server.sources.showing import show_sources
from bootz.server.sources.syncing import sync

router = APIRouter(prefix="/sources")


@router.get("")
def sources(visitor: Annotated[Visitor, Depends(visiting("source.list"))]) -> Response:
    """List the sources with the faults of their devices."""
    room = source_room(visitor.door)
    found = show_sources(room, [source.name for source in room.config.sources])
    return page(visitor, "sources.html", found=found)


@router.post("/sync")
def sync_now(
    visitor: Annotated[Visitor, Depends(changing("source.sync"))], form: FormDep
) -> Response:
    """Bring the inventory to what a source says, or only count what would change."""
    room = source_room(visitor.door)
    settings = room.settings(text_of(form, "name", 40))
    order = SyncOrder(dry_run=bool(text_of(form, "dry_run", 8)))
    actor = visitor.principal.actor("source.sync")
    synced = asyncio.run(sync(room, settings, order, actor))
    told = ", ".join(f"{number} {word}" for word, number in synced.counts.items() if number)
    would = " (nothing was changed)" if order.dry_run else ""
    return go(form.get("to"), f"{settings.name}: {told or 'nothing'}{would}.")


@router.post("/release")
def release(
    visitor: Annotated[Visitor, Depends(changing("source.release"))], form: FormDep
) -> Response:
    """Take a chassis out of its source's hands."""
    serial = text_of(form, "serial", 64)
    with visitor.door.database.write(visitor.principal.actor("source.release")) as connection:
        source = release_from_source(connection, serial)
    return go(form.get("to"), f"{serial} no longer belongs to {source}.")
