"""What a case has sent and received, kept for the report that a vendor reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bootz.conformance.verdict import SentMessage
from bootz.device.grpc_client import Dialer, Exchange, GrpcClient, client_context
from bootz.wire.uri import BootzUri

MAX_KEPT = 64 << 10
"""Bytes kept of one message: what is longer is padding, to be refused for its length."""


@dataclass(slots=True)
class Transcript:
    """The messages of one case, in order. Of an answer only the size is kept: it may hold
    password hashes, and reports are passed on.
    """

    sent: list[SentMessage] = field(default_factory=list)
    came: list[str] = field(default_factory=list)

    def send(self, where: str, message: bytes) -> None:
        """Keep a message that is about to be sent."""
        self.sent.append(
            SentMessage(where, message[:MAX_KEPT], len(message) if len(message) > MAX_KEPT else 0)
        )

    def receive(self, answer: bytes) -> None:
        """Keep that an answer came."""
        self.came.append(f"an answer of {len(answer)} bytes")


class RecordingClient(GrpcClient):
    """A connection whose calls are kept in a transcript."""

    transcript: Transcript

    async def call(self, path: str, message: bytes) -> bytes:
        """Make one unary call, as ``GrpcClient.call`` does."""
        self.transcript.send(path, message)
        answer = await super().call(path, message)
        self.transcript.receive(answer)
        return answer

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Exchange]:
        """Make one streaming call, as ``GrpcClient.stream`` does."""
        async with super().stream(path) as exchange:

            async def recorded(message: bytes) -> bytes:
                self.transcript.send(path, message)
                answer = await exchange(message)
                self.transcript.receive(answer)
                return answer

            yield recorded


@dataclass(frozen=True, slots=True)
class RecordingDialer(Dialer):
    """A dialer whose connections are kept in a transcript."""

    transcript: Transcript = field(default_factory=Transcript)

    def dial(self, uri: BootzUri, anchor: bytes | None) -> GrpcClient:
        """Return a new connection, not open yet, as ``Dialer.dial`` does."""
        context = client_context(self.identity, anchor)
        client = RecordingClient(uri, context, self.timeouts, self.locate)
        client.transcript = self.transcript
        return client
