"""The order of a request for bootstrapping data, the router's side; no I/O, no clock, no dice.

The law of this room: first contact trusts no server. What an answer says counts only after
voucher, owner certificate, signature and nonce have been verified, in that order; each step
leaves a ``Check`` behind, also when it fails, and a failed step is the last one.
``DeviceSession.open`` is that order. Source: docs/protocol/router.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bootz.errors import BootzError, TrustError
from bootz.model.artifacts import Assertion, SealedData
from bootz.model.bootstrap import BootstrapData, BootstrapRequest, CardState
from bootz.model.chassis import CardStatus, ChassisDescriptor, ClaimedCard, fold_serial
from bootz.model.identity import Identity
from bootz.protocol.opening import (
    check_nonce,
    check_signature,
    decrypted,
    read_anchor,
    read_data,
    sort_data,
)
from bootz.protocol.ownership import (
    VERIFIED_ONLY,
    DeviceCard,
    Ownership,
    judge_owner,
    judge_voucher,
    sort_vouchers,
)
from bootz.protocol.steps import CheckLog, Stage, Steps, step
from bootz.wire.dialects import Dialect

__all__ = ["DeviceCard", "DeviceDescription", "DeviceSession", "OpenedAnswer", "OpenedCard"]


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """The chassis as it describes itself, with the cards that a request is about.

    ``active`` is the card that asks; a modular chassis lists ``cards``, a fixed one does not.
    """

    manufacturer: str
    part_number: str
    serial_number: str
    cards: tuple[DeviceCard, ...]
    active: CardState
    modular: bool = False
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class OpenedCard:
    """A card with its verified data; ``ownership`` is None where it was not asked for."""

    card: DeviceCard
    data: BootstrapData
    ownership: Ownership | None


@dataclass(frozen=True, slots=True)
class FailedCard:
    """A card that must not be used, and why (S9); ``answered`` if the answer has data for it."""

    card: DeviceCard
    error: BootzError
    answered: bool = False

    def marked(self, data: Mapping[str, BootstrapData]) -> "FailedCard":
        """Return it with whether the answer has data for it."""
        return replace(self, answered=fold_serial(self.card.serial_number) in data)


@dataclass(frozen=True, slots=True)
class OpenedAnswer:
    """An answer that holds. ``cards`` is never empty, and has the active card if that asked.

    ``unanswered`` are cards that the server passed over; ``trust_anchor`` (DER) verifies every
    later connection.
    """

    cards: tuple[OpenedCard, ...]
    failed: tuple[FailedCard, ...]
    unanswered: tuple[DeviceCard, ...]
    trust_anchor: bytes = field(repr=False)


class _Log(CheckLog):
    """The router's checks: its state is read without the reason, so that the evidence names it."""

    def _seen(self, error: BootzError) -> str:
        return f"{error.reason}: {error.seen}" if error.seen else error.reason


class DeviceSession(Steps):
    """One request and its answer. Call ``request``, then ``open``.

    Args:
        device: who asks, and for which cards.
        accepted: the assertions of a voucher that are good enough.
    """

    def __init__(
        self, device: DeviceDescription, *, accepted: frozenset[Assertion] = VERIFIED_ONLY
    ) -> None:
        super().__init__(_Log())
        self._device = device
        self._accepted = accepted
        self._nonce: str | None = None
        done = device.active.status is CardStatus.INITIALIZED
        asking = device.active.serial_number
        self._targets = tuple(
            card for card in device.cards if not (done and card.serial_number == asking)
        )
        # A request about other cards alone needs nothing for the card that makes it.
        listed = any(card.serial_number == asking for card in device.cards)
        self._required = asking if listed and not done else ""

    @step(Stage.OPEN, Stage.REQUESTED)
    def request(self, nonce: str | None) -> BootstrapRequest:
        """Step 1: return the request; without a nonce ownership is not checked (laboratories only).

        Source: docs/protocol/router.md#an-answer, step 1.
        """
        self._nonce = nonce
        device = self._device
        listed = tuple(
            ClaimedCard(card.serial_number, card.part_number, card.slot) for card in device.cards
        )
        return BootstrapRequest(
            ChassisDescriptor(
                device.manufacturer,
                device.part_number,
                device.serial_number,
                listed if device.modular else (),
            ),
            device.active,
            nonce,
            device.identity,
        )

    @step(Stage.REQUESTED, Stage.DONE)
    def open(self, sealed: SealedData, dialect: Dialect, *, now: datetime | None) -> OpenedAnswer:
        """Verify an answer and return what it says; nothing unverified leaves this method.

        This is the whole order, numbered as the page numbers it.

        Args:
            sealed: the answer as it was received.
            dialect: how its data are spelt.
            now: aware UTC, None without a trusted clock.

        Raises:
            TrustError: a proof does not hold; the reason says which.
            WireError: the verified bytes are not bootstrapping data for this device.

        Source: docs/protocol/router.md#an-answer.
        """
        log, nonce, accepted = self._log, self._nonce, self._accepted
        owned: dict[str, Ownership] = {}
        failed: list[FailedCard] = []
        if nonce is None:
            log.skipped("ownership", "insecure: no nonce was sent")
        else:
            # 2. Each card gets the vouchers that name it, out of a bundle or alone.
            vouchers = sort_vouchers(log, sealed.ownership_voucher, self._targets)
            for card in self._targets:
                # Each judges for itself; one that fails is left out, unless the request is its own.
                required = card.serial_number == self._required
                mine = vouchers.get(card.serial_number, ())
                try:
                    # 3 and 4. Its vouchers hold, and name one owner.
                    voucher = judge_voucher(log, card, mine, accepted, required=required, now=now)
                    # 5. The owner certificate is vouched for by what the voucher pins.
                    own = judge_owner(log, voucher, sealed.owner_certificate, now=now)
                    owned[card.serial_number] = own
                except TrustError as error:
                    if required:
                        raise
                    failed.append(FailedCard(card, error))
            if not owned:
                raise failed[0].error
            # 6. The owner has signed exactly the bytes that arrived.
            check_signature(log, next(iter(owned.values())).owner, sealed)
        # 7. On a stream that encrypts, they decrypt with the key of this stream.
        content = decrypted(log, sealed)
        # 8. They are data, and an answer to this request, not to an earlier one.
        decoded = read_data(log, content, dialect)
        if nonce is not None:
            check_nonce(log, decoded.nonce or "", nonce)
        # 9. There are data for the card that asked; other cards may be passed over.
        lost = {each.card for each in failed}
        whole = [card for card in self._targets if card not in lost]
        data = sort_data(log, decoded.responses, whole, required=self._required)
        opened = _opened(whole, data, owned)
        # 10. They name the anchor of every later connection.
        anchor = read_anchor(log, opened[0].data)
        answered = {each.card for each in opened}
        unanswered = tuple(card for card in whole if card not in answered)
        marked = tuple(each.marked(data) for each in failed)
        return OpenedAnswer(opened, marked, unanswered, anchor)


def _opened(
    cards: Iterable[DeviceCard],
    data: Mapping[str, BootstrapData],
    owned: Mapping[str, Ownership],
) -> tuple[OpenedCard, ...]:
    """Return the cards that have data, in their order, with what is known of their owner."""
    return tuple(
        OpenedCard(card, data[serial], owned.get(card.serial_number))
        for card in cards
        if (serial := fold_serial(card.serial_number)) in data
    )
