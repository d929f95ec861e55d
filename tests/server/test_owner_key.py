"""Which of the owner's keys signs for a router, by what its record says that it verifies."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from structlog.testing import capture_logs
from world import Running, World, manufacturer, request, run, verified

from bootz.cli.main import run as bootz
from bootz.model.artifacts import SealedData
from bootz.server.keys.rotation import retire_owner_p256, rotate_owner_p256
from bootz.server.metrics.families import CERTIFICATE_EXPIRY
from bootz.server.metrics.folder import begin_counting, read_numbers
from bootz.server.metrics.measuring import ServerMetrics
from bootz.server.operations.profile_document import Content
from bootz.server.site import open_site, utc_now
from bootz.server.snapshot import load_snapshot
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.cms import parse_signed_data


@pytest.fixture
def ready(world: World) -> World:
    world.add_profile("old", owner_key="first")
    world.add_profile("new", owner_key="p256")
    for serial, profile in (("FX1", "old"), ("FX2", "new")):
        world.add_chassis(serial, profile=profile)
        world.add_voucher(serial)
    world.add_chassis("FX3")
    world.add_voucher("FX3")
    return world


def owner_certificate(sealed: SealedData) -> bytes:
    return parse_signed_data(sealed.owner_certificate).certificates[0]


async def kinds(running: Running, *serials: str) -> list[str]:
    """Have routers ask, verify what they get, and return the kinds of keys that signed."""
    found: list[str] = []
    for serial in serials:
        sealed = await running.ask(manufacturer().device(serial), request(serial))
        verified(sealed, serial)
        key = load_certificate(owner_certificate(sealed)).public_key()
        assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        found.append("p256" if isinstance(key, ec.EllipticCurvePublicKey) else "rsa")
    return found


def test_only_routers_that_are_said_to_verify_it_get_p256(ready: World) -> None:
    rotate_owner_p256(ready.site, utc_now())

    async def story(running: Running) -> None:
        assert await kinds(running, "FX1", "FX2", "FX3") == ["rsa", "p256", "rsa"]

    run(story, ready)
    sent = {attempt.proven_serial: attempt.sent["owner_sha256"] for attempt in ready.attempts()}
    files = ready.site.p256_owner_files()
    assert files is not None
    assert sent["FX1"] == sent["FX3"] == fingerprint(ready.site.owner_files().certificate)
    assert sent["FX2"] == fingerprint(files.certificate)


def test_a_vendor_says_so_for_its_routers_and_an_override_for_one(world: World) -> None:
    site = ["--site", str(world.root)]
    assert bootz([*site, "vendor", "set", "Acme", "--owner-key", "p256"]) == 0
    world.add_profile("base", vendor_config="x")
    world.add_chassis("FX1", profile="base")
    world.add_chassis("FX2", profile="base", overrides=Content(owner_key="first"))
    for serial in ("FX1", "FX2"):
        world.add_voucher(serial)
    rotate_owner_p256(world.site, utc_now())

    async def story(running: Running) -> None:
        assert await kinds(running, "FX1", "FX2") == ["p256", "rsa"]
        assert bootz([*site, "vendor", "set", "Acme", "--owner-key", "first"]) == 0
        assert await kinds(running, "FX1", "FX2") == ["rsa", "rsa"]

    run(story, world)


def test_without_such_a_key_the_first_one_signs(ready: World) -> None:
    async def story(running: Running) -> None:
        assert await kinds(running, "FX2") == ["rsa"]
        rotate_owner_p256(ready.site, utc_now())
        await running.server.tend()
        assert await kinds(running, "FX2") == ["p256"]
        retire_owner_p256(ready.site)
        await running.server.tend()
        assert await kinds(running, "FX2") == ["rsa"]

    run(story, ready)


def test_a_key_that_cannot_be_used_is_told_and_the_first_one_signs(ready: World) -> None:
    name = rotate_owner_p256(ready.site, utc_now()).owner_p256
    assert name is not None
    key = ready.site.keys.path(name, "key")
    content = key.read_bytes()
    key.write_bytes(b"")

    async def story(running: Running) -> None:
        assert await kinds(running, "FX1", "FX2") == ["rsa", "rsa"]
        key.write_bytes(content)
        later = ready.monotonic() + 60
        ready.monotonic = lambda: later
        await running.server.tend()
        assert await kinds(running, "FX1", "FX2") == ["rsa", "p256"]

    with capture_logs() as logs:
        run(story, ready)
    assert "owner-p256-unusable" in {entry["event"] for entry in logs}


def checked(world: World, capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], str]:
    capsys.readouterr()
    bootz(["--site", str(world.root), "chassis", "check", "--all", "--output", "json"])
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return {(row["chassis"], row["check"]): row["outcome"] for row in rows}


def test_a_preflight_tells_of_it(ready: World, capsys: pytest.CaptureFixture[str]) -> None:
    before = checked(ready, capsys)
    assert before["FX2", "owner-key"] == "warning"
    assert ("FX1", "owner-key") not in before
    assert ("site", "owner-p256-certificate") not in before
    assert bootz(["--site", str(ready.root), "keys", "rotate", "owner-p256"]) == 0
    after = checked(ready, capsys)
    assert after["FX2", "owner-key"] == "passed"
    site = ("owner-p256-certificate", "owner-p256-certificate-dates", "owner-p256-algorithm")
    assert [after["site", each] for each in site] == ["passed"] * 3


def test_its_end_is_measured_until_it_is_retired(world: World, tmp_path: Path) -> None:
    site, numbers = open_site(world.root), tmp_path / "metrics"
    metrics = ServerMetrics(begin_counting(numbers), time.monotonic)
    series = (CERTIFICATE_EXPIRY.name, "owner-p256")
    rotate_owner_p256(site, utc_now())
    metrics.take(load_snapshot(site, (), utc_now()), "h2")
    assert series in read_numbers(numbers)
    retire_owner_p256(site)
    metrics.take(load_snapshot(site, (), utc_now()), "h2")
    assert series not in read_numbers(numbers)
    metrics.close()
