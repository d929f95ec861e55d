"""One contract for both engines: every test that takes ``database`` runs on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store.cluster import Cluster
from store.fresh import fresh_file

from bootz.server.store.database import Database, open_database


@pytest.fixture(scope="session")
def filled_cluster(cluster: Cluster) -> tuple[Cluster, str]:
    """The PostgreSQL, and the URL of a database of it with a site's empty tables."""
    url = cluster.url()
    open_database(url, create=True).close()
    return cluster, url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return fresh_file(tmp_path / "bootz.db")
    running, like = request.getfixturevalue("filled_cluster")
    made: str = running.url(like)
    return made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()
