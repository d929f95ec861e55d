"""Follows all routers once, for every board that is open, and numbers what changes.

Each change of a router has the next number. A board that has seen everything up to a number asks
for what came after it and gets each router once, as it stands now: a board that was away has no
gap, and one that is told twice shows the same.
"""

import secrets
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Final, NamedTuple

from sqlalchemy import func, select

from bootz.server.api.context import Door
from bootz.server.board.words import NEEDY
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.following import Follower
from bootz.server.operations.turn_up import Estimate, TurnUpRouter, order_of
from bootz.server.store.listing import ListedChassis
from bootz.server.store.schema import ATTEMPT, IGNORED_STRANGER

_KEPT: Final = 20_000
"""Changes that are remembered; a board that was away for longer is told to read everything."""
MOST_ONE_BY_ONE: Final = 200
"""Routers that are told one by one; more at once, and a board reads everything."""


class Tile(NamedTuple):
    """A router as a board shows it."""

    router: TurnUpRouter
    listed: ListedChassis

    @property
    def key(self) -> int:
        """The database's key."""
        return self.router.key

    @property
    def name(self) -> str:
        """How a person calls it."""
        return self.router.name

    @property
    def state(self) -> ChassisState:
        """Where it stands."""
        return self.router.standing.state


class Glance(NamedTuple):
    """All routers at one moment. ``mark`` names the moment; what comes after it can be asked."""

    mark: str
    tiles: Mapping[int, Tile]
    counts: Mapping[ChassisState, int]
    strangers: int
    estimate: Estimate

    def ordered(self) -> list[Tile]:
        """Return the tiles with those first that need a person."""
        return _sorted(self.tiles.values())

    def needy(self) -> list[Tile]:
        """Return those that wait for a person, the latest first, failed before stuck."""
        return _sorted(tile for tile in self.tiles.values() if tile.state in NEEDY)


class News(NamedTuple):
    """What changed after a mark: keys of routers, 0 for the strangers; None: read everything.

    ``people`` tells whether the list of those that need a person may have changed.
    """

    glance: Glance
    changed: Sequence[int] | None
    people: bool


class _Change(NamedTuple):
    """One change; ``key`` 0 is of the strangers. ``whole``: a board has no place for it yet."""

    number: int
    key: int
    people: bool
    whole: bool


class Newsroom:
    """The one reader of a door; usable from several threads."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._follower = Follower(door.database, door.config.progress)
        self._lock = threading.Lock()
        # Numbers of another process are none of ours.
        self._name = secrets.token_hex(4)
        self._number = 0
        self._changes: deque[_Change] = deque(maxlen=_KEPT)
        self._forgotten = 0
        self._glance: Glance | None = None
        self._strangers = 0

    def look(self) -> Glance:
        """Return all routers as they stand now.

        Raises:
            Unavailable: the database does not answer.
        """
        with self._lock:
            now = self._door.clock()
            self._follower.refresh(self._door.monotonic())
            self._take(now)
            assert self._glance is not None  # noqa: S101 - taken in the line above
            return self._glance

    def after(self, mark: str) -> News:
        """Return what changed after a mark, as of the last look."""
        with self._lock:
            glance = self._glance
        if glance is None:
            glance = self.look()
        with self._lock:
            name, _, text = mark.partition("-")
            number = int(text) if name == self._name and text.isdigit() else -1
            if not self._forgotten <= number <= self._number:
                return News(glance, None, people=True)
            # The latest come first: what a board has not seen is little.
            unseen = takewhile(lambda change: change.number > number, reversed(self._changes))
            changes = list(unseen)[::-1]
            keys = list(dict.fromkeys(change.key for change in changes))
            people = any(change.people for change in changes)
            if len(keys) > MOST_ONE_BY_ONE or any(change.whole for change in changes):
                return News(glance, None, people=True)
            return News(glance, keys, people=people)

    def _take(self, now: datetime) -> None:
        known = self._follower.known
        roster = self._follower.roster(now)
        moved = self._follower.take_moved()
        before: Mapping[int, Tile] = {} if self._glance is None else self._glance.tiles
        if moved is None:
            tiles = {each.key: Tile(each, known[each.key]) for each in roster}
            moved = before.keys() | tiles.keys()
        else:
            # What did not move is as it was: a copy of what is known costs next to nothing.
            changed = (router for key in moved if (router := roster.get(key)) is not None)
            tiles = {**before, **{each.key: Tile(each, known[each.key]) for each in changed}}
        strangers = self._count_strangers()
        if self._glance is not None:
            for key in sorted(moved):
                self._compare(key, before.get(key), tiles.get(key))
            if strangers != self._strangers:
                self._note(0, people=True)
        self._strangers = strangers
        mark = f"{self._name}-{self._number}"
        self._glance = Glance(mark, tiles, roster.counts(), strangers, roster.estimate(now))

    def _compare(self, key: int, old: Tile | None, new: Tile | None) -> None:
        if old is None or new is None or _place(old) != _place(new):
            self._note(key, people=True, whole=True)
            return
        told, now = old.router.standing, new.router.standing
        if (told.state, told.reason, told.attempt) != (now.state, now.reason, now.attempt):
            self._note(key, people=old.state in NEEDY or new.state in NEEDY)

    def _note(self, key: int, *, people: bool, whole: bool = False) -> None:
        self._number += 1
        if len(self._changes) == _KEPT:
            self._forgotten = self._changes[0].number
        self._changes.append(_Change(self._number, key, people, whole))

    def _count_strangers(self) -> int:
        with self._door.database.read() as connection:
            ignored = select(IGNORED_STRANGER.c.serial_folded)
            strange = select(func.count()).where(
                ATTEMPT.c.refusal_key.is_not(None),
                ATTEMPT.c.chassis_id.is_(None),
                ATTEMPT.c.serial_folded.not_in(ignored),
            )
            return connection.scalar(strange) or 0


def _sorted(tiles: Iterable[Tile]) -> list[Tile]:
    return sorted(tiles, key=lambda tile: order_of(tile.router.standing, tile.name))


def _place(tile: Tile) -> tuple[str, Mapping[str, str]]:
    """Return what decides where a router stands on a page, beside its state."""
    return tile.name, tile.listed.labels
