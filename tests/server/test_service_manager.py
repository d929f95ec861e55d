"""What services tell systemd, over a socket of the kind that it gives them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from world import World

from bootz.cli.service_manager import ServiceManager

COMMAND = (sys.executable, "-c", "from bootz.cli.main import main; main()")
PORTS = tuple(
    word
    for option in ("--listen", "--image-http", "--image-https")
    for word in (option, "127.0.0.1:0")
)


class Manager:
    """The manager's end of the socket; the kernel says which process a message is from."""

    def __init__(self, name: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(name)
        self.socket.settimeout(120)

    def hear(self) -> tuple[int, bytes]:
        """Return the next message, with the process that sent it."""
        message, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
        (credentials,) = [data for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS]
        return struct.unpack("3i", credentials)[0], message


@contextmanager
def managed(name: str, *words: str) -> Iterator[tuple[Manager, subprocess.Popen[bytes]]]:
    """Start a command as systemd would, with a watchdog of a fifth of a second."""
    manager = Manager(name)
    shown = name.replace("\0", "@")
    process = subprocess.Popen(
        [*COMMAND, *words],
        env=os.environ | {"NOTIFY_SOCKET": shown, "WATCHDOG_USEC": "200000"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield manager, process
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(120)
        manager.socket.close()
    assert code == 0


def heard(manager: Manager, process: subprocess.Popen[bytes]) -> list[bytes]:
    """Return the messages up to the third sign of life after the word that it serves."""
    told: list[bytes] = []
    while b"READY=1" not in told or told[told.index(b"READY=1") :].count(b"WATCHDOG=1") < 3:
        sender, message = manager.hear()
        assert sender == process.pid
        told.append(message)
    return told


def test_a_server_tells_that_it_serves_and_that_it_lives(world: World, tmp_path: Path) -> None:
    words = ("--site", str(world.root), "serve", "--no-door", *PORTS)
    with managed(str(tmp_path / "notify"), *words) as (manager, process):
        told = heard(manager, process)
    assert told.count(b"READY=1") == 1
    assert {*told} == {b"READY=1", b"WATCHDOG=1"}


def test_neither_children_nor_the_door_speak_in_place_of_their_parent(
    world: World, tmp_path: Path
) -> None:
    config = world.root / "bootz.yaml"
    config.write_text(config.read_text() + "\noperator:\n  listen: ['127.0.0.1:0']\n")
    words = ("--site", str(world.root), "serve", "--workers", "2", *PORTS)
    with managed(str(tmp_path / "notify"), *words) as (manager, process):
        assert heard(manager, process).count(b"READY=1") == 1


def test_a_door_of_its_own_tells_too_in_the_abstract_namespace(world: World) -> None:
    words = ("--site", str(world.root), "board", "--listen", "127.0.0.1:0")
    with managed(f"\0bootz-{os.getpid()}", *words) as (manager, process):
        assert heard(manager, process).count(b"READY=1") == 1


def test_a_masa_tells_too(tmp_path: Path) -> None:
    folder = tmp_path / "masa"
    making = ("masa", "init", str(folder), "--name", "Acme", "--ien", "9")
    subprocess.run([*COMMAND, *making], check=True, capture_output=True)
    words = ("masa", "serve", "--masa", str(folder), "--grpc", "127.0.0.1:0")
    with managed(str(tmp_path / "notify"), *words, "--http", "127.0.0.1:0") as (manager, process):
        assert heard(manager, process).count(b"READY=1") == 1


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_watchdog_of_another_process_is_not_ours(tmp_path: Path) -> None:
    heard_by = Manager(str(tmp_path / "notify"))
    heard_by.socket.setblocking(False)
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "HOME": "/",
    }
    manager = ServiceManager(environment, pid=2)
    asyncio.run(manager.watching(_turns()))
    with pytest.raises(BlockingIOError):
        heard_by.hear()
    manager.ready()
    assert heard_by.hear() == (os.getpid(), b"READY=1")
    heard_by.socket.close()
    # A process that is started in turn finds nothing of it.
    assert environment == {"HOME": "/"}


def test_a_manager_that_has_gone_is_told_in_the_log_and_stops_nothing(tmp_path: Path) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}, pid=2)
    with structlog.testing.capture_logs() as said:
        manager.ready()
        asyncio.run(manager.watching(_turns()))
    assert [(each["event"], each["state"]) for each in said] == [("manager-not-told", "READY=1")]


def test_without_a_manager_nothing_is_told_and_all_is_served() -> None:
    manager = ServiceManager({}, pid=2)
    with structlog.testing.capture_logs() as said:
        manager.ready()
        asyncio.run(manager.watching(_turns()))
    assert said == []
