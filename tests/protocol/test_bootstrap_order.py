"""The owner's side of a request as pure steps: each check accepts, refuses, and leaves evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from world import Device, Manufacturer, manufacturer, report, request

from bootz.errors import BootzError
from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest, ReportedStatus, StatusReport
from bootz.model.chassis import BootMode, CardStatus, Chassis, ControlCard, VoucherDelivery
from bootz.model.checks import Outcome
from bootz.protocol.idevid import TlsCertificate
from bootz.protocol.reports import ReportSession
from bootz.protocol.selection import Selection, VoucherPlan
from bootz.protocol.server import BootstrapSession
from bootz.trust.vendor import Vendor

NOW = datetime.now(UTC)
ACME, BETA = manufacturer("Acme"), manufacturer("Beta")


def vendor(maker: Manufacturer, *aliases: str) -> Vendor:
    return Vendor(maker.name, aliases, "", maker.anchors, maker.anchors)


VENDORS = (vendor(ACME, "ACME Inc."), vendor(BETA))


def chassis(*serials: str, maker: str = "Acme", **settings: Any) -> Chassis:
    own = settings.pop("serial", serials[0] if len(serials) == 1 else "")
    cards = tuple(ControlCard(serial) for serial in serials)
    known = Chassis(settings.pop("key", 1), maker, own, cards, modular=len(serials) > 1)
    return replace(known, **settings)


def presented(device: Device) -> TlsCertificate:
    return TlsCertificate(device.certificate, device.chain)


def resolved(
    asked: BootstrapRequest,
    *records: Chassis,
    device: Device | None = None,
    vendors: tuple[Vendor, ...] = VENDORS,
    now: datetime = NOW,
) -> BootstrapSession:
    session = BootstrapSession()
    serial = session.claim(asked, presented(device or ACME.device(asked.active.serial_number)))
    assert serial == asked.active.serial_number
    session.resolve(records, vendors, now=now)
    return session


def selected(asked: BootstrapRequest, record: Chassis, device: Device) -> Selection:
    session = resolved(asked, record, device=device)
    session.prove_by_certificate(now=NOW)
    return session.select()


def refused(call: Any, session: BootstrapSession | ReportSession | None = None) -> str:
    with pytest.raises(BootzError) as caught:
        call()
    if session is not None:
        assert session.checks[-1].outcome is Outcome.FAILED
        assert session.proven is None
    return caught.value.reason


# -- claim ------------------------------------------------------------------------------------


def test_without_a_certificate_nothing_is_looked_up() -> None:
    session = BootstrapSession()
    assert refused(lambda: session.claim(request(), None), session) == "client-certificate-missing"


@pytest.mark.parametrize("flaw", [b"", b"\x30\x00", None])
def test_a_certificate_that_cannot_be_read_is_none(flaw: bytes | None) -> None:
    der = ACME.device("FX1").certificate + b"\0" if flaw is None else flaw
    session = BootstrapSession()
    reason = refused(lambda: session.claim(request(), TlsCertificate(der)), session)
    assert reason == "client-certificate-unreadable"


# -- resolve ----------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["Acme", "ACME", " acme inc. ", "", "nobody"])
def test_the_record_is_found_by_card_and_manufacturer(named: str) -> None:
    session = resolved(request("fx1", manufacturer=named), chassis("FX1"))
    assert session.chassis == chassis("FX1")


def test_of_two_manufacturers_the_named_one_counts_else_the_issuer() -> None:
    records = (chassis("FX1"), chassis("FX1", maker="Beta", key=2))
    for named, device, key in (
        ("Acme", BETA.device("FX1"), 1),
        ("Beta", BETA.device("FX1"), 2),
        ("", BETA.device("FX1"), 2),
        ("nobody", ACME.device("FX1"), 1),
    ):
        session = resolved(request("FX1", manufacturer=named), *records, device=device)
        assert session.chassis is not None
        assert session.chassis.key == key


@pytest.mark.parametrize(
    ("asked", "records", "reason"),
    [
        (request("FX1"), (), "chassis-unknown"),
        (request("FX1"), (chassis("FX2"),), "chassis-unknown"),
        (request("FX1", manufacturer="Beta"), (chassis("FX1"),), "chassis-unknown"),
        (request("FX1"), (chassis("FX1"), chassis("FX1", key=2)), "chassis-ambiguous"),
        (
            request("FX1", manufacturer=""),
            (chassis("FX1", maker="Beta"), chassis("FX1", maker="Beta", key=2)),
            "chassis-unknown",
        ),
        (
            request("A", cards=["A"], chassis_serial="CH2"),
            (chassis("A", "B", serial="CH1"),),
            "chassis-serial-contradicts",
        ),
    ],
)
def test_no_record_or_several_or_another_is_refused(
    asked: BootstrapRequest, records: tuple[Chassis, ...], reason: str
) -> None:
    session = BootstrapSession()
    session.claim(asked, presented(ACME.device("FX1")))
    told = refused(lambda: session.resolve(records, VENDORS, now=NOW), session)
    assert told == reason


def test_a_chassis_serial_is_compared_without_case_and_only_where_both_say_one() -> None:
    record = chassis("A", "B", serial="CH1")
    for own in ("ch1", " CH1 ", ""):
        resolved(request("A", cards=["A"], chassis_serial=own), record)
    resolved(request("A", cards=["A"], chassis_serial="any"), replace(record, serial_number=""))


# -- prove ------------------------------------------------------------------------------------


@pytest.mark.parametrize("serial", ["FX1", "fx1", "PID:X SN:FX1"])
def test_a_device_of_the_chassis_is_proven(serial: str) -> None:
    session = resolved(request(), chassis("FX1"), device=ACME.device("x", subject_serial=serial))
    proven = session.prove_by_certificate(now=NOW)
    assert proven.chassis.key == 1
    assert proven.proven_serial.casefold() == "fx1"
    assert proven.proven_at == NOW
    assert [check.name for check in session.checks if check.outcome is Outcome.PASSED] == [
        "client-certificate",
        "chassis-on-record",
        "idevid-chain",
        "idevid-serial",
    ]


def test_another_card_of_the_same_chassis_proves_it_too() -> None:
    session = resolved(
        request("B", cards=["B"]), chassis("A", "B", serial="CH1"), device=ACME.device("A")
    )
    assert session.prove_by_certificate(now=NOW).proven_serial == "A"


@pytest.mark.parametrize(
    ("device", "record", "vendors", "now", "reason"),
    [
        (ACME.device("FX2"), chassis("FX1"), VENDORS, NOW, "idevid-serial-foreign"),
        (
            ACME.device("x", subject_serial=""),
            chassis("FX1"),
            VENDORS,
            NOW,
            "certificate-serial-missing",
        ),
        (
            ACME.device("x", subject_serial="PID:FX1 SN:"),
            chassis("FX1"),
            VENDORS,
            NOW,
            "certificate-serial-missing",
        ),
        (BETA.device("FX1"), chassis("FX1"), VENDORS, NOW, "idevid-untrusted"),
        (ACME.device("FX1"), chassis("FX1"), VENDORS[1:], NOW, "idevid-untrusted"),
        (
            ACME.device("FX1"),
            chassis("FX1"),
            VENDORS,
            NOW + timedelta(days=4),
            "idevid-untrusted",
        ),
        (
            ACME.device("FX1"),
            chassis("FX1"),
            VENDORS,
            NOW - timedelta(days=400),
            "idevid-untrusted",
        ),
        (
            BETA.device("FX1"),
            chassis("FX1", skip_idevid_serial_check=True),
            VENDORS,
            NOW,
            "idevid-untrusted",
        ),
    ],
)
def test_nobody_else_is(
    device: Device, record: Chassis, vendors: tuple[Vendor, ...], now: datetime, reason: str
) -> None:
    session = resolved(request(), record, device=device, vendors=vendors)
    assert refused(lambda: session.prove_by_certificate(now=now), session) == reason


def test_a_skipped_comparison_is_written_down() -> None:
    record = chassis("FX1", skip_idevid_serial_check=True)
    session = resolved(request(), record, device=ACME.device("x", subject_serial=""))
    assert session.prove_by_certificate(now=NOW).proven_serial == ""
    assert session.checks[-1].outcome is Outcome.SKIPPED


# -- select -----------------------------------------------------------------------------------

MODULAR = chassis("A", "B", "C", serial="CH1")


def test_a_nonce_is_asked_of_a_chassis_in_secure_mode_alone() -> None:
    device = ACME.device("FX1")
    for nonce in (None, ""):
        session = resolved(request(nonce=nonce), chassis("FX1"), device=device)
        session.prove_by_certificate(now=NOW)
        assert refused(session.select) == "nonce-missing"
        insecure = chassis("FX1", boot_mode=BootMode.INSECURE)
        assert selected(request(nonce=nonce), insecure, device).answered


@pytest.mark.parametrize(
    ("cards", "active", "status", "answered", "foreign"),
    [
        ([], "a", CardStatus.NOT_INITIALIZED, ["a"], []),
        (["A", "b"], "A", CardStatus.NOT_INITIALIZED, ["A", "b"], []),
        (["A", "X", "b"], "A", CardStatus.NOT_INITIALIZED, ["A", "b"], ["X"]),
        (["A", "B"], "a", CardStatus.INITIALIZED, ["B"], []),
        (["B"], "A", CardStatus.INITIALIZED, ["B"], []),
        (["B"], "A", CardStatus.NOT_INITIALIZED, ["B"], []),
    ],
)
def test_own_cards_are_answered_as_the_device_spelt_them(
    cards: list[str], active: str, status: CardStatus, answered: list[str], foreign: list[str]
) -> None:
    asked = request(active, cards=cards, status=status, chassis_serial="CH1")
    selection = selected(asked, MODULAR, ACME.device("A"))
    assert [card.serial_number for card in selection.answered] == answered
    assert [card.serial_number for card in selection.foreign] == foreign


@pytest.mark.parametrize("cards", [["X"], ["A"], ["A", "X"]])
def test_no_card_left_is_not_found(cards: list[str]) -> None:
    asked = request("A", cards=cards, status=CardStatus.INITIALIZED)
    session = resolved(asked, MODULAR, device=ACME.device("A"))
    session.prove_by_certificate(now=NOW)
    assert refused(session.select) == "cards-unknown"
    assert session.selection is not None


def test_an_initialized_fixed_chassis_may_ask_again() -> None:
    asked = request("FX1", status=CardStatus.INITIALIZED)
    assert selected(asked, chassis("FX1"), ACME.device("FX1")).answered


# -- vouchers ---------------------------------------------------------------------------------


def planned(
    delivery: VoucherDelivery,
    cards: list[str],
    active: str,
    available: set[str],
    ended: tuple[str, ...] = (),
) -> VoucherPlan | str:
    record = replace(MODULAR, voucher_delivery=delivery)
    session = resolved(request(active, cards=cards), record, device=ACME.device("A"))
    session.prove_by_certificate(now=NOW)
    session.select()
    try:
        return session.plan_vouchers(
            StoredVouchers(dict.fromkeys(available, b"voucher"), dict.fromkeys(ended, NOW))
        )
    except BootzError as error:
        return error.reason


SINGLE, BUNDLE, AUTO = VoucherDelivery.SINGLE, VoucherDelivery.BUNDLE, VoucherDelivery.AUTO


@pytest.mark.parametrize(
    ("delivery", "cards", "active", "available", "plan"),
    [
        (SINGLE, ["A", "B"], "A", {"a", "b"}, VoucherPlan(("a",), False)),
        (SINGLE, ["B"], "A", {"a", "b"}, VoucherPlan(("b",), False)),
        (SINGLE, ["B", "C"], "A", {"c", "b"}, VoucherPlan(("b",), False)),
        (SINGLE, ["A", "B"], "A", {"b"}, "voucher-missing"),
        (SINGLE, ["A"], "A", set(), "voucher-missing"),
        (BUNDLE, ["A", "B"], "A", {"a", "b"}, VoucherPlan(("a", "b"), True)),
        (BUNDLE, ["A", "B"], "A", {"a"}, VoucherPlan(("a",), True, ("b",))),
        (BUNDLE, ["A", "B"], "A", {"b"}, "voucher-missing"),
        (BUNDLE, ["B", "C"], "A", {"c"}, VoucherPlan(("c",), True, ("b",))),
        (BUNDLE, ["B", "C"], "A", {"a"}, "voucher-missing"),
        (AUTO, ["A"], "A", {"a", "b"}, VoucherPlan(("a",), False)),
        (AUTO, ["A", "B"], "A", {"a", "b"}, VoucherPlan(("a", "b"), True)),
    ],
)
def test_which_vouchers_travel(
    delivery: VoucherDelivery,
    cards: list[str],
    active: str,
    available: set[str],
    plan: VoucherPlan | str,
) -> None:
    assert planned(delivery, cards, active, available) == plan


def test_a_voucher_that_has_ended_is_refused_with_its_date() -> None:
    assert planned(SINGLE, ["A", "B"], "A", {"b"}, ("a",)) == "voucher-expired"
    assert planned(BUNDLE, ["B", "C"], "A", set(), ("b", "c")) == "voucher-expired"
    session = resolved(request("FX1"), chassis("FX1"), device=ACME.device("FX1"))
    session.prove_by_certificate(now=NOW)
    session.select()
    with pytest.raises(BootzError) as caught:
        session.plan_vouchers(StoredVouchers({}, {"fx1": NOW}))
    assert caught.value.seen == f"one that ended at {NOW.isoformat()}"
    assert session.checks[-1].seen == caught.value.seen


# -- order ------------------------------------------------------------------------------------


def test_a_step_out_of_order_is_a_defect_of_ours() -> None:
    fresh = BootstrapSession()
    for step in (
        lambda: fresh.resolve([chassis("FX1")], VENDORS, now=NOW),
        lambda: fresh.prove_by_certificate(now=NOW),
        fresh.select,
        lambda: fresh.plan_vouchers(StoredVouchers({})),
    ):
        with pytest.raises(RuntimeError):
            step()
    assert fresh.proven is None
    session = resolved(request(), chassis("FX1"))
    with pytest.raises(RuntimeError):
        session.select()
    with pytest.raises(RuntimeError):
        session.claim(request(), presented(ACME.device("FX1")))


# -- reports ----------------------------------------------------------------------------------


def reported(
    told: StatusReport,
    *records: Chassis,
    device: Device | None = None,
    names_cards: bool = True,
) -> ReportSession:
    session = ReportSession()
    session.claim(told, presented(device or ACME.device("A")), names_cards=names_cards)
    session.resolve(records, VENDORS, now=NOW)
    return session


def test_a_report_counts_for_the_proven_chassis() -> None:
    for told in (report("A"), report("a", "B")):
        proven = reported(told, MODULAR).proven
        assert proven is not None
        assert (proven.chassis.key, proven.proven_serial) == (1, "A")
    assert reported(report(), MODULAR, names_cards=False).proven is not None


@pytest.mark.parametrize(
    ("told", "records", "device", "reason"),
    [
        (report("A", "X"), (MODULAR,), ACME.device("A"), "report-card-foreign"),
        (report("FX1"), (MODULAR, chassis("FX1", key=2)), ACME.device("A"), "report-card-foreign"),
        (report("A"), (MODULAR,), ACME.device("X"), "chassis-unknown"),
        (report("A"), (), ACME.device("A"), "chassis-unknown"),
        (report("A"), (MODULAR,), BETA.device("A"), "chassis-unknown"),
        (report("A"), (MODULAR,), manufacturer("Gamma").device("A"), "idevid-untrusted"),
        (report("A"), (MODULAR,), ACME.device("x", subject_serial=""), "chassis-unknown"),
        (report(), (MODULAR,), ACME.device("A"), "report-without-cards"),
        (
            report("A", status=ReportedStatus.UNSPECIFIED),
            (MODULAR,),
            ACME.device("A"),
            "report-status-unspecified",
        ),
    ],
)
def test_and_for_no_other(
    told: StatusReport, records: tuple[Chassis, ...], device: Device, reason: str
) -> None:
    session = ReportSession()

    def tell() -> None:
        session.claim(told, presented(device), names_cards=True)
        session.resolve(records, VENDORS, now=NOW)

    assert refused(tell, session) == reason


def test_a_chassis_that_skips_the_comparison_is_the_one_of_the_first_card() -> None:
    lenient = replace(MODULAR, skip_idevid_serial_check=True)
    nameless = ACME.device("x", subject_serial="")
    assert reported(report("B"), lenient, device=nameless).proven is not None
    session = ReportSession()
    session.claim(report("B"), presented(BETA.device("B")), names_cards=True)
    assert refused(lambda: session.resolve([lenient], VENDORS, now=NOW)) == "chassis-unknown"
