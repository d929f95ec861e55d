"""Follows where all routers of a site stand, reading only what has changed.

News of a router is an event of the journal; a change of the inventory raises its revision. What
leaves neither (a download that goes on) is seen when everything is read again, every ten seconds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, select

from bootz.server.operations.chassis_state import STARTED, ChassisState, standing
from bootz.server.operations.step_limits import Minutes, SiteLimits, read_limits
from bootz.server.operations.turn_up import TurnUpRouter
from bootz.server.store.database import Database, plain
from bootz.server.store.listing import ListChoice, ListedChassis, listed_chassis
from bootz.server.store.revision import read_revision
from bootz.server.store.schema import ATTEMPT, EVENT

_ALL_EVERY_S: Final = 10.0
_TIME_MATTERS: Final = timedelta(seconds=5)
"""How late a router may be shown as stuck."""
_MOST: Final = 500
"""Events, and routers, that are read at once; more than these, and all routers are read."""


class Follower:
    """The routers of a site while they are watched; one reader, one thread."""

    def __init__(self, database: Database, minutes: Minutes) -> None:
        self._database = database
        self._minutes = minutes
        self._limits: SiteLimits | None = None
        self._known: dict[int, ListedChassis] = {}
        self._routers: dict[int, TurnUpRouter] = {}
        self._unjudged: set[int] = set()
        self._judged_at: datetime | None = None
        self._last_event = 0
        self._all_read_at: float | None = None
        self._revision = 0

    @property
    def known(self) -> Mapping[int, ListedChassis]:
        """What the inventory has of each router, by its key."""
        return MappingProxyType(self._known)

    def routers(self, now: datetime) -> list[TurnUpRouter]:
        """Return all routers as they stand at ``now`` (aware UTC)."""
        limits = self._limits
        if limits is None:
            return []
        judged_at = self._judged_at
        if judged_at is None or abs(now - judged_at) >= _TIME_MATTERS:
            # Time alone moves only routers that are under way.
            self._judged_at = now
            self._unjudged.update(
                key
                for key, router in self._routers.items()
                if router.standing.state in STARTED or router.standing.state is ChassisState.STUCK
            )
        for key in self._unjudged:
            each = self._known[key]
            found = standing(each.facts, limits.of(each.vendor), now)
            self._routers[key] = TurnUpRouter(
                key, each.vendor, each.serial_number, each.hostname, found
            )
        self._unjudged.clear()
        return list(self._routers.values())

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
                self._routers.clear()
                self._unjudged = set(self._known)
            elif changed:
                choice = ListChoice(keys=sorted(changed))
                for each in listed_chassis(plain(connection), choice):
                    self._known[each.key] = each
                    self._unjudged.add(each.key)
        return events

    def _news(self, connection: Connection) -> tuple[int, set[int] | None]:
        """Return how many events are new, and whose they are; None where all must be read."""
        rows = connection.execute(
            select(EVENT.c.id, ATTEMPT.c.chassis_id)
            .select_from(EVENT.join(ATTEMPT))
            .where(EVENT.c.id > self._last_event)
            .order_by(EVENT.c.id.desc())
            .limit(_MOST)
        ).all()
        if not rows:
            return 0, set()
        self._last_event = rows[0].id
        keys = {row.chassis_id for row in rows}
        # A stranger's call may have claimed any router's serial number.
        if len(rows) == _MOST or None in keys:
            return len(rows), None
        return len(rows), keys
