"""`bootz chassis check`: what would fail at night fails before it, each with its next step.

docs/operator-ids.md: O30, O31.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest
from world import World, manufacturer

from bootz.cli.main import run as bootz
from bootz.dhcp.probes import PROBE_FILE
from bootz.images.depot import Depot
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.holds import hold_chassis
from bootz.server.operations.images import ImageKind, ImageRecord, add_image
from bootz.server.site import utc_now


def check(
    world: World, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, list[dict[str, Any]], str]:
    code = bootz(["--site", str(world.root), "chassis", "check", *words, "--output", "json"])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err


def outcomes(rows: list[dict[str, Any]], chassis: str = "FX1") -> dict[str, str]:
    return {row["check"]: row["outcome"] for row in rows if row["chassis"] == chassis}


@pytest.fixture
def ready(world: World, tmp_path: Path) -> World:
    source = tmp_path / "os.iso"
    source.write_bytes(b"an image" * 1000)
    stored = Depot(world.site.images_folder).add(source)
    world.write(
        add_image,
        ImageRecord("os", "2", ImageKind.IMAGE, "os.iso", stored.size, stored.sha256, utc_now()),
    )
    world.add_profile(
        image={"name": "os", "version": "2"}, vendor_config="hostname {{ chassis.hostname }}\n"
    )
    world.add_chassis(hostname="r1", profile="base")
    world.add_voucher()
    return world


def test_a_chassis_that_is_ready_is_a_go(
    ready: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    junit = tmp_path / "night.xml"

    code, rows, said = check(ready, capsys, "--all", "--junit", str(junit))

    assert (code, said.strip()) == (0, "go: 1 chassis")
    assert outcomes(rows) == {
        "record": "passed",
        "vendor-ca": "passed",
        "voucher": "passed",
        "image": "passed",
        # The server does not run yet.
        "image-url": "warning",
        "render": "passed",
        "gnsi": "passed",
    }
    assert outcomes(rows, "site") == dict.fromkeys(
        (
            "owner-certificate",
            "owner-certificate-dates",
            "owner-algorithm",
            "tls-certificate",
            "tls-trust-anchor",
            "tls-certificate-names",
            "clock-database",
        ),
        "passed",
    )
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("failures"), suite.get("tests")) == ("0", str(len(rows)))
    site = ["--site", str(ready.root)]
    assert bootz([*site, "chassis", "check", "--all", "--output", "junit"]) == 0
    assert ElementTree.fromstring(capsys.readouterr().out).get("tests") == str(len(rows))
    # An ordinary chassis list has no such form.
    assert bootz([*site, "chassis", "list", "--output", "junit"]) == 2


def test_a_no_go_is_a_failure_in_junit_too(
    ready: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.write(lambda connection: hold_chassis(connection, [1], "", now=utc_now()))
    words = ["chassis", "check", "FX1", "--output", "junit"]

    assert bootz(["--site", str(ready.root), *words]) == 1
    told = capsys.readouterr()
    suite = ElementTree.fromstring(told.out)
    assert suite.get("failures") == "1"
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "the chassis is on hold"
    assert "preflight-no-go" in told.err


@pytest.mark.parametrize(
    ("fault", "check_name", "reason"),
    [
        ("voucher", "voucher", "voucher-missing"),
        ("image", "image", "image-file-damaged"),
        ("no image", "image", "image-file-missing"),
        ("template", "render", "render-failed"),
        ("hold", "hold", "chassis-on-hold"),
    ],
)
def test_each_fault_is_a_no_go_with_its_reason(
    ready: World,
    capsys: pytest.CaptureFixture[str],
    fault: str,
    check_name: str,
    reason: str,
) -> None:
    (file,) = (each for each in ready.site.images_folder.iterdir() if len(each.name) == 64)
    serial = "FX1"
    match fault:
        case "voucher":
            serial = "FX2"
            ready.add_chassis("FX2", hostname="r2", profile="base")
        case "image":
            file.chmod(0o644)
            file.write_bytes(b"an Image" * 1000)
        case "no image":
            file.unlink()
        case "template":
            serial = "FX3"
            ready.add_profile("other", vendor_config="{{ variables.site }}\n")
            ready.add_chassis("FX3", hostname="r3", profile="other")
            ready.add_voucher("FX3")
        case _:
            key = 1
            ready.write(lambda connection: hold_chassis(connection, [key], "", now=utc_now()))

    code, rows, said = check(ready, capsys, serial)

    assert code == 1
    (wrong,) = (row for row in rows if row["outcome"] == "failed")
    assert (wrong["chassis"], wrong["check"]) == (serial, check_name)
    if fault != "template":
        assert wrong["reason"] == reason
    assert wrong["next"]
    assert json.loads(said.splitlines()[-1])["error"]["reason"] == "preflight-no-go"


def test_a_voucher_that_ends_soon_is_told_and_is_a_go(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_profile(vendor_config="x\n")
    world.add_chassis(hostname="r1", profile="base")
    world.add_voucher(life=timedelta(days=3))

    code, rows, _ = check(world, capsys, "FX1")

    assert (code, outcomes(rows)["voucher"]) == (0, "warning")


def test_a_voucher_of_another_makers_key_does_not_hold(
    ready: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CA that vouched for it was taken off the record after it was stored."""
    from dataclasses import replace

    from bootz.server.operations.vendors import find_vendor, set_vendor

    other = manufacturer("Other")

    def exchange(connection: Any) -> None:
        record = find_vendor(connection, "Acme")
        set_vendor(connection, "Acme", replace(record, idevid_ca=(other.ca,)))

    ready.write(exchange)

    code, rows, _ = check(ready, capsys, "FX1")

    assert (code, outcomes(rows)["voucher"]) == (1, "failed")


@pytest.mark.parametrize("words", [(), ("FX1", "--all"), ("--all", "--label", "a=b")])
def test_it_wants_one_way_to_choose(ready: World, words: tuple[str, ...]) -> None:
    assert bootz(["--site", str(ready.root), "chassis", "check", *words]) == 2


class _Files(BaseHTTPRequestHandler):
    callers: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.callers.append(self.client_address[0])
        self.send_response(200 if self.path.startswith("/os.iso") else 404)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def files() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "options", "told"),
    [
        ("/os.iso", (), "passed"),
        ("/other.iso", (), "failed"),
        ("/other.iso", ("--no-network",), None),
        ("/os.iso", ("--no-server",), "passed"),
    ],
)
def test_the_url_of_an_image_elsewhere_is_asked_for(
    world: World,
    capsys: pytest.CaptureFixture[str],
    files: str,
    path: str,
    options: tuple[str, ...],
    told: str | None,
) -> None:
    image = {"name": "os", "version": "2", "url": f"{files}{path}", "sha256": "0" * 64}
    world.add_profile(image=image, vendor_config="x\n")
    world.add_chassis(hostname="r1", profile="base")
    world.add_voucher()

    code, rows, _ = check(world, capsys, "FX1", *options)

    assert outcomes(rows).get("image-url") == told
    assert code == (1 if told == "failed" else 0)
    site = outcomes(rows, "site")
    assert ("tls-certificate" in site) == ("--no-server" not in options)


def test_an_image_is_asked_for_from_where_routers_are(
    world: World, capsys: pytest.CaptureFixture[str], files: str
) -> None:
    image = {"name": "os", "version": "2", "url": f"{files}/os.iso", "sha256": "0" * 64}
    world.add_profile(image=image, vendor_config="x\n")
    world.add_chassis(hostname="r1", profile="base")
    world.add_voucher()

    code, rows, _ = check(world, capsys, "FX1", "--from", "127.0.0.7")
    assert (code, outcomes(rows)["image-url"]) == (0, "passed")
    assert _Files.callers[-1] == "127.0.0.7"
    # An address that this machine does not have.
    code, rows, _ = check(world, capsys, "FX1", "--from", "192.0.2.9")
    assert (code, outcomes(rows)["image-url"]) == (1, "failed")
    words = ["chassis", "check", "FX1", "--from", "elsewhere"]
    assert bootz(["--site", str(world.root), *words]) == 2

    # What routers come to is elsewhere: to them, this is their own loopback.
    config = world.root / "bootz.yaml"
    config.write_text(config.read_text() + "\nadvertised: [boot.example.net]\n")
    capsys.readouterr()
    code, rows, _ = check(world, capsys, "FX1")
    (row,) = (row for row in rows if row["check"] == "image-url")
    assert (code, row["outcome"], "loopback" in row["evidence"]) == (1, "failed", True)


class _Clock(threading.Thread):
    """A time server that is ahead by so many seconds, or says something else."""

    def __init__(self, ahead: float, *, first: int = 0x24, echo: bool = True) -> None:
        super().__init__()
        self._ahead, self._first, self._echo = ahead, first, echo
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def run(self) -> None:
        asked, peer = self._socket.recvfrom(100)
        at = time.time() + self._ahead + 2_208_988_800
        stamp = struct.pack("!2I", int(at) % 2**32, int((at % 1) * 2**32))
        mark = asked[40:48] if self._echo else b"\0" * 8
        self._socket.sendto(struct.pack("!BB22x", self._first, 2) + mark + stamp * 2, peer)
        self._socket.close()


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        (_Clock(0.0), ("passed", "")),
        (_Clock(-60.0), ("warning", "clock-skewed")),
        (_Clock(7200.0), ("failed", "clock-skewed")),
        (_Clock(0.0, echo=False), ("warning", "ntp-answer")),
        (_Clock(0.0, first=0xE4), ("warning", "ntp-answer")),
    ],
    ids=["right", "behind", "ahead", "not to our question", "not set"],
)
def test_the_clock_is_compared_with_a_time_server(
    ready: World, capsys: pytest.CaptureFixture[str], clock: _Clock, told: tuple[str, str]
) -> None:
    clock.start()

    code, rows, _ = check(ready, capsys, "FX1", "--ntp", clock.place)

    clock.join()
    (row,) = (row for row in rows if row["check"] == "clock-ntp")
    assert (row["outcome"], row["reason"]) == told
    assert code == (1 if told[0] == "failed" else 0)


def test_what_is_advertised_stands_in_the_certificate(
    ready: World, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ready.root / "bootz.yaml"
    config.write_text(config.read_text() + "\nadvertised: [boot.example.net]\n")

    code, rows, _ = check(ready, capsys, "FX1")

    (row,) = (row for row in rows if row["check"] == "tls-certificate-names")
    # A certificate that the site issues itself is issued again at the next start.
    assert (code, row["outcome"], row["reason"]) == (0, "warning", "tls-name-missing")
    assert "boot.example.net" in row["evidence"]


def test_kea_is_asked_for_each_reservation(
    ready: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = ready.root / "bootz.yaml"
    config.write_text(config.read_text() + f"\ndhcp: {{kea4: {tmp_path}/kea.sock}}\n")

    code, rows, _ = check(ready, capsys, "FX1")
    assert (code, outcomes(rows)["dhcp"]) == (0, "warning")

    ready.add_chassis("FX2", hostname="r2", profile="base", dhcp=DhcpSettings(ipv4="192.0.2.9/24"))
    ready.add_voucher("FX2")
    code, rows, _ = check(ready, capsys, "FX2")
    (row,) = (row for row in rows if row["check"] == "dhcp-ipv4")
    assert (code, row["outcome"], row["reason"]) == (1, "failed", "kea-unreachable")
    code, rows, _ = check(ready, capsys, "FX2", "--no-network")
    assert "dhcp-ipv4" not in outcomes(rows, "FX2")
    assert code == 0


REDIRECT = "0016" + b"bootz://10.0.0.1:15006".hex()


def probed(world: World, *servers: dict[str, str], serial: str = "FX2", hours: float = 0.0) -> None:
    """What ``bootz dhcp probe`` keeps of a probe; its own test is that of the link."""
    line = {
        "serial_number": serial,
        "family": "ipv4",
        "interface": "eth1",
        "at": (utc_now() - timedelta(hours=hours)).isoformat(),
        "servers": list(servers),
    }
    with (world.root / PROBE_FILE).open("a") as file:
        file.write(json.dumps(line) + "\n")


def answered(address: str = "192.0.2.9/24", octets: str = REDIRECT, **more: str) -> dict[str, str]:
    made = {"server": "192.0.2.1", "sender": "02:00:00:00:00:01", "verdict": "usable"}
    return made | {"address": address, "octets": octets, "detail": ""} | more


@pytest.fixture
def addressed(ready: World) -> World:
    settings = DhcpSettings(ipv4="192.0.2.9/24", uris=("bootz://10.0.0.1:15006",))
    ready.add_chassis("FX2", hostname="r2", profile="base", dhcp=settings)
    ready.add_voucher("FX2")
    return ready


@pytest.mark.parametrize(
    ("servers", "more", "outcome", "evidence"),
    [
        ([answered()], {}, "passed", "192.0.2.1 answers"),
        ([], {}, "failed", "no server answers"),
        ([answered(), answered(server="192.0.2.2")], {}, "failed", "2 servers answer"),
        ([answered(verdict="dhcp-no-redirect")], {}, "failed", "dhcp-no-redirect"),
        ([answered(octets=REDIRECT[:-2] + "39")], {}, "failed", "seen 39"),
        ([answered("192.0.2.7/24")], {}, "failed", "seen 192.0.2.7"),
        ([], {"hours": 30.0}, "warning", "no server answers"),
        ([answered("192.0.2.77/24")], {"serial": "OTHER"}, "passed", "as OTHER"),
        ([answered("192.0.2.77/24", verdict="x")], {"serial": "OTHER"}, "warning", "as OTHER"),
        ([answered("198.51.100.7/24")], {"serial": "OTHER"}, None, ""),
        # Not a line of ours: as if nothing had been met.
        ([answered(octets="0x")], {}, None, ""),
    ],
)
def test_what_the_last_probe_met_is_told(
    addressed: World,
    capsys: pytest.CaptureFixture[str],
    servers: list[dict[str, str]],
    more: dict[str, Any],
    outcome: str | None,
    evidence: str,
) -> None:
    probed(addressed, answered(verdict="earlier"), hours=40.0, serial="FX9")
    probed(addressed, *servers, **more)

    code, rows, _ = check(addressed, capsys, "FX2", "--no-network")

    found = [row for row in rows if row["check"] == "dhcp-probe-ipv4"]
    if outcome is None:
        # The older probe, as another router of the link, is what is left.
        assert [row["outcome"] for row in found] == ["warning"]
        assert "as FX9" in found[0]["evidence"]
        return
    (row,) = found
    assert (row["outcome"], evidence in row["evidence"]) == (outcome, True), row
    assert code == (1 if outcome == "failed" else 0)
    assert bool(row["next"]) == (outcome != "passed")


def test_the_servers_of_another_owner_are_not_held_to_ours(
    ready: World, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ready.root / "bootz.yaml"
    config.write_text(config.read_text() + "\nadvertised: [192.0.2.200]\n")
    ready.add_chassis("FX2", hostname="r2", profile="base", dhcp=DhcpSettings(ipv4="192.0.2.9/24"))
    ready.add_voucher("FX2")
    probed(ready, answered())

    code, rows, _ = check(ready, capsys, "FX2", "--no-network")
    assert (code, outcomes(rows, "FX2")["dhcp-probe-ipv4"]) == (1, "failed")
    code, rows, _ = check(ready, capsys, "FX2", "--no-network", "--no-server")
    assert (code, outcomes(rows, "FX2")["dhcp-probe-ipv4"]) == (0, "passed")
