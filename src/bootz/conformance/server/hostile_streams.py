"""Hostile devices on streams: what opens them, and who is behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bootz.conformance.server.behaved import NAMESAKES, onboarding
from bootz.conformance.server.hostile import (
    DENIED,
    INVALID,
    LONG_NONCE,
    MALFORMED,
    MANY,
    UNKNOWN,
    UNMET,
    UNPROVEN,
    HostileRoom,
    padded,
)
from bootz.conformance.server.player import (
    HONEST,
    Dialogue,
    Lie,
    Player,
    WrongReply,
    honestly,
    introduced,
)
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import ANY, TOO_LARGE, Play, ServerCase
from bootz.conformance.server.ways import IDEVIDS, STREAM_WAYS, provers
from bootz.device.prover import Introduction
from bootz.errors import BootzError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.challenge import HmacAnswer
from bootz.model.chassis import CardStatus, ClaimedCard
from bootz.model.identity import Identity, IdentityKind
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged, Told

_BLANKS = 64 * 1024
"""Behind a certificate, where most readers pass over them."""


@dataclass(frozen=True, slots=True)
class StreamRoom(HostileRoom):
    """The cases of one identity on one stream."""

    flow: StreamFlow

    def both(
        self, word: str, expected: str, about: str, name: str, lie: Lie = HONEST
    ) -> Iterator[ServerCase]:
        """Return a case twice: opening with a request, and with a report."""
        yield self.case(f"{word}-request", expected, about, asks(self.flow, name, lie))
        yield self.case(f"{word}-report", expected, about, tells(self.flow, name, lie))


def stream_rooms() -> Iterator[StreamRoom]:
    """Return every stream with every identity that can prove itself there."""
    for way in STREAM_WAYS:
        if way.stream is not None:
            for lead in provers(way):
                yield StreamRoom(way, lead, way.stream)


def hostile_stream_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that lie when they open a stream."""
    for room in stream_rooms():
        yield from _identities(room)
        yield from _openings(room)
        yield from _reporting(room)
        if room.lead in IDEVIDS:
            yield from _certificates(room)
        if room.lead == "p256":
            yield from _special(room)
            yield from _messages(room)
        if room.lead == "ek":
            yield from _keys(room)
        if room.lead == "tpm12":
            yield from _digests(room)


def _identities(room: StreamRoom) -> Iterator[ServerCase]:
    unset = Lie(introduction=lambda _: Introduction(None))  # type: ignore[arg-type]
    yield from room.both("no-identity", INVALID, "identity", room.lead, unset)


def _openings(room: StreamRoom) -> Iterator[ServerCase]:
    lead, flow = room.lead, room.flow
    both = (lead, room.other)
    yield room.case("no-nonce", UNMET, "nonce", asks(flow, lead, nonce=None))
    yield room.case("long-nonce", INVALID, "bounds", asks(flow, lead, nonce=LONG_NONCE))
    many = tuple(f"MANY-{number}" for number in range(MANY))
    yield room.case("too-many-cards", INVALID, "bounds", _lists(flow, lead, many))
    yield room.case("long-text", INVALID, "bounds", _lists(flow, lead, ("x" * 300,)))
    yield room.case(
        "chassis-of-another", DENIED, "descriptor", _contradicts(flow, lead, room.other), *both
    )


def _certificates(room: StreamRoom) -> Iterator[ServerCase]:
    lead, flow, other = room.lead, room.flow, room.other
    text = Identity(IdentityKind.IDEVID, idevid_cert="no certificate")
    no_certificate = Lie(introduction=lambda _: Introduction(text))
    yield from room.both("certificate-malformed", INVALID, "identity", lead, no_certificate)
    too_long = Lie(introduction=_lengthened)
    yield from room.both("certificate-too-long", INVALID, "bounds", lead, too_long)
    yield from room.both("unknown-serial", UNKNOWN, "unknown", f"{lead}-stranger")
    yield from room.both("rogue-manufacturer", UNPROVEN, "certificate", f"{lead}-rogue")
    for word, listed in (("borrowed-serial", ()), ("borrowed-serial-own-listed", (lead, other))):
        play = borrows(flow, lead, other, listed)
        yield room.case(word, DENIED, "borrowed", play, lead, other)


def _reporting(room: StreamRoom) -> Iterator[ServerCase]:
    flow, lead, other = room.flow, room.lead, room.other
    both = (lead, other)
    word = "report-of-another"
    for named, states in ((word, (other,)), (f"{word}-and-own", (lead, other))):
        after_data = _foreign_report(flow, lead, states)
        yield room.case(f"{named}-after-data", DENIED, "report-states", after_data, *both)
    opens = _opens_with_report(flow, lead, lead, other)
    yield room.case(f"{word}-and-own-opening", DENIED, "report-states", opens, *both)
    unspecified = tells(flow, lead, status=ReportedStatus.UNSPECIFIED)
    yield room.case("report-unspecified", INVALID, "report-states", unspecified)
    yield room.case("report-without-cards", INVALID, "report-states", _tells_states(flow, lead, ()))
    many = tuple(CardState(f"MANY-{number}", CardStatus.INITIALIZED) for number in range(MANY))
    yield room.case("report-too-many-cards", INVALID, "bounds", _tells_states(flow, lead, many))


def _special(room: StreamRoom) -> Iterator[ServerCase]:
    """What needs a device of its own, of which there is one."""
    yield from room.both("streaming-not-allowed", "UNIMPLEMENTED", "stream-off", "no-stream")
    yield room.case("no-voucher", UNMET, "voucher", asks(room.flow, "no-voucher"))
    yield room.case(
        "neighbour-claims-manufacturer",
        UNPROVEN,
        "certificate",
        borrows(room.flow, "namesake", "neighbour", ()),
        *NAMESAKES,
    )


def _keys(room: StreamRoom) -> Iterator[ServerCase]:
    unknown = IdentityKind.EK_OR_PPK if room.flow.bound else IdentityKind.TPM20_EK
    wrong = Lie(introduction=lambda _: Introduction(Identity(unknown, public_key=b"k")))
    yield from room.both("identity-of-another-release", INVALID, "identity", "ek", wrong)
    yield from room.both("no-key-on-record", UNKNOWN, "identity", "no-key")
    yield room.case("own-key-named", INVALID, "identity", _names_own_key(room.flow))


def _digests(room: StreamRoom) -> Iterator[ServerCase]:
    for size in (0, 19, 21):
        lie = Lie(introduction=_with_digest(bytes(size)))
        yield from room.both(f"aik-digest-{size}-bytes", INVALID, "identity", "tpm12", lie)


def _messages(room: StreamRoom) -> Iterator[ServerCase]:
    """What is refused before it matters who says it."""
    way, flow = room.way, room.flow
    twins = tuple(onboarding(way, name) for name in provers(way))
    plays = (
        ("empty-message", INVALID, says(flow, b"")),
        ("message-of-a-draft", INVALID, says(flow, b"\x3a\x05draft")),
        ("malformed", INVALID, says(flow, MALFORMED)),
        ("oversized", TOO_LARGE, _oversized(flow)),
    )
    for word, expected, play in plays:
        name = f"hostile/{way.name}/{ANY}/{word}"
        about = REQUIREMENTS["stream-message"]
        yield ServerCase(name, expected, play, way, ANY, about, twins, any_twin=True)


def asks(
    flow: StreamFlow, name: str, lie: Lie = HONEST, *, nonce: str | None = "conformance"
) -> Play:
    """Ask as a device does, but for a lie."""

    async def play(player: Player) -> None:
        request = player.request(name, nonce=nonce)
        contact = player.stream(name, flow, lie)
        await contact.ask(player.uri, request, anchor=None, on_sent=lambda: None)

    return play


def tells(
    flow: StreamFlow,
    name: str,
    lie: Lie = HONEST,
    *,
    status: ReportedStatus = ReportedStatus.SUCCESS,
) -> Play:
    """Open with a report, but for a lie."""

    async def play(player: Player) -> None:
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(name, lie), player.report(name, status=status))

    return play


def borrows(flow: StreamFlow, victim: str, thief: str, listed: tuple[str, ...]) -> Play:
    """A genuine device that asks in the name of another, and names that one's manufacturer."""

    async def play(player: Player) -> None:
        serials = tuple(player.serial(name) for name in listed)
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(thief), player.request(victim, listed=serials))

    return play


def says(flow: StreamFlow, told: Told | bytes) -> Play:
    """Open a stream with anything."""

    async def play(player: Player) -> None:
        async with player.dialogue(flow) as stream:
            await stream.say(told)

    return play


async def attested(
    player: Player, stream: Dialogue, name: str, opening: BootstrapRequest | StatusReport
) -> None:
    """Open a stream honestly, and be served.

    Raises:
        HonestPartRefused: the server does not serve it.
    """
    due = Acknowledged if isinstance(opening, StatusReport) else SealedData
    with honestly("opening"):
        reply = await stream.attest(player.prover(name), opening)
        if not isinstance(reply, due):
            raise WrongReply(f"{type(reply).__name__} for {type(opening).__name__}")


def _lists(flow: StreamFlow, name: str, cards: tuple[str, ...]) -> Play:
    """List cards beside the own one."""

    async def play(player: Player) -> None:
        request = player.request(name, listed=(player.serial(name),))
        listed = (*request.descriptor.control_cards, *(ClaimedCard(each) for each in cards))
        descriptor = replace(request.descriptor, control_cards=listed)
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(name), replace(request, descriptor=descriptor))

    return play


def _contradicts(flow: StreamFlow, name: str, other: str) -> Play:
    """The own card in the chassis of another."""

    async def play(player: Player) -> None:
        request = player.request(name, listed=(player.serial(name),))
        descriptor = replace(request.descriptor, serial_number=player.serial(other))
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(name), replace(request, descriptor=descriptor))

    return play


def _foreign_report(flow: StreamFlow, name: str, states: tuple[str, ...]) -> Play:
    """After data for the own chassis, a report about another."""

    async def play(player: Player) -> None:
        async with player.dialogue(flow) as stream:
            await attested(player, stream, name, player.request(name))
            await stream.say(player.report(*states))

    return play


def _opens_with_report(flow: StreamFlow, name: str, *states: str) -> Play:
    async def play(player: Player) -> None:
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(name), player.report(*states))

    return play


def _tells_states(flow: StreamFlow, name: str, states: tuple[CardState, ...]) -> Play:
    """Open with a report about the own card and these; about no card without any."""

    async def play(player: Player) -> None:
        report = player.report(name)
        told = replace(report, states=(*report.states, *states) if states else ())
        async with player.dialogue(flow) as stream:
            await stream.attest(player.prover(name), told)

    return play


def _names_own_key(flow: StreamFlow) -> Play:
    """A TPM that asks in the name of another, and names its own key; it guesses if it must."""

    async def play(player: Player) -> None:
        thief = player.prover("no-key")
        async with player.dialogue(flow) as stream:
            with honestly("challenge"):
                challenge = await stream.open_with(thief, player.request("ek"))
            try:
                answer = await stream.answered(thief, challenge)
            except BootzError:
                # As it should be: the challenge is for the key on record.
                answer = HmacAnswer(b"iak", b"info", b"signature", b"key")
            await stream.say(answer)

    return play


def _lengthened(honest: Introduction) -> Introduction:
    """A certificate that is longer than 64 KiB by what is around it."""
    text = honest.identity.idevid_cert + "\n" * _BLANKS
    return replace(honest, identity=replace(honest.identity, idevid_cert=text))


def _oversized(flow: StreamFlow) -> Play:
    """A request that is well-formed but for its size."""

    async def play(player: Player) -> None:
        introduction = await player.prover("p256").introduce(flow)
        opening = introduced(player.request("p256"), introduction)
        message = STREAM_CODECS[flow.method].tell(opening)
        async with player.dialogue(flow) as stream:
            await stream.say(padded(message))

    return play


def _with_digest(digest: bytes) -> Callable[[Introduction], Introduction]:
    return lambda honest: replace(honest, aik_pub_digest=digest)
