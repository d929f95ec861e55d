"""First contact trusts nobody: each check of W7 to W9 with an answer that only it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from device.world import NOW, SERIAL, Manner, Owner, World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pki import make_pair

from bootz.errors import BootzError
from bootz.model.artifacts import Assertion, SealedData
from bootz.model.bootstrap import CardState
from bootz.model.chassis import CardStatus
from bootz.model.checks import Outcome
from bootz.protocol.device import DeviceCard, DeviceDescription, DeviceSession, OpenedAnswer
from bootz.trust.bundle import pack_bundle
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.trust.signature import encode_signature, sign_with
from bootz.wire.answers import encode_bootstrap_data, with_nonce
from bootz.wire.dialects import DIALECTS, dialect_by_name

CURRENT = dialect_by_name("current")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def card(world: World, serial: str = SERIAL) -> DeviceCard:
    anchors = VendorCAs(AnchorSet.from_der([world.vendor.der]))
    return DeviceCard(serial, anchors, world.idevid.der)


def session(
    world: World, *cards: DeviceCard, status: CardStatus = CardStatus.NOT_INITIALIZED
) -> DeviceSession:
    listed = cards or (card(world),)
    active = CardState(SERIAL, status)
    return DeviceSession(
        DeviceDescription("Acme", "PID", SERIAL, listed, active, modular=len(listed) > 1)
    )


def open_with(
    world: World, manner: Manner, *, now: datetime | None = NOW, nonce: str | None = "n1"
) -> tuple[DeviceSession, OpenedAnswer | BootzError]:
    opened = session(world)
    opened.request(nonce)
    try:
        return opened, opened.open(world.seal(nonce, CURRENT, manner), CURRENT, now=now)
    except BootzError as error:
        return opened, error


@pytest.mark.parametrize("row", DIALECTS, ids=lambda row: row.name)
def test_an_honest_answer_opens_in_every_dialect(world: World, row: object) -> None:
    dialect = next(each for each in DIALECTS if each is row)
    opened = session(world)
    assert opened.request("n1").nonce == "n1"
    answer = opened.open(world.seal("n1", dialect), dialect, now=NOW)
    assert [each.card.serial_number for each in answer.cards] == [SERIAL]
    assert answer.cards[0].data.boot_config is not None
    assert answer.trust_anchor == world.owner.anchor.der
    assert {check.outcome for check in opened.checks} == {Outcome.PASSED}
    names = [check.name for check in opened.checks]
    assert names == ["voucher", "owner-certificate", "signature", "nonce", "data", "trust-anchor"]


def _foreign_vendor(world: World, manner: Manner) -> None:
    other = make_pair("vendor CA", ca=True)
    manner.voucher_signer = make_pair("voucher signer", other)


def _self_signed_voucher(_world: World, manner: Manner) -> None:
    manner.voucher_signer = make_pair("voucher signer")


def _signer_ended_since(world: World, manner: Manner) -> None:
    manner.voucher_signer = make_pair("voucher signer", world.vendor, expired=True)
    manner.signed_at = NOW - timedelta(days=2)


def _other_serial(_world: World, manner: Manner) -> None:
    manner.voucher_serial = "FOC87654321"


def _other_case(_world: World, manner: Manner) -> None:
    manner.voucher_serial = SERIAL.lower()


def _expired(_world: World, manner: Manner) -> None:
    manner.expires_on = NOW - timedelta(minutes=30)


def _not_yet(_world: World, manner: Manner) -> None:
    manner.created_on = NOW + timedelta(hours=1)


def _logged(_world: World, manner: Manner) -> None:
    manner.assertion = Assertion.LOGGED


def _other_pdc(_world: World, manner: Manner) -> None:
    manner.pinned = make_pair("PDC", ca=True)


def _owner_elsewhere(_world: World, manner: Manner) -> None:
    manner.signed_by = make_pair("owner", make_pair("PDC", ca=True))


def _owner_expired(world: World, manner: Manner) -> None:
    manner.signed_by = make_pair("owner", world.owner.pdc, expired=True)


def _other_bytes(world: World, manner: Manner) -> None:
    body = encode_bootstrap_data([replace(world.data, boot_password_hash="x")], CURRENT)
    manner.change = lambda sealed: replace(sealed, payload=with_nonce(body, "n1"))


def _signature_of(other: Callable[[World], SealedData]) -> Callable[[World, Manner], None]:
    def apply(world: World, manner: Manner) -> None:
        signature = other(world).signature
        manner.change = lambda sealed: replace(sealed, signature=signature)

    return apply


def _by_a_foreign_key(world: World) -> SealedData:
    return world.seal("n1", CURRENT, Manner(signed_by=make_pair("owner", world.owner.pdc)))


def _stripped(**members: object) -> Callable[[World, Manner], None]:
    def apply(_world: World, manner: Manner) -> None:
        manner.change = lambda sealed: replace(sealed, **members)  # type: ignore[arg-type]

    return apply


def _other_nonce(_world: World, manner: Manner) -> None:
    manner.nonce = "n2"


def _no_nonce(_world: World, manner: Manner) -> None:
    manner.nonce = ""


def _other_card(world: World, manner: Manner) -> None:
    manner.data = replace(world.data, serial_number="FOC87654321")


def _bad_anchor(world: World, manner: Manner) -> None:
    manner.data = replace(world.data, server_trust_cert=b"\x30\x03\x02\x01\x01")


FORGED = [
    (_stripped(ownership_voucher=b""), "voucher", "ov-missing"),
    (_stripped(ownership_voucher=b"\x30\x03\x02\x01\x01"), "voucher", "ov-malformed"),
    (_stripped(ownership_voucher=b"\x1f\x8b"), "voucher", "ov-bundle-compressed"),
    (_foreign_vendor, "voucher", "ov-untrusted-signer"),
    (_self_signed_voucher, "voucher", "ov-untrusted-signer"),
    (_signer_ended_since, "voucher", "ov-signer-expired"),
    (_other_serial, "voucher", "ov-wrong-serial"),
    (_other_case, "voucher", "ov-wrong-serial"),
    (_expired, "voucher", "ov-expired"),
    (_not_yet, "voucher", "ov-not-yet-valid"),
    (_logged, "voucher", "ov-assertion"),
    (_other_pdc, "owner-certificate", "oc-not-under-pdc"),
    (_owner_elsewhere, "owner-certificate", "oc-not-under-pdc"),
    (_owner_expired, "owner-certificate", "oc-expired"),
    (_stripped(owner_certificate=b""), "owner-certificate", "oc-malformed"),
    (_stripped(signature=""), "signature", "sig-malformed"),
    (_stripped(signature="no base64!"), "signature", "sig-malformed"),
    (_other_bytes, "signature", "sig-invalid"),
    (_signature_of(_by_a_foreign_key), "signature", "sig-invalid"),
    (_other_nonce, "nonce", "nonce-mismatch"),
    (_no_nonce, "nonce", "nonce-mismatch"),
    (_other_card, "data", "data-card-missing"),
    (_bad_anchor, "trust-anchor", "anchor-malformed"),
]


@pytest.mark.parametrize(("lie", "check", "reason"), FORGED)
def test_a_lie_is_refused_by_its_check(
    world: World, lie: Callable[[World, Manner], None], check: str, reason: str
) -> None:
    manner = Manner()
    lie(world, manner)
    opened, error = open_with(world, manner)
    assert isinstance(error, BootzError)
    assert error.reason == reason
    assert (opened.checks[-1].name, opened.checks[-1].outcome) == (check, Outcome.FAILED)


def test_an_answer_to_an_earlier_request_is_refused(world: World) -> None:
    earlier = world.seal("n0", CURRENT)
    opened = session(world)
    opened.request("n1")
    with pytest.raises(BootzError) as caught:
        opened.open(earlier, CURRENT, now=NOW)
    assert caught.value.reason == "nonce-mismatch"


def test_signed_bytes_that_are_no_data_are_refused(world: World) -> None:
    opened = session(world)
    opened.request(None)
    with pytest.raises(BootzError) as caught:
        opened.open(SealedData(b"\xff\xff\xff"), CURRENT, now=NOW)
    assert caught.value.reason == "data-malformed"


def test_data_twice_for_one_card_is_refused(world: World) -> None:
    again = replace(world.data, serial_number=SERIAL.lower())
    body = encode_bootstrap_data([world.data, again], CURRENT)
    opened = session(world)
    opened.request(None)
    with pytest.raises(BootzError) as caught:
        opened.open(SealedData(body), CURRENT, now=NOW)
    assert caught.value.reason == "data-card-repeated"


def test_without_a_trusted_clock_the_signing_time_decides_and_is_told(world: World) -> None:
    opened, answer = open_with(world, Manner(expires_on=NOW - timedelta(minutes=30)), now=None)
    assert isinstance(answer, OpenedAnswer)
    assert opened.checks[0].name == "clock"
    signed_in_time = Manner()
    _signer_ended_since(world, signed_in_time)
    assert isinstance(open_with(world, signed_in_time, now=None)[1], OpenedAnswer)
    much_later = datetime(2090, 1, 1, tzinfo=UTC)
    assert isinstance(open_with(world, Manner(), now=much_later)[1], BootzError)


def test_without_a_nonce_nothing_is_checked_and_that_is_told(world: World) -> None:
    opened, answer = open_with(world, Manner(), nonce=None)
    assert isinstance(answer, OpenedAnswer)
    assert answer.cards[0].ownership is None
    assert (opened.checks[0].name, opened.checks[0].outcome) == ("ownership", Outcome.SKIPPED)


STANDBY = "FOC00000002"


def both(world: World, vouchers: bytes, *, answered: tuple[str, ...]) -> SealedData:
    body = encode_bootstrap_data(
        [replace(world.data, serial_number=serial) for serial in answered], CURRENT
    )
    sealed = world.seal("n1", CURRENT)
    owner = world.owner.owner
    assert owner is not None
    payload = with_nonce(body, "n1")
    signature = encode_signature(sign_with(owner.key)(payload))
    return replace(sealed, payload=payload, signature=signature, ownership_voucher=vouchers)


def test_a_bundle_serves_every_card_whatever_its_names(world: World) -> None:
    bundle = pack_bundle(
        {"A": world.voucher(Manner(voucher_serial=STANDBY)), "B": world.voucher(Manner())}
    )
    opened = session(world, card(world), card(world, STANDBY))
    request = opened.request("n1")
    assert [each.serial_number for each in request.descriptor.control_cards] == [SERIAL, STANDBY]
    answer = opened.open(both(world, bundle, answered=(SERIAL, STANDBY)), CURRENT, now=NOW)
    assert [each.card.serial_number for each in answer.cards] == [SERIAL, STANDBY]
    assert answer.failed == ()


def test_a_bad_voucher_in_a_bundle_fails_its_card_alone(world: World) -> None:
    expired = Manner(voucher_serial=STANDBY, expires_on=NOW - timedelta(minutes=1))
    bundle = pack_bundle({"A": world.voucher(Manner()), "B": world.voucher(expired)})
    opened = session(world, card(world), card(world, STANDBY))
    opened.request("n1")
    answer = opened.open(both(world, bundle, answered=(SERIAL, STANDBY)), CURRENT, now=NOW)
    assert [each.card.serial_number for each in answer.cards] == [SERIAL]
    assert [each.error.reason for each in answer.failed] == ["ov-expired"]


def test_a_single_voucher_leaves_the_standby_without_one(world: World) -> None:
    opened = session(world, card(world), card(world, STANDBY))
    opened.request("n1")
    sealed = both(world, world.voucher(Manner()), answered=(SERIAL, STANDBY))
    answer = opened.open(sealed, CURRENT, now=NOW)
    assert [each.error.reason for each in answer.failed] == ["ov-missing"]


def test_a_bundle_without_the_active_card_fails_the_request(world: World) -> None:
    bundle = pack_bundle({"B": world.voucher(Manner(voucher_serial=STANDBY))})
    opened = session(world, card(world), card(world, STANDBY))
    opened.request("n1")
    with pytest.raises(BootzError) as caught:
        opened.open(both(world, bundle, answered=(SERIAL, STANDBY)), CURRENT, now=NOW)
    assert caught.value.reason == "ov-missing"


def test_data_for_the_standby_alone_fails_the_request(world: World) -> None:
    standby = Manner(voucher_serial=STANDBY)
    bundle = pack_bundle({"A": world.voucher(Manner()), "B": world.voucher(standby)})
    opened = session(world, card(world), card(world, STANDBY))
    opened.request("n1")
    with pytest.raises(BootzError) as caught:
        opened.open(both(world, bundle, answered=(STANDBY,)), CURRENT, now=NOW)
    assert caught.value.reason == "data-card-missing"


def bundled(world: World, second: Manner) -> OpenedAnswer:
    bundle = pack_bundle({"A": world.voucher(Manner()), "B": world.voucher(second)})
    opened = session(world, card(world), card(world, STANDBY))
    opened.request("n1")
    return opened.open(both(world, bundle, answered=(SERIAL,)), CURRENT, now=NOW)


def test_two_owners_in_a_bundle_are_ambiguous(world: World) -> None:
    with pytest.raises(BootzError) as caught:
        bundled(world, Manner(pinned=make_pair("PDC", ca=True)))
    assert caught.value.reason == "ov-bundle-ambiguous"


def test_of_two_vouchers_for_one_owner_the_newer_counts(world: World) -> None:
    newer = NOW - timedelta(minutes=1)
    ownership = bundled(world, Manner(created_on=newer)).cards[0].ownership
    assert ownership is not None
    assert ownership.voucher.content.created_on == newer


def test_an_initialized_card_asks_for_the_new_one_only(world: World) -> None:
    opened = session(world, card(world), card(world, STANDBY), status=CardStatus.INITIALIZED)
    opened.request("n1")
    voucher = world.voucher(Manner(voucher_serial=STANDBY))
    answer = opened.open(both(world, voucher, answered=(STANDBY,)), CURRENT, now=NOW)
    assert [each.card.serial_number for each in answer.cards] == [STANDBY]


def test_steps_out_of_order_are_a_defect(world: World) -> None:
    with pytest.raises(RuntimeError):
        session(world).open(world.seal("n1", CURRENT), CURRENT, now=NOW)


def test_an_owner_that_is_the_pinned_certificate_itself_is_fine(world: World) -> None:
    alone = make_pair("owner")
    world.owner = Owner(pdc=alone, owner=alone, anchor=world.owner.anchor)
    assert isinstance(open_with(world, Manner())[1], OpenedAnswer)


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_around_signed_data_are_refused_with_a_reason(
    world: World, voucher: bytes, owner: bytes, signature: str
) -> None:
    lie = replace(
        world.seal("n1", CURRENT), ownership_voucher=voucher, owner_certificate=owner,
        signature=signature,
    )  # fmt: skip
    opened = session(world)
    opened.request("n1")
    with pytest.raises(BootzError):
        opened.open(lie, CURRENT, now=NOW)
    assert opened.checks[-1].outcome is Outcome.FAILED
