"""The inventory's revision, by which caches learn of changes in whatever process; and the keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, bindparam, or_, select, update

from bootz.server.store.schema import META
from bootz.sql.prepared import Prepared

Value = TypeVar("Value")

_RAISE = (
    update(META)
    .where(META.c.key == "revision")
    .values(value=META.c.value + 1)
    .returning(META.c.value)
)
_SHARE = (
    update(META)
    .where(META.c.key == "shared_revision")
    .values(value=select(META.c.value).where(META.c.key == "revision").scalar_subquery())
)
_TAKE = Prepared(
    update(META)
    .where(META.c.key == bindparam("counter"))
    .values(value=META.c.value + bindparam("taken"))
    .returning(META.c.value)
)
_READ = Prepared(
    select(META.c.key, META.c.value).where(
        or_(META.c.key == bindparam("own"), META.c.key == bindparam("shared"))
    )
)
_BOTH = {"own": "revision", "shared": "shared_revision"}


@dataclass(frozen=True, slots=True)
class Revision:
    """The revision of the last committed change, and of the last that may alter any answer."""

    latest: int
    shared: int


def raise_revision(connection: Connection, *, shared: bool) -> int:
    """Mark a change of the inventory and return its revision.

    ``shared`` is for changes that may alter the answer to any chassis (vendors, profiles,
    images); the others alter that of the chassis that takes this revision.
    """
    revision: int = connection.execute(_RAISE).scalar_one()
    if shared:
        connection.execute(_SHARE)
    return revision


def read_revision(connection: Connection) -> Revision:
    """Return the revisions as one statement sees them."""
    values: dict[str, int] = dict(_READ.rows(connection, _BOTH))
    return Revision(values["revision"], values["shared_revision"])


class ByRevision(Generic[Value]):
    """What a process remembers of the inventory until it changes; any thread may ask."""

    def __init__(self, read: Callable[[Connection], Value]) -> None:
        self._read = read
        self._kept: tuple[int, Value] | None = None

    def get(self, connection: Connection) -> Value:
        """Return the value, read again if the inventory has another revision than it had then."""
        revision, kept = read_revision(connection).latest, self._kept
        if kept is None or kept[0] != revision:
            kept = self._kept = revision, self._read(connection)
        return kept[1]


def take_keys(connection: Connection, counter: str, count: int) -> int:
    """Return the first of ``count`` consecutive keys that nothing had before.

    ``counter`` is ``chassis`` or ``journal``. On PostgreSQL the counter's row stays locked until
    the transaction ends.
    """
    ((last,),) = _TAKE.rows(connection, {"counter": counter, "taken": count})
    return int(last) - count + 1
