"""Whether a storm cost anything: what routers were told, beside what is on record; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bootz.lab.outcome import LabOutcome

_SUCCESS = "success"


@dataclass(slots=True)
class Heard:
    """What routers said of their reports, by serial number of the chassis."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Reports that were sent and got no answer, or another than an acknowledgement."""
    shut: dict[str, str] = field(default_factory=dict)
    """Cards of a modular chassis that are shut down now, each with why."""
    ever_shut: set[str] = field(default_factory=set)
    asked_again: Counter[str] = field(default_factory=Counter)
    """Times that a router was done with cards after its onboarding: each is an attempt."""

    def hear(self, serial: str, event: Mapping[str, object]) -> None:
        """Take one event of a router."""
        card = str(event.get("card"))
        match event.get("event"):
            case "report":
                self.acknowledged[serial] += 1
            case "report-failed":
                self.unanswered[serial] += 1
            case "card-shut-down":
                self.shut[card] = str(event.get("reason"))
                self.ever_shut.add(card)
            case "cards-done":
                self.asked_again[serial] += 1
            case "card-verified":
                self.shut.pop(card, None)


@dataclass(frozen=True, slots=True)
class StormRecord:
    """What the owner and the manufacturer have on record.

    ``attempts`` are rows of ``bootz attempts``; ``stored`` and ``issued`` count vouchers by the
    serial number of their card: in the site's database, and by the manufacturer.
    """

    attempts: Sequence[Mapping[str, object]]
    stored: Mapping[str, int]
    issued: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StormVerdict:
    """The closing table. ``faults`` are in words, each with a serial number; empty: all held."""

    routers: int
    managed: int
    acknowledged: int
    recorded: int
    sent_again: int
    lost: int
    doubled: int
    cards: int
    vouchers: int
    voucher_doubles: int
    voucher_missing: int
    issued: int
    issued_again: int
    cards_shut_down: int
    cards_left_shut: int
    kills: Mapping[str, int]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the storm cost nothing but time."""
        return not self.faults

    def record(self) -> dict[str, object]:
        """Return it with stable keys."""
        return {
            "ok": self.ok,
            "routers": {"powered_on": self.routers, "managed": self.managed},
            "reports": {
                "acknowledged": self.acknowledged,
                "recorded": self.recorded,
                "sent_again": self.sent_again,
                "lost": self.lost,
                "doubled": self.doubled,
            },
            "vouchers": {
                "cards": self.cards,
                "on_record": self.vouchers,
                "fetched_twice": self.voucher_doubles,
                "missing": self.voucher_missing,
                "issued": self.issued,
                "issued_again": self.issued_again,
            },
            "cards": {
                "shut_down_in_the_storm": self.cards_shut_down,
                "still_shut_down": self.cards_left_shut,
            },
            "kills": {"total": sum(self.kills.values()), **self.kills},
            "faults": list(self.faults),
        }

    def rows(self) -> list[dict[str, object]]:
        """Return the lines of the table."""
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return [
            _row("kills", sum(self.kills.values()), killed),
            _row("routers powered on", self.routers),
            _row("routers in managed state", self.managed, "all of them" if self.ok else ""),
            _row("reports acknowledged", self.acknowledged),
            _row("reports on record", self.recorded),
            _row("  sent again, because the answer was lost", self.sent_again),
            _row("  acknowledged, and not on record", self.lost, "must be 0"),
            _row("  onboardings on record twice", self.doubled, "must be 0"),
            _row("cards shut down while no server could be asked", self.cards_shut_down),
            _row("  not taken when they were asked about again", self.cards_left_shut, "must be 0"),
            _row("cards that need a voucher", self.cards),
            _row("vouchers on record", self.vouchers),
            _row("  cards without one", self.voucher_missing, "must be 0"),
            _row("  fetched again though on record", self.voucher_doubles, "must be 0"),
            _row("vouchers that the manufacturer issued", self.issued),
            _row("  issued again, because who asked was killed", self.issued_again, "must be 0"),
        ]


def _row(what: str, count: int, note: str = "") -> dict[str, object]:
    return {"what": what, "count": count, "note": note}


def judge_storm(
    outcomes: Sequence[LabOutcome], heard: Heard, record: StormRecord, kills: Mapping[str, int]
) -> StormVerdict:
    """Return what the storm cost.

    A report that is on record, and whose answer was lost with a server, is sent again: it adds to
    the attempt that it belongs to, and makes no second one. A voucher that the manufacturer issued
    and whose receiver was killed before it was stored is asked for again under the same key, and
    the manufacturer issues no other one: what counts is its own log. A card beside the active one
    about which no server can be asked is shut down, and asked about again later (S9), in an attempt
    that ends well, too.
    """
    routers = [outcome.router for outcome in outcomes]
    owner = {
        serial: router.serial_number
        for router in routers
        for serial in (*router.cards, router.serial_number)
    }
    reports: Counter[str] = Counter()
    successes: Counter[str] = Counter()
    for row in record.attempts:
        chassis = owner.get(str(row.get("serial_number")))
        if chassis is not None:
            count = row.get("reports")
            reports[chassis] += count if isinstance(count, int) else 0
            successes[chassis] += row.get("state") == _SUCCESS
    faults = [f"{each.router.serial_number}: {each.why}" for each in outcomes if not each.ok]
    lost = doubled = 0
    for router in routers:
        name = router.serial_number
        told, most = heard.acknowledged[name], heard.acknowledged[name] + heard.unanswered[name]
        if reports[name] < told:
            lost += told - reports[name]
            faults.append(f"{name}: {told} reports acknowledged, {reports[name]} on record")
        if reports[name] > most or successes[name] > 1 + heard.asked_again[name]:
            doubled += 1
            faults.append(
                f"{name}: {most} reports sent, {reports[name]} on record, "
                f"{successes[name]} onboardings"
            )
    cards = [serial for router in routers for serial in router.cards]
    missing = [serial for serial in cards if not record.stored.get(serial)]
    twice = [serial for serial in cards if record.stored.get(serial, 0) > 1]
    faults += [f"{serial}: no voucher on record" for serial in missing]
    faults += [f"{serial}: {record.stored[serial]} vouchers on record" for serial in twice]
    issued = {serial: record.issued.get(serial, 0) for serial in cards}
    again = [serial for serial, count in issued.items() if count > 1]
    faults += [f"{serial}: issued {issued[serial]} times" for serial in again]
    left = [serial for serial in cards if serial in heard.shut]
    faults += [f"{serial}: the card is still shut down: {heard.shut[serial]}" for serial in left]
    acknowledged = sum(heard.acknowledged[router.serial_number] for router in routers)
    return StormVerdict(
        routers=len(routers),
        managed=sum(outcome.ok for outcome in outcomes),
        acknowledged=acknowledged,
        recorded=reports.total(),
        sent_again=max(0, reports.total() - acknowledged + lost),
        lost=lost,
        doubled=doubled,
        cards=len(cards),
        vouchers=sum(record.stored.get(serial, 0) for serial in cards),
        voucher_doubles=len(twice),
        voucher_missing=len(missing),
        issued=sum(issued.values()),
        issued_again=sum(issued[serial] - 1 for serial in again),
        cards_shut_down=len(heard.ever_shut),
        cards_left_shut=len(left),
        kills=dict(kills),
        faults=tuple(faults),
    )
