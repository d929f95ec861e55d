"""The inventory's revision, by which caches learn of changes in whatever process; and the keys."""

import sqlite3
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from bootz.errors import Unavailable
from bootz.server.store.schema import META

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
_TAKE = (
    update(META)
    .where(META.c.key == bindparam("counter"))
    .values(value=META.c.value + bindparam("taken"))
    .returning(META.c.value)
)
_READ_SQLITE = "SELECT key, value FROM meta WHERE key IN ('revision', 'shared_revision')"
_READ = select(META.c.key, META.c.value).where(META.c.key.in_(("revision", "shared_revision")))


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
    """Return the revisions as one statement sees them.

    Raises:
        Unavailable: the database does not answer.
    """
    if connection.dialect.name == "sqlite":
        # Asked for on every call, so without the layers that cost ten times the statement itself.
        raw = connection.connection.cursor()
        try:
            raw.execute(_READ_SQLITE)
            values = dict(raw.fetchall())
        except sqlite3.Error as error:
            raise Unavailable("database-unavailable", str(error), where="database") from error
        finally:
            raw.close()
    else:
        values = {row.key: row.value for row in connection.execute(_READ).all()}
    return Revision(values["revision"], values["shared_revision"])


def take_keys(connection: Connection, counter: str, count: int) -> int:
    """Return the first of ``count`` consecutive keys that nothing had before.

    ``counter`` is ``chassis`` or ``journal``. On PostgreSQL the counter's row stays locked until
    the transaction ends.
    """
    last: int = connection.execute(_TAKE, {"counter": counter, "taken": count}).scalar_one()
    return last - count + 1
