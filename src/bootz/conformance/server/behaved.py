"""Well-behaved devices: every dialect, flow and identity, from the request to the last report."""

from collections.abc import Iterator

from bootz.conformance.server.player import Player, WrongReply, dialogue
from bootz.conformance.server.suite import OK, Play, ServerCase
from bootz.device.contact import UnaryContact
from bootz.device.stream_contact import StreamContact
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import ReportedStatus
from bootz.wire.dialects import CURRENT, DIALECTS, Dialect
from bootz.wire.flows import STREAM, STREAM_FLOWS, STREAM_V1, StreamFlow
from bootz.wire.streams import Acknowledged

IDEVIDS = ("p256", "rsa", "p384")

PROVERS = {
    STREAM: (*IDEVIDS, "ek", "ppk"),
    STREAM_V1: (*IDEVIDS, "ek", "ppk", "tpm12"),
}
"""Which devices can prove themselves in which flow."""


def behaved_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that do everything right."""
    for dialect in DIALECTS:
        for name in IDEVIDS:
            yield ServerCase(f"onboard/{dialect.name}/unary/{name}", OK, _unary(dialect, name))
    for flow in STREAM_FLOWS:
        for name in PROVERS[flow]:
            yield ServerCase(f"onboard/{flow.name}/{name}", OK, _stream(flow, name))
            yield ServerCase(f"reports/{flow.name}/{name}", OK, _reports(flow, name))


def _unary(dialect: Dialect, name: str) -> Play:
    async def play(player: Player) -> None:
        contact = player.unary(name, dialect)
        await player.ask(contact, name, dialect)
        # A device may repeat its request at any time.
        await _onboard(player, contact, name, dialect)

    return play


def _stream(flow: StreamFlow, name: str) -> Play:
    async def play(player: Player) -> None:
        await _onboard(player, player.stream(name, flow), name, CURRENT)

    return play


async def _onboard(
    player: Player, contact: UnaryContact | StreamContact, name: str, dialect: Dialect
) -> None:
    opened = await player.ask(contact, name, dialect)
    for status in (ReportedStatus.INITIATED, ReportedStatus.SUCCESS):
        report = player.report(name, status=status)
        await contact.report(player.uri, report, anchor=opened.trust_anchor)


def _reports(flow: StreamFlow, name: str) -> Play:
    """Reports that follow on a stream: after data, and after a report that opened it."""

    async def play(player: Player) -> None:
        report = player.report(name)
        for opening, due in ((player.request(name), SealedData), (report, Acknowledged)):
            async with dialogue(player.uri, flow, player.timeouts) as stream:
                first = await stream.attest(player.prover(name), opening)
                if not isinstance(first, due):
                    raise WrongReply(f"{type(first).__name__} for {type(opening).__name__}")
                for _ in range(2):
                    if not isinstance(await stream.say(report), Acknowledged):
                        raise WrongReply("a further report was not acknowledged")

    return play
