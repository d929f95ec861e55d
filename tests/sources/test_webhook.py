"""The bell: a recorded webhook rings, anything else does not; and a hundred rings are one sync."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from sources.conftest import SourceWorld
from sources.product import RECORDED

from bootz.errors import ConfigError
from bootz.server.sources.keeping import Echoes, Keeper, hook_app, sources_kept
from bootz.server.sources.ringing import HEADER, MAX_BODY, HookBell
from bootz.server.sources.schedule import JOIN_S, Schedule

HOOKS = [
    json.loads(line)
    for name in ("netbox-4.6.8", "nautobot-3.2.7")
    for line in (RECORDED / f"{name}-webhooks.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("hook", HOOKS)
def test_recorded_webhooks_ring(hook: dict[str, Any]) -> None:
    """T16."""
    bell = HookBell(hook["secret"].encode())

    assert bell.rings(hook["body"].encode(), hook["headers"][HEADER]) is True


@pytest.mark.parametrize("hook", HOOKS[:1])
def test_what_is_not_signed_so_does_not_ring(hook: dict[str, Any]) -> None:
    """T16: one octet changed, no signature, another digest, another secret, not ASCII."""
    body, secret = hook["body"].encode(), hook["secret"].encode()
    bell = HookBell(secret)

    assert bell.rings(body[:-1] + b" ", hook["headers"][HEADER]) is None
    for signature in ("", hmac.new(secret, body, hashlib.sha256).hexdigest(), "é" * 128):
        assert bell.rings(body, signature) is None
    assert HookBell(b"other").rings(body, hook["headers"][HEADER]) is None
    assert bell.bad_signatures == 4


def _signed(body: object) -> tuple[bytes, str]:
    raw = json.dumps(body).encode()
    return raw, hmac.new(b"s", raw, "sha512").hexdigest()


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": "ours"},
        {"request": {"id": "ours", "user": "bootz"}},
        {"username": "bootz-user"},
        {"request": {"user": "bootz-user"}},
    ],
)
def test_our_own_echo_does_not_ring(body: object) -> None:
    """T17, T22: by request id, or by user where a product tells no id."""
    assert HookBell(b"s", {"ours"}, "bootz-user").rings(*_signed(body)) is False


@given(st.binary(max_size=200))
def test_any_signed_body_is_taken(body: bytes) -> None:
    signature = hmac.new(b"s", body, "sha512").hexdigest()

    assert HookBell(b"s", {"ours"}, "me").rings(body, signature) in {True, False}


def test_echoes_are_bounded() -> None:
    echoes = Echoes()
    for number in range(3000):
        echoes.add(str(number))

    assert len(echoes) == 1000
    assert "2999" in echoes


def test_a_hundred_rings_at_once_are_one_sync_and_one_more_behind_a_running_one() -> None:
    """T17."""
    schedule = Schedule(0.0)
    schedule.begin(0.0)
    for _ in range(100):
        schedule.ring(0.0)
    assert schedule.wait(0.0) == JOIN_S
    schedule.start(JOIN_S)
    for _ in range(100):
        schedule.ring(JOIN_S)
    assert schedule.wait(JOIN_S) is None
    schedule.end(15.0)
    assert schedule.due is not None
    schedule.start(schedule.due)
    schedule.end(100.0)

    assert schedule.wait(100.0) is None


@given(st.lists(st.floats(0, 100), max_size=200), st.floats(0.1, 30))
def test_rings_are_joined(rings: list[float], takes: float) -> None:
    """T17: one sync runs, at most one waits, and starts are ten seconds apart."""
    schedule = Schedule(0.0)
    schedule.begin(0.0)
    starts: list[float] = []
    running_until: float | None = None
    for moment in [*sorted(rings), 1000.0]:
        while True:
            wait = schedule.wait(moment)
            if running_until is not None and running_until <= moment:
                schedule.end(running_until)
                running_until = None
            elif running_until is None and schedule.due is not None and schedule.due <= moment:
                starts.append(schedule.due)
                schedule.start(schedule.due)
                running_until = starts[-1] + takes
            else:
                break
            assert wait is None or wait >= 0
        if moment < 1000.0:
            schedule.ring(moment)

    assert all(later - earlier >= JOIN_S for earlier, later in itertools.pairwise(starts))
    assert bool(starts) == bool(rings)
    assert len(starts) <= len(rings)


def test_a_failure_waits_longer_each_time_and_rings_help() -> None:
    schedule = Schedule(300.0)
    schedule.begin(0.0)
    assert schedule.wait(0.0) == 0.0
    waits = []
    for _ in range(8):
        schedule.start(0.0)
        schedule.end(0.0, "source-unreachable")
        waits.append(schedule.wait(0.0))
    assert waits == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    schedule.ring(0.0)
    assert schedule.wait(0.0) == JOIN_S
    schedule.start(0.0)
    schedule.end(0.0)
    assert schedule.wait(0.0) == 300.0
    schedule.start(0.0)
    schedule.end(0.0, "source-unauthorized")
    assert schedule.wait(0.0) == 1800.0


async def _alone() -> bool:
    return True


def test_the_receiver_answers_at_once_and_bounds_what_it_reads(netbox: SourceWorld) -> None:
    room = netbox.room()
    keeper = Keeper(room, room.config.sources[0], lambda: 0.0, _alone)
    bell = HookBell(b"s")

    async def statuses() -> list[int]:
        runner = web.AppRunner(hook_app(keeper, bell))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        found = []
        async with aiohttp.ClientSession() as session:
            for body, signature in (
                _signed({"event": "updated"}),
                (b"{}", "wrong"),
                (b"x" * (MAX_BODY + 1), "wrong"),
            ):
                answer = await session.post(
                    f"http://127.0.0.1:{port}/hook",
                    data=io.BytesIO(body),
                    headers={HEADER: signature},
                )
                found.append(answer.status)
        await runner.cleanup()
        return found

    assert asyncio.run(statuses()) == [202, 401, 413]
    assert keeper.schedule.rung
    assert bell.bad_signatures == 1


def test_a_defect_of_ours_waits_like_a_failure_of_the_source(
    netbox: SourceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = netbox.room()

    async def fails(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("bootz.server.sources.keeping.sync", fails)

    async def run() -> Keeper:
        keeper = Keeper(room, room.config.sources[0], lambda: 0.0, _alone)
        reading = asyncio.create_task(keeper.read())
        async with asyncio.timeout(30):
            while not keeper.schedule.failures:
                await asyncio.sleep(0)
        assert not reading.done()
        reading.cancel()
        return keeper

    assert asyncio.run(run()).schedule.wait(0.0) == 60.0


def test_an_address_that_cannot_be_read_is_named(netbox: SourceWorld) -> None:
    room = netbox.room(webhook={"listen": "here", "secret_file": "s", "tls": False})

    async def run() -> None:
        async with sources_kept(room, lambda: 0.0, None):
            pass

    with pytest.raises(ConfigError) as refused:
        asyncio.run(run())
    assert refused.value.where == "sources.sot.webhook.listen"


def test_a_kept_source_is_read_and_told(netbox: SourceWorld, tmp_path: Path) -> None:
    room = netbox.room(push={"fields": True})

    async def run() -> str:
        async with sources_kept(room, lambda: 0.0, None) as keepers:
            return await keepers[0].sync_once()

    assert asyncio.run(run()) in {"", "source-busy-elsewhere"}
    netbox.sync()
    assert len(netbox.chassis()) == 21
