"""Routers of every identity, built and powered on by the command, against a served site."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from world import Running, World, run

from bootz.cli.main import run as bootz
from bootz.keystore.files import KeyKind
from bootz.manufacturer.room import Manufacturer
from bootz.model.identity import TpmRecord
from bootz.server.operations.chassis import CardRecord
from bootz.server.operations.tpm_record import read_tpm_key
from bootz.server.operations.vendors import VendorRecord, add_vendor
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.site import utc_now
from bootz.server.store.attempt_states import AttemptState

REAL = pytest.mark.swtpm


def words(text: str, *, real: bool = False) -> Any:
    return pytest.param(text.split(), marks=[REAL] if real else [], id=text or "file")


ROUTERS = [
    words(""),
    words("--key rsa-2048"),
    words("--key p384"),
    words("--tpm swtpm", real=True),
    words("--tpm swtpm --key rsa-2048", real=True),
    words("--tpm swtpm --key p384", real=True),
    words("--identity tpm20-ek"),
    words("--identity tpm20-ppk"),
    words("--identity tpm12"),
    words("--identity tpm20-ek --tpm swtpm", real=True),
    words("--identity tpm20-ppk --tpm swtpm", real=True),
    words("--identity tpm12 --tpm swtpm", real=True),
]


class Lab:
    """A manufacturer's folder, and a site that serves what it makes."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.capsys = world, capsys
        self.folder = world.folder / "maker"
        self.maker = Manufacturer.create(self.folder, "Maker", kind=KeyKind.P256, clock=utc_now)
        world.write(add_vendor, VendorRecord("Maker", idevid_ca=(self.maker.anchor,)))
        self.router = world.folder / "router"
        self.record: dict[str, Any] = {}
        """More of what the inventory has on record of the chassis."""

    def build(self, options: list[str], serial: str = "FX1", **cards: str) -> None:
        """Build a router and put it on record; ``cards`` (slot: serial) make it modular."""
        made = ["router", "manufacture", str(self.router), "--manufacturer", str(self.folder)]
        for slot, own in cards.items():
            made += ["--card", f"{slot}={own}"]
        made += ["--modular"] if cards else []
        assert bootz([*made, "--serial", serial, *options]) == 0
        slots = cards or {"RP0": serial}
        records = tuple(CardRecord(own, tpm=self.keys(slot)) for slot, own in slots.items())
        self.world.add_chassis(serial, "Maker", cards=records, modular=bool(cards), **self.record)
        for own in slots.values():
            self.store_voucher(own)

    def keys(self, slot: str) -> TpmRecord:
        folder = self.router / "cards" / slot / "tpm"
        known = {
            name: read_tpm_key((folder / f"{name}.pem").read_bytes(), name)
            for name in ("ek", "ppk")
            if (folder / f"{name}.pem").exists()
        }
        return TpmRecord(**known)

    def store_voucher(self, serial: str) -> None:
        pinned = self.world.pinned
        voucher = self.maker.issue_voucher(serial, pinned, expires_on=None)
        self.world.write(
            lambda connection: store_voucher(
                connection, voucher, pinned_domain_cert=pinned, now=utc_now(), vendor="Maker"
            )
        )

    async def boot(self, running: Running, *options: str) -> tuple[int, Any]:
        host, port = running.bound.bootz[0]
        call = ["router", "boot", str(self.router), "--uri", f"bootz://{host}:{port}"]
        call += ["--max-attempts", "1", "--progress", "none", "--output", "json", *options]
        code = await asyncio.to_thread(bootz, call)
        out, err = self.capsys.readouterr()
        return code, json.loads(out) if out else err


@pytest.fixture
def lab(world: World, capsys: pytest.CaptureFixture[str]) -> Lab:
    world.add_profile(vendor_config="hostname r\n")
    return Lab(world, capsys)


@pytest.mark.parametrize("options", ROUTERS)
def test_every_router_onboards(lab: Lab, options: list[str]) -> None:
    lab.build(options)
    lab.capsys.readouterr()
    flows = ["stream-v1"] if "tpm12" in options else ["stream-v1", "stream"]
    if not options or options[0] == "--key":
        flows.append("unary")

    async def story(running: Running) -> None:
        for flow in flows:
            code, told = await lab.boot(running, "--flow", flow)
            assert code == 0, told
            assert (told["status"], told["result"]) == ("BOOTZ_OK", "onboarded")
            checks = {check["name"]: check["outcome"] for check in told["checks"]}
            assert set(checks.values()) == {"passed"}
            assert ("decryption" in checks) is (flow == "stream-v1")
            assert bootz(["router", "reset", str(lab.router)]) == 0
            lab.capsys.readouterr()

    run(story, lab.world)
    attempts = lab.world.attempts()
    assert [attempt.state for attempt in attempts] == [AttemptState.SUCCESS] * len(flows)


@pytest.mark.parametrize("options", ["--identity tpm20-ek", "--identity tpm20-ppk", ""])
def test_a_modular_chassis_onboards_with_all_its_cards(lab: Lab, options: str) -> None:
    lab.build(options.split(), "CH1", RP0="CARD0", RP1="CARD1", LC0="CARD2")
    lab.capsys.readouterr()

    async def story(running: Running) -> None:
        code, told = await lab.boot(running, "--flow", "stream-v1")
        assert code == 0, told
        assert told["message"] == ""
        assert "failed" not in {check["outcome"] for check in told["checks"]}, told["checks"]

    run(story, lab.world)
    attempt = lab.world.attempts()[0]
    assert attempt.state is AttemptState.SUCCESS
    assert attempt.reason == ""


def test_what_flows_cannot_do(lab: Lab) -> None:
    lab.build(["--identity", "tpm12"])
    lab.capsys.readouterr()

    async def story(running: Running) -> None:
        code, told = await lab.boot(running, "--flow", "stream")
        assert (code, told["reason"]) == (1, "stream-identity-unfit")
        # TLS takes keys from files alone.
        code, told = await lab.boot(running)
        assert code == 1
        assert "hardware-identity-sealed" in told
        code, told = await lab.boot(running, "--flow", "stream-v1", "--dialect", "v0.3")
        assert code == 1
        assert "usage" in told

    run(story, lab.world)


def test_another_tpm_in_the_inventory(lab: Lab) -> None:
    lab.build(["--identity", "tpm20-ek"])
    other = lab.world.folder / "other"
    made = ["router", "manufacture", str(other), "--manufacturer", str(lab.folder)]
    assert bootz([*made, "--serial", "FX2", "--identity", "tpm20-ek"]) == 0
    site = ["--site", str(lab.world.root)]
    pem = other / "cards" / "RP0" / "tpm" / "ek.pem"
    assert bootz([*site, "chassis", "set", "FX1", "--forget-tpm", "--tpm-ek", str(pem)]) == 0
    shown = lab.capsys.readouterr()
    assert "secret" not in shown.out

    async def story(running: Running) -> None:
        code, told = await lab.boot(running, "--flow", "stream-v1")
        assert (code, told["reason"]) == (1, "tpm-import-refused")

    run(story, lab.world)


def test_a_router_without_idevid_shows_its_keys_and_no_secret(lab: Lab) -> None:
    lab.build(["--identity", "tpm20-ppk"])
    lab.capsys.readouterr()
    assert bootz(["router", "show", str(lab.router), "--output", "json"]) == 0
    (card,) = json.loads(lab.capsys.readouterr().out)["cards"]
    assert set(card["tpm"]) == {"version", "kind", "identity", "ek", "ppk"}
    folder: Path = lab.router / "cards" / "RP0" / "tpm"
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.glob("*.key")} == {
        "ek.key": 0o600,
        "ppk.key": 0o600,
    }


def test_a_tpm_needs_a_manufacturer(lab: Lab) -> None:
    made = ["router", "manufacture", str(lab.router), "--serial", "FX1", "--tpm", "swtpm"]
    assert bootz(made) == 2
