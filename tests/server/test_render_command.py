"""`bootz chassis render`: what a router would get, and the warnings of a preview."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from world import World, manufacturer, request, run, verified

from bootz.cli.main import run as bootz
from bootz.model.bootstrap import BootConfig, BootstrapData
from bootz.model.chassis import BootMode, Release
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.profiles import ProfileRecord, set_profile
from bootz.server.store.sent_data import last_sent
from bootz.wire.answers import encode_bootstrap_data
from bootz.wire.dialects import CURRENT, DIALECTS, Dialect, dialect_by_name
from bootz.wire.preview import preview_payload


def render(
    world: World, capsys: pytest.CaptureFixture[str], *words: str, output: str = "json"
) -> tuple[Any, str]:
    code = bootz(["--site", str(world.root), "chassis", "render", *words, "--output", output])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return (json.loads(shown.out) if output == "json" else shown.out), shown.err


@pytest.fixture
def full(world: World) -> World:
    world.add_profile(
        vendor_config="hostname {{ chassis.hostname }}\n",
        dynamic_vendor_config="dynamic\n",
        oc_config={"a": 1},
        script="#!/bin/sh\n",
        boot_password_hash="$6$salt$hash",
        credentials={"passwords": [{"accounts": [{"account": "root", "created_on": "7"}]}]},
        authz={"version": "1", "policy": "{}"},
        pathz={"policy": {"rules": [{"id": "1", "user": "u", "action": "ACTION_DENY"}]}},
        certz_profiles=[
            {
                "ssl_profile_id": "a",
                "certz": {
                    "entities": [{"trust_bundle": {"certificate": {"raw_certificate": "//8="}}}]
                },
            },
            {"ssl_profile_id": "b", "certz": {}, "primary": True},
        ],
    )
    world.add_chassis(hostname="r1", profile="base")
    world.add_voucher()
    return world


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_it_prints_exactly_what_the_router_gets(
    full: World, capsys: pytest.CaptureFixture[str], dialect: Dialect
) -> None:
    release = Release.V0_3 if dialect.name == "v0.3" else Release.CURRENT
    full.add_chassis("FX2", hostname="r2", profile="base", release=release)
    full.add_voucher("FX2")
    told: list[object] = []

    async def story(running: Any) -> None:
        sealed = await running.ask(manufacturer().device("FX2"), request("FX2"), dialect)
        data = verified(sealed, "FX2", dialect=dialect)
        told.append(preview_payload(sealed.payload))
        assert data.responses

    run(story, full)
    capsys.readouterr()
    shown, _ = render(full, capsys, "FX2", "--dialect", dialect.name, "--reached-at", "127.0.0.1:1")
    wired = told[0]
    assert isinstance(wired, dict)
    assert wired.pop("nonce")
    assert shown == wired
    boot = shown["responses"][0]["boot_config"]
    assert boot["vendor_config"].startswith("hostname r2\n")
    assert boot["oc_config"] == '{"a":1}'
    assert boot["metadata"] == {"pre-configuration-script": "#!/bin/sh\n"}


def test_the_preview_warns_of_what_a_dialect_cannot_carry(
    full: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = render(full, capsys, "FX1", "--dialect", "v0.1.0")
    assert "room for one certz profile: b; not a" in told
    assert "dynamic configuration is merged" in told
    _, told = render(full, capsys, "FX1", "--dialect", "v0.3")
    assert "routers of release v0.2 get one certz profile" in told
    assert "answered as current, not as v0.3" in told
    _, told = render(full, capsys, "FX1")
    assert told == ""


def test_it_warns_of_what_would_be_refused_or_fail(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_profile(boot_config=False, image={"name": "os", "version": "1", "url": "http://x"})
    world.add_chassis(profile="base", boot_mode=BootMode.INSECURE)
    _, told = render(world, capsys, "FX1", output="table")
    for words in ("INSECURE", "no boot configuration", "has no digest", "no valid voucher"):
        assert words in told


def test_a_card_can_be_chosen_and_must_be_the_chassis_own(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = (CardRecord("RP0"), CardRecord("RP1"))
    world.add_chassis("CH1", modular=True, cards=cards)
    both, _ = render(world, capsys, "rp1")
    one, _ = render(world, capsys, "CH1", "--card", "rp1")
    assert [each["serial_num"] for each in both["responses"]] == ["RP0", "RP1"]
    assert [each["serial_num"] for each in one["responses"]] == ["rp1"]
    code = bootz(["--site", str(world.root), "chassis", "render", "CH1", "--card", "FX1"])
    assert code == 1
    assert "chassis-not-found" in capsys.readouterr().err


def test_a_template_that_fails_is_told_with_key_and_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_profile(vendor_config="a\n{{ variables.absent }}\n")
    world.add_chassis(profile="base")
    assert bootz(["--site", str(world.root), "chassis", "render", "FX1"]) == 1
    told = capsys.readouterr().err
    assert "vendor_config line 2" in told
    assert "template-failed" in told


def test_bytes_that_are_no_text_are_shown_as_base64(full: World) -> None:
    data = BootstrapData("FX1", b"\x00", boot_config=BootConfig(vendor_config=b"\xff\x00"))
    payload = encode_bootstrap_data([data], dialect_by_name("current"))
    (shown,) = preview_payload(payload)["responses"]  # type: ignore[misc]
    assert shown["boot_config"]["vendor_config"] == "base64:/wA="
    assert shown["server_trust_cert"] == "AA=="
    assert preview_payload(encode_bootstrap_data([], CURRENT)) == {}


def sent(
    world: World, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> tuple[Any, str]:
    assert bootz(["--site", str(world.root), "chassis", "sent", *words, "--output", "json"]) == code
    shown = capsys.readouterr()
    return (json.loads(shown.out) if shown.out else None), shown.err


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_what_was_last_sent_is_exactly_what_was_on_the_wire(
    full: World, capsys: pytest.CaptureFixture[str], dialect: Dialect
) -> None:
    release = Release.V0_3 if dialect.name == "v0.3" else Release.CURRENT
    full.add_chassis("FX2", hostname="r2", profile="base", release=release)
    full.add_voucher("FX2")
    _, told = sent(full, capsys, "FX2", code=1)
    assert "sent-nothing" in told
    wire: list[Any] = []

    async def story(running: Any) -> None:
        sealed = await running.ask(manufacturer().device("FX2"), request("FX2"), dialect)
        wire.extend((preview_payload(sealed.payload), sealed.payload))

    run(story, full)
    capsys.readouterr()
    shown, _ = sent(full, capsys, "fx2")
    (attempt,) = full.attempts()
    assert attempt.sent["payload_sha256"] == hashlib.sha256(wire[1]).hexdigest()
    with full.database.read() as connection:
        kept = last_sent(connection, find_chassis(connection, "FX2").key)
    assert kept is not None
    assert kept.content is not None
    assert kept.sha256 == hashlib.sha256(kept.content).hexdigest()
    assert wire[0].pop("nonce")
    assert shown == wire[0]
    same, _ = sent(full, capsys, "FX2", "--difference")
    assert (same["same"], same["difference"]) == (True, [])

    assert bootz(["--site", str(full.root), "chassis", "set", "FX2", "--hostname", "r3"]) == 0
    capsys.readouterr()
    other, _ = sent(full, capsys, "FX2", "--difference")
    assert other["same"] is False
    changed = [line.split() for line in other["difference"] if line[0] != " "]
    assert changed == [["-", "hostname", "r2"], ["+", "hostname", "r3"]]
    assert bootz(["--site", str(full.root), "chassis", "sent", "FX2", "--difference"]) == 0
    assert "hostname r3" in capsys.readouterr().out


def test_what_cannot_be_rendered_any_more_is_told_beside_what_was_sent(
    full: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(running: Any) -> None:
        await running.ask(manufacturer().device("FX1"), request("FX1"))

    run(story, full)
    broken = {"name": "base", "vendor_config": "{{ variables.absent }}"}
    full.write(set_profile, "base", ProfileRecord.from_document(broken, where="base"))
    capsys.readouterr()

    shown, told = sent(full, capsys, "FX1")
    assert shown["responses"][0]["boot_config"]["vendor_config"].startswith("hostname r1")
    assert told == ""
    _, told = sent(full, capsys, "FX1", "--difference", code=1)
    assert "template-failed" in told
