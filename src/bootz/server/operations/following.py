"""Follows where all routers of a site stand, reading only what has changed.

News of a router is an event of the journal; a change of the inventory raises its revision. What
leaves neither (a download that goes on) is seen when everything is read again, every ten seconds.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from bootz.server.operations.chassis_state import STARTED, ChassisState, standing
from bootz.server.operations.step_limits import Minutes, SiteLimits, read_limits
from bootz.server.operations.turn_up import Roster, TurnUpRouter
from bootz.server.store.database import Database, plain
from bootz.server.store.listing import ListChoice, ListedChassis, listed_chassis
from bootz.server.store.revision import read_revision

_ALL_EVERY_S: Final = 10.0
_TIME_MATTERS: Final = timedelta(seconds=5)
"""How late a router may be shown as stuck."""
_MOST: Final = 500
"""Events, and routers, that are read at once; more than these, and all routers are read."""
_NEWS: Final = """
SELECT event.id, attempt.chassis_id FROM event JOIN attempt ON attempt.id = event.attempt_id
WHERE event.id > :after ORDER BY event.id DESC LIMIT :most
"""


class Follower:
    """The routers of a site while they are watched; one reader, one thread."""

    def __init__(self, database: Database, minutes: Minutes) -> None:
        self._database = database
        self._minutes = minutes
        self._limits: SiteLimits | None = None
        self._known: dict[int, ListedChassis] = {}
        self._roster = Roster()
        self._unjudged: set[int] = set()
        self._moved: set[int] | None = None
        self._judged_at: datetime | None = None
        self._last_event = 0
        self._all_read_at: float | None = None
        self._revision = 0

    @property
    def known(self) -> Mapping[int, ListedChassis]:
        """What the inventory has of each router, by its key."""
        return MappingProxyType(self._known)

    def roster(self, now: datetime) -> Roster:
        """Return all routers as they stand at ``now`` (aware UTC); the next call may change it."""
        limits = self._limits
        if limits is None:
            return self._roster
        judged_at = self._judged_at
        if judged_at is None or abs(now - judged_at) >= _TIME_MATTERS:
            # Time alone moves only routers that are under way.
            self._judged_at = now
            self._unjudged.update(
                router.key for router in self._roster.of({*STARTED, ChassisState.STUCK})
            )
        judged = [self._judge(self._known[key], limits, now) for key in self._unjudged]
        if len(judged) == len(self._known):
            self._roster = Roster(judged)
        else:
            for router in judged:
                if router != self._roster.get(router.key):
                    self._roster.put(router)
        if self._moved is not None:
            self._moved |= self._unjudged
        self._unjudged.clear()
        return self._roster

    def take_moved(self) -> Collection[int] | None:
        """Return whose standing may have changed since the last call; None: everyone's."""
        moved, self._moved = self._moved, set()
        return moved

    def _judge(self, each: ListedChassis, limits: SiteLimits, now: datetime) -> TurnUpRouter:
        found = standing(each.facts, limits.of(each.vendor), now)
        return TurnUpRouter(each.key, each.vendor, each.serial_number, each.hostname, found)

    def refresh(self, monotonic: float) -> int:
        """Read what has changed, and return the number of new events.

        ``monotonic`` is a clock in seconds that never jumps.

        Raises:
            Unavailable: the database does not answer.
        """
        with self._database.read() as connection:
            revision = read_revision(connection).latest
            due = self._all_read_at is None or monotonic - self._all_read_at >= _ALL_EVERY_S
            due = due or revision != self._revision
            self._revision = revision
            events, changed = self._news(connection)
            if due or changed is None:
                execute = plain(connection)
                self._limits = read_limits(execute, self._minutes)
                self._known = {each.key: each for each in listed_chassis(execute)}
                self._all_read_at = monotonic
                self._roster = Roster()
                self._unjudged, self._moved = set(self._known), None
            elif changed:
                choice = ListChoice(keys=sorted(changed))
                for each in listed_chassis(plain(connection), choice):
                    self._known[each.key] = each
                    self._unjudged.add(each.key)
        return events

    def _news(self, connection: Connection) -> tuple[int, set[int] | None]:
        """Return how many events are new, and whose they are; None where all must be read."""
        rows = list(plain(connection)(_NEWS, {"after": self._last_event, "most": _MOST}))
        if not rows:
            return 0, set()
        self._last_event = rows[0][0]
        keys = {key for _, key in rows}
        # A stranger's call may have claimed any router's serial number.
        if len(rows) == _MOST or None in keys:
            return len(rows), None
        return len(rows), keys
