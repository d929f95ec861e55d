"""A genuine device asks for what is another's, and gets nothing: no data, no hint, no record.

Each story would succeed if its one check were removed; the Go reference falls to the first four.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from stream_world import ask as stream_ask
from stream_world import opened, prover
from world import Device, Running, World, manufacturer, report, request, run, verified

from bootz.model.bootstrap import BootstrapRequest, ReportedStatus, StatusReport
from bootz.model.chassis import BootMode, CardStatus, DynamicConfigPolicy
from bootz.model.checks import STRANGER
from bootz.model.identity import IdentityKind
from bootz.reasons import REASONS
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.vendors import VendorRecord, set_vendor
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.store.attempt_states import AttemptState
from bootz.wire.dialects import CURRENT, DIALECTS, V0_1_0, Dialect
from bootz.wire.flows import STREAM, STREAM_V1

SECRET = "enable-secret-of-the-victim"


@pytest.fixture
def victims(world: World) -> World:
    """Three chassis of Acme, one of them modular, and one of another vendor."""
    world.add_vendor(manufacturer("Beta"))
    world.add_profile(vendor_config=SECRET)
    world.add_chassis("FX1", profile="base")
    world.add_chassis("FX2", profile="base")
    world.add_chassis(
        "CH1", modular=True, cards=(CardRecord("RP0"), CardRecord("RP1")), profile="base"
    )
    world.add_chassis("BX1", "Beta", profile="base")
    for serial in ("FX1", "FX2", "RP0", "RP1"):
        world.add_voucher(serial)
    world.add_voucher("BX1", manufacturer("Beta"))
    return world


@dataclass(frozen=True)
class Attack:
    """Who asks for what, and how that must end."""

    name: str
    device: Callable[[], Device | None]
    asked: BootstrapRequest
    status: Status
    reason: str
    proven: str = ""
    dialects: tuple[Dialect, ...] = field(default=DIALECTS)


ATTACKS = [
    Attack(
        "borrowed serial",
        lambda: manufacturer().device("FX2"),
        request("FX1"),
        Status.PERMISSION_DENIED,
        "idevid-serial-foreign",
    ),
    Attack(
        "foreign card active, own card listed beside it",
        lambda: manufacturer().device("FX2"),
        request("RP0", cards=["RP0", "FX2"]),
        Status.PERMISSION_DENIED,
        "idevid-serial-foreign",
    ),
    Attack(
        "foreign chassis named around the own card",
        lambda: manufacturer().device("FX2"),
        request("FX2", cards=["FX2", "RP0"], chassis_serial="CH1"),
        Status.PERMISSION_DENIED,
        "chassis-serial-contradicts",
    ),
    Attack(
        "only foreign cards listed",
        lambda: manufacturer().device("RP0"),
        replace(
            request("RP0", cards=["RP0", "FX1"], status=CardStatus.INITIALIZED),
        ),
        Status.NOT_FOUND,
        "cards-unknown",
        proven="RP0",
    ),
    Attack(
        "another vendor certifies the serial",
        lambda: manufacturer("Beta").device("FX1"),
        request("FX1"),
        Status.UNAUTHENTICATED,
        "idevid-untrusted",
    ),
    Attack(
        "another vendor certifies it and names no manufacturer",
        lambda: manufacturer("Beta").device("FX1"),
        request("FX1", manufacturer=""),
        Status.UNAUTHENTICATED,
        "idevid-untrusted",
    ),
    Attack(
        "genuine device of the wrong manufacturer's name",
        lambda: manufacturer().device("FX1"),
        request("FX1", manufacturer="Beta"),
        Status.NOT_FOUND,
        "chassis-unknown",
        # What a stranger proved is noted, so that it can be claimed; it is given nothing.
        proven="FX1",
    ),
    Attack(
        "no certificate",
        lambda: None,
        request("FX1"),
        Status.UNAUTHENTICATED,
        "client-certificate-missing",
    ),
    Attack(
        "a certificate without a serial number",
        lambda: manufacturer().device("FX1", subject_serial=""),
        request("FX1"),
        Status.PERMISSION_DENIED,
        "certificate-serial-missing",
    ),
    Attack(
        "no nonce",
        lambda: manufacturer().device("FX1"),
        request("FX1", nonce=None),
        Status.FAILED_PRECONDITION,
        "nonce-missing",
        proven="FX1",
    ),
    Attack(
        "an empty nonce",
        lambda: manufacturer().device("FX1"),
        request("FX1", nonce=""),
        Status.FAILED_PRECONDITION,
        "nonce-missing",
        proven="FX1",
    ),
    Attack(
        "a serial that nobody has",
        lambda: manufacturer().device("FX9"),
        request("FX9"),
        Status.NOT_FOUND,
        "chassis-unknown",
        proven="FX9",
    ),
]


@pytest.mark.parametrize("dialect", [V0_1_0, CURRENT], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_nobody_gets_what_is_anothers(victims: World, attack: Attack, dialect: Dialect) -> None:
    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.ask(attack.device(), attack.asked, dialect)
        expect_bland(caught.value, attack.status, attack.reason)

    run(story, victims)
    (attempt,) = victims.attempts()
    assert attempt.state is AttemptState.REFUSED
    assert attempt.reason == attack.reason
    assert attempt.proven_serial == attack.proven
    assert attempt.sent == {}
    judged = [check for check in attempt.checks if check.name != STRANGER]
    assert judged[-1].outcome.value == "failed"


def expect_bland(error: GRPCError, status: Status, reason: str) -> None:
    """The wire has the status and the reason's own words, and nothing of the inventory."""
    assert error.status is status
    assert error.message == f"{reason}: {REASONS[reason].meaning}"
    assert error.details is None


def test_an_accepting_case_for_every_attack(victims: World) -> None:
    async def story(running: Running) -> None:
        for serial, maker in (("FX1", "Acme"), ("FX2", "Acme"), ("BX1", "Beta")):
            made = manufacturer(maker)
            asked = request(serial, manufacturer=maker)
            sealed = await running.ask(made.device(serial), asked)
            verified(sealed, serial, maker=made)
        asked = request("RP1", cards=["RP0", "RP1"], chassis_serial="CH1")
        verified(await running.ask(manufacturer().device("RP0"), asked), "RP1")

    run(story, victims)


def test_foreign_cards_in_the_list_are_left_out_and_kept_as_pending(victims: World) -> None:
    async def story(running: Running) -> None:
        asked = request("RP0", cards=["RP0", "FX1", "NEW"])
        sealed = await running.ask(manufacturer().device("RP0"), asked)
        data = verified(sealed, "RP0")
        assert [own.serial_number for own in data.responses] == ["RP0"]

    run(story, victims)
    answered = victims.events()[0]
    assert answered.data["foreign"] == ["FX1", "NEW"]


def test_the_proof_is_worth_nothing_without_the_key(victims: World) -> None:
    """A stolen certificate: TLS does not come about, and no call is ever made."""
    genuine = manufacturer().device("FX1")
    thief = replace(genuine, key=manufacturer().device("FX1").key)

    async def story(running: Running) -> None:
        with pytest.raises((GRPCError, OSError, StreamTerminatedError)):
            await running.ask(thief, request("FX1"))

    run(story, victims)
    assert victims.attempts() == ()


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (lambda: manufacturer("Unknown").device("FX1"), "unable to get local issuer"),
        (lambda: manufacturer().device("FX1", life=timedelta(days=-1)), "expired"),
    ],
    ids=["unknown CA", "expired"],
)
def test_a_certificate_that_tls_refuses_is_in_the_journal(
    victims: World, device: Callable[[], Device], words: str
) -> None:
    async def story(running: Running) -> None:
        with pytest.raises((GRPCError, OSError, StreamTerminatedError)):
            await running.ask(device(), request("FX1"))

    run(story, victims)
    (attempt,) = victims.attempts()
    assert attempt.reason == "tls-certificate-refused"
    assert words in attempt.detail
    assert (attempt.proven_serial, attempt.chassis) == ("", "")


ANY = "2.5.29.37.0"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


@pytest.mark.parametrize("usage", [ANY, SERVER_AUTH])
def test_usages_that_tls_refuses_are_named_and_a_stream_takes_them(
    victims: World, usage: str
) -> None:
    device = manufacturer().device_for("FX1", usage)

    async def story(running: Running) -> None:
        with pytest.raises((GRPCError, OSError, StreamTerminatedError)):
            await running.ask(device, request("FX1"))
        for flow in (STREAM, STREAM_V1):
            honest = prover(IdentityKind.IDEVID, device)
            opened(await stream_ask(running, flow, honest), "FX1")

    run(story, victims)
    refused = [each for each in victims.attempts() if each.state is AttemptState.REFUSED]
    assert [each.reason for each in refused] == ["tls-certificate-purpose"]
    assert "stream" in REASONS["tls-certificate-purpose"].action


@dataclass(frozen=True)
class FalseReport:
    """Who reports what, and how that must end."""

    name: str
    device: Callable[[], Device | None]
    told: StatusReport
    status: Status
    reason: str


FALSE_REPORTS = [
    FalseReport(
        "for another chassis",
        lambda: manufacturer().device("FX2"),
        report("FX1"),
        Status.PERMISSION_DENIED,
        "report-card-foreign",
    ),
    FalseReport(
        "for itself and another",
        lambda: manufacturer().device("RP0"),
        report("RP0", "FX1"),
        Status.PERMISSION_DENIED,
        "report-card-foreign",
    ),
    FalseReport(
        "certified by another vendor",
        lambda: manufacturer("Beta").device("FX1"),
        report("FX1"),
        Status.NOT_FOUND,
        "chassis-unknown",
    ),
    FalseReport(
        "from nobody on record",
        lambda: manufacturer().device("FX9"),
        report("FX1"),
        Status.NOT_FOUND,
        "chassis-unknown",
    ),
    FalseReport(
        "without a certificate",
        lambda: None,
        report("FX1"),
        Status.UNAUTHENTICATED,
        "client-certificate-missing",
    ),
    FalseReport(
        "about no card",
        lambda: manufacturer().device("FX1"),
        report(),
        Status.INVALID_ARGUMENT,
        "report-without-cards",
    ),
    FalseReport(
        "of no status",
        lambda: manufacturer().device("FX1"),
        report("FX1", status=ReportedStatus.UNSPECIFIED),
        Status.INVALID_ARGUMENT,
        "report-status-unspecified",
    ),
]


@pytest.mark.parametrize("false", FALSE_REPORTS, ids=lambda false: false.name)
def test_nobody_reports_for_another(victims: World, false: FalseReport) -> None:
    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.report(false.device(), false.told)
        expect_bland(caught.value, false.status, false.reason)

    run(story, victims)
    (attempt,) = victims.attempts()
    assert (attempt.state, attempt.reason) == (AttemptState.REFUSED, false.reason)
    assert attempt.reports == 0


def test_a_report_in_the_oldest_dialect_is_about_the_proven_card_alone(victims: World) -> None:
    async def story(running: Running) -> None:
        await running.report(manufacturer().device("FX2"), report(), V0_1_0)

    run(story, victims)
    (attempt,) = victims.attempts()
    assert (attempt.state, attempt.proven_serial) == (AttemptState.SUCCESS, "FX2")


def test_insecure_mode_is_for_the_chassis_that_the_operator_chose(world: World) -> None:
    """Without a nonce it is answered, unsigned; with one it is signed as ever."""
    world.add_chassis("FX1", boot_mode=BootMode.INSECURE)
    world.add_chassis("FX2")
    world.add_voucher("FX1")

    async def story(running: Running) -> None:
        device = manufacturer().device("FX1")
        bare = await running.ask(device, request("FX1", nonce=None))
        assert bare.payload
        assert (bare.signature, bare.ownership_voucher, bare.owner_certificate) == ("", b"", b"")
        verified(await running.ask(device, request("FX1")), "FX1")
        # A neighbour in insecure mode opens no door: neither his nor one's own.
        for asked in (request("FX1", nonce=None), request("FX2", nonce=None)):
            with pytest.raises(GRPCError):
                await running.ask(manufacturer().device("FX2"), asked)

    run(story, world)


def test_a_skipped_comparison_still_wants_a_device_of_the_manufacturer(world: World) -> None:
    world.add_vendor(manufacturer("Beta"))
    world.add_chassis("FX1", skip_idevid_serial_check=True)
    world.add_voucher("FX1")

    async def story(running: Running) -> None:
        nameless = manufacturer().device("x", subject_serial="")
        verified(await running.ask(nameless, request("FX1")), "FX1")
        with pytest.raises(GRPCError) as caught:
            await running.ask(manufacturer("Beta").device("FX1"), request("FX1"))
        expect_bland(caught.value, Status.UNAUTHENTICATED, "idevid-untrusted")

    run(story, world)


@pytest.mark.parametrize("reason", ["voucher-missing", "voucher-expired"])
def test_without_a_voucher_nothing_is_sent(world: World, reason: str) -> None:
    world.add_profile(vendor_config=SECRET)
    world.add_chassis("FX1", profile="base")
    seen = "none"
    if reason == "voucher-expired":
        world.add_voucher("FX1", life=timedelta(days=1))
        end = find_end(world)
        later = world.now() + timedelta(days=2)
        world.now = lambda: later
        seen = f"one that ended at {end.isoformat()}"

    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.ask(manufacturer().device("FX1"), request("FX1"))
        expect_bland(caught.value, Status.FAILED_PRECONDITION, reason)

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.sent, attempt.checks[-1].seen) == ({}, seen)
    assert attempt.detail.startswith("FX1: ")


def find_end(world: World) -> datetime:
    (voucher,) = world.write(list_vouchers)
    assert voucher.expires_on is not None
    return voucher.expires_on


def test_same_serial_of_two_manufacturers_is_told_apart_by_the_certificate(world: World) -> None:
    world.add_vendor(manufacturer("Beta"))
    for maker in ("Acme", "Beta"):
        world.add_profile(maker, vendor_config=f"of {maker}")
        world.add_chassis("FX1", maker, profile=maker)
        world.add_voucher("FX1", manufacturer(maker))

    async def story(running: Running) -> None:
        for maker in ("Acme", "Beta"):
            made = manufacturer(maker)
            for named in (maker, "", "somebody"):
                asked = request("FX1", manufacturer=named)
                data = verified(await running.ask(made.device("FX1"), asked), "FX1", maker=made)
                boot = data.responses[0].boot_config
                assert boot is not None
                assert boot.vendor_config == f"of {maker}".encode()
        other = request("FX1", manufacturer="Beta")
        with pytest.raises(GRPCError) as caught:
            await running.ask(manufacturer("Acme").device("FX1"), other)
        expect_bland(caught.value, Status.UNAUTHENTICATED, "idevid-untrusted")

    run(story, world)


def test_a_vendor_whose_ca_is_taken_back_is_refused_at_once(world: World) -> None:
    world.add_chassis("FX1")
    world.add_voucher("FX1")
    device = manufacturer().device("FX1")

    async def story(running: Running) -> None:
        verified(await running.ask(device, request("FX1")), "FX1")
        other = VendorRecord("Acme", idevid_ca=(manufacturer("Beta").ca,))
        await asyncio.to_thread(world.write, set_vendor, "Acme", other)
        with pytest.raises((GRPCError, OSError, StreamTerminatedError)):
            await running.ask(device, request("FX1"))

    run(story, world)
    assert world.attempts()[0].reason == "tls-certificate-refused"


@pytest.mark.parametrize(
    ("document", "dialect", "reason"),
    [
        ({"vendor_config": "{{ variables.absent }}"}, CURRENT, "template-failed"),
        (
            {"vendor_config": "{% for i in range(999999) %}{% endfor %}"},
            CURRENT,
            "template-too-costly",
        ),
        ({"credentials": "[1]"}, CURRENT, "rendered-invalid"),
        ({"credentials": {"passwords": [{"plaintext": SECRET}]}}, CURRENT, "artifact-unfit"),
        ({"dynamic_vendor_config": SECRET}, V0_1_0, "dynamic-config-refused"),
    ],
)
def test_our_own_mistake_is_told_to_the_operator_and_not_to_the_router(
    world: World, document: dict[str, object], dialect: Dialect, reason: str
) -> None:
    world.add_profile(**document)
    world.add_chassis("FX1", profile="base", dynamic_config=DynamicConfigPolicy.REFUSE)
    world.add_voucher("FX1")

    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.ask(manufacturer().device("FX1"), request("FX1"), dialect)
        expect_bland(caught.value, Status.FAILED_PRECONDITION, reason)

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.reason, attempt.sent) == (reason, {})
    assert attempt.proven_serial == "FX1"
    assert SECRET not in attempt.detail
