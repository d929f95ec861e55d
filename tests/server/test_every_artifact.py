"""Everything that an answer can carry reaches the router, in every dialect and flow.

Boot password, pathz, authz, certz, credentials, SMUs and patches; a PDC that is not a CA; bundles
with members that do not hold, over calls and streams; a router without DHCP.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pki import make_pair
from server.test_router_streams import Lab
from world import Manufacturer, Running, World, run

from bootz.cli.main import run as bootz
from bootz.device.hardware import Hardware
from bootz.keystore.files import write_certificates, write_private_key
from bootz.manufacturer.room import Manufacturer as Room
from bootz.model.chassis import Release, VoucherDelivery
from bootz.server.onboarding import sealing
from bootz.server.site import utc_now
from bootz.server.store.attempt_states import AttemptState
from bootz.trust.bundle import pack_bundle
from bootz.trust.certificates import pem_from_der
from bootz.wire.dialects import DIALECTS, V0_3

KEY = base64.b64encode(b"ssh-ed25519 AAAA operator").decode()
HASH = "$6$salt$" + "a" * 86
FLOWS = ["unary", "stream", "stream-v1"]
FILES = {"image": b"OS 2.0", "smu": b"SMU CSCxx1", "patch": b"PATCH 7"}

Shown = dict[str, Any]


@pytest.fixture
def lab(world: World, capsys: pytest.CaptureFixture[str]) -> Lab:
    return Lab(world, capsys)


def everything() -> dict[str, Any]:
    """Return a profile with every artifact that there is."""
    chain = pem_from_der([make_pair("device TLS CA", ca=True).der])
    certificate = {
        "type": "CERTIFICATE_TYPE_X509",
        "encoding": "CERTIFICATE_ENCODING_PEM",
        "raw_certificate": base64.b64encode(chain).decode(),
    }
    policy = {"name": "all", "allow_rules": [{"name": "operators"}]}
    rule = {
        "id": "1",
        "user": "operator",
        "path": {"elem": [{"name": "system"}]},
        "action": "ACTION_PERMIT",
        "mode": "MODE_READ",
    }
    return {
        "vendor_config": (
            "hostname {{ chassis.hostname }}\n"
            "{% for each in smus + patches %}"
            "! install {{ each.kind }} {{ each.url }} {{ each.sha256 }} {{ each.size }}\n"
            "{% endfor %}"
        ),
        "image": {"name": "lab-os", "version": "2.0"},
        "smus": [{"name": "CSCxx1", "version": "1"}],
        "patches": [{"name": "fix", "version": "7"}],
        "boot_password_hash": HASH,
        "pathz": {"version": "1", "created_on": "1", "policy": {"rules": [rule]}},
        "authz": {"version": "1", "created_on": "1", "policy": json.dumps(policy)},
        "credentials": {
            "credentials": [
                {
                    "credentials": [
                        {
                            "account": "operator",
                            "version": "1",
                            "created_on": "1",
                            "authorized_keys": [
                                {"authorized_key": KEY, "key_type": "KEY_TYPE_ED25519"}
                            ],
                        }
                    ]
                }
            ],
            "users": [
                {
                    "policies": [
                        {
                            "account": "operator",
                            "authorized_principals": {
                                "authorized_principals": [{"authorized_user": "alice"}]
                            },
                            "version": "1",
                            "created_on": "1",
                        }
                    ]
                }
            ],
        },
        "certz_profiles": [
            {
                "ssl_profile_id": "mgmt",
                "primary": True,
                "certz": {
                    "entities": [
                        {
                            "version": "1",
                            "created_on": "1",
                            "trust_bundle": {"certificate": certificate},
                        }
                    ]
                },
            }
        ],
    }


def add_files(lab: Lab) -> None:
    for kind, name, version in (
        ("image", "lab-os", "2.0"),
        ("smu", "CSCxx1", "1"),
        ("patch", "fix", "7"),
    ):
        path = lab.world.folder / f"{name}.bin"
        path.write_bytes(FILES[kind])
        words = ["image", "add", str(path), "--name", name, "--version", version, "--kind", kind]
        assert bootz(["--site", str(lab.world.root), *words]) == 0
    lab.capsys.readouterr()


def running_configuration(lab: Lab) -> Shown:
    hardware = Hardware.open(lab.router)
    document: Shown = json.loads(hardware.kept("configurations", hardware.load_state().running))
    return document


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        content: bytes = answer.read()
    return content


PLAYS = [(row.name, "unary") for row in DIALECTS] + [("current", flow) for flow in FLOWS[1:]]


@pytest.mark.parametrize(("dialect", "flow"), PLAYS)
def test_every_artifact_reaches_the_router(lab: Lab, dialect: str, flow: str) -> None:
    add_files(lab)
    wanted = everything()
    lab.world.add_profile(**wanted)
    release = Release.V0_3 if dialect == V0_3.name else None
    lab.record = {"profile": "base", "hostname": "r1", "release": release}
    lab.build([])
    lab.capsys.readouterr()

    async def story(running: Running) -> None:
        code, told = await lab.boot(running, "--dialect", dialect, "--flow", flow)
        assert code == 0, told
        assert told["image"]["version"] == "2.0"
        assert told["image"]["sha256"] == hashlib.sha256(FILES["image"]).hexdigest()
        document = running_configuration(lab)
        assert document["boot_password_hash"] == HASH
        rule = wanted["pathz"]["policy"]["rules"][0]
        assert document["pathz"]["policy"]["rules"][0] == rule
        assert json.loads(document["authz"]["policy"]) == json.loads(wanted["authz"]["policy"])
        (account,) = document["credentials"]["credentials"][0]["credentials"]
        assert account["account"] == "operator"
        assert account["authorized_keys"][0]["authorized_key"] == KEY
        (user,) = document["credentials"]["users"][0]["policies"]
        assert "alice" in json.dumps(user)
        (profile,) = document["certz_profiles"].values()
        assert "trust_bundle" in json.dumps(profile)
        lines = re.findall(r"! install (\w+) (\S+) (\w+) (\d+)", document["vendor"])
        assert [line[0] for line in lines] == ["smu", "patch"]
        for kind, url, digest, size in lines:
            content = await asyncio.to_thread(fetched, url)
            assert (content, len(content)) == (FILES[kind], int(size))
            assert hashlib.sha256(content).hexdigest() == digest

    run(story, lab.world)
    assert lab.world.attempts()[0].state is AttemptState.SUCCESS
    # Nothing of it is in the journal.
    assert KEY not in repr(lab.world.events())
    assert HASH not in repr(lab.world.events())


@pytest.mark.parametrize(("dialect", "flow"), PLAYS)
def test_a_pdc_that_is_no_ca_pins_the_owner_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dialect: str, flow: str
) -> None:
    """The owner certificate is the pinned domain certificate: an end entity, self-signed."""
    owner = make_pair("owner")
    write_certificates(tmp_path / "owner.pem", [owner.der])
    write_private_key(tmp_path / "owner.key", owner.key)
    root = tmp_path / "site"
    made = ["init", str(root), "--listen", "127.0.0.1:0"]
    made += ["--pinned-domain-cert", str(tmp_path / "owner.pem")]
    made += ["--owner-cert", str(tmp_path / "owner.pem")]
    made += ["--owner-key", str(tmp_path / "owner.key")]
    assert bootz(made) == 0, capsys.readouterr().err
    world = World(tmp_path / "unused", root)
    lab = Lab(world, capsys)
    lab.world.add_profile(vendor_config="hostname pinned\n")
    release = Release.V0_3 if dialect == V0_3.name else None
    lab.record = {"profile": "base", "release": release}
    lab.build([])
    capsys.readouterr()

    async def story(running: Running) -> None:
        code, told = await lab.boot(running, "--dialect", dialect, "--flow", flow)
        assert code == 0, told
        assert {check["outcome"] for check in told["checks"]} == {"passed"}
        assert running_configuration(lab)["vendor"] == "hostname pinned\n"

    run(story, lab.world)


CARDS = {"RP0": "CARD0", "RP1": "CARD1"}


def modular(lab: Lab, delivery: VoucherDelivery) -> None:
    lab.world.add_profile(vendor_config="hostname core1\n", ztp_server_line="on")
    lab.record = {"profile": "base", "voucher_delivery": delivery}
    lab.build([], "CH1", **CARDS)
    lab.capsys.readouterr()


def expired(lab: Lab) -> bytes:
    then = utc_now() - timedelta(hours=2)
    maker = Room.open(lab.folder, clock=lambda: then)
    return maker.issue_voucher("CARD1", lab.world.pinned, expires_on=then + timedelta(hours=1))


def for_an_absent_card(lab: Lab) -> bytes:
    return lab.maker.issue_voucher("ELSEWHERE", lab.world.pinned, expires_on=None)


def pinning_another_owner(lab: Lab) -> bytes:
    return lab.maker.issue_voucher("CARD1", make_pair("other", ca=True).der, expires_on=None)


def of_another_vendor(lab: Lab) -> bytes:
    return Manufacturer("Maker").voucher("CARD1", lab.world.pinned)


def no_voucher(_lab: Lab) -> bytes:
    return b"no voucher"


MEMBERS = {
    expired: "ov-expired",
    for_an_absent_card: "ov-missing",
    pinning_another_owner: "oc-not-under-pdc",
    of_another_vendor: "ov-untrusted-signer",
    no_voucher: "ov-missing",
}


def told(lab: Lab) -> dict[str, tuple[str, str]]:
    state = Hardware.open(lab.router).load_state()
    return {note.slot: (note.condition.value, note.reason) for note in state.cards}


@pytest.mark.parametrize("delivery", [VoucherDelivery.BUNDLE, VoucherDelivery.AUTO])
@pytest.mark.parametrize("flow", FLOWS)
def test_a_bundle_verifies_every_card_over_calls_and_streams(
    lab: Lab, flow: str, delivery: VoucherDelivery
) -> None:
    modular(lab, delivery)

    async def story(running: Running) -> None:
        code, shown = await lab.boot(running, "--flow", flow)
        assert code == 0, shown
        assert told(lab) == {"RP0": ("verified", ""), "RP1": ("verified", "")}

    run(story, lab.world)
    assert lab.world.attempts()[0].state is AttemptState.SUCCESS


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("flow", FLOWS)
def test_a_member_that_does_not_hold_fails_its_card_alone(
    lab: Lab, flow: str, member: Callable[[Lab], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lies: what travels in the bundle for the standby card is not its voucher."""
    modular(lab, VoucherDelivery.BUNDLE)
    bad = member(lab)
    monkeypatch.setattr(sealing, "pack_bundle", lambda good: pack_bundle({**good, "CARD1": bad}))

    async def story(running: Running) -> None:
        code, shown = await lab.boot(running, "--flow", flow)
        assert code == 0, shown
        assert told(lab) == {"RP0": ("verified", ""), "RP1": ("shut-down", MEMBERS[member])}

    run(story, lab.world)


@pytest.mark.parametrize(("dialect", "flow"), PLAYS)
def test_a_router_without_dhcp_is_onboarded_and_keeps_what_it_had(
    lab: Lab, dialect: str, flow: str
) -> None:
    """``bootz no-dhcp initiate``: refused first, kept, and onboarded when the chassis is known."""
    lab.world.add_profile(vendor_config="hostname from-the-server\n")
    release = Release.V0_3 if dialect == V0_3.name else None
    lab.record = {"profile": "base", "release": release}
    lab.build([])
    lab.capsys.readouterr()

    def typed(*commands: str) -> str:
        words = [word for command in commands for word in ("-c", command)]
        assert bootz(["router", "console", str(lab.router), *words]) == 0
        return lab.capsys.readouterr().out

    def hold(verb: str) -> None:
        assert bootz(["--site", str(lab.world.root), "chassis", verb, "FX1"]) == 0
        lab.capsys.readouterr()

    async def booted(*options: str) -> tuple[int, Shown]:
        call = ["router", "boot", str(lab.router), "--max-attempts", "1", "--progress", "none"]
        ways = ["--dialect", dialect, "--flow", flow, "--output", "json"]
        code = await asyncio.to_thread(bootz, [*call, *ways, *options])
        shown: Shown = json.loads(lab.capsys.readouterr().out)
        return code, shown

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        order = "bootz no-dhcp initiate --src_interface MgmtEth0/RP0/CPU0/0 --bootz_uri"
        await asyncio.to_thread(hold, "hold")
        await asyncio.to_thread(typed, f"{order} bootz://{host}:{port}")
        code, shown = await booted()
        assert code == 1, shown
        kept = Hardware.open(lab.router).load_state().no_dhcp
        assert kept is not None
        assert kept.uri == f"bootz://{host}:{port}"
        await asyncio.to_thread(hold, "release")
        code, shown = await booted()
        assert (code, shown["result"]) == (0, "onboarded"), shown
        assert Hardware.open(lab.router).load_state().no_dhcp is None
        assert running_configuration(lab)["vendor"] == "hostname from-the-server\n"

    run(story, lab.world)
