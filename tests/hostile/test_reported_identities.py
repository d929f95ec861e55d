"""IDevIDs that were met in the field, over real TLS: refused with words, or taken on request."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from grpclib.exceptions import GRPCError, StreamTerminatedError
from stream_world import ask as stream_ask
from stream_world import opened, prover
from world import Device, Running, World, manufacturer, request, run, verified

from bootz.model.identity import IdentityKind
from bootz.reasons import REASONS
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.vendors import VendorRecord, VendorSettings, set_vendor
from bootz.trust.certificates import parse_certificates
from bootz.wire.flows import STREAM, STREAM_V1

REPORTED = Path(__file__).parents[1] / "vectors" / "reported" / "idevid"


def reported(folder: str) -> Device:
    key = load_pem_private_key((REPORTED / folder / "leaf.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    leaf, *behind = parse_certificates((REPORTED / folder / "leaf.pem").read_bytes())
    return Device(key, leaf, tuple(behind))


def choose(world: World, folder: str, **settings: object) -> None:
    """Let the site's vendor be the one of the report; its vouchers are those of the tests."""
    record = VendorRecord(
        "Acme",
        idevid_ca=parse_certificates((REPORTED / folder / "ca.pem").read_bytes()),
        voucher_ca=(manufacturer().ca,),
        settings=VendorSettings.model_validate(settings),
    )
    world.write(set_vendor, "Acme", record)


@pytest.mark.parametrize(
    ("folder", "serial", "told"),
    [
        ("s05-gt-notbefore", "SHPS05", "GeneralizedTime"),
        ("s26-nc-dirname", "SHPS26", "nameConstraints"),
    ],
)
def test_a_form_that_needs_legacy(world: World, folder: str, serial: str, told: str) -> None:
    world.add_chassis(serial)
    world.add_voucher(serial)
    device = reported(folder)

    async def story(running: Running) -> None:
        choose(world, folder)
        with pytest.raises(GRPCError) as caught:
            await running.ask(device, request(serial))
        assert str(caught.value.message).startswith("certificate-needs-legacy: ")
        choose(world, folder, legacy=True)
        verified(await running.ask(device, request(serial)), serial)
        for flow in (STREAM, STREAM_V1):
            honest = prover(IdentityKind.IDEVID, device)
            opened(await stream_ask(running, flow, honest, wanted=request(serial)), serial)

    run(story, world)
    refused, *taken = reversed(world.attempts())
    assert refused.reason == "certificate-needs-legacy"
    assert told in refused.detail
    assert told in refused.checks[-1].seen
    assert "--legacy" in REASONS[refused.reason].action
    for attempt in taken:
        (loud,) = [check for check in attempt.checks if check.name == "idevid-strict-form"]
        assert (loud.outcome.value, told in loud.seen) == ("skipped", True)
        assert loud.seen.startswith("LEGACY")


def test_the_serial_number_of_a_chassis(world: World) -> None:
    cards = (CardRecord("RPJ0", slot="0"), CardRecord("RPJ1", slot="1"))
    world.add_chassis("CHJ1", modular=True, cards=cards)
    for serial in ("RPJ0", "RPJ1"):
        world.add_voucher(serial)
    choose(world, "j01-chassis-serial")

    async def story(running: Running) -> None:
        device = reported("j01-chassis-serial")
        for serial in ("RPJ0", "RPJ1"):
            verified(await running.ask(device, request(serial, cards=[serial])), serial)

    # The vouchers are of the tests' manufacturer, who was the vendor when they were stored.
    run(story, world)


def test_usages_that_tls_refuses_leave_a_stream(world: World) -> None:
    world.add_chassis("SHPS15")
    world.add_voucher("SHPS15")
    choose(world, "s15-eku-serverauth-only")
    device = reported("s15-eku-serverauth-only")

    async def story(running: Running) -> None:
        with pytest.raises((GRPCError, OSError, StreamTerminatedError)):
            await running.ask(device, request("SHPS15"))
        honest = prover(IdentityKind.IDEVID, device)
        wanted = request("SHPS15")
        opened(await stream_ask(running, STREAM_V1, honest, wanted=wanted), "SHPS15")

    run(story, world)
    assert "tls-certificate-purpose" in {attempt.reason for attempt in world.attempts()}
