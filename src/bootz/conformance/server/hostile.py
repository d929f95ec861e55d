"""Hostile devices on unary calls, in every dialect: nothing of a chassis may reach them."""

from collections.abc import Iterator
from dataclasses import replace

from bootz.conformance.server.player import Player
from bootz.conformance.server.suite import REFUSED, Play, ServerCase
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ClaimedCard
from bootz.wire.dialects import DIALECTS, GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request

INVALID = "INVALID_ARGUMENT"
DENIED = "PERMISSION_DENIED"
UNKNOWN = "NOT_FOUND"
UNMET = "FAILED_PRECONDITION"
UNPROVEN = "UNAUTHENTICATED"
TOO_LARGE = "RESOURCE_EXHAUSTED"
_LARGE = 2 << 20


def hostile_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that lie on unary calls."""
    for dialect in DIALECTS:
        named = f"hostile/{dialect.name}/unary"
        yield ServerCase(f"{named}/no-certificate", UNPROVEN, _asks(dialect, None, "p256"))
        yield ServerCase(f"{named}/rogue-manufacturer", REFUSED, _asks(dialect, "rogue", "p256"))
        yield ServerCase(f"{named}/borrowed-serial", DENIED, _asks(dialect, "other", "p256"))
        yield ServerCase(f"{named}/borrowed-serial-own-listed", DENIED, _borrows(dialect))
        yield ServerCase(f"{named}/unknown-serial", UNKNOWN, _asks(dialect, "stranger", "stranger"))
        yield ServerCase(f"{named}/no-nonce", UNMET, _asks(dialect, "p256", "p256", nonce=None))
        yield ServerCase(f"{named}/no-active-card", INVALID, _without_card(dialect))
        yield ServerCase(f"{named}/card-twice", INVALID, _twice(dialect))
        yield ServerCase(f"{named}/long-text", INVALID, _long(dialect))
        yield ServerCase(
            f"{named}/malformed", INVALID, _raw(dialect, GET_BOOTSTRAP_DATA, b"\xff\xff")
        )
        yield ServerCase(
            f"{named}/oversized", TOO_LARGE, _raw(dialect, GET_BOOTSTRAP_DATA, bytes(_LARGE))
        )
        yield ServerCase(
            f"{named}/report-malformed", INVALID, _raw(dialect, REPORT_STATUS, b"\xff\xff")
        )
        yield ServerCase(
            f"{named}/report-no-certificate", UNPROVEN, _reports(dialect, None, "p256")
        )
        yield ServerCase(
            f"{named}/report-of-stranger", UNKNOWN, _reports(dialect, "stranger", "stranger")
        )
        yield ServerCase(
            f"{named}/report-unspecified",
            INVALID,
            _reports(dialect, "p256", "p256", status=ReportedStatus.UNSPECIFIED),
        )
        if dialect.report_names_cards:
            yield ServerCase(
                f"{named}/report-of-another", DENIED, _reports(dialect, "other", "p256")
            )
            yield ServerCase(f"{named}/report-without-cards", INVALID, _reports(dialect, "p256"))


def _send(dialect: Dialect, certificate: str | None, request: BootstrapRequest) -> Play:
    async def play(player: Player) -> None:
        message = encode_bootstrap_request(request, dialect)
        await player.raw(certificate, f"{dialect.path}/{GET_BOOTSTRAP_DATA}", message)

    return play


def _asks(
    dialect: Dialect, certificate: str | None, name: str, nonce: str | None = "conformance"
) -> Play:
    async def play(player: Player) -> None:
        await _send(dialect, certificate, player.request(name, nonce=nonce))(player)

    return play


def _borrows(dialect: Dialect) -> Play:
    """The active card is the victim's, the own serial number is in the list."""

    async def play(player: Player) -> None:
        listed = (player.serial("p256"), player.serial("other"))
        await _send(dialect, "other", player.request("p256", listed=listed))(player)

    return play


def _without_card(dialect: Dialect) -> Play:
    async def play(player: Player) -> None:
        active = CardState("", CardStatus.NOT_INITIALIZED)
        await _send(dialect, "p256", replace(player.request("p256"), active=active))(player)

    return play


def _twice(dialect: Dialect) -> Play:
    async def play(player: Player) -> None:
        serial = player.serial("p256")
        request = player.request("p256", listed=(serial, serial.lower()))
        await _send(dialect, "p256", request)(player)

    return play


def _long(dialect: Dialect) -> Play:
    async def play(player: Player) -> None:
        request = player.request("p256", listed=(player.serial("p256"),))
        cards = (*request.descriptor.control_cards, ClaimedCard("x" * 300))
        descriptor = replace(request.descriptor, control_cards=cards)
        await _send(dialect, "p256", replace(request, descriptor=descriptor))(player)

    return play


def _raw(dialect: Dialect, method: str, message: bytes) -> Play:
    async def play(player: Player) -> None:
        await player.raw("p256", f"{dialect.path}/{method}", message)

    return play


def _reports(
    dialect: Dialect,
    certificate: str | None,
    *names: str,
    status: ReportedStatus = ReportedStatus.SUCCESS,
) -> Play:
    async def play(player: Player) -> None:
        report: StatusReport = player.report(*names, status=status)
        message = encode_report(report, dialect)
        await player.raw(certificate, f"{dialect.path}/{REPORT_STATUS}", message)

    return play
