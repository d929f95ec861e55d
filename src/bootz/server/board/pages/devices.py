"""Devices: a table with filters that are its address, and changes of many by way of a list."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Response

from bootz.errors import WireError
from bootz.server.board.newsroom import Newsroom, Tile
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import (
    FormDep,
    Visitor,
    changing,
    keys_of,
    text_of,
    visiting,
)
from bootz.server.operations.chassis_state import STARTED, ChassisState
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.operations.labels import fold_key
from bootz.server.operations.turn_up import order_of

router = APIRouter()

PAGE: Final = 100
MAX_BULK: Final = 10_000

_Sort = Callable[[Tile], Any]
_SORTS: Final[Mapping[str, _Sort]] = MappingProxyType(
    {
        "state": lambda tile: order_of(tile.router.standing, tile.name),
        "name": lambda tile: tile.name.casefold(),
        "serial": lambda tile: tile.router.serial_number,
        "vendor": lambda tile: (tile.router.vendor, tile.name),
        "since": lambda tile: (
            -(tile.router.standing.since.timestamp() if tile.router.standing.since else 0.0)
        ),
    }
)
SAVED: Final = (
    ("All", ()),
    ("Need a person", (ChassisState.FAILED, ChassisState.STUCK)),
    ("Under way", tuple(state for state in ChassisState if state in STARTED)),
    ("Expected", (ChassisState.EXPECTED,)),
    ("On hold", (ChassisState.ON_HOLD,)),
    ("Ready", (ChassisState.READY,)),
)
"""Filters that are always at hand, each with its states."""


class DeviceFilter(NamedTuple):
    """Which devices are shown; what is empty does not choose."""

    q: str = ""
    states: tuple[ChassisState, ...] = ()
    labels: tuple[str, ...] = ()
    vendor: str = ""
    profile: str = ""
    sort: str = "state"

    def query(self, **changes: object) -> dict[str, object]:
        """Return it as the query of an address, with changes."""
        return {
            "q": self.q,
            "state": [state.value for state in self.states],
            "label": list(self.labels),
            "vendor": self.vendor,
            "profile": self.profile,
            "sort": "" if self.sort == "state" else self.sort,
            **changes,
        }

    def holds(self, tile: Tile) -> bool:
        """Return whether a router is shown."""
        listed = tile.listed
        if self.states and tile.state not in self.states:
            return False
        if self.vendor and listed.vendor != self.vendor:
            return False
        if self.profile and (listed.profile or "") != self.profile:
            return False
        for text in self.labels:
            key, equals, value = text.partition("=")
            found = listed.labels.get(fold_key(key))
            if found is None or (equals and found != value):
                return False
        text = self.q.casefold()
        standing = tile.router.standing
        held = (listed.hostname, listed.serial_number, listed.part_number, standing.reason)
        return not text or any(text in each.casefold() for each in held)


_State = Annotated[list[ChassisState] | None, Query()]
_Label = Annotated[list[str] | None, Query(max_length=16)]
_Text = Annotated[str, Query(max_length=128)]


def wanted(
    q: _Text = "",
    state: _State = None,
    label: _Label = None,
    vendor: _Text = "",
    profile: _Text = "",
    sort: _Text = "state",
) -> DeviceFilter:
    """Return the filter of an address."""
    return DeviceFilter(
        q.strip(),
        tuple(state or ()),
        tuple(text.strip()[:256] for text in label or () if text.strip()),
        vendor,
        profile,
        sort if sort in _SORTS else "state",
    )


@router.get("/devices")
def devices(
    visitor: Annotated[Visitor, Depends(visiting("chassis.list"))],
    chosen: Annotated[DeviceFilter, Depends(wanted)],
    start: Annotated[int, Query(ge=0, le=10_000_000, alias="from")] = 0,
) -> Response:
    """List devices."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    glance = newsroom.look()
    found = sorted(filter(chosen.holds, glance.tiles.values()), key=_SORTS[chosen.sort])

    def at(offset: int) -> str:
        return url("/devices", **chosen.query(**{"from": offset or ""}))

    return page(
        visitor,
        "devices.html",
        glance=glance,
        chosen=chosen,
        count=len(found),
        tiles=found[start : start + PAGE],
        start=start,
        before=at(max(0, start - PAGE)) if start else "",
        after=at(start + PAGE) if start + PAGE < len(found) else "",
        saved=[
            (word, url("/devices", **DeviceFilter(states=states).query()), states == chosen.states)
            for word, states in SAVED
        ],
        sorts=tuple(_SORTS),
        vendors=sorted({tile.listed.vendor for tile in glance.tiles.values()}),
        profiles=sorted({tile.listed.profile or "" for tile in glance.tiles.values()} - {""}),
        changes=[verb for verb in ("hold", "release") if visitor.may(f"chassis.{verb}")],
    )


@router.get("/devices/confirm")
def confirm(
    visitor: Annotated[Visitor, Depends(visiting("chassis.hold"))],
    chosen: Annotated[DeviceFilter, Depends(wanted)],
    verb: Annotated[Literal["hold", "release"], Query()],
    ids: Annotated[list[int] | None, Query(alias="id", max_length=PAGE)] = None,
    every: Annotated[bool, Query()] = False,
) -> Response:
    """List what a change of many will change, before it is made.

    An address as any other, so that back, forward and reload lead to it.
    """
    newsroom: Newsroom = visitor.request.app.state.newsroom
    tiles = newsroom.look().tiles
    if every:
        found = list(filter(chosen.holds, tiles.values()))
    else:
        found = [tiles[key] for key in dict.fromkeys(ids or ()) if key in tiles]
    holds = verb == "hold"
    return page(
        visitor,
        "confirm.html",
        verb=verb,
        to=url("/devices", **chosen.query()),
        changed=[tile for tile in found if (tile.listed.facts.hold_since is None) is holds],
        same=[tile for tile in found if (tile.listed.facts.hold_since is None) is not holds],
    )


@router.post("/devices/hold")
def hold(visitor: Annotated[Visitor, Depends(changing("chassis.hold"))], form: FormDep) -> Response:
    """Put devices on hold."""
    door, keys = visitor.door, _some(form)
    with door.database.write(visitor.principal.actor("chassis.hold")) as connection:
        done = hold_chassis(connection, keys, text_of(form, "note", 1024), now=door.clock())
    return go(form.get("to"), f"{_many(len(done))} put on hold.")


@router.post("/devices/release")
def release(
    visitor: Annotated[Visitor, Depends(changing("chassis.release"))], form: FormDep
) -> Response:
    """Release devices: a night begins."""
    keys = _some(form)
    with visitor.door.database.write(visitor.principal.actor("chassis.release")) as connection:
        done = release_chassis(connection, keys)
    return go(form.get("to"), f"{_many(len(done))} released.")


def _some(form: FormDep) -> Sequence[int]:
    keys = keys_of(form)
    if not 1 <= len(keys) <= MAX_BULK:
        raise WireError(
            "request-invalid",
            "no device was chosen" if not keys else "too many devices were chosen",
            where="id",
            expected=f"1 to {MAX_BULK}",
            seen=str(len(keys)),
        )
    return keys


def _many(count: int) -> str:
    return "1 device was" if count == 1 else f"{count} devices were"
