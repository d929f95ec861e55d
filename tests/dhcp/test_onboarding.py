"""A router without an address gets its lease, finds its server and onboards: the real parts."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from dhcp.kea import U1, U2, config4, config6, kea
from dhcp.router import CLIENT_ID, DUID
from dhcp.site import Site, boot

from bootz.lab.namespaces import Network
from bootz.processes import COMMAND, service

pytestmark = pytest.mark.kea


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("system"))
    asyncio.run(made.make())
    return made


async def onboard(link: Network, site: Site, name: str, *more: str) -> dict[str, object]:
    hardware = await site.build(name)
    prefix = link.hub.command_inside([])
    log = site.folder / f"{name}.log"
    async with service("--site", site.root, "serve", log=log, prefix=prefix):
        record = await asyncio.to_thread(boot, link.routers[0], hardware, *more)
    shown = subprocess.run(
        [*COMMAND, "router", "show", str(hardware), "--output", "json"],
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)["dhcp"] == record["dhcp"]
    return record


def test_over_ipv4_with_kea(link: Network, site: Site, tmp_path: Path) -> None:
    reservation = {
        "client-id": CLIENT_ID,
        "ip-address": "10.0.0.12",
        "option-data": [{"code": 143, "csv-format": False, "data": U1 + U2}],
    }
    with kea(4, link.hub, tmp_path, config4(tmp_path, [reservation])):
        record = asyncio.run(onboard(link, site, "kea4"))
    assert record["status"] == "BOOTZ_OK", record
    assert record["uri"] == "bootz://10.0.0.1:15006"
    assert record["dhcp"]["address"] == "10.0.0.12/24"  # type: ignore[index]


def test_over_ipv6_with_kea(link: Network, site: Site, tmp_path: Path) -> None:
    reservation = {
        "duid": DUID,
        "ip-addresses": ["2001:db8::12"],
        "option-data": [{"code": 136, "csv-format": False, "data": U2}],
    }
    with kea(6, link.hub, tmp_path, config6(tmp_path, [reservation])):
        more = ("--dhcp-family", "ipv6", "--dhcp6-prefix-length", "64")
        record = asyncio.run(onboard(link, site, "kea6", *more))
    assert record["status"] == "BOOTZ_OK", record
    assert record["uri"] == "bootz://[2001:db8::1]:15006"
