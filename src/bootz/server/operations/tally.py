"""How many chassis stand where, reading only what has changed since it was last asked.

News of a router is an event of the journal; a change of the inventory raises its revision. A
chassis that is ready needs nothing else to be known, so those are remembered by their key; those
that are under way are read again each time, because a download goes on without an event.
"""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from bootz.server.operations.chassis_state import ChassisFacts, ChassisState, standing
from bootz.server.operations.step_limits import Minutes, SiteLimits, read_limits
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.attempts import last_event
from bootz.server.store.database import plain
from bootz.server.store.listing import (
    ListChoice,
    VendorTotal,
    claimed_chassis,
    finished_chassis,
    listed_chassis,
    unfinished_chassis,
    vendor_totals,
)
from bootz.server.store.revision import read_revision
from bootz.server.store.schema import ATTEMPT, EVENT

_MOST: Final = 2000
"""Chassis with news that are read one by one; of more, everything is read."""


@dataclass(frozen=True, slots=True)
class SiteTally:
    """How many chassis are in each state of each vendor, zeros too; and the vendors' totals."""

    chassis: Mapping[tuple[ChassisState, str], int]
    totals: Sequence[VendorTotal]

    @property
    def states(self) -> dict[ChassisState, int]:
        """How many are in each state, in the order of ``ChassisState``."""
        found = dict.fromkeys(ChassisState, 0)
        for (state, _), number in self.chassis.items():
            found[state] += number
        return found


class ChassisTally:
    """What a process remembers of where chassis stand; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision: int | None = None
        self._last_event = 0
        self._totals: Sequence[VendorTotal] = ()
        self._ready: dict[int, str] = {}
        self._ready_of: Counter[str] = Counter()
        self._others: dict[int, tuple[str, ChassisFacts]] = {}

    def count(self, connection: Connection, minutes: Minutes, now: datetime) -> SiteTally:
        """Return how many chassis stand where at ``now`` (aware UTC)."""
        with self._lock:
            limits = self._refresh(connection, minutes)
            found = Counter(
                (standing(facts, limits.of(vendor), now).state, vendor)
                for vendor, facts in self._others.values()
            )
            for vendor, number in self._ready_of.items():
                found[ChassisState.READY, vendor] += number
            seen = Counter(vendor for vendor, _ in self._others.values()) + self._ready_of
            totals = self._totals
        for each in totals:
            found[ChassisState.EXPECTED, each.vendor] += each.chassis - seen[each.vendor]
        return SiteTally(
            {
                (state, each.vendor): found[state, each.vendor]
                for each in totals
                for state in ChassisState
            },
            totals,
        )

    def in_states(
        self,
        connection: Connection,
        minutes: Minutes,
        now: datetime,
        states: Collection[ChassisState],
    ) -> tuple[bool, list[int]]:
        """Return which chassis are in one of the states at ``now`` (aware UTC), by key.

        With True, it is all but those that are returned: most chassis may be only expected.
        """
        expected = ChassisState.EXPECTED in states
        with self._lock:
            limits = self._refresh(connection, minutes)
            found = [
                key
                for key, (vendor, facts) in self._others.items()
                if (standing(facts, limits.of(vendor), now).state in states) is not expected
            ]
            if (ChassisState.READY in states) is not expected:
                found += self._ready
        return expected, found

    def _refresh(self, connection: Connection, minutes: Minutes) -> SiteLimits:
        execute = plain(connection)
        revision, last = read_revision(connection).latest, last_event(connection)
        changed = None
        if revision == self._revision and last >= self._last_event:
            changed = self._news(connection, last)
        if changed is None:
            self._totals = vendor_totals(execute)
            self._ready = dict(finished_chassis(execute))
            self._ready_of = Counter(self._ready.values())
            self._others = {
                key: (vendor, facts) for key, vendor, facts in unfinished_chassis(execute)
            }
        elif keys := changed | self._moving():
            for each in listed_chassis(execute, ListChoice(keys=sorted(keys))):
                self._put(each.key, each.vendor, each.facts)
        self._revision, self._last_event = revision, last
        return read_limits(execute, minutes)

    def _news(self, connection: Connection, last: int) -> set[int] | None:
        """Return which chassis have news since the last time, None for too many."""
        if last == self._last_event:
            return set()
        found = set(
            connection.scalars(
                select(ATTEMPT.c.chassis_id)
                .select_from(EVENT.join(ATTEMPT))
                .where(EVENT.c.id > self._last_event)
                .distinct()
                .limit(_MOST)
            )
        )
        if len(found) == _MOST:
            return None
        if None in found:
            # A stranger's call may have claimed any chassis's serial number.
            found.remove(None)
            found.update(claimed_chassis(plain(connection)))
        return found

    def _moving(self) -> set[int]:
        """Return the chassis of which more may be known without an event."""
        return {
            key
            for key, (_, facts) in self._others.items()
            if facts.attempt is None or facts.attempt.state is not AttemptState.FAILURE
        }

    def _put(self, key: int, vendor: str, facts: ChassisFacts) -> None:
        self._others.pop(key, None)
        if key in self._ready:
            self._ready_of[self._ready.pop(key)] -= 1
        if facts.attempt is not None and facts.attempt.state is AttemptState.SUCCESS:
            self._ready[key] = vendor
            self._ready_of[vendor] += 1
        elif facts != ChassisFacts():
            self._others[key] = vendor, facts
