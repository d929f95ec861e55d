"""A router without an address gets its lease, finds its server and onboards: the real parts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import kea
from dhcp.site import Site, boot

from bootz.device.hardware import Hardware
from bootz.device.record import state_record
from bootz.lab.namespaces import HUB_INTERFACE, Network
from bootz.processes import service

pytestmark = pytest.mark.kea


@pytest.fixture(scope="module")
def site(link: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The system, with its server in the hub and one router, for all tests here."""
    made = Site(tmp_path_factory.mktemp("system"))
    ready, ended = threading.Event(), threading.Event()

    async def story() -> None:
        await made.make()
        prefix = link.hub.command_inside([])
        log = made.folder / "serve.log"
        async with service("--site", made.root, "serve", "--no-door", log=log, prefix=prefix):
            ready.set()
            await asyncio.to_thread(ended.wait)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: asyncio.run(story()))
        running.add_done_callback(lambda _: ready.set())
        ready.wait()
        if not running.done():
            yield made
        ended.set()
        running.result()


def onboard(link: Network, site: Site, *more: str) -> dict[str, Any]:
    """Power on a router in factory state; its record is what `router show` has."""
    hardware = Hardware.open(site.router)
    hardware.reset()
    record = boot(link.routers[0], site.router, *more)
    shown = json.loads(json.dumps(state_record(hardware, hardware.load_state()), default=str))
    assert shown["dhcp"]["address"] == record["dhcp"]["address"]
    return record


OVER_IPV6 = ("--dhcp-family", "ipv6", "--dhcp6-prefix-length", "64")


async def rendered(site: Site, form: str, folder: Path) -> Any:
    """Return what ``bootz dhcp render`` writes for Kea on the hub."""
    control = str(folder / f"{form}.sock")
    more = ("--interface", HUB_INTERFACE, "--control-socket", control)
    return await site.run("dhcp", "render", form, *more)


def test_over_ipv4_with_kea(link: Network, site: Site, tmp_path: Path) -> None:
    config = asyncio.run(rendered(site, "kea4", tmp_path))
    with kea(4, link.hub, tmp_path, config):
        record = onboard(link, site)
    assert record["status"] == "BOOTZ_OK", record
    assert record["uri"] == "bootz://10.0.0.1:15006"
    assert record["dhcp"]["address"] == "10.0.0.12/24"
    assert record["dhcp"]["shape"] == "rfc8572"


def test_over_ipv6_with_kea(link: Network, site: Site, tmp_path: Path) -> None:
    config = asyncio.run(rendered(site, "kea6", tmp_path))
    with kea(6, link.hub, tmp_path, config):
        record = onboard(link, site, *OVER_IPV6)
    assert record["status"] == "BOOTZ_OK", record
    assert record["uri"] == "bootz://[2001:db8::1]:15006"


@pytest.mark.parametrize("more", [(), OVER_IPV6], ids=["ipv4", "ipv6"])
def test_with_the_lab_server(
    link: Network, site: Site, tmp_path: Path, more: tuple[str, ...]
) -> None:
    prefix = link.hub.command_inside([])
    words = ("--site", site.root, "dhcp", "serve", "--interface", HUB_INTERFACE)

    async def story() -> tuple[dict[str, Any], Any]:
        async with service(*words, log=tmp_path / "dhcp.log", prefix=prefix):
            record = await asyncio.to_thread(onboard, link, site, *more)
        return record, await site.run("dhcp", "leases")

    record, leases = asyncio.run(story())
    assert record["status"] == "BOOTZ_OK", record
    family = "ipv6" if more else "ipv4"
    (lease,) = [each for each in leases if each["family"] == family]
    assert lease["device"] == "r1"
    assert lease["uris"] == [record["uri"]]
    assert lease["redirect"].endswith(record["uri"].encode().hex())
