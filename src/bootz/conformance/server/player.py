"""Speaks for the devices of the suite: calls, streams message by message, and lies."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bootz.conformance.server.material import PART, Entry, Material
from bootz.conformance.server.transcript import RecordingDialer, Transcript
from bootz.device.contact import UnaryContact
from bootz.device.grpc_client import Exchange, Timeouts
from bootz.device.prover import Introduction, Prover
from bootz.device.stream_contact import StreamContact
from bootz.errors import BootzError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.challenge import HPKE_SUITE, Challenge, ChallengeAnswer, TransportKey
from bootz.model.chassis import CardStatus, ChassisDescriptor, ClaimedCard
from bootz.protocol.device import DeviceCard, DeviceDescription, DeviceSession, OpenedAnswer
from bootz.wire.answers import decode_bootstrap_data
from bootz.wire.dialects import CURRENT, Dialect
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import (
    STREAM_CODECS,
    Acknowledged,
    Reply,
    Told,
)
from bootz.wire.transport_key import decode_transport_key, encode_transport_key
from bootz.wire.uri import BootzUri


@dataclass(frozen=True, slots=True)
class Lie:
    """How a device deviates; the defaults are honest.

    ``introduction`` and ``answer`` change what is said, ``transport_key`` what is proven.
    """

    introduction: Callable[[Introduction], Introduction] = lambda honest: honest
    answer: Callable[[ChallengeAnswer], ChallengeAnswer] = lambda honest: honest
    transport_key: Callable[[TransportKey], TransportKey] = lambda honest: honest
    before_answer: Callable[[], Awaitable[None]] | None = None


HONEST = Lie()


class Liar:
    """A prover that says what a lie makes of the truth; proofs are over what it says."""

    def __init__(self, honest: Prover, lie: Lie) -> None:
        self._honest, self._lie = honest, lie

    async def introduce(self, flow: StreamFlow) -> Introduction:
        """Return what the lie makes of the introduction."""
        return self._lie.introduction(await self._honest.introduce(flow))

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        """Return what the lie makes of the answer."""
        if self._lie.before_answer is not None:
            await self._lie.before_answer()
        if transport_key:
            key = self._lie.transport_key(decode_transport_key(transport_key))
            transport_key = encode_transport_key(key)
        return self._lie.answer(await self._honest.answer(challenge, transport_key))


@dataclass(slots=True)
class Dialogue:
    """A stream message by message; ``key`` is its transport key."""

    flow: StreamFlow
    exchange: Exchange
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    async def say(self, told: Told | bytes) -> Reply:
        """Say something and return the reply."""
        codec = STREAM_CODECS[self.flow.method]
        message = told if isinstance(told, bytes) else codec.tell(told)
        return codec.replied(await self.exchange(message))

    async def open_with(
        self, honest: Prover, opening: BootstrapRequest | StatusReport
    ) -> Challenge:
        """Open the stream with a request or a report, and return the challenge."""
        challenge = await self.say(introduced(opening, await honest.introduce(self.flow)))
        if isinstance(challenge, SealedData | Acknowledged):
            raise WrongReply("the server sent no challenge")
        return challenge

    async def answered(self, honest: Prover, challenge: Challenge) -> ChallengeAnswer:
        """Return the honest answer to a challenge."""
        key = b""
        if self.flow.bound:
            public = self.key.public_key().public_bytes_raw()
            nonce = getattr(challenge, "nonce", b"")
            key = encode_transport_key(TransportKey(HPKE_SUITE, public, nonce))
        return await honest.answer(challenge, key)

    async def attest(self, honest: Prover, opening: BootstrapRequest | StatusReport) -> Reply:
        """Open the stream, and win its challenge."""
        challenge = await self.open_with(honest, opening)
        return await self.say(await self.answered(honest, challenge))


class WrongReply(Exception):
    """A server says what is not due: data without a proof, no acknowledgement."""


class Disclosed(WrongReply):
    """A server hands out what belongs to another."""


class HonestPartRefused(Exception):
    """What comes before the lie was not served: nothing can be said of the lie."""


@contextmanager
def honestly(what: str) -> Iterator[None]:
    """Mark the honest part of a hostile case.

    Raises:
        HonestPartRefused: the server did not serve it.
    """
    try:
        yield
    except (BootzError, WrongReply) as error:
        raise HonestPartRefused(f"the honest {what} was not served: {error}") from error


def introduced(
    opening: BootstrapRequest | StatusReport, made: Introduction
) -> BootstrapRequest | StatusReport:
    """Return an opening with an identity."""
    return replace(opening, identity=made.identity, aik_pub_digest=made.aik_pub_digest)


@dataclass(frozen=True, slots=True)
class AnsweredFor:
    """Whom an answer is about: the serial numbers of its data, and its voucher or bundle."""

    serials: tuple[str, ...]
    voucher: bytes = field(repr=False)


class Player:
    """The devices of the suite, in front of one server; one stream of a device at a time.

    ``transcript`` has what was said since ``begin``; ``kept`` what cases keep over a restart.
    """

    def __init__(self, uri: BootzUri, material: Material, timeouts: Timeouts) -> None:
        self.uri = uri
        self.timeouts = timeouts
        self.transcript = Transcript()
        self.kept: dict[str, ChallengeAnswer] = {}
        self._material = material
        # Reading an RSA key from its file costs more than a whole case.
        self._provers: dict[str, Prover] = {}
        self._nonces = 0

    def begin(self) -> "Player":
        """Begin another case, with an empty transcript."""
        self.transcript = Transcript()
        return self

    def entry(self, name: str) -> Entry:
        """Return a device."""
        return self._material.entries[name]

    def serial(self, name: str) -> str:
        """Return a device's serial number."""
        return self.entry(name).serial_number

    def chassis_serial(self, name: str) -> str:
        """Return the serial number of a device's chassis."""
        entry = self.entry(name)
        return self._material.modular_serial if entry.row.chassis else entry.serial_number

    def prover(self, name: str, lie: Lie = HONEST) -> Prover:
        """Return what proves a device on streams."""
        if name not in self._provers:
            self._provers[name] = self.entry(name).card.prover()
        return Liar(self._provers[name], lie)

    def request(
        self,
        name: str,
        *,
        nonce: str | None = "conformance",
        listed: tuple[str, ...] = (),
        vendor_of: str = "",
        status: CardStatus = CardStatus.NOT_INITIALIZED,
    ) -> BootstrapRequest:
        """Return a device's request.

        With ``listed`` serial numbers it is that of a modular chassis; ``vendor_of`` is the device
        whose manufacturer it names, its own if empty; ``status`` that of the asking card.
        """
        serial = self.serial(name)
        cards = tuple(ClaimedCard(each) for each in listed)
        chassis = self.chassis_serial(name) if self.entry(name).row.chassis or not cards else ""
        return BootstrapRequest(
            ChassisDescriptor(self.entry(vendor_of or name).vendor, PART, chassis, cards),
            CardState(serial, status),
            nonce,
        )

    def report(self, *names: str, status: ReportedStatus = ReportedStatus.SUCCESS) -> StatusReport:
        """Return a report about the cards of these devices."""
        states = tuple(CardState(self.serial(name), CardStatus.INITIALIZED) for name in names)
        return StatusReport(status, "conformance", states)

    def unary(self, name: str, dialect: Dialect) -> UnaryContact:
        """Return the unary calls of a device with a key in a file."""
        return UnaryContact(self._dialer(name), dialect)

    def stream(self, name: str, flow: StreamFlow, lie: Lie = HONEST) -> StreamContact:
        """Return a flow of a device."""
        return StreamContact(flow, self.prover(name, lie), self._dialer(None))

    @asynccontextmanager
    async def dialogue(self, flow: StreamFlow) -> AsyncIterator[Dialogue]:
        """Open a stream on which nothing is said yet."""
        async with (
            self._dialer(None).dial(self.uri, None) as client,
            client.stream(f"{CURRENT.path}/{flow.method}") as exchange,
        ):
            yield Dialogue(flow, exchange)

    async def raw(self, name: str | None, path: str, message: bytes) -> bytes:
        """Make a unary call with any bytes, presenting a device's certificate or none."""
        async with self._dialer(name).dial(self.uri, None) as client:
            return await client.call(path, message)

    def _dialer(self, name: str | None) -> RecordingDialer:
        """Return how a device reaches the server; None presents no certificate."""
        identity = None if name is None else self.entry(name).card.identity()
        return RecordingDialer(self.timeouts, identity, transcript=self.transcript)

    async def ask(
        self,
        contact: UnaryContact | StreamContact,
        name: str,
        dialect: Dialect,
        *,
        targets: tuple[str, ...] = (),
    ) -> OpenedAnswer:
        """Ask as a device does, and verify the answer completely.

        ``name`` is the card that its state names, ``targets`` are those that a modular chassis
        lists.
        """
        session = DeviceSession(self._description(name, targets))
        self._nonces += 1
        request = session.request(f"conformance-{self._nonces}")
        sealed = await contact.ask(self.uri, request, anchor=None, on_sent=lambda: None)
        return session.open(sealed, dialect, now=datetime.now(UTC))

    async def answered(
        self, contact: UnaryContact | StreamContact, request: BootstrapRequest, dialect: Dialect
    ) -> AnsweredFor:
        """Ask, and return whom the answer is about; whether it verifies is not looked at."""
        sealed = await contact.ask(self.uri, request, anchor=None, on_sent=lambda: None)
        content = sealed.payload if sealed.plaintext is None else sealed.plaintext
        responses = decode_bootstrap_data(content, dialect).responses
        return AnsweredFor(
            tuple(each.serial_number for each in responses), sealed.ownership_voucher
        )

    def _description(self, name: str, targets: tuple[str, ...]) -> DeviceDescription:
        entry = self.entry(name)
        state = CardState(entry.serial_number, CardStatus.NOT_INITIALIZED)
        cards = tuple(self._card(each) for each in targets or (name,))
        return DeviceDescription(
            entry.vendor, PART, self.chassis_serial(name), cards, state, modular=bool(targets)
        )

    def _card(self, name: str) -> DeviceCard:
        entry = self.entry(name)
        certificates = entry.card.certificates()
        return DeviceCard(
            entry.serial_number,
            entry.card.vendor_anchors(),
            certificates[0] if certificates else None,
            PART,
        )
