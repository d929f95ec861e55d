"""Well-behaved devices: every dialect, flow and identity, from the request to the last report."""

from collections.abc import Iterator
from dataclasses import replace

from bootz.conformance.server.player import Player, WrongReply
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import OK, Play, ServerCase
from bootz.conformance.server.ways import IDEVIDS, STREAM_WAYS, WAYS, Way, provers
from bootz.device.contact import UnaryContact
from bootz.device.stream_contact import StreamContact
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus
from bootz.model.chassis import CardStatus
from bootz.protocol.device import OpenedAnswer
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import Acknowledged

_MODULAR_IDENTITY = "p384"
"""What the cards of the modular chassis prove themselves with."""

CARDS = ("active", "standby")

NAMESAKES = ("namesake", "neighbour")
"""Two devices with one serial number, of two manufacturers."""


def onboarding(way: Way, name: str) -> str:
    """Return the name of the well-behaved case of a device, the twin of its hostile ones."""
    return f"onboard/{way.name}/{name}"


def modular(way: Way, word: str) -> str:
    """Return the name of a well-behaved case of the modular chassis."""
    return f"modular/{way.name}/{word}"


def behaved_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that do everything right."""
    for way in WAYS:
        for name in provers(way):
            yield _onboarding(way, name, name)
            yield _case(f"spelling/{way.name}/{name}", _spells(way, name), way, name, "spelling")
        for name in IDEVIDS:
            yield _onboarding(way, f"{name}-other", name)
        for name in NAMESAKES:
            yield _case(onboarding(way, name), _onboards(way, name), way, "p256", "neighbour")
        for word, play in _MODULAR.items():
            about = "replacement" if word == "replacement" else "modular"
            yield _case(modular(way, word), play(way), way, _MODULAR_IDENTITY, about)
    for way in STREAM_WAYS:
        if way.stream is not None:
            for name in provers(way):
                case = f"reports/{way.name}/{name}"
                yield _case(case, _reports(way.stream, name), way, name, "reports")


def _case(name: str, play: Play, way: Way, identity: str, about: str) -> ServerCase:
    return ServerCase(name, OK, play, way, identity, REQUIREMENTS[about])


def _onboarding(way: Way, name: str, identity: str) -> ServerCase:
    return _case(onboarding(way, name), _onboards(way, name), way, identity, "onboard")


def contact_of(player: Player, way: Way, name: str) -> UnaryContact | StreamContact:
    """Return how a device speaks in a way."""
    if way.stream is None:
        return player.unary(name, way.dialect)
    return player.stream(name, way.stream)


def _onboards(way: Way, name: str) -> Play:
    async def play(player: Player) -> None:
        contact = contact_of(player, way, name)
        if way.stream is None:
            # A device may repeat its request at any time.
            await player.ask(contact, name, way.dialect)
        opened = await player.ask(contact, name, way.dialect)
        for status in (ReportedStatus.INITIATED, ReportedStatus.SUCCESS):
            report = player.report(name, status=status)
            await contact.report(player.uri, report, anchor=opened.trust_anchor)

    return play


def _spells(way: Way, name: str) -> Play:
    """The serial number in lower case: the answer says it so."""

    async def play(player: Player) -> None:
        spelt = player.serial(name).lower()
        request = spelt_request(player.request(name), spelt)
        answered = await player.answered(contact_of(player, way, name), request, way.dialect)
        if answered.serials != (spelt,):
            raise WrongReply(f"data for {', '.join(answered.serials)}, asked by {spelt}")

    return play


def spelt_request(request: BootstrapRequest, spelt: str) -> BootstrapRequest:
    """Return the request of a fixed chassis with another spelling of its serial number."""
    descriptor = replace(request.descriptor, serial_number=spelt)
    return replace(request, descriptor=descriptor, active=CardState(spelt, request.active.status))


def _check_cards(player: Player, opened: OpenedAnswer, names: tuple[str, ...]) -> None:
    answered = {each.card.serial_number for each in opened.cards}
    answered |= {each.card.serial_number for each in opened.failed if each.answered}
    if missing := {player.serial(name) for name in names} - answered:
        raise WrongReply(f"no data for {', '.join(sorted(missing))}")


def _both(way: Way) -> Play:
    """The active card asks, both are listed."""

    async def play(player: Player) -> None:
        contact = contact_of(player, way, "active")
        opened = await player.ask(contact, "active", way.dialect, targets=CARDS)
        _check_cards(player, opened, CARDS)
        report = player.report(*CARDS)
        await contact.report(player.uri, report, anchor=opened.trust_anchor)

    return play


def _standby(way: Way) -> Play:
    """The state names the standby, both are listed, and the active card proves itself."""

    async def play(player: Player) -> None:
        contact = contact_of(player, way, "active")
        opened = await player.ask(contact, "standby", way.dialect, targets=CARDS)
        _check_cards(player, opened, ("standby",))

    return play


def _replacement(way: Way) -> Play:
    """The active card is initialized, both are listed: the new card alone is answered."""

    async def play(player: Player) -> None:
        listed = tuple(player.serial(name) for name in CARDS)
        request = player.request("active", listed=listed, status=CardStatus.INITIALIZED)
        answered = await player.answered(contact_of(player, way, "active"), request, way.dialect)
        if answered.serials != (player.serial("standby"),):
            raise WrongReply(f"data for {', '.join(answered.serials) or 'no card'}")

    return play


_MODULAR = {"both": _both, "standby-both-listed": _standby, "replacement": _replacement}


def _reports(flow: StreamFlow, name: str) -> Play:
    """Reports that follow on a stream: after data, and after a report that opened it."""

    async def play(player: Player) -> None:
        report = player.report(name)
        for opening, due in ((player.request(name), SealedData), (report, Acknowledged)):
            async with player.dialogue(flow) as stream:
                first = await stream.attest(player.prover(name), opening)
                if not isinstance(first, due):
                    raise WrongReply(f"{type(first).__name__} for {type(opening).__name__}")
                for _ in range(2):
                    if not isinstance(await stream.say(report), Acknowledged):
                        raise WrongReply("a further report was not acknowledged")

    return play
