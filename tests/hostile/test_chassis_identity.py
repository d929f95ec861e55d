"""An IDevID with the serial number of a chassis: it proves that chassis on record, and no other.

Some manufacturers certify the chassis, and each of its control cards shows that certificate. The
cases of a borrowed identity must stay refused with it, in every flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from stream_world import FLOWS, ask, opened, prover, refused, tell
from world import Device, Running, World, manufacturer, report, request, run, verified

from bootz.model.bootstrap import BootstrapRequest
from bootz.model.identity import IdentityKind
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.vendors import VendorRecord, VendorSettings, set_vendor
from bootz.server.store.attempt_states import AttemptState
from bootz.wire.dialects import CURRENT, DIALECTS, V0_1_0, Dialect
from bootz.wire.flows import StreamFlow

SECRET = "enable-secret-of-the-victim"


@pytest.fixture
def victims(world: World) -> World:
    """Two modular chassis and a fixed one of Acme, and one of another vendor."""
    world.add_vendor(manufacturer("Beta"))
    world.add_profile(vendor_config=SECRET)
    for chassis, cards in (("CH1", ("RP0", "RP1")), ("CH2", ("RP2",)), ("", ("RP3",))):
        records = tuple(CardRecord(serial) for serial in cards)
        world.add_chassis(chassis, modular=True, cards=records, profile="base")
    world.add_chassis("FX1", profile="base")
    for serial in ("RP0", "RP1", "RP2", "RP3", "FX1"):
        world.add_voucher(serial)
    return world


def choose(world: World, idevid_serial: str) -> None:
    settings = VendorSettings(idevid_serial=idevid_serial)  # type: ignore[arg-type]
    record = VendorRecord("Acme", idevid_ca=(manufacturer().ca,), settings=settings)
    world.write(set_vendor, "Acme", record)


@dataclass(frozen=True)
class Case:
    """Which device asks for what, under which setting, and how that must end."""

    name: str
    device: Callable[[], Device]
    asked: BootstrapRequest
    reason: str
    status: Status = Status.PERMISSION_DENIED
    setting: str = "either"


def acme(serial: str, **how: Any) -> Callable[[], Device]:
    return lambda: manufacturer().device(serial, **how)


def of(serial: str, **how: Any) -> BootstrapRequest:
    """What a card of a modular chassis asks for itself."""
    return request(serial, cards=[serial], **how)


FOREIGN = "idevid-serial-foreign"
REFUSED = [
    Case("another chassis's card", acme("CH2"), of("RP0"), FOREIGN),
    Case(
        "another chassis's card, its own chassis named",
        acme("CH2"),
        of("RP0", chassis_serial="CH2"),
        "chassis-serial-contradicts",
    ),
    Case(
        "another's card active, its own listed",
        acme("CH2"),
        request("RP0", cards=["RP0", "RP2"]),
        FOREIGN,
    ),
    Case("a fixed chassis", acme("CH1"), request("FX1"), FOREIGN),
    Case("a card of a chassis without a serial number", acme("CH1"), of("RP3"), FOREIGN),
    Case(
        "no serial number, and a chassis without one",
        acme("x", subject_serial=""),
        of("RP3"),
        "certificate-serial-missing",
    ),
    Case(
        "a blank serial number, and a chassis without one",
        acme("x", subject_serial="PID:X SN: "),
        of("RP3"),
        "certificate-serial-missing",
    ),
    Case(
        "the chassis itself as the card",
        acme("CH1"),
        of("CH1"),
        "chassis-unknown",
        Status.NOT_FOUND,
    ),
    Case(
        "certified by another vendor",
        lambda: manufacturer("Beta").device("CH1"),
        of("RP0"),
        "idevid-untrusted",
        Status.UNAUTHENTICATED,
    ),
    Case("the vendor certifies cards", acme("CH1"), of("RP0"), FOREIGN, setting="card"),
    Case("the vendor certifies chassis", acme("RP0"), of("RP0"), FOREIGN, setting="chassis"),
    Case("part of a serial number", acme("CH"), of("RP0"), FOREIGN),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_it_proves_no_other_chassis(victims: World, case: Case) -> None:
    choose(victims, case.setting)

    async def story(running: Running) -> None:
        for dialect in (V0_1_0, CURRENT):
            with pytest.raises(GRPCError) as caught:
                await running.ask(case.device(), case.asked, dialect)
            assert caught.value.status is case.status
            assert str(caught.value.message).startswith(f"{case.reason}: ")

    run(story, victims)
    for attempt in victims.attempts():
        assert (attempt.state, attempt.reason) == (AttemptState.REFUSED, case.reason)
        # What a stranger proved is noted, so that it can be claimed; it is given nothing.
        stranger = "CH1" if case.reason == "chassis-unknown" else ""
        assert (attempt.proven_serial, attempt.chassis, attempt.sent) == (stranger, "", {})


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_nor_does_it_on_a_stream(victims: World, case: Case, flow: StreamFlow) -> None:
    choose(victims, case.setting)

    async def story(running: Running) -> None:
        honest = prover(IdentityKind.IDEVID, case.device())
        told = await refused(ask(running, flow, honest, wanted=case.asked))
        assert told == (case.status.name, case.reason)

    run(story, victims)
    assert all(not attempt.sent for attempt in victims.attempts())


@pytest.mark.parametrize("setting", ["either", "chassis"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_it_proves_each_card_of_its_chassis(victims: World, dialect: Dialect, setting: str) -> None:
    choose(victims, setting)

    async def story(running: Running) -> None:
        for serial, chassis in (("RP0", "CH1"), ("RP1", "ch1"), ("FX1", "FX1")):
            asked = of(serial) if serial != "FX1" else request(serial)
            device = manufacturer().device(chassis)
            verified(await running.ask(device, asked, dialect), serial, dialect=dialect)
            named = () if dialect is V0_1_0 else (serial,)
            await running.report(device, report(*named), dialect)

    run(story, victims)
    attempts = victims.attempts()
    assert {attempt.state for attempt in attempts} == {AttemptState.SUCCESS}
    checks = {check.name: check.seen for attempt in attempts for check in attempt.checks}
    assert checks["idevid-serial"]


@pytest.mark.parametrize("flow", FLOWS)
def test_it_proves_each_card_of_its_chassis_on_a_stream(victims: World, flow: StreamFlow) -> None:
    async def story(running: Running) -> None:
        honest = prover(IdentityKind.IDEVID, manufacturer().device("CH1"))
        for serial in ("RP0", "RP1"):
            asked = request(serial, cards=["RP0", "RP1"])
            opened(await ask(running, flow, honest, wanted=asked), serial)
            await tell(running, flow, honest, told=report(serial))

    run(story, victims)
    seen = [check.seen for attempt in victims.attempts() for check in attempt.checks]
    assert "CH1, the chassis's own" in seen


def test_a_cards_own_certificate_proves_it_as_ever(victims: World) -> None:
    async def story(running: Running) -> None:
        for setting in ("either", "card"):
            choose(victims, setting)
            device = manufacturer().device("RP0")
            verified(await running.ask(device, of("RP1")), "RP1")

    run(story, victims)


@pytest.mark.parametrize(
    ("device", "cards", "setting", "reason"),
    [
        ("CH2", ("RP0",), "either", "report-card-foreign"),
        ("CH1", ("RP0", "RP2"), "either", "report-card-foreign"),
        ("CH1", ("FX1",), "either", "report-card-foreign"),
        ("CH1", ("RP0",), "card", "chassis-unknown"),
        ("RP0", ("RP0",), "chassis", "chassis-unknown"),
        ("CH9", ("RP0",), "either", "chassis-unknown"),
        ("CH1", ("CH1",), "either", "report-card-foreign"),
    ],
)
def test_a_report_counts_for_its_own_chassis_alone(
    victims: World, device: str, cards: tuple[str, ...], setting: str, reason: str
) -> None:
    choose(victims, setting)

    async def story(running: Running) -> None:
        with pytest.raises(GRPCError) as caught:
            await running.report(manufacturer().device(device), report(*cards))
        assert str(caught.value.message).startswith(f"{reason}: ")

    run(story, victims)
    (attempt,) = victims.attempts()
    assert (attempt.reason, attempt.reports) == (reason, 0)
