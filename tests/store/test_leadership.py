"""One process leads; its lock goes with it, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from store.cluster import Cluster

from bootz.errors import Unavailable
from bootz.server.store.database import Database, open_database
from bootz.server.store.leadership import leadership


def test_one_leads_until_it_lets_go(database: Database) -> None:
    first, second = leadership(database), leadership(database)
    assert first.hold()
    assert first.hold()
    assert not second.hold()
    first.release()
    assert second.hold()
    assert not first.hold()
    second.release()


@pytest.mark.postgresql
def test_a_leader_whose_connection_ended_is_replaced(cluster: Cluster) -> None:
    postgresql = open_database(cluster.url(), create=True)
    first, second = leadership(postgresql), leadership(postgresql)
    assert first.hold()
    with postgresql.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(Unavailable):
        first.hold()
    assert second.hold()
    assert not first.hold()
    second.release()
    postgresql.close()
