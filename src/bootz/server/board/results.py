"""What a form brought, kept for a while under an address, so that reload and back show it again.

A form answers with the address of its result. Each result belongs to the session that sent the
form: another gets nothing by it. Results are in memory alone, because some hold what is shown
only once (a link, a token); a door that starts again has none, and the page says so.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from typing import Final, NamedTuple, TypeVar

from bootz.server.board.visitor import Visitor

KEPT_S: Final = 600.0
"""Seconds that a result is kept."""
MAX_RESULTS: Final = 200
MAX_BYTES: Final = 64 << 20
"""Bytes of all results together; the oldest go first."""

T = TypeVar("T")


class _Kept(NamedTuple):
    owner: str
    until: float
    weight: int
    value: object


class Results:
    """The results of a door; for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, visitor: Visitor, value: object, *, weight: int = 1024) -> str:
        """Keep a result of about ``weight`` bytes for this session, and return its key."""
        key = secrets.token_urlsafe(16)
        until = visitor.door.monotonic() + KEPT_S
        with self._lock:
            self._kept[key] = _Kept(_owner(visitor), until, weight, value)
            self._drop(visitor.door.monotonic())
        return key

    def find(self, visitor: Visitor, key: str, kind: type[T]) -> T | None:
        """Return a result of this session; None: there is none any more, or it is another's."""
        with self._lock:
            self._drop(visitor.door.monotonic())
            found = self._kept.get(key)
        if found is None or found.owner != _owner(visitor) or not isinstance(found.value, kind):
            return None
        return found.value

    def _drop(self, now: float) -> None:
        for key in [key for key, each in self._kept.items() if each.until <= now]:
            del self._kept[key]
        weight = sum(each.weight for each in self._kept.values())
        while len(self._kept) > MAX_RESULTS or weight > MAX_BYTES:
            _, gone = self._kept.popitem(last=False)
            weight -= gone.weight


def results_of(visitor: Visitor) -> Results:
    """Return the results of the door that a visitor is at."""
    found: Results = visitor.request.app.state.results
    return found


def _owner(visitor: Visitor) -> str:
    return hashlib.sha256(visitor.secret.encode()).hexdigest()
