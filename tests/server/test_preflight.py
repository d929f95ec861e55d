"""`bootz chassis check`: what would fail at night fails before it, each with its next step."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from world import World, manufacturer

from bootz.cli.main import run as bootz
from bootz.images.depot import Depot
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
        "vendor-ca": "passed",
        "voucher": "passed",
        "image": "passed",
        "render": "passed",
    }
    assert set(outcomes(rows, "site").values()) == {"passed"}
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("failures"), suite.get("tests")) == ("0", str(len(rows)))


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
