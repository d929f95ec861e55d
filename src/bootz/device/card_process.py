"""Cards beside the active one: each is verified by itself, and shut down if it fails (S1 to S9).

Three occasions, one process. Cards that are there before the first contact are part of its
request (use case 1); cards that appear during it wait until it is done (2); cards that appear later
are asked about at the stored server (3). What became of each is in the record under the token
of its insertion, so a power cut leaves only the cards to look at that have no note.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bootz.device.board import Board
from bootz.device.card_report import NOT_ANSWERED, describe_notes
from bootz.device.configuration import vendor_text
from bootz.device.grpc_client import ServerRefused, told_reason
from bootz.device.hardware import BuiltCard
from bootz.device.kept import KeptReport
from bootz.device.server_data import find_server_data, load_anchor
from bootz.device.state import CardCondition, CardNote, Phase
from bootz.errors import BootzError, PolicyError, TrustError, Unavailable
from bootz.model.bootstrap import CardState, ReportedStatus
from bootz.model.chassis import CardKind, CardStatus
from bootz.protocol.device import DeviceDescription, DeviceSession, OpenedAnswer, OpenedCard
from bootz.wire.dialects import Dialect, dialect_by_name
from bootz.wire.server_data import CardAction
from bootz.wire.uri import BootzUri

_TWICE = "card-serial-twice"

_ASKERS_VOUCHER = frozenset({"ov-wrong-serial", "ov-missing"})
"""What is wrong with an answer whose voucher is that of the card that asked, and of no other."""

_UNDERSTOOD = frozenset({"cards-unknown", "voucher-missing"})
"""What a server says of a card, and would say again however it is asked."""


@dataclass(frozen=True, slots=True)
class _Server:
    """Whom to ask about cards, verified by ``anchor`` (DER)."""

    uri: BootzUri
    dialect: Dialect
    anchor: bytes


class CardProcess:
    """Looks after the cards of one powered router."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._refused = ""
        self._action = CardAction.SHUTDOWN
        self._later = False
        """Whether cards are looked after that no report of the router's own process names."""

    # What is to be done

    def new_cards(self) -> tuple[BuiltCard, ...]:
        """Return the cards beside the active one that were not looked at yet."""
        state = self._board.state
        record = self._board.hardware.reload()
        return tuple(card for card in record.running[1:] if state.note_of(card.token) is None)

    def have_come(self) -> bool:
        """Tell whether cards have come that the process may run for."""
        return not self._refused and bool(self.new_cards())

    @property
    def unfinished(self) -> bool:
        """Whether there is a card to ask about again, or one to report."""
        return bool(self.open_cards() or self._unreported())

    def _unreported(self) -> list[CardNote]:
        present = {card.token for card in self._board.hardware.reload().running}
        return [n for n in self._board.state.cards if not n.reported and n.token in present]

    def open_cards(self) -> tuple[BuiltCard, ...]:
        """Return the cards that are shut down though asking again may end otherwise."""
        state = self._board.state
        return tuple(
            card
            for card in self._board.hardware.reload().running[1:]
            if (note := state.note_of(card.token)) is not None and not note.final
        )

    def forget_absent(self) -> None:
        """Drop the notes of cards that are no longer there, or have no power."""
        board = self._board
        present = {card.token for card in board.hardware.reload().running}
        gone = [note for note in board.state.cards if note.token not in present]
        if gone:
            kept = tuple(note for note in board.state.cards if note.token in present)
            board.save(replace(board.state, cards=kept))
            for note in gone:
                board.notify("card-gone", {"slot": note.slot, "card": note.serial_number})

    # Use case 1

    async def settle(
        self,
        asked: Sequence[BuiltCard],
        opened: OpenedAnswer,
        uri: BootzUri,
        dialect: Dialect,
        action: CardAction,
    ) -> None:
        """Take what the first answer says of each card, and ask for what it lacks (S2).

        ``action`` is what becomes of a card that fails.
        """
        board = self._board
        self._action = action
        self._later = False
        server = _Server(uri, dialect, opened.trust_anchor)
        cards = [card for card in asked if board.state.note_of(card.token) is None]
        await self._take(cards, opened, server, CardStatus.NOT_INITIALIZED, alone=len(asked) == 1)

    # Use cases 2 and 3

    async def look_after(self, *, again: bool = False) -> None:
        """Run the process for new cards, and with ``again`` for those that may be taken now.

        A card whose report did not get through, or was not sent before the power went, is reported
        now. Does nothing while a condition of S6 is not met; the reason is told once.
        """
        board = self._board
        self.forget_absent()
        cards = [*self.new_cards(), *(self.open_cards() if again else ())]
        if not cards and not self._unreported():
            return
        try:
            server = self._stored_server()
        except BootzError as error:
            if error.reason != self._refused:
                self._refused = error.reason
                waiting = [card.serial_number for card in cards]
                waiting += [note.serial_number for note in self._unreported()]
                serials = ", ".join(waiting)
                board.notify(
                    "cards-refused",
                    {"cards": serials, "reason": error.reason, "detail": str(error)},
                )
            return
        self._refused = ""
        self._later = True
        for card in self.new_cards():
            board.notify("card-seen", {"slot": card.name, "card": card.serial_number})
        if cards:
            await self._ask(cards, server, CardStatus.INITIALIZED)
        self.forget_absent()
        asked = {card.token for card in cards}
        notes = [note for note in board.state.cards if note.token in asked or not note.reported]
        if self._unreported():
            await self._report(notes, server)
        board.notify("cards-done", {"cards": len(notes)})

    def _stored_server(self) -> _Server:
        """Return the server of the stored data (S5), if the process may run (S6).

        Raises:
            BootzError: it may not, and why.
        """
        board = self._board
        state = board.state
        if not board.hardware.record.secure_mode:
            raise PolicyError("cards-not-secure", "secure mode is not enabled", where="ztp")
        if state.phase is not Phase.OPERATIONAL:
            raise PolicyError("cards-in-progress", "a Bootz process is in progress", where="ztp")
        document = board.hardware.kept("configurations", state.running) if state.running else b"{}"
        data = find_server_data(vendor_text(document))
        if data is None:
            raise PolicyError(
                "cards-no-server",
                "there is no stored server data",
                where="ztp bootz-server",
                expected="a `ztp bootz-server` line, or the same as YANG data",
                seen="none",
            )
        anchor = load_anchor(board.hardware.disk, data, document)
        self._action = data.action
        dialect = dialect_by_name(state.dialect or board.options.dialect.name)
        return _Server(data.uri, dialect, anchor)

    # Both

    async def _ask(
        self,
        cards: Sequence[BuiltCard],
        server: _Server,
        active: CardStatus,
        *,
        answered: bool = False,
    ) -> None:
        """Ask about cards: together, then one by one for what together did not do.

        ``answered``: an earlier answer had data for them, and only the voucher is missing.
        """
        board = self._board
        flaws = board.flaws()
        twice = [c for c in cards if (f := flaws.get(c.token)) and f.reason == _TWICE]
        for card in twice:
            # Its serial number is another card's too: the server's word would be for either.
            self._fail(card, flaws[card.token], answered=False)
        cards = [card for card in cards if card not in twice]
        description = board.describe(cards, active)
        if not description.cards:
            for card in cards:
                self._fail(card, flaws[card.token], answered=False)
            return
        named = ", ".join(card.serial_number for card in cards)
        board.notify("cards-contact", {"uri": str(server.uri), "cards": named})
        try:
            opened = await self._exchange(description, server)
        except Unavailable as error:
            for card in cards:
                self._refuse(card, error, flaws, answered=answered, final=False)
        except BootzError as error:
            if len(cards) > 1:
                for card in cards:
                    await self._ask([card], server, active)
                return
            again = await self._ask_as_standby(cards[0], server) if _other_form(error) else None
            if again is not None:
                await self._take(cards, again, server, active, alone=True)
                return
            # What the server says may change its mind; what it proves does not.
            refused = error.reason in {"contact-refused", "contact-server-untrusted"}
            self._refuse(cards[0], error, flaws, answered=answered, final=not refused)
        else:
            if len(cards) == 1 and any(_other_form(failed.error) for failed in opened.failed):
                opened = await self._ask_as_standby(cards[0], server) or opened
            await self._take(cards, opened, server, active, alone=len(cards) == 1)

    async def _ask_as_standby(self, card: BuiltCard, server: _Server) -> OpenedAnswer | None:
        """Ask again in the other form: both control cards are listed, and the standby asks.

        The Go reference (openconfig/bootz) sends the voucher of the card that asks, and knows no
        request for another card alone: on a stream it refuses one, in a unary call it answers with
        the wrong voucher. None where this is refused too: the first answer counts then.
        """
        board = self._board
        if card.kind is not CardKind.CONTROL:
            return None
        named = f"{board.hardware.record.active.serial_number}, {card.serial_number}"
        board.notify("cards-contact", {"uri": str(server.uri), "cards": named})
        try:
            description = board.describe([board.hardware.record.active, card], asking=card)
            return await self._exchange(description, server)
        except BootzError:
            return None

    async def _exchange(self, description: DeviceDescription, server: _Server) -> OpenedAnswer:
        """Ask, and verify the answer.

        Raises:
            BootzError: no answer, or one that does not hold.
        """
        board = self._board
        session = DeviceSession(description)
        request = session.request(None if board.options.insecure else board.make_nonce())
        sealed = await board.contact_for(server.dialect).ask(
            server.uri, request, anchor=server.anchor, on_sent=lambda: None
        )
        return session.open(sealed, server.dialect, now=board.trusted_now())

    async def _take(
        self,
        cards: Sequence[BuiltCard],
        opened: OpenedAnswer,
        server: _Server,
        active: CardStatus,
        *,
        alone: bool,
    ) -> None:
        """Take an answer; ``alone`` if the request listed one card and no more."""
        flaws = self._board.flaws()
        good = {each.card.serial_number: each for each in opened.cards}
        bad = {each.card.serial_number: each for each in opened.failed}
        for card in cards:
            if self._is_gone(card):
                continue
            serial = card.serial_number
            if flaw := flaws.get(card.token):
                self._fail(card, flaw, answered=serial in good and flaw.reason != _TWICE)
            elif serial in good:
                self._verified(card, good[serial])
            elif serial in bad and bad[serial].answered:
                if bad[serial].error.reason == "ov-missing" and not alone:
                    # No bundle that covers it: one more request, for this card alone.
                    await self._ask([card], server, active, answered=True)
                else:
                    self._fail(card, bad[serial].error, answered=True)
            else:
                missing = PolicyError(
                    NOT_ANSWERED, "the server has no data for the card", where=card.name
                )
                self._fail(card, missing, answered=False, final=False)

    def _is_gone(self, card: BuiltCard) -> bool:
        """Tell whether a card was pulled, or lost its power, while we were at it."""
        tokens = {present.token for present in self._board.hardware.reload().running}
        return card.token not in tokens

    def _verified(self, card: BuiltCard, opened: OpenedCard) -> None:
        board = self._board
        ownership = opened.ownership
        if ownership is not None:
            board.hardware.card(card).install_owner(ownership.voucher.raw, ownership.owner.cms)
        condition = CardCondition.UNVERIFIED if ownership is None else CardCondition.VERIFIED
        self._note(CardNote(card.token, card.name, card.serial_number, condition))
        board.notify(f"card-{condition.value}", {"slot": card.name, "card": card.serial_number})

    def _refuse(
        self,
        card: BuiltCard,
        error: BootzError,
        flaws: Mapping[str, TrustError],
        *,
        answered: bool,
        final: bool,
    ) -> None:
        """Shut a card down that brought no answer; what is wrong with itself counts for more."""
        flaw = flaws.get(card.token)
        self._fail(card, flaw or error, answered=answered, final=final or flaw is not None)

    def _fail(
        self, card: BuiltCard, error: BootzError, *, answered: bool, final: bool = True
    ) -> None:
        """Shut a card down, or with action none leave it running without an owner.

        It gets no second chance unless ``final`` is False.
        """
        board = self._board
        if self._is_gone(card):
            return
        if final:
            board.hardware.card(card).remove_owner()
        shut = self._action is CardAction.SHUTDOWN
        note = CardNote(
            card.token,
            card.name,
            card.serial_number,
            CardCondition.SHUT_DOWN if shut else CardCondition.FAILED,
            told_reason(error),
            str(error),
            answered,
            final,
        )
        self._note(note)
        board.notify(
            "card-shut-down" if shut else "card-failed",
            {
                "slot": card.name,
                "card": card.serial_number,
                "reason": told_reason(error),
                "detail": str(error),
            },
        )

    def _note(self, note: CardNote) -> None:
        """Keep what became of a card; of one that came later, with whether it was reported so."""
        before = self._board.state.note_of(note.token)
        told = not self._later or (
            before is not None and before.reported and before == replace(note, reported=True)
        )
        self._board.save(self._board.state.noted(replace(note, reported=told)))

    async def _report(self, notes: Sequence[CardNote], server: _Server) -> None:
        """Tell the server what became of cards that came later (S9)."""
        board = self._board
        active = CardState(board.hardware.record.active.serial_number, CardStatus.INITIALIZED)
        states, words = describe_notes(notes)
        report = KeptReport(
            str(server.uri), server.dialect.name, server.anchor, (active, *states), "; ".join(words)
        )
        tries = min(board.options.report_attempts or 2, 2)
        if await board.deliver(report, ReportedStatus.SUCCESS, report.message, tries):
            told = [replace(note, reported=True) for note in notes]
            board.save(board.state.noted(*(n for n in told if board.state.note_of(n.token))))


def _other_form(error: BootzError) -> bool:
    """Return whether a standby may be asked for in the other form, after it was for it alone."""
    if isinstance(error, ServerRefused):
        return told_reason(error) not in _UNDERSTOOD
    return error.reason in _ASKERS_VOUCHER
