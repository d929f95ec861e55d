"""The streams: the identity is proven by a challenge, and TLS presents no certificate."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bootz.device.grpc_client import Dialer, Exchange
from bootz.device.prover import Introduction, Prover
from bootz.errors import TrustError, WireError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import (
    HPKE_SUITE,
    EkChallenge,
    HmacChallenge,
    NonceChallenge,
    TransportKey,
)
from bootz.trust.hpke import Sealed, open_sealed
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import STREAM_CODECS, Acknowledged, Reply
from bootz.wire.transport_key import encode_transport_key
from bootz.wire.uri import BootzUri


class StreamContact:
    """One of the streaming calls; each request and each report has a stream of its own.

    ``generate`` makes the X25519 key of a stream; it lives as long as that stream.
    """

    def __init__(
        self,
        flow: StreamFlow,
        prover: Prover,
        dialer: Dialer,
        *,
        generate: Callable[[], X25519PrivateKey] = X25519PrivateKey.generate,
    ) -> None:
        self._flow = flow
        self._prover = prover
        self._dialer = dialer
        self._generate = generate
        self._codec = STREAM_CODECS[flow.method]

    async def ask(
        self,
        uri: BootzUri,
        request: BootstrapRequest,
        *,
        anchor: bytes | None,
        on_sent: Callable[[], None],
    ) -> SealedData:
        """Send a request, prove who asks, and return the answer, unverified.

        Raises:
            BootzError: no answer, or one that cannot be decoded (``WireError``).
        """
        introduction = await self._prover.introduce(self._flow)
        key = self._generate()
        async with AsyncExitStack() as stack:
            exchange = await self._open(stack, uri, anchor)
            on_sent()
            reply = await self._prove(exchange, _introduced(request, introduction), key)
        if not isinstance(reply, SealedData):
            raise _unexpected(reply)
        return _opened(reply, key)

    async def report(self, uri: BootzUri, report: StatusReport, *, anchor: bytes) -> None:
        """Report over a new connection that ``anchor`` verifies, on a stream that proves it again.

        Raises:
            BootzError: the report was not acknowledged.
        """
        introduction = await self._prover.introduce(self._flow)
        async with AsyncExitStack() as stack:
            exchange = await self._open(stack, uri, anchor)
            reply = await self._prove(exchange, _introduced(report, introduction), self._generate())
        if not isinstance(reply, Acknowledged):
            raise _unexpected(reply)

    async def _open(self, stack: AsyncExitStack, uri: BootzUri, anchor: bytes | None) -> Exchange:
        client = await stack.enter_async_context(self._dialer.dial(uri, anchor))
        path = f"{CURRENT.path}/{self._flow.method}"
        return await stack.enter_async_context(client.stream(path))

    async def _prove(
        self, exchange: Exchange, opening: BootstrapRequest | StatusReport, key: X25519PrivateKey
    ) -> Reply:
        """Open the stream, answer its challenge, and return what comes then."""
        challenge = self._codec.replied(await exchange(self._codec.tell(opening)))
        if not isinstance(challenge, NonceChallenge | HmacChallenge | EkChallenge):
            # Data without a challenge are data for anyone.
            raise _unexpected(challenge)
        transport_key = b""
        if self._flow.bound:
            nonce = challenge.nonce if isinstance(challenge, NonceChallenge) else b""
            public = key.public_key().public_bytes_raw()
            # Serialised once: both sides prove these very bytes.
            transport_key = encode_transport_key(TransportKey(HPKE_SUITE, public, nonce))
        answer = await self._prover.answer(challenge, transport_key)
        return self._codec.replied(await exchange(self._codec.tell(answer)))


_Opening = TypeVar("_Opening", BootstrapRequest, StatusReport)


def _introduced(opening: _Opening, introduction: Introduction) -> _Opening:
    return replace(
        opening, identity=introduction.identity, aik_pub_digest=introduction.aik_pub_digest
    )


def _opened(sealed: SealedData, key: X25519PrivateKey) -> SealedData:
    """Add what the data decrypt to, while the key is there; who signed them is verified later."""
    if not sealed.encapsulated_key:
        return sealed
    try:
        plaintext = open_sealed(Sealed(sealed.encapsulated_key, sealed.payload), key)
    except TrustError:
        # Told in its place among the checks: after voucher, owner certificate and signature.
        return sealed
    return replace(sealed, plaintext=plaintext)


def _unexpected(reply: Reply) -> WireError:
    return WireError(
        "stream-reply-unexpected",
        "the server sent an unexpected message",
        where="stream",
        seen=type(reply).__name__,
    )
