"""Home: how many routers are where, which are not well, why, and the one thing to do."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection, select

from bootz.model.kinds import BootMode
from bootz.server.board.newsroom import Glance, Newsroom, Tile
from bootz.server.board.repairs import Repair, repairs_of
from bootz.server.board.view import fragment, html, page
from bootz.server.board.visitor import Visitor, here, visiting
from bootz.server.board.words import BESIDE, FUNNEL
from bootz.server.operations.replacements import Replacement, list_replacements
from bootz.server.store.schema import CHASSIS

router = APIRouter()

MOST_CARDS: Final = 10
"""Cards that a person is shown at once."""
_FIRST_LABELS: Final = ("site", "rack", "batch")
"""Labels by which tiles are grouped where nothing else is asked for."""

_Visitor = Annotated[Visitor, Depends(visiting("status.show"))]


class TileGroup(NamedTuple):
    """Tiles with the same values of two labels."""

    outer: str
    inner: str
    tiles: Sequence[Tile]


class PersonCard(NamedTuple):
    """A router that waits for a person, and what can be done about it here."""

    tile: Tile
    repairs: Sequence[Repair]


@router.get("/")
def home(
    visitor: _Visitor,
    by: Annotated[list[str] | None, Query(max_length=64)] = None,
) -> Response:
    """Show the site."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    glance = newsroom.look()
    keys = sorted({key for tile in glance.tiles.values() for key in tile.listed.labels})
    chosen = _chosen(by, keys)
    with visitor.door.database.read() as connection:
        unproven = unproven_chassis(connection)
        waiting = list_replacements(connection)
    return page(
        visitor,
        "home.html",
        glance=glance,
        groups=grouped(glance.ordered(), chosen),
        label_keys=keys,
        by=chosen,
        funnel=FUNNEL,
        beside=BESIDE,
        unproven=unproven,
        **people(visitor, glance, waiting),
    )


@router.get("/people")
def people_alone(visitor: _Visitor) -> Response:
    """Show only who waits for a person; a page that is open asks for it when that changes."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    with visitor.door.database.read() as connection:
        waiting = list_replacements(connection)
    text = fragment(
        "people.html",
        visitor=visitor,
        here=f"{here(visitor.request).partition('/people')[0]}/",
        **people(visitor, newsroom.look(), waiting),
    )
    return html(visitor, text)


def people(visitor: Visitor, glance: Glance, waiting: Sequence[Replacement]) -> dict[str, Any]:
    """Return what the list of those that need a person shows."""
    needy = glance.needy()
    room = max(0, MOST_CARDS - len(waiting[:3]))
    return {
        "cards": [PersonCard(tile, repairs_of(tile, visitor)) for tile in needy[:room]],
        "waiting": waiting[:3],
        "needy": len(needy) + len(waiting),
    }


def unproven_chassis(connection: Connection) -> Sequence[tuple[int, str]]:
    """Return chassis that are served without a proof: key and name."""
    rows = connection.execute(
        select(CHASSIS.c.id, CHASSIS.c.hostname, CHASSIS.c.serial)
        .where((CHASSIS.c.boot_mode != BootMode.SECURE.value) | CHASSIS.c.skip_idevid_serial_check)
        .order_by(CHASSIS.c.id)
    )
    return [(row.id, row.hostname or row.serial) for row in rows]


def grouped(tiles: Sequence[Tile], by: Sequence[str]) -> list[TileGroup]:
    """Return tiles by the values of up to two labels; in a group those first that are not well."""
    groups: dict[tuple[str, str], list[Tile]] = {}
    for tile in tiles:
        values = [tile.listed.labels.get(key, "") for key in by]
        outer, inner = (*values, "", "")[:2]
        groups.setdefault((outer, inner), []).append(tile)
    # What has no label stands last.
    ordered = sorted(groups, key=lambda key: ((not key[0], key[0]), (not key[1], key[1])))
    return [TileGroup(*key, groups[key]) for key in ordered]


def _chosen(given: Sequence[str] | None, keys: Sequence[str]) -> list[str]:
    if given is None:
        return [key for key in _FIRST_LABELS if key in keys][:2]
    return list(dict.fromkeys(key for key in given if key in keys))[:2]
