"""The order of a request for bootstrapping data, the router's side; no I/O, no clock, no dice.

The law of this room: first contact trusts no server. What an answer says counts only after
voucher, owner certificate, signature and nonce have been verified, in that order; each step
leaves a ``Check`` behind, also when it fails. Source: docs/protocol/workflow.md
W5 to W9; docs/protocol/pki.md#order-of-the-routers-checks.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bootz.errors import BootzError, TrustError, WireError
from bootz.model.artifacts import Assertion, SealedData
from bootz.model.bootstrap import BootstrapData, BootstrapRequest, CardState
from bootz.model.chassis import CardStatus, ChassisDescriptor, ClaimedCard, fold_serial
from bootz.model.identity import Identity
from bootz.protocol.device_ownership import (
    VERIFIED_ONLY,
    DeviceCard,
    Ownership,
    sort_vouchers,
    verify_card_owner,
    verify_card_voucher,
)
from bootz.protocol.steps import CheckLog, Stage, Steps, step
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.signature import verify_response_signature
from bootz.wire.answers import decode_bootstrap_data
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
        self._owned: dict[str, Ownership] = {}
        self._failed: list[FailedCard] = []
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
        """Return the request. Without a nonce ownership is not checked: for laboratories only."""
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

        Args:
            sealed: the answer as it was received.
            dialect: how its data are spelt.
            now: aware UTC, None without a trusted clock.

        Raises:
            TrustError: a proof does not hold; the reason says which.
            WireError: the verified bytes are not bootstrapping data for this device.
        """
        self._verify(sealed, now=now)
        if sealed.content is None:
            self._log.refuse(
                "decryption",
                TrustError(
                    "data-undecryptable",
                    "the data cannot be decrypted with the key of this stream",
                    where="encrypted_serialized_bootstrap_data",
                ),
            )
        if sealed.encapsulated_key:
            self._log.passed("decryption")
        return self._read(sealed.content, dialect)

    def _verify(self, sealed: SealedData, *, now: datetime | None) -> None:
        """Verify who signed ``sealed.payload`` (rows 1 to 7); says nothing of its content.

        Raises:
            TrustError: voucher, owner certificate or signature does not hold.
        """
        if self._nonce is None:
            self._log.skipped("ownership", "insecure: no nonce was sent")
            return
        candidates = self._sort(sealed.ownership_voucher)
        for card in self._targets:
            try:
                self._own(card, candidates.get(card.serial_number, ()), sealed, now)
            except TrustError as error:
                self._failed.append(FailedCard(card, error))
                if card.serial_number == self._required:
                    raise
        if not self._owned:
            raise self._failed[0].error
        ownership = next(iter(self._owned.values()))
        if not sealed.signature:
            self._log.refuse(
                "signature",
                TrustError(
                    "sig-malformed",
                    "the answer is not signed",
                    where="response_signature",
                    expected="a signature by the owner certificate",
                    seen="none",
                ),
            )
        try:
            verify_response_signature(ownership.owner.certificate, sealed.signature, sealed.payload)
        except TrustError as error:
            self._log.refuse("signature", error)
        self._log.passed("signature", seen=fingerprint(ownership.owner.certificate))

    def _read(self, payload: bytes, dialect: Dialect) -> OpenedAnswer:
        """Read verified bytes (rows 9 and 10): ``sealed.payload``, or what it decrypts to.

        Raises:
            TrustError: the nonce is not the one that was sent, or the anchor is not a certificate.
            WireError: not bootstrapping data, or none for the asking card.
        """
        try:
            decoded = decode_bootstrap_data(payload, dialect)
        except WireError as error:
            self._log.refuse(
                "data", WireError("data-malformed", error.detail, where=error.where or "payload")
            )
        if self._nonce is not None:
            seen = decoded.nonce or ""
            if not hmac.compare_digest(seen.encode(), self._nonce.encode()):
                self._log.refuse(
                    "nonce",
                    TrustError(
                        "nonce-mismatch",
                        "the answer is not for this request",
                        where="nonce",
                        expected="the nonce of the request",
                        seen="another" if seen else "none",
                    ),
                )
            self._log.passed("nonce")
        data = self._by_serial(decoded.responses)
        opened: list[OpenedCard] = []
        unanswered: list[DeviceCard] = []
        failed = {each.card.serial_number for each in self._failed}
        for card in self._targets:
            mine = data.get(fold_serial(card.serial_number))
            if card.serial_number in failed:
                continue
            if mine is None:
                unanswered.append(card)
            else:
                opened.append(OpenedCard(card, mine, self._owned.get(card.serial_number)))
        served = [each.card.serial_number for each in opened]
        if not served or (self._required and self._required not in served):
            self._log.refuse(
                "data",
                WireError(
                    "data-card-missing",
                    "the answer has no data for the active card",
                    where="responses",
                    expected=self._required or self._targets[0].serial_number,
                    seen=", ".join(each.serial_number for each in decoded.responses) or "none",
                ),
            )
        self._log.passed("data", seen=", ".join(served))
        return OpenedAnswer(
            tuple(opened),
            tuple(
                replace(each, answered=fold_serial(each.card.serial_number) in data)
                for each in self._failed
            ),
            tuple(unanswered),
            self._anchor(opened[0].data),
        )

    def _sort(self, vouchers: bytes) -> Mapping[str, tuple[bytes, ...]]:
        if not vouchers:
            self._log.refuse(
                "voucher",
                TrustError(
                    "ov-missing",
                    "the answer has no ownership voucher",
                    where="ownership_voucher",
                    expected="a voucher or a bundle",
                    seen="none",
                ),
            )
        try:
            candidates, warnings = sort_vouchers(vouchers, self._targets)
        except TrustError as error:
            self._log.refuse("voucher", error)
        for warning in warnings:
            self._log.skipped("voucher-bundle", warning)
        return candidates

    def _own(
        self,
        card: DeviceCard,
        candidates: Sequence[bytes],
        sealed: SealedData,
        now: datetime | None,
    ) -> None:
        if now is None:
            self._log.skipped("clock", "not trusted: validated at the signing time")
        try:
            voucher = verify_card_voucher(candidates, card, accepted=self._accepted, now=now)
        except TrustError as error:
            if error.reason == "ov-missing" and card.serial_number != self._required:
                # Vouchers may come one by one; the router asks for this one by itself.
                self._log.skipped("voucher", "not in this answer", card.serial_number)
                raise
            self._log.refuse("voucher", error)
        self._log.passed("voucher", card.serial_number, fingerprint(voucher.signer))
        try:
            owner = verify_card_owner(sealed.owner_certificate, voucher, now=now)
        except TrustError as error:
            self._log.refuse("owner-certificate", error)
        self._log.passed(
            "owner-certificate",
            fingerprint(voucher.content.pinned_domain_cert),
            fingerprint(owner.certificate),
        )
        self._owned[card.serial_number] = Ownership(voucher, owner)

    def _by_serial(self, responses: Sequence[BootstrapData]) -> Mapping[str, BootstrapData]:
        data: dict[str, BootstrapData] = {}
        for response in responses:
            serial = fold_serial(response.serial_number)
            if serial in data:
                self._log.refuse(
                    "data",
                    WireError(
                        "data-card-repeated",
                        "the answer has data twice for one card",
                        where="responses.serial_num",
                        seen=response.serial_number,
                    ),
                )
            data[serial] = response
        return data

    def _anchor(self, data: BootstrapData) -> bytes:
        try:
            load_certificate(data.server_trust_cert)
        except TrustError as error:
            self._log.refuse(
                "trust-anchor",
                TrustError("anchor-malformed", error.detail, where="server_trust_cert"),
            )
        self._log.passed("trust-anchor", seen=fingerprint(data.server_trust_cert))
        return data.server_trust_cert
