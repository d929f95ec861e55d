"""Two servers, each with a folder and a TLS key of its own, on one PostgreSQL."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store.cluster import Cluster
from stream_world import ask, opened, prover, tell
from world import Running, World, make_site, manufacturer, report, request, verified

from bootz.cli.main import run as bootz
from bootz.config.serving import DatabaseSettings
from bootz.config.site import SiteConfig
from bootz.errors import ConfigError
from bootz.model.identity import IdentityKind
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.servers import ServerRow, list_servers
from bootz.wire.flows import STREAM_V1

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> World:
    folder = tmp_path_factory.mktemp("several")
    settings = DatabaseSettings(url=cluster.url())
    make_site(folder / "made", SiteConfig(database=settings, advertised=("one.example.net",)))
    made = World(folder, folder / "made")
    made.add_vendor(manufacturer())
    made.add_profile(vendor_config="hostname r1\n")
    return made


def brought(world: World) -> list[str | Path]:
    """Return the words that bring the keys which all servers share."""
    keys = world.site.keys_folder
    return [
        *("--pinned-domain-cert", keys / "pinned-domain" / "1.pem"),
        *("--owner-cert", keys / "owner" / "1.pem", "--owner-key", keys / "owner" / "1.key"),
        *("--trust-anchor", keys / "trust-anchor" / "1.pem"),
        *("--trust-anchor-key", keys / "trust-anchor" / "1.key"),
    ]


def join(world: World, folder: Path, words: list[str | Path]) -> int:
    url = world.site.config.database.url
    joining = ["init", folder, "--join", "--database", url, *words, "--output", "json"]
    return bootz([*map(str, joining)])


@pytest.fixture
def second(first: World, tmp_path: Path) -> World:
    folder = tmp_path / "two"
    assert join(first, folder, [*brought(first), "--advertise", "two.example.net"]) == 0
    other = copy.copy(first)
    other.root = folder
    return other


def play(first: World, second: World, story: Callable[[Running, Running], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with first.serving() as one, second.serving() as two:
            await asyncio.wait_for(story(one, two), 60)

    asyncio.run(serve())


def test_a_router_is_answered_by_one_and_reports_to_the_other(first: World, second: World) -> None:
    first.add_chassis("FX1", profile="base")
    first.add_voucher("FX1")
    keys = [each.site.keys for each in (first, second)]
    assert keys[0].certificates("tls/1") != keys[1].certificates("tls/1")

    async def story(one: Running, two: Running) -> None:
        device = manufacturer().device("FX1")
        data = verified(await one.ask(device, request()), "FX1")
        await two.report(device, report("FX1"), anchor=data.responses[0].server_trust_cert)
        # The same on streams, the other way round: who proves itself there, reports here.
        honest = prover(IdentityKind.IDEVID)
        answer = opened(await ask(two, STREAM_V1, honest))
        await tell(one, STREAM_V1, honest, anchor=answer.responses[0].server_trust_cert)

    play(first, second, story)
    (attempt,) = first.attempts()
    assert (attempt.state, attempt.reports) == (AttemptState.SUCCESS, 2)


def test_each_server_renews_its_own_tls_certificate(first: World, second: World) -> None:
    later = first.now() + timedelta(days=70)

    async def story(one: Running, two: Running) -> None:
        first.now = second.now = lambda: later
        # Only one of the two can lead.
        await one.server.tend()
        await two.server.tend()

    before = first.now
    try:
        play(first, second, story)
    finally:
        first.now = before
    for each in (first, second):
        assert each.site.keys.read().tls == "tls/2"


def test_a_server_with_another_anchor_or_pinned_certificate_is_refused(
    first: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for left_out in ("--pinned-domain-cert", "--trust-anchor"):
        words = brought(first)
        # What is not brought is made.
        at = words.index(left_out)
        del words[at : at + (4 if left_out == "--trust-anchor" else 6)]
        assert join(first, tmp_path / "other", words) == 1
        error: dict[str, Any] = json.loads(capsys.readouterr().err)["error"]
        assert error["reason"] == "servers-disagree"
        assert not (tmp_path / "other").exists()


def test_a_server_whose_keys_differ_from_one_that_runs_does_not_start(
    first: World, second: World
) -> None:
    make_site(first.folder / "stray")
    shutil.rmtree(second.root / "keys")
    shutil.copytree(first.folder / "stray" / "keys", second.root / "keys")

    async def story() -> None:
        async with first.serving() as one:
            while not servers(first):
                await one.server.tend()
            (row,) = servers(first)
            assert row.alive(first.now())
            # Nor is it alive for a clock that was set back, or forward, since.
            for hours in (-1, 1):
                assert not row.alive(first.now() + timedelta(hours=hours))
            assert (row.folder, row.listens) == (
                str(first.root),
                ("{}:{}".format(*one.bound.bootz[0]),),
            )
            with pytest.raises(ConfigError) as refused:
                async with second.serving():
                    pass
            assert refused.value.reason == "servers-disagree"
        # Who ends well is no longer among them.
        assert servers(first) == ()

    asyncio.run(asyncio.wait_for(story(), 60))


def servers(world: World) -> tuple[ServerRow, ...]:
    database = world.site.database()
    try:
        with database.read() as connection:
            return tuple(list_servers(connection))
    finally:
        database.close()
