"""``bootz conformance device --interface``: a link, a router on it, and a person who types."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_interface
from typing import Any

import pytest
from dhcp.site import Site, boot

from bootz.cli.main import run as bootz
from bootz.conformance.device.by_hand.lines import AGAIN, FACTORY, REBOOT, typed
from bootz.device.hardware import Hardware
from bootz.lab.namespaces import HUB_INTERFACE, Network, network
from bootz.processes import COMMAND

pytestmark = pytest.mark.kea

ADDRESSES = [ip_interface("10.0.0.1/24"), ip_interface("2001:db8::1/64")]


@pytest.fixture(scope="module")
def link() -> Iterator[Network]:
    with network(f"bc{os.getpid()}", 1, ADDRESSES) as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("system"))
    asyncio.run(made.make())
    return made


def suite(
    link: Network, site: Site, person: Callable[[str], None], *words: str
) -> tuple[int, list[dict[str, Any]], str]:
    """Run the suite in the hub; the person gets what is to be typed, block by block."""
    command = [*COMMAND, "--site", str(site.root), "conformance", "device", *words]
    command += ["--interface", HUB_INTERFACE, "--output", "json"]
    said, block = "", ""
    with subprocess.Popen(
        link.hub.command_inside(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            if line.startswith("    "):
                block += line
                if line.strip() in LAST:
                    person(block.rstrip("\n"))
                    block = ""
        told = process.stdout.read()
    assert told, said
    return process.returncode, json.loads(told), said


LAST = tuple(typed(each).splitlines()[-1].strip() for each in (FACTORY, AGAIN))


def test_a_person_follows_what_is_said(link: Network, site: Site) -> None:
    hardware = Hardware.open(site.router)

    def person(block: str) -> None:
        if block == typed(FACTORY):
            hardware.reset()
        if block != typed(REBOOT):
            boot(link.routers[0], site.router, *family)

    family: tuple[str, ...] = ()
    words = ["--case", "bootz-1.3", "--case", "bootz-3.3/signer"]
    code, rows, said = suite(link, site, person, *words, "--quiet-time", "1")
    assert {row["case"]: row["why"] for row in rows if row["result"] != "passed"} == {}, said
    assert code == 0
    assert "DHCP: dhcp-ack 10.0.0.12/24" in said
    assert "SUCCESS reported" in said

    family = ("--dhcp-family", "ipv6", "--dhcp6-prefix-length", "64")
    code, rows, said = suite(link, site, person, "--case", "bootz-3.4")
    assert (code, [row["result"] for row in rows]) == (0, ["passed"]), said
    assert "2001:db8::12" in said


def test_a_router_that_never_comes_passes_nothing(link: Network, site: Site) -> None:
    words = ("--case", "bootz-3.3/signer", "--case", "bootz-3.4", "--timeout", "0.2")
    code, rows, said = suite(link, site, lambda _: None, *words, "--quiet-time", "0.2")
    assert code == 1
    assert [row["result"] for row in rows] == ["not judged", "failed"]
    assert "no request came" in said


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--interface", "none-such"], 1, "dhcp-interface"),
        (["--interface", "lo", "--adapter", "x"], 2, "--adapter"),
        (["--interface", "lo", "--chassis", "NOBODY"], 1, "chassis-not-found"),
    ],
)
def test_what_cannot_be_served_is_told(
    site: Site, capsys: pytest.CaptureFixture[str], words: list[str], code: int, reason: str
) -> None:
    given = ["--site", str(site.root), "conformance", "device", "--case", "bootz-1.3", *words]
    assert bootz(given) == code
    assert reason in capsys.readouterr().err
