"""``bootz status``: whether a site serves, and what is not well."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import pytest
from server.test_serving import play, served
from world import World

from bootz.cli.main import run
from bootz.server.key_roles import KeyRole


def told(world: World, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what is told, with the exit code as ``code``."""
    capsys.readouterr()
    code = run(["--site", str(world.root), "status", "--output", "json"])
    return {**json.loads(capsys.readouterr().out), "code": code}


def test_a_server_is_shown_while_it_lives(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.add_profile()
    world.add_chassis(profile="base")

    async def story() -> None:
        before = told(world, capsys)
        assert (before["code"], before["serves"], before["servers"]) == (1, False, [])
        assert before["last_backup"] is None
        async with served(world) as (process, running):
            status = await asyncio.to_thread(told, world, capsys)
            while not status["servers"]:
                # Its first sign of life comes within a second or so.
                status = await asyncio.to_thread(told, world, capsys)
            assert (status["code"], status["serves"]) == (0, True)
            (server,) = status["servers"]
            assert (server["alive"], server["pid"]) == (True, process.process.pid)
            assert str(running.bound.bootz[0][1]) in server["listens"][0]
            assert status["chassis"] == {"expected": 1}
            assert all(part["well"] for part in status["parts"])
            assert run(["--site", str(world.root), "status"]) == 0
            assert str(process.process.pid) in capsys.readouterr().out
            assert await process.end(signal.SIGTERM) == 0
        after = told(world, capsys)
        assert (after["code"], after["servers"]) == (1, [])

    play(story)


def test_a_part_that_is_not_well_has_its_reason(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_owner(connection: Any) -> None:
        from sqlalchemy import delete

        from bootz.server.store.schema import SITE_CERTIFICATE

        role = SITE_CERTIFICATE.c.role == KeyRole.OWNER.value
        connection.execute(delete(SITE_CERTIFICATE).where(role))

    world.write(break_owner)
    parts = {part["part"]: part for part in told(world, capsys)["parts"]}
    assert parts["database"]["well"] is True
    assert parts["owner-identity"]["well"] is False
    assert parts["owner-identity"]["reason"]
    assert parts["owner-identity"]["next_action"]
