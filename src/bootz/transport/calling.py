"""Calling a gRPC service: bytes out, bounded bytes in, and every failure with a reason."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from h2.exceptions import H2Error

from bootz.errors import BootzError, ConfigError, PeerError, TrustError, Unavailable
from bootz.transport.messages import receive_bounded
from bootz.trust.certificates import pem_from_der

MAX_STATUS_TEXT = 300
"""Characters of a service's own words that are passed on."""


@dataclass(frozen=True, slots=True)
class CallReasons:
    """The reason codes of one service's failures."""

    refused: str
    unreachable: str
    broken: str
    late: str
    untrusted: str


class CallRefused(PeerError):
    """The service answered with a status other than OK."""

    def __init__(self, reason: str, status: Status, text: str, *, where: str) -> None:
        printable = "".join(letter for letter in text if letter.isprintable())[:MAX_STATUS_TEXT]
        super().__init__(
            reason,
            f"the service answered {status.name}: {printable}".rstrip(": "),
            where=where,
            expected="OK",
            seen=status.name,
        )
        self.status = status


def client_context(roots: Sequence[bytes] | None) -> ssl.SSLContext:
    """Return a TLS client's context that verifies the server's certificate and name.

    ``roots`` are DER, None for those of the system.

    Raises:
        ConfigError: a root cannot be loaded.
    """
    # Not create_default_context: it honours SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if roots is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        # PEM: at the end of DER, an error that another library left behind would count.
        context.load_verify_locations(cadata=pem_from_der(roots).decode("ascii"))
    except ssl.SSLError as error:
        raise ConfigError(
            "tls-material-unusable", f"the roots cannot be loaded: {error.reason}", where="roots"
        ) from error
    return context


def end_channel(channel: Channel) -> None:
    """End a channel's connection at once, without waiting for the peer's goodbye in TLS."""
    protocol = channel._protocol  # noqa: SLF001 -- close() only asks, and forgets whom
    # There is none any more where the peer was the first to end.
    transport = getattr(protocol and protocol.connection, "_transport", None)
    channel.close()
    if transport is not None:
        transport.abort()


async def call_unary(
    channel: Channel,
    path: str,
    message: bytes,
    *,
    metadata: Sequence[tuple[str, str]],
    seconds: float,
    max_bytes: int,
    reasons: CallReasons,
    where: str,
) -> bytes:
    """Make one unary call and return the message of the answer.

    Args:
        channel: with a codec that passes bytes.
        path: of the method.
        message: the request.
        metadata: to be sent along.
        seconds: until the answer must be there.
        max_bytes: of the answer.
        reasons: the codes for what fails.
        where: names the service in errors.

    Raises:
        CallRefused: a status other than OK.
        TrustError: the server is not the one that the roots vouch for.
        WireError: the answer is too large, compressed, or cut.
        Unavailable: no connection, no answer, or a broken one.
    """
    method = UnaryUnaryMethod[bytes, bytes](channel, path, bytes, bytes)
    async with (
        call_errors(seconds, reasons=reasons, where=where),
        method.open(timeout=seconds, metadata=list(metadata)) as stream,
    ):
        await stream.send_message(message, end=True)
        await stream.recv_initial_metadata()
        body = await receive_bounded(stream, max_bytes)
        await stream.recv_trailing_metadata()
        if body is None:
            raise Unavailable(reasons.broken, "the answer is empty", where=where)
        return body


@asynccontextmanager
async def call_errors(seconds: float, *, reasons: CallReasons, where: str) -> AsyncIterator[None]:
    """Bound the time, and turn what libraries raise into errors with a reason."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except BootzError:
        raise
    except GRPCError as error:
        text = error.message or ""
        raise CallRefused(reasons.refused, error.status, text, where=where) from error
    except ssl.SSLCertVerificationError as error:
        raise TrustError(
            reasons.untrusted,
            f"the server's certificate is refused: {error.verify_message}",
            where=where,
            expected="a chain to the configured roots, for this host name",
            seen=error.verify_message,
        ) from error
    except TimeoutError as error:
        raise Unavailable(reasons.late, f"nothing within {seconds:g} s", where=where) from error
    except (StreamTerminatedError, ProtocolError, H2Error, AssertionError, struct.error) as error:
        # AssertionError: grpclib's answer to a stream that ends inside a message.
        raise Unavailable(
            reasons.broken, str(error) or "the connection was lost", where=where
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(
            reasons.unreachable, str(error) or type(error).__name__, where=where
        ) from error
