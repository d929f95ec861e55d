"""Hostile devices on unary calls, in every dialect: nothing of a chassis may reach them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bootz.conformance.server.behaved import NAMESAKES, onboarding
from bootz.conformance.server.player import Player
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import REFUSED, TOO_LARGE, Play, ServerCase
from bootz.conformance.server.ways import IDEVIDS, UNARY_WAYS, Way
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ClaimedCard
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, REPORT_STATUS
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request

INVALID: Final = "INVALID_ARGUMENT"
DENIED: Final = "PERMISSION_DENIED"
UNKNOWN: Final = "NOT_FOUND"
UNMET: Final = "FAILED_PRECONDITION"
UNPROVEN: Final = "UNAUTHENTICATED"

MALFORMED: Final = b"\xff\xff"
_PADDING_BYTES: Final = 5 << 20
"""More than the 4 MiB that gRPC's own default takes."""

_PADDING_TAG: Final = b"\xc2\x3e"
"""Field 1000, length-delimited: no message of Bootz has it, and parsers pass over it."""

MANY: Final = 65
LONG_NONCE: Final = "n" * 1025
_LONG_TEXT: Final = "x" * 300


def padded(message: bytes) -> bytes:
    """Return a well-formed message that is too large: with an unknown field of 5 MiB."""
    size = _PADDING_BYTES
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80])
    return message + _PADDING_TAG + length + bytes([size >> 21]) + bytes(size)


def hostile_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that lie on unary calls."""
    for way in UNARY_WAYS:
        for lead in IDEVIDS:
            room = HostileRoom(way, lead)
            yield from _without_proof(room)
            yield from _of_another(room)
            yield from _malformed(room)
            yield from _reporting(room)
        yield from _special(HostileRoom(way, "p256"))


@dataclass(frozen=True, slots=True)
class HostileRoom:
    """The cases of one identity on one way."""

    way: Way
    lead: str

    @property
    def other(self) -> str:
        """Another device on record, of the same kind where there is one."""
        return f"{self.lead}-other" if self.lead in IDEVIDS else "p256-other"

    def case(
        self,
        word: str,
        expected: str,
        about: str,
        play: Play,
        *twins: str,
        may_cut: bool = False,
        slow: bool = False,
    ) -> ServerCase:
        """Return a case; its twins are devices, the lead one if none is named."""
        return ServerCase(
            f"hostile/{self.way.name}/{self.lead}/{word}",
            expected,
            play,
            self.way,
            self.lead,
            REQUIREMENTS[about],
            tuple(onboarding(self.way, name) for name in twins or (self.lead,)),
            may_cut=may_cut,
            slow=slow,
        )


def _without_proof(room: HostileRoom) -> Iterator[ServerCase]:
    way, lead = room.way, room.lead
    yield room.case("no-certificate", UNPROVEN, "certificate", _asks(way, None, lead), may_cut=True)
    yield room.case("rogue-manufacturer", REFUSED, "certificate", _asks(way, f"{lead}-rogue", lead))
    stranger = f"{lead}-stranger"
    yield room.case("unknown-serial", UNKNOWN, "unknown", _asks(way, stranger, stranger))
    yield room.case("no-nonce", UNMET, "nonce", _asks(way, lead, lead, nonce=None))


def _of_another(room: HostileRoom) -> Iterator[ServerCase]:
    way, lead, other = room.way, room.lead, room.other
    both = (lead, other)
    yield room.case("borrowed-serial", DENIED, "borrowed", _asks(way, other, lead), *both)
    play = _asks(way, other, lead, listed=both)
    yield room.case("borrowed-serial-own-listed", DENIED, "borrowed", play, *both)


def _malformed(room: HostileRoom) -> Iterator[ServerCase]:
    way, lead = room.way, room.lead
    yield room.case("chassis-of-another", DENIED, "descriptor", _contradicts(room), *_both(room))
    yield room.case("fixed-chassis-of-another", INVALID, "descriptor", _fixed(room), *_both(room))
    yield room.case("no-active-card", INVALID, "descriptor", _without_card(room))
    yield room.case("card-twice", INVALID, "descriptor", _twice(room))
    yield room.case("card-without-serial", INVALID, "descriptor", _lists(room, ClaimedCard("")))
    many = tuple(ClaimedCard(f"MANY-{number}") for number in range(MANY))
    yield room.case("too-many-cards", INVALID, "bounds", _lists(room, *many))
    yield room.case("long-text", INVALID, "bounds", _lists(room, ClaimedCard(_LONG_TEXT)))
    yield room.case("long-nonce", INVALID, "bounds", _asks(way, lead, lead, nonce=LONG_NONCE))
    yield room.case("malformed", INVALID, "bounds", _raw(room, GET_BOOTSTRAP_DATA, MALFORMED))
    yield room.case("oversized", TOO_LARGE, "bounds", _oversized(room))


def _both(room: HostileRoom) -> tuple[str, str]:
    return room.lead, room.other


def _reporting(room: HostileRoom) -> Iterator[ServerCase]:
    way, lead, other = room.way, room.lead, room.other
    stranger = f"{lead}-stranger"
    yield room.case(
        "report-no-certificate",
        UNPROVEN,
        "report-proof",
        _reports(way, None, lead),
        may_cut=True,
    )
    rogue = _reports(way, f"{lead}-rogue", lead)
    yield room.case("report-rogue-manufacturer", REFUSED, "report-proof", rogue)
    yield room.case(
        "report-of-stranger", UNKNOWN, "report-proof", _reports(way, stranger, stranger)
    )
    unspecified = _reports(way, lead, lead, status=ReportedStatus.UNSPECIFIED)
    yield room.case("report-unspecified", INVALID, "report-states", unspecified)
    yield room.case("report-malformed", INVALID, "bounds", _raw(room, REPORT_STATUS, MALFORMED))
    yield room.case("report-oversized", TOO_LARGE, "bounds", _oversized_report(room))
    if not way.dialect.report_names_cards:
        return
    yield room.case(
        "report-of-another", DENIED, "report-states", _reports(way, other, lead), *_both(room)
    )
    yield room.case(
        "report-own-and-another",
        DENIED,
        "report-states",
        _reports(way, lead, lead, other),
        *_both(room),
    )
    yield room.case("report-without-cards", INVALID, "report-states", _reports(way, lead))
    yield room.case("report-card-twice", INVALID, "report-states", _reports(way, lead, lead, lead))
    many = tuple(CardState(f"MANY-{number}", CardStatus.INITIALIZED) for number in range(MANY))
    yield room.case("report-too-many-cards", INVALID, "bounds", _tells(room, many))
    long = (CardState(_LONG_TEXT, CardStatus.INITIALIZED),)
    yield room.case("report-long-text", INVALID, "bounds", _tells(room, long))


def _special(room: HostileRoom) -> Iterator[ServerCase]:
    """What needs a device of its own, of which there is one."""
    way = room.way
    # Both manufacturers are on record, and both have a device of this serial number.
    claims = _asks(way, "neighbour", "namesake")
    yield room.case("neighbour-claims-manufacturer", UNPROVEN, "certificate", claims, *NAMESAKES)
    play = _asks(way, "no-voucher", "no-voucher")
    yield room.case("no-voucher", UNMET, "voucher", play)


def _send(way: Way, certificate: str | None, request: BootstrapRequest) -> Play:
    async def play(player: Player) -> None:
        message = encode_bootstrap_request(request, way.dialect)
        await player.raw(certificate, f"{way.dialect.path}/{GET_BOOTSTRAP_DATA}", message)

    return play


def _asks(
    way: Way,
    certificate: str | None,
    name: str,
    *,
    nonce: str | None = "conformance",
    listed: tuple[str, ...] = (),
) -> Play:
    """Ask in the name of a device with the certificate of any."""

    async def play(player: Player) -> None:
        serials = tuple(player.serial(each) for each in listed)
        request = player.request(name, nonce=nonce, listed=serials)
        await _send(way, certificate, request)(player)

    return play


def _contradicts(room: HostileRoom) -> Play:
    """The own card in the chassis of another."""

    async def play(player: Player) -> None:
        request = player.request(room.lead, listed=(player.serial(room.lead),))
        descriptor = replace(request.descriptor, serial_number=player.serial(room.other))
        await _send(room.way, room.lead, replace(request, descriptor=descriptor))(player)

    return play


def _fixed(room: HostileRoom) -> Play:
    """A fixed chassis whose serial number is not that of its card."""

    async def play(player: Player) -> None:
        request = player.request(room.lead)
        descriptor = replace(request.descriptor, serial_number=player.serial(room.other))
        await _send(room.way, room.lead, replace(request, descriptor=descriptor))(player)

    return play


def _without_card(room: HostileRoom) -> Play:
    async def play(player: Player) -> None:
        # Listed, so that nothing else is wrong.
        request = player.request(room.lead, listed=(player.serial(room.lead),))
        request = replace(request, active=CardState("", CardStatus.NOT_INITIALIZED))
        await _send(room.way, room.lead, request)(player)

    return play


def _twice(room: HostileRoom) -> Play:
    async def play(player: Player) -> None:
        serial = player.serial(room.lead)
        request = player.request(room.lead, listed=(serial, serial.lower()))
        await _send(room.way, room.lead, request)(player)

    return play


def _lists(room: HostileRoom, *cards: ClaimedCard) -> Play:
    """List cards beside the own one."""

    async def play(player: Player) -> None:
        request = player.request(room.lead, listed=(player.serial(room.lead),))
        listed = (*request.descriptor.control_cards, *cards)
        descriptor = replace(request.descriptor, control_cards=listed)
        await _send(room.way, room.lead, replace(request, descriptor=descriptor))(player)

    return play


def _raw(room: HostileRoom, method: str, message: bytes) -> Play:
    async def play(player: Player) -> None:
        await player.raw(room.lead, f"{room.way.dialect.path}/{method}", message)

    return play


def _oversized(room: HostileRoom) -> Play:
    async def play(player: Player) -> None:
        message = encode_bootstrap_request(player.request(room.lead), room.way.dialect)
        await _raw(room, GET_BOOTSTRAP_DATA, padded(message))(player)

    return play


def _oversized_report(room: HostileRoom) -> Play:
    async def play(player: Player) -> None:
        message = encode_report(player.report(room.lead), room.way.dialect)
        await _raw(room, REPORT_STATUS, padded(message))(player)

    return play


def _reports(
    way: Way,
    certificate: str | None,
    *names: str,
    status: ReportedStatus = ReportedStatus.SUCCESS,
) -> Play:
    async def play(player: Player) -> None:
        report: StatusReport = player.report(*names, status=status)
        message = encode_report(report, way.dialect)
        await player.raw(certificate, f"{way.dialect.path}/{REPORT_STATUS}", message)

    return play


def _tells(room: HostileRoom, states: tuple[CardState, ...]) -> Play:
    """Report the own card, and these."""

    async def play(player: Player) -> None:
        report = player.report(room.lead)
        told = replace(report, states=(*report.states, *states))
        await _raw(room, REPORT_STATUS, encode_report(told, room.way.dialect))(player)

    return play
