"""What every process of one powered router shares: hardware, record, and words with a server.

The law of this room: first do the work, then replace the record, then tell.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bootz.device.contact import Contact
from bootz.device.download import DownloadOptions
from bootz.device.events import Notify
from bootz.device.grpc_client import Timeouts, told_reason
from bootz.device.hardware import BuiltCard, Hardware
from bootz.device.kept import KeptReport
from bootz.device.source import UriSource
from bootz.device.state import BootzStatus, CardCondition, RouterState
from bootz.errors import BootzError, TrustError
from bootz.model.bootstrap import CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, fold_serial
from bootz.protocol.device import DeviceCard, DeviceDescription
from bootz.transport.backoff import backoff
from bootz.wire.dialects import Dialect, dialect_by_name
from bootz.wire.uri import parse_bootz_uri

SOFTWARE_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set, and is not trusted.

Source: docs/protocol/pki.md#path-validation.
"""

MAX_REPORT_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class BootOptions:
    """What a person may choose. Waits are seconds; 0 attempts means without end.

    ``source`` is this router's own. Every wait is random, and the value here is its mean; that of
    ``report_wait`` doubles from try to try up to a minute, as that of ``card_wait`` does, which is
    for cards that the server did not take. ``chance`` is random in [0, 1).
    """

    source: UriSource
    dialect: Dialect
    insecure: bool = False
    retry_wait: float = 10.0
    max_attempts: int = 0
    report_wait: float = 1.0
    report_attempts: int = 0
    card_wait: float = 10.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    download: DownloadOptions = field(default_factory=DownloadOptions)
    chance: Callable[[], float] = field(default=random.random, repr=False)


class Board:
    """A powered router.

    Args:
        contact_for: makes the way of speaking for a dialect; a restart may need the earlier one.
        clock: aware UTC now.
        make_nonce: a fresh nonce at each call.
        notify: told each event.
    """

    def __init__(
        self,
        hardware: Hardware,
        options: BootOptions,
        contact_for: Callable[[Dialect], Contact],
        *,
        clock: Callable[[], datetime],
        make_nonce: Callable[[], str],
        notify: Notify,
    ) -> None:
        self.hardware = hardware
        self.options = options
        self.contact_for = contact_for
        self.clock = clock
        self.make_nonce = make_nonce
        self._tell = notify
        self.state = hardware.load_state()

    def notify(self, event: str, fields: Mapping[str, object]) -> None:
        """Tell an event, and write it into the router's own log."""
        if event != "image-progress":
            self.hardware.log(self.clock(), event, fields)
        self._tell(event, fields)

    def restart(self) -> None:
        """Come up again: all that counts is what is on the disk."""
        self.hardware.reload()
        self.state = self.hardware.load_state()

    def save(self, state: RouterState) -> None:
        """Replace the record."""
        self.state = state
        self.hardware.save_state(state)

    def move(self, status: BootzStatus, state: RouterState | None = None) -> None:
        """Take on a status, and with it a new record, in one step."""
        self.save((state or self.state).moved(status))
        self.notify("status", {"status": status.value})

    def trusted_now(self) -> datetime | None:
        """Return now, None while the clock shows that it was never set."""
        now = self.clock()
        return now if now >= SOFTWARE_DATE else None

    def flaws(self) -> Mapping[str, TrustError]:
        """Return, by token, why cards that have power must not be used, whatever a server says.

        Of two cards with one serial number the one that was verified before is the true one; if
        neither was, neither is trusted. The active card itself runs this software.
        """
        cards = self.hardware.record.running
        active = cards[0]
        found: dict[str, TrustError] = {}
        for card in cards[1:]:
            if flaw := self.hardware.card(card).flaw(card.serial_number):
                found[card.token] = flaw
        count = Counter(fold_serial(card.serial_number) for card in cards)
        for card in cards[1:]:
            note = self.state.note_of(card.token)
            verified = note is not None and note.condition is CardCondition.VERIFIED
            if count[fold_serial(card.serial_number)] > 1 and not verified:
                found.setdefault(
                    card.token,
                    TrustError(
                        "card-serial-twice",
                        "two cards have the same serial number",
                        where=card.name,
                        expected="a serial number of its own",
                        seen=card.serial_number,
                    ),
                )
        return {token: flaw for token, flaw in found.items() if token != active.token}

    def describe(
        self,
        cards: Sequence[BuiltCard],
        active: CardStatus = CardStatus.NOT_INITIALIZED,
        *,
        asking: BuiltCard | None = None,
    ) -> DeviceDescription:
        """Return the chassis as a request about these cards describes it.

        ``asking`` is the card that the request names as the one that asks, with the status
        ``active``; None: the active one, which proves the request in any case. No serial number
        is listed twice, and no card that cannot even say who it is.

        Raises:
            BootzError: the active card cannot say who it is.
        """
        record = self.hardware.record
        proving = record.active
        listed: dict[str, DeviceCard] = {}
        for card in cards:
            folder = self.hardware.card(card)
            try:
                anchors, certificates = folder.vendor_anchors(), folder.certificates()
            except BootzError:
                if card == proving:
                    raise
                continue
            idevid = certificates[0] if certificates else None
            described = DeviceCard(card.serial_number, anchors, idevid, card.part_number, card.slot)
            listed.setdefault(fold_serial(card.serial_number), described)
        return DeviceDescription(
            record.manufacturer,
            record.part_number,
            record.serial_number,
            tuple(listed.values()),
            CardState((asking or proving).serial_number, active),
            record.modular,
        )

    async def deliver(
        self, kept: KeptReport, status: ReportedStatus, message: str, tries: int
    ) -> bool:
        """Send a report with back-off; ``tries`` 0 means until it is acknowledged (W12)."""
        contact = self.contact_for(dialect_by_name(kept.dialect))
        uri, report = parse_bootz_uri(kept.uri), StatusReport(status, message, kept.states)
        first, count = 2 * self.options.report_wait, 0
        while True:
            count += 1
            try:
                await contact.report(uri, report, anchor=kept.anchor)
            except BootzError as error:
                self.notify(
                    "report-failed",
                    {"report": status.name, "reason": told_reason(error), "detail": str(error)},
                )
                if count == tries:
                    if status is ReportedStatus.SUCCESS:
                        reason = told_reason(error)
                        self.save(replace(self.state, reason=reason, message=str(error)))
                    return False
                wait = backoff(count, self.options.chance(), first=first, most=MAX_REPORT_WAIT)
                await asyncio.sleep(wait)
            else:
                self.notify("report", {"report": status.name, "message": message})
                return True
