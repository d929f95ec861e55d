"""A voucher service that does what a test says, over real gRPC on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from google.protobuf.message import Message
from grpclib.const import Status

from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.status import EndCall
from bootz.transport.status import Status as ServerStatus
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path

RPCS: dict[str, type[Message]] = {
    "GetDomainCert": pb.GetDomainCertRequest,
    "GetOwnershipVoucher": pb.GetOwnershipVoucherRequest,
    "GetOwnershipVouchers": pb.GetOwnershipVouchersRequest,
    "GetSerial": pb.GetSerialRequest,
    "GetSerials": pb.GetSerialsRequest,
}

Answer = Callable[[Any], Message | bytes | Status]
"""From a request to a message, raw bytes, or a status that refuses."""


class FakeService:
    """Answers by ``answers``, by RPC; keeps what was called and with which metadata."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[str] = []
        self.requests: list[Any] = []
        self.metadata: list[dict[str, str]] = []
        self.port = 0

    def _handler(self, rpc: str) -> Method:
        async def handle(call: Call) -> None:
            data = await call.receive(1 << 22)
            assert data is not None
            request = RPCS[rpc].FromString(data)
            self.calls.append(rpc)
            self.requests.append(request)
            self.metadata.append(dict(call.metadata.items()))
            answer = self.answers.get(rpc, lambda _: Status.UNIMPLEMENTED)(request)
            if isinstance(answer, Status):
                raise EndCall(ServerStatus(answer.value), f"{rpc} says no")
            data = answer if isinstance(answer, bytes) else answer.SerializeToString()
            await call.send(data)

        return handle

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[None]:
        """Listen on loopback, without TLS."""
        methods = {method_path(rpc): self._handler(rpc) for rpc in RPCS}
        listener = GrpcListener(methods, limits=ListenerLimits(), context=None)
        ((_, self.port),) = await listener.start([("127.0.0.1", port)])
        try:
            yield
        finally:
            await listener.drain(1)
