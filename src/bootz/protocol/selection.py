"""What a proven chassis gets: which cards are answered, and which vouchers travel."""

from dataclasses import dataclass

from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest
from bootz.model.chassis import (
    BootMode,
    CardStatus,
    ClaimedCard,
    ProvenChassis,
    VoucherDelivery,
    fold_serial,
)
from bootz.protocol.refusals import MissingRecord, UnmetCondition
from bootz.protocol.steps import CheckLog


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cards are answered. ``answered`` keeps the device's spelling and order.

    ``foreign`` were listed and are not of the chassis; ``initialized`` is the asking card of a
    modular chassis that needs nothing itself; ``listed`` counts the cards of the request.
    """

    answered: tuple[ClaimedCard, ...]
    foreign: tuple[ClaimedCard, ...]
    initialized: str
    listed: int


@dataclass(frozen=True, slots=True)
class VoucherPlan:
    """Which vouchers travel, by serial number as ``fold_serial`` gives it, and whether as a bundle.

    ``missing`` are answered cards without a voucher that the answer goes out without.
    """

    serials: tuple[str, ...]
    bundle: bool
    missing: tuple[str, ...] = ()


def check_hold(log: CheckLog, proven: ProvenChassis) -> None:
    """Check that no operator has put the chassis on hold.

    Only after the proof: a stranger does not learn what an operator plans.

    Raises:
        UnmetCondition: ``chassis-on-hold``.
    """
    if proven.chassis.on_hold:
        log.refuse(
            "hold",
            UnmetCondition(
                "chassis-on-hold",
                "the chassis is on hold",
                where="chassis",
                expected="released",
                seen="on hold",
            ),
        )
    log.passed("hold", seen="released")


def check_nonce(log: CheckLog, request: BootstrapRequest, proven: ProvenChassis) -> None:
    """Check that a chassis in secure mode has sent a nonce.

    Raises:
        UnmetCondition: ``nonce-missing``.
    """
    if request.nonce:
        log.passed("nonce", seen="present")
    elif proven.chassis.boot_mode is BootMode.SECURE:
        log.refuse(
            "nonce",
            UnmetCondition(
                "nonce-missing",
                "the chassis is in secure mode and the request has no nonce",
                where="nonce",
                expected="a nonce",
                seen="none",
            ),
        )
    else:
        log.skipped("nonce", "the chassis is in insecure mode")


def select_cards(request: BootstrapRequest, proven: ProvenChassis) -> Selection:
    """Sort the listed cards into those that are answered and those that are not.

    Without a list the asking card alone is meant. The asking card of a modular chassis that is
    initialized already asks for the others.
    """
    chassis = proven.chassis
    listed = request.descriptor.control_cards or (ClaimedCard(request.active.serial_number),)
    asking = fold_serial(request.active.serial_number)
    done = chassis.modular and request.active.status is CardStatus.INITIALIZED
    own = [card for card in listed if chassis.card(card.serial_number) is not None]
    return Selection(
        tuple(c for c in own if not (done and fold_serial(c.serial_number) == asking)),
        tuple(card for card in listed if chassis.card(card.serial_number) is None),
        request.active.serial_number if done else "",
        len(listed),
    )


def check_cards(
    log: CheckLog, request: BootstrapRequest, proven: ProvenChassis, selection: Selection
) -> None:
    """Check that a card is left to answer.

    Raises:
        MissingRecord: ``cards-unknown``.
    """
    if not selection.answered:
        listed = request.descriptor.control_cards or (ClaimedCard(request.active.serial_number),)
        log.refuse(
            "cards",
            MissingRecord(
                "cards-unknown",
                "none of the listed cards belongs to this chassis",
                where="chassis_descriptor.control_cards",
                expected=", ".join(card.serial_number for card in proven.chassis.cards),
                seen=", ".join(card.serial_number for card in listed),
            ),
        )
    if selection.foreign:
        foreign = ", ".join(card.serial_number for card in selection.foreign)
        log.skipped("cards", f"left out, not in this chassis: {foreign}")
    else:
        log.passed("cards", seen=", ".join(card.serial_number for card in selection.answered))


def plan_vouchers(
    log: CheckLog,
    request: BootstrapRequest,
    proven: ProvenChassis,
    selection: Selection,
    stored: StoredVouchers,
) -> VoucherPlan:
    """Choose the vouchers that travel with a signed answer.

    A single voucher is that of the asking card if it is answered, else of the first answered
    card. A bundle has those of all answered cards; some may be missing, but not the asking card's
    own, nor all of them.

    Args:
        log: takes the check.
        request: the request.
        proven: who asks.
        selection: whom it is answered for.
        stored: by serial number as ``fold_serial`` gives it.

    Raises:
        UnmetCondition: ``voucher-missing``, ``voucher-expired``; an alarm for the operator.

    Source: docs/protocol/vouchers.md#bundles.
    """
    spelt = {fold_serial(card.serial_number): card.serial_number for card in selection.answered}
    answered = list(spelt)
    active = fold_serial(request.active.serial_number)
    first = active if active in answered else answered[0]
    match proven.chassis.voucher_delivery:
        case VoucherDelivery.SINGLE:
            bundle = False
        case VoucherDelivery.BUNDLE:
            bundle = True
        case VoucherDelivery.AUTO:
            bundle = selection.listed > 1
    present = tuple(serial for serial in answered if serial in stored.valid)
    required_missing = not present if bundle and first != active else first not in stored.valid
    if required_missing:
        ended = first in stored.ended
        log.refuse(
            "voucher",
            UnmetCondition(
                "voucher-expired" if ended else "voucher-missing",
                "the stored voucher of a card that needs one has ended"
                if ended
                else "no valid voucher is stored for a card that needs one",
                where=spelt[first],
                expected="a stored voucher that pins this owner's domain certificate",
                seen=stored.seen_of(first),
            ),
        )
    log.passed("voucher", seen="bundle" if bundle else spelt[first])
    missing = tuple(each for each in answered if each not in present) if bundle else ()
    return VoucherPlan(present if bundle else (first,), bundle, missing)
