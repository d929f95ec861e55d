"""Where the lab's parties meet: on loopback, or on a link of their own with DHCP.

The link is a bridge in a network namespace, with the owner's and the manufacturer's services on it
and each router in a namespace of its own; nothing of the machine's own network is touched.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError, Unavailable
from bootz.lab.fleet import Batch, by_kind_batches
from bootz.lab.namespaces import HUB_INTERFACE, ROUTER_INTERFACE, network, obstacle
from bootz.lab.plan import Dhcp, PlannedRouter
from bootz.processes import run_command, service

MAX_ON_LINK: Final = 64
"""Routers that can have a namespace and a process each."""

_HUB: Final = IPv4Interface("10.77.0.1/16")
_TIME_SCALE: Final = "0.2"
_KEA_START_S: Final = 30.0
_KEA_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Ground:
    """The place. ``prefix`` are the words before a command that is to run there.

    ``site_words`` are for ``bootz init``; ``addresses`` what DHCP hands each router, by serial
    number; ``router_prefixes`` enter each router's namespace, ``spare`` one without a router.
    """

    site_words: tuple[str, ...]
    prefix: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    router_prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dhcp: Dhcp = Dhcp.NONE
    spare: tuple[str, ...] = ()

    def batches(self, routers: Sequence[PlannedRouter]) -> tuple[Batch, ...]:
        """Return the routers as processes: of one kind each, on a link each router alone."""
        if not self.router_prefixes:
            return by_kind_batches(routers)
        return tuple(
            Batch(router.kind, (router,), self.router_prefixes[router.serial_number])
            for router in routers
        )

    def router_words(self, uri: str) -> tuple[str, ...]:
        """Return how a router finds its server, as words of ``bootz router boot``."""
        if self.dhcp is Dhcp.NONE:
            return ("--uri", uri)
        return ("--dhcp-interface", ROUTER_INTERFACE, "--dhcp-time-scale", _TIME_SCALE)

    def hints(self) -> tuple[str, ...]:
        """Return what a person can do on the ground while the lab is held."""
        if self.dhcp is Dhcp.NONE:
            return ()
        serial = next(iter(self.router_prefixes))
        probe = f"bootz dhcp probe --interface {ROUTER_INTERFACE} --serial {serial}"
        return (f"{' '.join(self.spare)} {probe}",)


LOOPBACK: Final = Ground(
    ("--listen", "127.0.0.1:0", "--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0")
)


def why_not(dhcp: Dhcp) -> str:
    """Return why the lab cannot have a link of its own here, empty where it can."""
    if dhcp is Dhcp.KEA and _kea() is None:
        return "Kea is not installed (Debian: kea-dhcp4-server)"
    return obstacle()


@asynccontextmanager
async def link(routers: Sequence[PlannedRouter], dhcp: Dhcp) -> AsyncIterator[Ground]:
    """Make a link with a namespace for each router, and remove it at the end.

    Raises:
        ConfigError: too many routers.
        Unavailable: ``namespaces-not-permitted``.
    """
    if len(routers) > MAX_ON_LINK:
        raise ConfigError(
            "lab-plan-invalid",
            f"with DHCP there can be {MAX_ON_LINK} routers, a namespace each",
            where="--routers",
            seen=str(len(routers)),
        )
    # One more than there are routers: a port for whoever wants to look at the link.
    with network(f"bootz{os.getpid()}", len(routers) + 1, [_HUB]) as made:
        made.routers[-1].bring_up(ROUTER_INTERFACE)
        host = str(_HUB.ip)
        yield Ground(
            (
                *("--listen", f"{host}:15006", "--advertise", host),
                *("--images-http", f"{host}:15007", "--images-https", f"{host}:15008"),
            ),
            prefix=tuple(made.hub.command_inside(())),
            addresses={
                router.serial_number: f"{_HUB.network[256 + number]}/{_HUB.network.prefixlen}"
                for number, router in enumerate(routers)
            },
            router_prefixes={
                router.serial_number: tuple(place.command_inside(()))
                for router, place in zip(routers, made.routers, strict=False)
            },
            spare=tuple(made.routers[-1].command_inside(())),
            dhcp=dhcp,
        )


@asynccontextmanager
async def dhcp_server(ground: Ground, site: Path, logs: Path) -> AsyncIterator[None]:
    """Run the DHCP server of the ground, with what the site's inventory says; or none."""
    async with AsyncExitStack() as running:
        match ground.dhcp:
            case Dhcp.NONE:
                pass
            case Dhcp.LAB:
                await running.enter_async_context(
                    service(
                        *("--site", site, "dhcp", "serve", "--interface", HUB_INTERFACE),
                        log=logs / "dhcp.log",
                        prefix=ground.prefix,
                    )
                )
            case Dhcp.KEA:
                await running.enter_async_context(_kea_server(ground, site, logs))
        yield


@asynccontextmanager
async def _kea_server(ground: Ground, site: Path, logs: Path) -> AsyncIterator[None]:
    folder = logs / "kea"
    folder.mkdir(mode=0o700)
    control = folder / "kea4.sock"
    rendered = await run_command(
        *("--site", site, "dhcp", "render", "kea4", "--interface", HUB_INTERFACE),
        *("--control-socket", control),
    )
    config = folder / "kea4.json"
    config.write_text(json.dumps(rendered, indent=1))
    with (logs / "kea.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *ground.prefix,
            _kea() or "kea-dhcp4",
            "-c",
            str(config),
            env={
                **os.environ,
                "KEA_PIDFILE_DIR": str(folder),
                "KEA_LOCKFILE_DIR": str(folder),
                "KEA_LOGGER_DESTINATION": str(folder / "kea4.log"),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        await _answers(process, control)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(process: asyncio.subprocess.Process, control: Path) -> None:
    """Wait until Kea answers on its control channel."""
    try:
        async with asyncio.timeout(_KEA_START_S):
            while process.returncode is None:
                try:
                    reading, writing = await asyncio.open_unix_connection(control)
                except OSError:
                    await asyncio.sleep(_KEA_POLL_S)
                    continue
                writing.write(b'{"command": "status-get"}')
                writing.write_eof()
                answer = await reading.read(1 << 16)
                writing.close()
                if b'"result": 0' in answer:
                    return
    except TimeoutError:
        pass
    raise Unavailable("process-failed", "Kea does not start: see kea.log", where="kea-dhcp4")


def _kea() -> str | None:
    return shutil.which("kea-dhcp4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
