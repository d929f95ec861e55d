"""``bootz manufacturer``, ``bootz voucher issue`` and ``bootz router`` as a person calls them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from device.world import HONEST, SERIAL, FakeServer, Manner, World, play

from bootz.cli.base import Cli
from bootz.cli.main import run
from bootz.cli.voucher.issue import issue_command
from bootz.errors import BootzError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Shell:
    """Calls the command and reads what it prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.stderr = ""

    def __call__(self, *arguments: object) -> tuple[int, Any]:
        code = run([*map(str, arguments), "--output", "json"])
        captured = self._capsys.readouterr()
        self.stderr = captured.err
        return code, json.loads(captured.out) if captured.out.strip() else None


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def made(world: World, shell: Shell, *more: object) -> Path:
    """Manufacture a router from an identity that exists, as from the reference's."""
    chain, key = world.idevid.save(world.folder, "idevid")
    anchor, _ = world.vendor.save(world.folder, "vendor")
    folder = world.folder / "r1"
    files = ("--idevid-cert", chain, "--idevid-key", key, "--vendor-anchor", anchor)
    code, record = shell(
        "router", "manufacture", folder, "--serial", SERIAL, "--vendor-name", "Acme", *files, *more
    )
    assert code == 0, shell.stderr
    assert record["serial_number"] == SERIAL
    return folder


def booted(shell: Shell, folder: Path, uri: str, *more: object) -> tuple[int, Any]:
    waits: Sequence[object] = ("--retry-wait", 0, "--report-wait", 0, "--report-attempts", 2)
    return shell("router", "boot", folder, "--uri", uri, "--max-attempts", 1, *waits, *more)


def test_a_router_boots_and_tells_all_about_it(world: World, shell: Shell) -> None:
    folder = made(world, shell)

    async def story() -> None:
        async with FakeServer(world) as server:
            code, record = await asyncio.to_thread(
                booted, shell, folder, server.uri, "--dialect", "v0.3", "--progress", "json-lines"
            )
            assert code == 0
            assert record["statuses"] == HONEST
            assert record["result"] == "onboarded"
            assert (record["serial_number"], record["dialect"]) == (SERIAL, "v0.3")
            assert (record["error_count"], record["attempts"], record["reason"]) == (0, 1, "")
            assert len(record["checksum"]) == 128
            assert len(record["configuration_sha256"]) == 64
            assert record["image"] == {"name": "factory", "version": "0", "sha256": ""}
            assert {check["outcome"] for check in record["checks"]} == {"passed"}
            assert record["seconds"] > 0
            events = [json.loads(line) for line in shell.stderr.splitlines()]
            assert [e["status"] for e in events if e["event"] == "status"] == HONEST[1:]
            assert {event["serial_number"] for event in events} == {SERIAL}
            code, record = await asyncio.to_thread(booted, shell, folder, server.uri)
            assert (code, record["result"]) == (0, "already-onboarded")
            assert len(server.requests) == 1

    play(story)
    code, record = shell("router", "show", folder)
    assert (code, record["operational"]) == (0, True)
    assert record["bootz"]["status"] == "BOOTZ_OK"
    code, record = shell("router", "show", folder, "--configuration")
    assert record["vendor"] == "hostname r1\n"
    assert shell("router", "reset", folder) == (0, None)
    code, record = shell("router", "show", folder)
    assert (record["operational"], record["bootz"]["error-count"]) == (False, 0)
    assert shell("router", "show", folder, "--configuration") == (0, None)


def test_a_boot_that_fails_exits_with_one_and_its_reason(world: World, shell: Shell) -> None:
    folder = made(world, shell)

    async def story() -> None:
        async with FakeServer(world) as server:
            server.manners = [Manner(voucher_serial="OTHER")]
            code, record = await asyncio.to_thread(booted, shell, folder, server.uri)
            assert code == 1
            assert (record["reason"], record["result"]) == ("ov-wrong-serial", "failed")
            assert record["statuses"][-1] == "BOOTZ_OV_INVALID"
            assert "attempt-failed" in shell.stderr

    play(story)


def test_without_secure_mode_it_boots_normally(world: World, shell: Shell) -> None:
    folder = made(world, shell, "--no-secure-mode")
    code, record = booted(shell, folder, "bootz://127.0.0.1:1", "--progress", "none")
    assert (code, record["result"]) == (0, "normal-boot")


def test_a_manufacturer_makes_routers_and_vouchers(
    world: World, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = world.folder / "maker"
    code, record = shell("manufacturer", "init", maker, "--name", "Acme")
    assert (code, record["name"]) == (0, "Acme")
    assert shell("manufacturer", "init", maker)[0] == 1
    assert shell("manufacturer", "show", maker)[1]["fingerprint"] == record["fingerprint"]
    assert shell("manufacturer", "anchor", maker, "-o", world.folder / "ca.pem")[0] == 0
    assert (world.folder / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    for kind in ("rsa-2048", "p256", "p384"):
        code, record = shell(
            "router", "manufacture", world.folder / kind, "--manufacturer", maker,
            "--serial", "SN-1", "--key", kind,
        )  # fmt: skip
        assert (code, record["manufacturer"]) == (0, "Acme")
    code, record = shell(
        "manufacturer", "identity", maker, "--serial", "SN-2", "-o", world.folder / "id"
    )
    assert (code, (world.folder / "id" / "identity.key").stat().st_mode & 0o777) == (0, 0o600)


@pytest.mark.parametrize(
    ("expires", "good"),
    [("", True), ("30", True), ("2099-01-01T00:00:00Z", True), ("soon", False), ("0", False)],
)
def test_a_voucher_is_issued_to_a_file(
    world: World, shell: Shell, expires: str, good: bool
) -> None:
    maker, target = world.folder / "maker", world.folder / "v.vcj"
    assert shell("manufacturer", "init", maker)[0] == 0
    pdc, _ = world.owner.pdc.save(world.folder, "pdc")
    arguments = ("--serial", SERIAL, "--pinned-domain-cert", pdc, "-o", target)
    words = [*map(str, ("--manufacturer", maker, *arguments)), "--expires", expires]
    if good:
        issue_command.main(words, standalone_mode=False, obj=Cli())
    else:
        with pytest.raises(BootzError) as caught:
            issue_command.main(words, standalone_mode=False, obj=Cli())
        assert caught.value.reason == "manufacturer-argument"
    assert target.exists() == good


@pytest.mark.parametrize(
    "arguments",
    [
        ("router", "boot", "{}/none", "--uri", "bootz://h"),
        ("router", "boot", "{}/none", "--uri", "http://h"),
        ("router", "boot", "{}/none", "--uri", "bootz://h", "--max-attempts", "-1"),
        ("router", "show", "{}/none"),
        ("router", "reset", "{}/none"),
        ("manufacturer", "show", "{}/none"),
        ("router", "manufacture", "{}/x", "--serial", "S", "--manufacturer", "{}/none"),
    ],
)
def test_what_cannot_be_done_is_one_error(
    world: World, shell: Shell, arguments: Sequence[str]
) -> None:
    code, record = shell(*(word.format(world.folder) for word in arguments))
    assert (code, record) == (1, None)
    assert json.loads(shell.stderr)["error"]["next"]


def test_half_an_identity_is_a_usage_error(world: World, shell: Shell) -> None:
    assert shell("router", "manufacture", world.folder / "x", "--serial", "S")[0] == 2


@pytest.mark.parametrize("form", ["der", "base64", "garbage", "other-key", "no-anchor"])
def test_an_identity_is_read_in_every_form_that_is_one(
    world: World, shell: Shell, form: str
) -> None:
    key = world.idevid.key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate, anchor = world.idevid.der, world.vendor.der
    match form:
        case "base64":
            key, certificate = base64.b64encode(key), base64.b64encode(certificate)
        case "garbage":
            key = b"garbage"
        case "other-key":
            key = world.vendor.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
    paths = {}
    for name, data in (("key", key), ("cert", certificate), ("anchor", anchor)):
        paths[name] = world.folder / name
        paths[name].write_bytes(data)
    anchors = () if form == "no-anchor" else ("--vendor-anchor", paths["anchor"])
    code, _ = shell(
        "router", "manufacture", world.folder / "r", "--serial", SERIAL,
        "--idevid-cert", paths["cert"], "--idevid-key", paths["key"], *anchors,
    )  # fmt: skip
    assert code == (0 if form in {"der", "base64"} else 1)
    if code:
        assert json.loads(shell.stderr)["error"]["reason"] == "hardware-identity"


def test_several_routers_are_powered_on_together(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    maker = tmp_path / "maker"
    assert shell("manufacturer", "init", maker)[0] == 0
    lab = tmp_path / "lab"
    serials = ("--serial", "A1", "--serial", "A2")
    code, records = shell("router", "manufacture", lab, "--manufacturer", maker, *serials)
    assert (code, [record["serial_number"] for record in records]) == (0, ["A1", "A2"])
    assert (
        len({(lab / serial / "cards/RP0/identity.key").read_bytes() for serial in ("A1", "A2")})
        == 2
    )
    folders = [made(world, shell), lab / "A1"]
    (lab / "A1" / "state.json").write_text("damaged")

    async def story() -> None:
        async with FakeServer(world) as server:
            waits = ("--retry-wait", 0, "--report-wait", 0, "--max-attempts", 1)
            code, records = await asyncio.to_thread(
                shell, "router", "boot", *folders, "--uri", server.uri, *waits
            )
            # One whose hardware is damaged fails alone, and the exit code says so.
            assert code == 1
            assert [record["status"] for record in records] == ["BOOTZ_OK", ""]
            assert records[1]["reason"] == "hardware-damaged"

    play(story)


def test_an_identity_that_exists_is_of_one_router(world: World, shell: Shell) -> None:
    chain, key = world.idevid.save(world.folder, "idevid")
    files = ("--idevid-cert", chain, "--idevid-key", key, "--serial", "A1", "--serial", "A2")
    assert shell("router", "manufacture", world.folder / "r", *files) == (2, None)
