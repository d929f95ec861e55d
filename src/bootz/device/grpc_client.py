"""gRPC from the router's end: one call with a bounded answer, and errors with a reason.

Bytes pass through as they are, because ``wire`` alone reads and writes messages. First contact
verifies nothing of the server, since there is no anchor yet and the answer proves itself;
every later connection is verified against the anchor of a verified answer.

Source: docs/protocol/pki.md#path-validation.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from grpclib.client import Channel, Stream, StreamStreamMethod, UnaryUnaryMethod
from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from h2.exceptions import H2Error

from bootz.device.identity import CardIdentity
from bootz.errors import BootzError, PeerError, TrustError, Unavailable, WireError
from bootz.reasons import REASONS
from bootz.transport.calling import end_channel
from bootz.wire.uri import BootzUri

MAX_ANSWER_BYTES = 4 << 20
"""The largest answer a router takes: the room of a bundle (docs/protocol/vouchers.md#bundles)."""

MAX_STATUS_TEXT = 300


Exchange = Callable[[bytes], Awaitable[bytes]]
"""Sends a message on a stream and returns the answer."""

Locate = Callable[[BootzUri], Awaitable[str]]
"""Returns the host to connect to for a URI."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: until a connection stands with its handshake, and until a call is answered."""

    connect: float = 10.0
    call: float = 30.0


class ServerRefused(PeerError):
    """The server answered a call with a status other than OK; ``seen`` has it.

    ``told`` is the reason's code where the server names one that is in ``bootz.reasons``, else
    empty: it explains more than that the server refused.
    """

    def __init__(self, status: Status, text: str, *, where: str) -> None:
        super().__init__(
            "contact-refused",
            f"the server answered {status.name}: {text}",
            where=where,
            expected="OK",
            seen=f"{status.name} {text}".strip(),
        )
        code = text.partition(":")[0]
        self.told = code if code in REASONS else ""


def told_reason(error: BootzError) -> str:
    """Return the reason's code that tells most: the one that the server named, or our own."""
    return (error.told if isinstance(error, ServerRefused) else "") or error.reason


class _BytesCodec(CodecBase):
    __content_subtype__ = "proto"

    def encode(self, message: bytes, message_type: type) -> bytes:
        return message

    def decode(self, data: bytes, message_type: type) -> bytes:
        return data


def client_context(identity: CardIdentity | None, anchor: bytes | None) -> ssl.SSLContext:
    """Build a TLS client; it verifies the server exactly where an ``anchor`` (DER) is given.

    Raises:
        ConfigError: the identity cannot serve TLS.
        TrustError: the anchor cannot be loaded.
    """
    # Not create_default_context: it honours SSLKEYLOGFILE and trusts the host's CAs.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if anchor is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        # An anchor may be a subordinate CA, even the server's own certificate.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=anchor)
        except ssl.SSLError as error:
            raise TrustError(
                "anchor-malformed", "TLS cannot load the trust anchor", where="server_trust_cert"
            ) from error
    if identity is not None:
        identity.load_into(context)
    return context


class _Conversation:
    """A stream of grpclib, lock-step, that tells its status whenever the server ends it."""

    def __init__(
        self,
        stream: Stream[bytes, bytes],
        receive: Callable[[Stream[bytes, bytes]], Awaitable[bytes | None]],
    ) -> None:
        self._stream = stream
        self._receive = receive
        self._begun = False

    async def exchange(self, message: bytes) -> bytes | None:
        """Send a message; return the answer, None where the server ends the stream with OK."""
        try:
            if self._begun:
                # The server may have ended it while no one was reading.
                self._raise_status()
            await self._stream.send_message(message)
            if not self._begun:
                self._begun = True
                await self._stream.recv_initial_metadata()
            answer = await self._receive(self._stream)
            if answer is None:
                await self._finish()
        except BaseException as error:
            # Its end is known, or no one waits for it.
            self._stream._cancel_done = True  # noqa: SLF001
            if isinstance(error, StreamTerminatedError | H2Error):
                self._raise_status()
            raise
        return answer

    async def end(self) -> None:
        """End this side, and wait for the status; nothing is left to do after a failure."""
        if self._begun and not self._stream._cancel_done:  # noqa: SLF001
            self._raise_status()
            await self._finish()

    async def _finish(self) -> None:
        await self._stream.end()
        await self._stream.recv_trailing_metadata()

    def _raise_status(self) -> None:
        # grpclib itself asks only when the stream was reset.
        self._stream._maybe_raise()  # noqa: SLF001


class GrpcClient:
    """One connection to one server, opened by ``connect``; an async context manager.

    ``locate`` tells the host to connect to; the certificate must name the URI's own host.
    """

    def __init__(
        self,
        uri: BootzUri,
        context: ssl.SSLContext,
        timeouts: Timeouts,
        locate: Locate | None = None,
    ) -> None:
        self._uri = uri
        self._context = context
        self._timeouts = timeouts
        self._locate = locate
        self._channel = self._channel_to(uri.host)

    def _channel_to(self, host: str) -> Channel:
        target = Configuration(ssl_target_name_override=self._uri.host)
        return Channel(host, self._uri.port, ssl=self._context, codec=_BytesCodec(), config=target)

    async def __aenter__(self) -> "GrpcClient":
        try:
            await self.connect()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection at once; the loop may have ended before the server says goodbye."""
        end_channel(self._channel)

    async def connect(self) -> None:
        """Bring the connection about, TLS included.

        Raises:
            TrustError: the server is not the one that the anchor vouches for.
            Unavailable: nothing answers there, or its name has no address.
        """
        async with self._errors(self._timeouts.connect, "contact-unreachable"):
            if self._locate is not None:
                self._channel = self._channel_to(await self._locate(self._uri))
            # The public calls connect too; only this one tells unreachable from unanswered.
            await self._channel.__connect__()

    async def call(self, path: str, message: bytes) -> bytes:
        """Make one unary call and return the message of the answer.

        Raises:
            ServerRefused: a status other than OK.
            TrustError: on connecting again, the server was not the right one.
            WireError: the answer is too large, compressed, or not gRPC.
            Unavailable: no answer, or a broken one.
        """
        method = UnaryUnaryMethod[bytes, bytes](self._channel, path, bytes, bytes)
        async with (
            self._errors(self._timeouts.call, "contact-deadline"),
            method.open(timeout=self._timeouts.call) as stream,
        ):
            await stream.send_message(message, end=True)
            await stream.recv_initial_metadata()
            body = await self._message(stream)
            await stream.recv_trailing_metadata()
            if body is None:
                raise self._broken("the answer is empty")
            return body

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Exchange]:
        """Make one streaming call; yields what sends a message and returns the one that answers.

        The time of a call is that of each exchange here; leaving the block ends this side.

        Raises:
            ServerRefused: a status other than OK.
            WireError: an answer is too large, or compressed.
            Unavailable: no answer, or a broken one.
        """
        method = StreamStreamMethod[bytes, bytes](self._channel, path, bytes, bytes)
        async with (
            self._errors(self._timeouts.call, "contact-deadline", whole=False),
            method.open() as stream,
        ):
            conversation = _Conversation(stream, self._message)

            async def exchange(message: bytes) -> bytes:
                async with self._errors(self._timeouts.call, "contact-deadline"):
                    answer = await conversation.exchange(message)
                if answer is None:
                    raise self._broken("the server ended the stream without an answer")
                return answer

            yield exchange
            async with self._errors(self._timeouts.call, "contact-deadline"):
                await conversation.end()

    async def _message(self, stream: Stream[bytes, bytes]) -> bytes | None:
        """Return the next message, None where the server has ended its side."""
        raw = stream._stream  # noqa: SLF001
        # The wrapper wakes the reader when the connection is lost.
        with stream._wrapper:  # noqa: SLF001
            # grpclib itself would read whatever length the prefix claims.
            prefix = await raw.recv_data(5)
            if not prefix:
                return None
            compressed, length = struct.unpack(">BI", prefix)
            if compressed or length > MAX_ANSWER_BYTES:
                raise WireError(
                    "contact-answer-too-large",
                    "the answer is compressed" if compressed else "the answer is too large",
                    where=self._uri.authority,
                    expected=f"at most {MAX_ANSWER_BYTES} bytes",
                    seen=str(length),
                )
            body = bytes(await raw.recv_data(length))
        if len(body) != length:
            raise self._broken("the answer ended too early")
        return body

    def _broken(self, detail: str) -> Unavailable:
        return Unavailable("contact-broken", detail, where=self._uri.authority)

    @asynccontextmanager
    async def _errors(
        self, seconds: float, late: str, *, whole: bool = True
    ) -> AsyncIterator[None]:
        """Bound the time, and turn what libraries raise into errors with a reason.

        ``whole`` False: the block bounds its parts itself, each by ``seconds``.
        """
        where = self._uri.authority
        try:
            async with asyncio.timeout(seconds if whole else None):
                yield
        except BootzError:
            raise
        except GRPCError as error:
            text = (error.message or "")[:MAX_STATUS_TEXT]
            raise ServerRefused(error.status, text, where=where) from error
        except ssl.SSLCertVerificationError as error:
            raise TrustError(
                "contact-server-untrusted",
                f"the server's certificate is refused: {error.verify_message}",
                where=where,
                expected="a chain to the trust anchor, for this host name",
                seen=error.verify_message,
            ) from error
        except TimeoutError as error:
            raise Unavailable(late, f"nothing within {seconds:g} s", where=where) from error
        except (
            StreamTerminatedError,
            ProtocolError,
            H2Error,
            AssertionError,
            struct.error,
        ) as error:
            # AssertionError: grpclib's answer to a stream that ends inside a message.
            raise self._broken(str(error) or "the connection was lost") from error
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(
                "contact-unreachable", str(error) or type(error).__name__, where=where
            ) from error


@dataclass(frozen=True, slots=True)
class Dialer:
    """How a router reaches servers: its waits, what it presents in TLS, and where it connects."""

    timeouts: Timeouts
    identity: CardIdentity | None = None
    """None where a stream proves the identity."""
    locate: Locate | None = None

    def dial(self, uri: BootzUri, anchor: bytes | None) -> GrpcClient:
        """Return a new connection, not open yet; ``anchor`` (DER) None is first contact.

        Raises:
            ConfigError: the identity cannot serve TLS.
            TrustError: the anchor cannot be loaded.
        """
        context = client_context(self.identity, anchor)
        return GrpcClient(uri, context, self.timeouts, self.locate)
