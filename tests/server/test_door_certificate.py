"""The door's certificate: renewed by a running server, for the key that the door has."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from world import Running, World, manufacturer, run

from bootz.cli.main import run as bootz
from bootz.keystore.files import load_certificates
from bootz.server.door_tls import DOOR_CERTIFICATE, DOOR_KEY
from bootz.server.keys.door import issue_door
from bootz.server.keys.rotation import rotate_trust_anchor
from bootz.trust.certificates import AnchorSet, verify_chain


@pytest.fixture
def ready(world: World) -> World:
    """A site whose door has a certificate of the site."""
    issue_door(world.site, world.now())
    use(world, {"certificate": str(DOOR_CERTIFICATE), "key": str(DOOR_KEY)})
    return world


def use(world: World, tls: dict[str, str]) -> None:
    config = world.root / "bootz.yaml"
    config.write_text(f"{config.read_text()}\noperator: {json.dumps({'tls': tls})}\n")


def at(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_is_renewed_for_its_key_while_a_server_runs(ready: World) -> None:
    path = ready.root / DOOR_CERTIFICATE
    before, key = at(path), (ready.root / DOOR_KEY).read_bytes()

    async def story(running: Running) -> None:
        await running.server.tend()
        assert at(path) == before
        soon = before.not_valid_after_utc - timedelta(days=29)
        ready.now = lambda: soon
        await running.server.tend()
        after = at(path)
        assert after.not_valid_after_utc > soon + timedelta(days=80)
        assert after.public_key() == before.public_key()
        assert (ready.root / DOOR_KEY).read_bytes() == key
        # Another trust anchor: the certificate is of that one, at once.
        await asyncio.to_thread(rotate_trust_anchor, ready.site, soon)
        await running.server.tend()
        anchors = [at(ready.root / f"keys/trust-anchor/{number}.pem") for number in (1, 2)]
        at(path).verify_directly_issued_by(anchors[1])
        # Who holds the earlier anchor alone verifies it too, by what stands behind it.
        leaf, *chain = load_certificates(path)
        for anchor in anchors:
            der = anchor.public_bytes(serialization.Encoding.DER)
            verify_chain(leaf, chain, AnchorSet.from_der([der]), now=soon)

    run(story, ready)


def test_it_is_issued_again_where_a_clock_was_wrong_or_a_name_is_new(ready: World) -> None:
    path = ready.root / DOOR_CERTIFICATE
    issue_door(ready.site, ready.now() + timedelta(days=40))
    early = at(path)

    async def story(running: Running) -> None:
        await running.server.tend()
        right = at(path)
        assert right.not_valid_before_utc < ready.now() < early.not_valid_before_utc
        config = ready.root / "bootz.yaml"
        config.write_text(config.read_text() + "\nadvertised: [boot.example.net]\n")
        await running.server.reload()
        await running.server.tend()
        names = at(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "boot.example.net" in names.get_values_for_type(x509.DNSName)

    run(story, ready)


def test_only_what_the_site_issued_is_renewed(ready: World) -> None:
    """Who can write the file must not get a certificate of the site for a key of his own."""
    path = ready.root / DOOR_CERTIFICATE
    other = manufacturer("Other").device("door", life=timedelta(days=1)).certificate
    strange = x509.load_der_x509_certificate(other)
    path.write_bytes(strange.public_bytes(serialization.Encoding.PEM))

    async def story(running: Running) -> None:
        await running.server.tend()
        assert at(path) == strange

    run(story, ready)


def test_files_of_the_operators_own_are_left_alone(world: World) -> None:
    own = issue_door(world.site, world.now()).rename(world.root / "own.pem")
    use(world, {"certificate": "own.pem", "key": str(DOOR_KEY)})
    before, soon = own.read_bytes(), world.now() + timedelta(days=80)

    async def story(running: Running) -> None:
        world.now = lambda: soon
        await running.server.tend()
        assert own.read_bytes() == before
        assert not (world.root / DOOR_CERTIFICATE).exists()

    run(story, world)


@pytest.mark.parametrize(
    ("left", "well", "outcome"),
    [(30, True, "passed"), (10, True, "warning"), (-1, False, "warning"), (None, False, "warning")],
)
def test_status_and_preflight_tell_how_long_it_holds(
    ready: World,
    capsys: pytest.CaptureFixture[str],
    left: int | None,
    well: bool,
    outcome: str,
) -> None:
    ready.add_chassis(hostname="r1")
    site = ["--site", str(ready.root)]
    assert bootz([*site, "keys", "publish"]) == 0
    if left is None:
        (ready.root / DOOR_CERTIFICATE).write_text("no certificate\n")
    else:
        life = timedelta(days=left, hours=1)
        made = manufacturer().device("door", life=life).certificate
        shown = x509.load_der_x509_certificate(made).public_bytes(serialization.Encoding.PEM)
        (ready.root / DOOR_CERTIFICATE).write_bytes(shown)
    capsys.readouterr()

    bootz([*site, "status", "--output", "json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (part,) = (each for each in told["parts"] if each["part"] == "door-certificate")
    assert part["well"] == well
    bootz([*site, "chassis", "check", "FX1", "--no-network", "--output", "json"])
    rows = json.loads(capsys.readouterr().out)
    (row,) = (each for each in rows if each["check"] == "door-certificate")
    assert (row["outcome"], bool(row["next"])) == (outcome, outcome != "passed")
