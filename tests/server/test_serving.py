"""`bootz serve` as its own process: signals, reload, kill -9; and what goes into its log."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpclib.exceptions import GRPCError, StreamTerminatedError
from world import Running, World, manufacturer, report, request, verified

from bootz.config.file import CONFIG_NAME
from bootz.server.listening import Bound, unreached_hosts
from bootz.server.store.attempt_states import AttemptState

COMMAND = (sys.executable, "-c", "from bootz.cli.main import main; main()")
ANYWHERE = [
    word
    for option in ("--listen", "--image-http", "--image-https")
    for word in (option, "127.0.0.1:0")
]


class Process:
    """The command, and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def hear(self, event: str) -> dict[str, Any]:
        """Read the log until an event."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            told = json.loads(line)
            self.said.append(told)
            if told["event"] == event:
                return told
        raise AssertionError(f"{event} was not said: {self.said}")

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(json.loads(line))
        return await self.process.wait()


@asynccontextmanager
async def served(world: World, *options: str) -> AsyncIterator[tuple[Process, Running]]:
    started = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--site",
        str(world.root),
        "serve",
        "--no-door",
        *ANYWHERE,
        *options,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    process = Process(started)
    try:
        serving = await process.hear("serving")
        host, _, port = serving["bound"][0].rpartition(":")
        bound = Bound(((host, int(port)),), (), ())
        yield process, Running(world, None, bound)  # type: ignore[arg-type]
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


def play(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story(), 120))


@pytest.fixture
def ready(world: World) -> World:
    world.add_profile(vendor_config="username x secret {{ variables.password }}\n")
    world.add_chassis(profile="base", variables={"password": "hunter2"}, hostname="r1")
    world.add_voucher()
    return world


def test_what_was_acknowledged_survives_kill_9(ready: World) -> None:
    async def story() -> None:
        device = manufacturer().device("FX1")
        async with served(ready) as (process, running):
            data = verified(await running.ask(device, request()), "FX1")
            await running.report(device, report("FX1"), anchor=data.responses[0].server_trust_cert)
            assert await process.end(signal.SIGKILL) == -signal.SIGKILL
        (attempt,) = ready.attempts()
        assert (attempt.state, attempt.reports) == (AttemptState.SUCCESS, 1)
        # A server that was killed comes up again, with the same keys.
        async with served(ready) as (process, running):
            anchor = data.responses[0].server_trust_cert
            await running.report(device, report("FX1"), anchor=anchor)
            assert await process.end(signal.SIGTERM) == 0
        assert ready.attempts()[0].reports == 2

    play(story)


def test_the_log_tells_each_fact_once_and_no_secret(ready: World, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"

    async def story() -> None:
        async with served(ready, "--ready-file", str(ready_file)) as (process, running):
            bound = json.loads(ready_file.read_text())
            assert bound["bound"] == ["{}:{}".format(*running.bound.bootz[0])]
            assert len(bound["image_http"]) == len(bound["image_https"]) == 1
            device = manufacturer().device("FX1")
            verified(await running.ask(device, request(nonce="c2VjcmV0")), "FX1", "c2VjcmV0")
            with pytest.raises(GRPCError):
                await running.ask(manufacturer().device("FX9"), request())
            await running.report(device, report("FX1"))
            assert await process.end(signal.SIGTERM) == 0
        events = [told["event"] for told in process.said]
        assert events == [
            *["listening"] * 3,
            "serving",
            "bootstrap-data-answered",
            "call-refused",
            "status-reported",
            "draining",
            "stopped",
        ]
        assert process.said[3]["http2_engine"].startswith("ngh2 ")
        assert not ready_file.exists()
        words = json.dumps(process.said)
        for secret in ("hunter2", "c2VjcmV0", "username"):
            assert secret not in words
        assert process.said[5]["reason"] == "idevid-serial-foreign"
        assert process.said[5]["level"] == "warning"

    play(story)


def test_sighup_reads_settings_and_a_damaged_file_changes_nothing(ready: World) -> None:
    async def story() -> None:
        config = ready.root / CONFIG_NAME
        before = config.read_text()
        device = manufacturer().device("FX1")
        async with served(ready) as (process, running):
            config.write_text(before + "\nnonsense: 1\n")
            process.process.send_signal(signal.SIGHUP)
            failed = await process.hear("reload-failed")
            assert failed["reason"] == "site-config-invalid"
            verified(await running.ask(device, request()), "FX1")
            config.write_text(before + "\nlimits: {max_connections: 5}\nlog: {level: debug}\n")
            process.process.send_signal(signal.SIGHUP)
            assert (await process.hear("restart-needed"))["setting"] == "limits"
            await process.hear("reloaded")
            verified(await running.ask(device, request()), "FX1")
            heard = len(process.said)
            config.write_text(before)
            process.process.send_signal(signal.SIGHUP)
            await process.hear("reloaded")
            # What runs has these bounds.
            assert "restart-needed" not in [told["event"] for told in process.said[heard:]]
            assert await process.end(signal.SIGINT) == 0

    play(story)


def test_keys_rotate_while_it_serves(ready: World) -> None:
    """By another process; who holds the old trust anchor is served until it is retired."""

    async def story() -> None:
        device = manufacturer().device("FX1")
        async with served(ready) as (process, running):
            old = verified(await running.ask(device, request()), "FX1").responses[0]
            await command(ready, "keys", "rotate", "trust-anchor")
            await process.hear("reloaded")
            new = verified(await running.ask(device, request()), "FX1").responses[0]
            assert new.server_trust_cert != old.server_trust_cert
            for anchor in (old.server_trust_cert, new.server_trust_cert):
                await running.report(device, report("FX1"), anchor=anchor)
            await command(ready, "keys", "rotate", "owner")
            await process.hear("reloaded")
            verified(await running.ask(device, request()), "FX1")
            await command(ready, "keys", "retire")
            await process.hear("reloaded")
            await running.report(device, report("FX1"), anchor=new.server_trust_cert)
            with pytest.raises((OSError, StreamTerminatedError)):
                await running.report(device, report("FX1"), anchor=old.server_trust_cert)
            assert await process.end(signal.SIGTERM) == 0

    play(story)


async def command(world: World, *words: str) -> None:
    started = await asyncio.create_subprocess_exec(
        *COMMAND, "--site", str(world.root), *words, stdout=subprocess.DEVNULL
    )
    assert await started.wait() == 0


def test_an_address_in_use_is_a_clear_error(ready: World) -> None:
    async def story() -> None:
        async with served(ready) as (_, running):
            taken = "{}:{}".format(*running.bound.bootz[0])
            second = await asyncio.create_subprocess_exec(
                *COMMAND,
                "--site",
                str(ready.root),
                "serve",
                "--no-door",
                *ANYWHERE,
                "--listen",
                taken,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            _, said = await second.communicate()
            assert second.returncode == 1
            assert b"listen-failed" in said
            assert taken.encode() in said

    play(story)


@pytest.mark.parametrize(
    ("address", "told"), [("nowhere", b"is not ADDRESS:PORT"), ("::1:80", b"brackets")]
)
def test_an_address_that_is_none_is_a_mistake_in_the_call(
    world: World, address: str, told: bytes
) -> None:
    made = subprocess.run(
        [*COMMAND, "--site", str(world.root), "serve", "--no-door", "--listen", address],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 2
    assert told in made.stderr


def at(*hosts: str) -> tuple[tuple[str, int], ...]:
    return tuple((host, 1) for host in hosts)


@pytest.mark.parametrize(
    ("bootz", "http", "https", "unreached"),
    [
        (("127.0.0.1",), ("127.0.0.1",), (), []),
        (("0.0.0.0", "::"), ("127.0.0.1",), (), ["0.0.0.0", "::"]),
        (("10.0.0.1", "::1"), ("0.0.0.0",), (), ["::1"]),
        (("10.0.0.1",), (), ("10.0.0.1",), []),
        (("10.0.0.1",), (), (), []),
    ],
)
def test_image_urls_that_would_lead_nowhere_are_noticed(
    bootz: tuple[str, ...], http: tuple[str, ...], https: tuple[str, ...], unreached: list[str]
) -> None:
    assert unreached_hosts(Bound(at(*bootz), at(*http), at(*https))) == unreached


def test_no_core_is_dumped(ready: World) -> None:
    async def story() -> None:
        async with served(ready) as (process, _):
            limits = Path(f"/proc/{process.process.pid}/limits").read_text().splitlines()
            core = next(line for line in limits if line.startswith("Max core file size"))
            assert core.split()[4:6] == ["0", "0"]

    play(story)
