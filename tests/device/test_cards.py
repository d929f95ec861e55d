"""Standby route processors and line cards: the three use cases, card by card (S1 to S9)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from device.chassis_world import (
    LC0,
    RP0,
    RP1,
    ChassisServer,
    ChassisWorld,
    Powered,
    notes,
    told,
)
from device.world import NOW, Manner, boot, options, play, router
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pki import make_pair

from bootz.device.onboarding import BootResult
from bootz.device.slots import Power, exchange, insert, pull, switch
from bootz.device.state import Phase
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus
from bootz.model.chassis import CardKind, CardStatus
from bootz.trust.bundle import pack_bundle
from bootz.wire.dialects import Dialect

IN_ORDER = {"RP0": RP0, "RP1": RP1, "LC0": LC0}
FINE = ("verified", "")


@pytest.fixture
def world(tmp_path: Path) -> ChassisWorld:
    return ChassisWorld(tmp_path)


def initialized(*serials: str) -> tuple[CardState, ...]:
    return tuple(CardState(serial, CardStatus.INITIALIZED) for serial in serials)


def failed(serial: str) -> CardState:
    return CardState(serial, CardStatus.NOT_INITIALIZED)


# Use case 1


@pytest.mark.parametrize("dialect", ["v0.1.0", "2023-11", "v0.3", "current"])
def test_s1_s2_s7_a_bundle_has_the_vouchers_of_all_cards(world: ChassisWorld, dialect: str) -> None:
    async def story() -> None:
        hardware = world.chassis(IN_ORDER)
        async with ChassisServer(world, RP0, RP1, LC0, bundle=True) as server:
            result, state, _ = await boot(hardware, options(server.uri, dialect))
        assert result is BootResult.ONBOARDED
        assert server.listed() == [[RP0, RP1, LC0]]
        assert told(state) == dict.fromkeys(IN_ORDER, FINE)
        if dialect != "v0.1.0":
            assert server.reports[-1].states == initialized(RP0, RP1, LC0)
        for card in hardware.record.cards:
            owner = hardware.card(card).path / "owner"
            assert card.serial_number.encode() in (owner / "voucher.vcj").read_bytes()
            assert (owner / "owner-certificate.cms").stat().st_size > 0

    play(story)


def test_s2_s7_single_vouchers_are_asked_for_card_by_card(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis(IN_ORDER)
        async with ChassisServer(world, RP0, RP1, LC0) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert server.listed() == [[RP0, RP1, LC0], [RP1], [LC0]]
        assert {request.active.serial_number for request in server.asked} == {RP0}
        assert len({request.nonce for request in server.asked}) == 3
        assert told(state) == dict.fromkeys(IN_ORDER, FINE)
        assert server.reports[-1].states == initialized(RP0, RP1, LC0)

    play(story)


class OtherServer(ChassisServer):
    """Knows a chassis by the card that asks, as the Go reference does, and says so in its words."""

    def answer(self, request: BootstrapRequest, dialect: Dialect) -> bytes:
        listed = [card.serial_number for card in request.descriptor.control_cards]
        if request.active.serial_number not in listed:
            raise GRPCError(Status.INVALID_ARGUMENT, "the asking card is not in the list")
        self.asking = request.active.serial_number
        return super().answer(request, dialect)

    def voucher_of(self, serial: str) -> bytes:
        return super().voucher_of(serial) if serial == self.asking else b""

    def answered(self, listed: list[str], asking: str) -> list[str]:
        # The voucher that travels is that of the card that asks.
        return sorted(super().answered(listed, asking), key=lambda serial: serial != asking)


def test_s2_a_standby_that_is_refused_alone_is_asked_for_as_the_one_that_asks(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with OtherServer(world, RP0, RP1) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        asked = [(request.active.serial_number, request.active.status) for request in server.asked]
        fresh = CardStatus.NOT_INITIALIZED
        assert server.listed() == [[RP0, RP1], [RP1], [RP0, RP1]]
        assert asked == [(RP0, fresh), (RP0, fresh), (RP1, fresh)]
        assert told(state) == {"RP0": FINE, "RP1": FINE}
        assert server.reports[-1].states == initialized(RP0, RP1)
        standby = hardware.record.cards[1]
        assert hardware.card(standby).owned()

    play(story)


def test_s4_a_standby_that_comes_later_is_asked_for_in_the_other_form_too(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with OtherServer(world, RP0, RP1) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("cards-done")
            assert told(powered.state) == {"RP0": FINE, "RP1": FINE}
            assert server.listed() == [[RP0], [RP1], [RP0, RP1]]

    play(story)


class AskersVoucherServer(ChassisServer):
    """Answers whatever is listed, always with the voucher of the card that asks."""

    def answer(self, request: BootstrapRequest, dialect: Dialect) -> bytes:
        listed = [card.serial_number for card in request.descriptor.control_cards]
        asking = request.active.serial_number
        self.voucher_manners = dict.fromkeys(listed, Manner(voucher_serial=asking))
        fresh = CardState(asking, CardStatus.NOT_INITIALIZED)
        return super().answer(replace(request, active=fresh), dialect)


@pytest.mark.parametrize("dialect", ["v0.1.0", "2023-11", "v0.3", "current"])
def test_a_standby_that_is_answered_with_the_askers_voucher_is_asked_for_as_the_one_that_asks(
    world: ChassisWorld, dialect: str
) -> None:
    # So the Go reference answers a unary call (openconfig/bootz v0.7.1, server/service).
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with AskersVoucherServer(world, RP0, RP1) as server:
            result, state, _ = await boot(hardware, options(server.uri, dialect))
        assert result is BootResult.ONBOARDED
        assert server.listed() == [[RP0, RP1], [RP1], [RP0, RP1]]
        assert [request.active.serial_number for request in server.asked] == [RP0, RP0, RP1]
        assert told(state) == {"RP0": FINE, "RP1": FINE}

    play(story)


def test_a_line_card_that_is_answered_with_another_voucher_is_shut_down(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "LC0": LC0})
        async with AskersVoucherServer(world, RP0, LC0) as server:
            _, state, _ = await boot(hardware, options(server.uri))
        assert server.listed() == [[RP0, LC0], [LC0]]
        assert told(state)["LC0"] == ("shut-down", "ov-wrong-serial")

    play(story)


def test_a_standby_that_is_refused_in_both_forms_is_shut_down_for_the_first_reason(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with OtherServer(world, RP0, RP1) as server:
            server.voucher_manners[RP1] = None
            result, state, log = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert told(state) == {"RP0": FINE, "RP1": ("shut-down", "contact-refused")}
        (refused,) = log.named("card-shut-down")
        assert "the asking card is not in the list" in str(refused["detail"])
        assert not hardware.card(hardware.record.cards[1]).owned()

    play(story)


def test_s2_the_second_request_is_for_the_server_that_the_first_answer_vouches_for(
    world: ChassisWorld,
) -> None:
    """Somebody in between, who passed the first answer on, learns nothing more."""

    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        rogue = make_pair("server", make_pair("trust anchor", ca=True), ip="127.0.0.1")
        async with ChassisServer(world, RP0, RP1, tls=rogue) as server:
            result, state, _ = await boot(hardware, options(server.uri))
            assert server.listed() == [[RP0, RP1]]
        assert result is BootResult.UNREPORTED
        assert told(state)["RP1"] == ("shut-down", "contact-server-untrusted")

    play(story)


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (Manner(voucher_serial="SOMEBODY"), "ov-missing"),
        (None, "voucher-missing"),
        (Manner(voucher_serial=RP1, expires_on=NOW - timedelta(minutes=1)), "ov-expired"),
        (
            Manner(voucher_serial=RP1, voucher_signer=make_pair("other", make_pair("CA", ca=True))),
            "ov-untrusted-signer",
        ),
    ],
    ids=["foreign", "missing", "expired", "other-vendor"],
)
@pytest.mark.parametrize("bundle", [True, False], ids=["bundle", "single"])
def test_s8_s9_a_card_with_a_bad_voucher_is_shut_down_and_the_others_work_on(
    world: ChassisWorld, manner: Manner | None, reason: str, *, bundle: bool
) -> None:
    async def story() -> None:
        hardware = world.chassis(IN_ORDER)
        async with ChassisServer(world, RP0, RP1, LC0, bundle=bundle) as server:
            server.voucher_manners[RP1] = manner
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        found = told(state)
        assert (found["RP0"], found["LC0"]) == (FINE, FINE)
        condition, seen = found["RP1"]
        assert condition == "shut-down"
        if manner is None and bundle:
            seen = reason
        assert seen in {reason, "ov-wrong-serial" if reason == "ov-missing" else reason}
        last = server.reports[-1]
        assert last.status is ReportedStatus.SUCCESS
        assert set(last.states) == {*initialized(RP0, LC0), failed(RP1)}
        assert f"card {RP1} in slot RP1 is shut down: " in last.message
        standby = hardware.record.cards[1]
        assert not hardware.card(standby).owned()

    play(story)


def test_s9_the_attempt_fails_with_the_active_card(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with ChassisServer(world, RP0, RP1, bundle=True) as server:
            server.voucher_manners[RP0] = None
            result, state, _ = await boot(hardware, options(server.uri))
        assert (result, state.reason) == (BootResult.FAILED, "ov-missing")
        assert server.reports == []

    play(story)


def test_s9_a_card_without_an_answer_is_named_in_words_alone(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis(IN_ORDER)
        async with ChassisServer(world, RP0, RP1, bundle=True) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert told(state)["LC0"] == ("shut-down", "card-not-answered")
        last = server.reports[-1]
        assert last.states == initialized(RP0, RP1)
        assert f"card {LC0} in slot LC0 got no answer" in last.message

    play(story)


def test_s9_a_tampered_card_is_shut_down_whatever_its_voucher_says(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        insert(hardware, "LC0", world.tampered(LC0, CardKind.LINE))
        async with ChassisServer(world, RP0, LC0, bundle=True) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert told(state)["LC0"] == ("shut-down", "card-tampered")
        assert server.reports[-1].states == (*initialized(RP0), failed(LC0))

    play(story)


def test_two_new_cards_with_one_serial_number_are_both_shut_down(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "LC0": LC0, "LC1": LC0})
        async with ChassisServer(world, RP0, LC0, bundle=True) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert server.listed() == [[RP0, LC0]]
        assert told(state)["LC0"] == told(state)["LC1"] == ("shut-down", "card-serial-twice")
        assert server.reports[-1].states == initialized(RP0)

    play(story)


def test_a_card_that_shows_the_active_cards_serial_number_is_shut_down(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP0})
        async with ChassisServer(world, RP0) as server:
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert told(state) == {"RP0": FINE, "RP1": ("shut-down", "card-serial-twice")}

    play(story)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pack_bundle({f"S{number}": b"0" for number in range(10_000)}), "ov-bundle-limits"),
        (pack_bundle({}), "ov-malformed"),
        (pack_bundle({RP0: b"no voucher"}), "ov-missing"),
    ],
    ids=["ten-thousand", "none", "not-a-voucher"],
)
def test_a_bundle_that_is_none_is_refused_whole(
    world: ChassisWorld, content: bytes, reason: str
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with ChassisServer(world, RP0, RP1, bundle=True) as server:
            server.change_voucher = lambda _voucher: content
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.FAILED
        assert state.reason in {reason, "contact-answer-too-large"}
        assert state.status.value == "BOOTZ_OV_INVALID"

    play(story)


# Use cases 2 and 3


def test_s3_s4_a_card_that_appears_during_the_process_waits_for_its_end(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            server.hold = asyncio.Event()
            asked = asyncio.Event()
            server.on_request = lambda _request: asked.set()
            async with Powered(hardware, server.uri) as powered:
                await asked.wait()
                insert(hardware, "RP1", world.card(RP1))
                assert (await powered.events.until("card-waits"))["card"] == RP1
                server.hold.set()
                await powered.events.until("cards-done")
                assert told(powered.state)["RP1"] == FINE
            assert server.listed() == [[RP0], [RP1]]
            assert server.asked[1].active == initialized(RP0)[0]
            assert [event for event, _ in powered.events.events].count("power-on") == 1
            assert server.reports[-1].states == initialized(RP0, RP1)

    play(story)


def test_s4_s5_a_card_that_appears_later_is_asked_about_at_the_stored_server(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1, LC0, bundle=True) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                anchor = hardware.disk / "misc" / "disk1" / "ta.cert"
                assert anchor.read_bytes().startswith(b"-----BEGIN CERTIFICATE")
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("card-verified", 2)
                insert(hardware, "LC0", world.card(LC0, CardKind.LINE))
                await powered.events.until("cards-done", 2)
                assert set(told(powered.state).values()) == {FINE}
                assert powered.state.phase is Phase.OPERATIONAL
            assert server.listed() == [[RP0], [RP1], [LC0]]
            assert {r.active.status for r in server.asked[1:]} == {CardStatus.INITIALIZED}

    play(story)


def test_s4_a_card_that_is_replaced_is_looked_at(world: ChassisWorld, tmp_path: Path) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with ChassisServer(world, RP0, RP1, "RP1NEW", bundle=True) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                exchange(hardware, "RP1", world.card("RP1NEW"), tmp_path / "old")
                await powered.events.until("cards-done")
                assert (await powered.events.until("card-gone"))["card"] == RP1
                note = notes(powered.state)["RP1"]
                assert (note.serial_number, note.condition.value) == ("RP1NEW", "verified")
            assert server.listed()[-1] == ["RP1NEW"]

    play(story)


def test_s6_a_second_event_waits_for_the_first(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1, LC0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                server.hold = asyncio.Event()
                asked = asyncio.Event()
                server.on_request = lambda _request: asked.set()
                insert(hardware, "RP1", world.card(RP1))
                await asked.wait()
                insert(hardware, "LC0", world.card(LC0, CardKind.LINE))
                await powered.events.until("card-waits")
                assert server.listed() == [[RP0], [RP1]]
                server.hold.set()
                await powered.events.until("cards-done", 2)
                assert told(powered.state) == dict.fromkeys(IN_ORDER, FINE)
            assert server.listed() == [[RP0], [RP1], [LC0]]

    play(story)


def test_s6_without_stored_server_data_the_event_is_refused(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            server.line = ""
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                refusal = await powered.events.until("cards-refused")
                assert refusal["reason"] == "cards-no-server"
            assert server.listed() == [[RP0]]

    play(story)


def test_s6_without_secure_mode_the_event_is_refused_until_it_is_enabled(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with (
            ChassisServer(world, RP0, RP1) as server,
            Powered(hardware, server.uri) as powered,
        ):
            await powered.events.until("status", 4)
            hardware.set_secure_mode(enabled=False)
            insert(hardware, "RP1", world.card(RP1))
            refusal = await powered.events.until("cards-refused")
            assert refusal["reason"] == "cards-not-secure"
            hardware.set_secure_mode(enabled=True)
            switch(hardware, "RP1", Power.CYCLE)
            await powered.events.until("cards-done")
            assert told(powered.state)["RP1"] == FINE

    play(story)


def test_s6_a_lost_trust_anchor_file_is_said(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with (
            ChassisServer(world, RP0, RP1) as server,
            Powered(hardware, server.uri) as powered,
        ):
            await powered.events.until("status", 4)
            (hardware.disk / "misc" / "disk1" / "ta.cert").write_text("nothing")
            insert(hardware, "RP1", world.card(RP1))
            refusal = await powered.events.until("cards-refused")
            assert refusal["reason"] == "server-data-anchor"

    play(story)


def test_s5_server_data_that_point_to_a_rogue_server_get_nobody_in(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        other = make_pair("server", make_pair("rogue anchor", ca=True), ip="127.0.0.1")
        async with (
            ChassisServer(world, RP0, RP1, tls=other) as rogue,
            ChassisServer(world, RP0) as server,
        ):
            port = rogue.uri.rpartition(":")[2]
            server.line = server.line.replace("{port}", port)
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("cards-done")
                assert told(powered.state)["RP1"] == ("shut-down", "contact-server-untrusted")
            assert rogue.asked == []

    play(story)


def test_s9_s10_a_tampered_card_that_is_inserted_later_is_shut_down_and_reported(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, LC0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "LC0", world.tampered(LC0, CardKind.LINE))
                await powered.events.until("cards-done")
                assert told(powered.state)["LC0"] == ("shut-down", "card-tampered")
                assert powered.state.phase is Phase.OPERATIONAL
            last = server.reports[-1]
            assert last.states == (*initialized(RP0), failed(LC0))
            assert "card-tampered" in last.message

    play(story)


def test_a_card_without_a_readable_identity_is_never_asked_about(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        card = world.card(LC0, CardKind.LINE)
        (card / "identity.pem").write_text("scratched")
        async with ChassisServer(world, RP0, LC0) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "LC0", card)
                await powered.events.until("cards-done")
                assert told(powered.state)["LC0"] == ("shut-down", "card-tampered")
            assert server.listed() == [[RP0]]

    play(story)


def test_a_newcomer_with_a_verified_cards_serial_number_is_the_false_one(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "LC0": LC0})
        async with (
            ChassisServer(world, RP0, LC0, bundle=True) as server,
            Powered(hardware, server.uri) as powered,
        ):
            await powered.events.until("status", 4)
            insert(hardware, "LC1", world.card(LC0, CardKind.LINE))
            await powered.events.until("cards-done")
            found = told(powered.state)
            assert (found["LC0"], found["LC1"]) == (FINE, ("shut-down", "card-serial-twice"))

    play(story)


def test_s10_a_card_that_the_server_does_not_know_comes_up_once_it_is_accepted(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0) as server:
            async with Powered(hardware, server.uri, card_wait=0.01) as powered:
                await powered.events.until("status", 4)
                insert(hardware, "RP1", world.card(RP1))
                refused = await powered.events.until("card-shut-down")
                assert (refused["card"], refused["reason"]) == (RP1, "cards-unknown")
                await powered.events.until("report", 3)
                server.known.add(RP1)
                await powered.events.until("card-verified", 2)
                await powered.events.until("report", 4)
            later = [report for report in server.reports if report.message.count(RP1)]
            # Each outcome is told once, however often the router asks.
            assert len(later) == 1
            assert later[0].states == initialized(RP0)
            assert server.reports[-1].states == initialized(RP0, RP1)

    play(story)


def test_a_card_that_is_pulled_in_the_middle_leaves_nothing_behind(
    world: ChassisWorld, tmp_path: Path
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with (
            ChassisServer(world, RP0, RP1) as server,
            Powered(hardware, server.uri) as powered,
        ):
            await powered.events.until("status", 4)
            server.hold = asyncio.Event()
            asked = asyncio.Event()
            server.on_request = lambda _request: asked.set()
            insert(hardware, "RP1", world.card(RP1))
            await asked.wait()
            pull(hardware, "RP1", tmp_path / "pulled")
            server.hold.set()
            done = await powered.events.until("cards-done")
            assert done["cards"] == 0
            assert list(told(powered.state)) == ["RP0"]
            assert not (tmp_path / "pulled" / "owner").exists()
            insert(hardware, "RP1", tmp_path / "pulled")
            await powered.events.until("cards-done", 2)
            assert told(powered.state)["RP1"] == FINE

    play(story)


def test_a_card_that_is_pulled_during_the_first_contact_does_not_stop_it(
    world: ChassisWorld, tmp_path: Path
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0, "RP1": RP1})
        async with ChassisServer(world, RP0, RP1) as server:
            server.on_request = lambda _request: (
                pull(hardware, "RP1", tmp_path / "pulled") if len(server.asked) == 1 else None
            )
            result, state, _ = await boot(hardware, options(server.uri))
        assert result is BootResult.ONBOARDED
        assert told(state) == {"RP0": FINE}
        assert server.reports[-1].states == initialized(RP0)

    play(story)


class PowerCut(Exception):
    """The power goes at this point."""


def test_a_card_that_was_verified_but_not_reported_when_the_power_went_is_reported_later(
    world: ChassisWorld,
) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
            insert(hardware, "RP1", world.card(RP1))

            def cut(event: str, _fields: Mapping[str, object]) -> None:
                if event == "card-verified":
                    raise PowerCut

            with pytest.raises(PowerCut):
                await router(hardware, options(server.uri), cut).boot()
            # What became of the card is noted, and nothing is said of it yet.
            assert told(hardware.load_state())["RP1"] == FINE
            assert [report for report in server.reports if report.states[1:]] == []
            result, _, _ = await boot(hardware, options(server.uri))
            assert result is BootResult.ALREADY_ONBOARDED
            assert server.reports[-1].states == initialized(RP0, RP1)
            # It was not asked about again, and is not reported again.
            assert server.listed() == [[RP0], [RP1]]
            count = len(server.reports)
            await boot(hardware, options(server.uri))
            assert len(server.reports) == count

    play(story)


def test_a_report_of_a_card_that_did_not_get_through_is_sent_again(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            async with Powered(hardware, server.uri, card_wait=0.01) as powered:
                await powered.events.until("status", 4)
                server.report_statuses = [Status.UNAVAILABLE] * 4
                insert(hardware, "RP1", world.card(RP1))
                await powered.events.until("report", 3)
            assert server.reports[-1].states == initialized(RP0, RP1)
            assert server.listed() == [[RP0], [RP1]]
            assert all(note.reported for note in hardware.load_state().cards)

    play(story)


def test_a_shut_down_card_is_reported_after_a_power_cut_too(world: ChassisWorld) -> None:
    async def story() -> None:
        hardware = world.chassis({"RP0": RP0})
        async with ChassisServer(world, RP0, RP1) as server:
            async with Powered(hardware, server.uri) as powered:
                await powered.events.until("status", 4)
            insert(hardware, "RP1", world.tampered(RP1))

            def cut(event: str, _fields: Mapping[str, object]) -> None:
                if event == "card-shut-down":
                    raise PowerCut

            with pytest.raises(PowerCut):
                await router(hardware, options(server.uri), cut).boot()
            await boot(hardware, options(server.uri))
            assert server.reports[-1].states[0] == initialized(RP0)[0]
            assert RP1 in server.reports[-1].message

    play(story)
