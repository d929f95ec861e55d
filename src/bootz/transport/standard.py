"""Health and reflection: grpclib's own services on a listener that carries bytes.

Source: the gRPC health checking protocol and the gRPC server reflection protocol (v1, v1alpha).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from grpclib.const import Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.health.check import ServiceStatus
from grpclib.health.service import OVERALL, Health
from grpclib.reflection.service import ServerReflection
from grpclib.server import Stream

from bootz.errors import BootzError
from bootz.transport.limits import ListenerLimits
from bootz.transport.messages import receive_bounded
from bootz.transport.status import grpc_error

_MAX_REQUEST = 4096
"""Bytes of a health or reflection request: it holds one name."""

_MAX_REQUESTS = 1000
"""Requests of one reflection stream."""


class _Named:
    """What grpclib wants to know of a service: where its methods are."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __mapping__(self) -> Mapping[str, Handler]:
        return {f"/{self._name}/": None}  # type: ignore[dict-item]


class _Messages:
    """A call's stream as grpclib's services expect it: messages, not bytes."""

    def __init__(self, stream: Stream[Any, Any], handler: Handler, idle_timeout: float) -> None:
        self._stream = stream
        self._request_type: type[Message] = handler.request_type
        self._idle_timeout = idle_timeout
        self._left = _MAX_REQUESTS

    async def recv_message(self) -> Message | None:
        async with asyncio.timeout(self._idle_timeout):
            raw = await receive_bounded(self._stream, _MAX_REQUEST)
        if raw is None and self._left == _MAX_REQUESTS:
            raise GRPCError(Status.INVALID_ARGUMENT, "message-malformed")
        if raw is None or self._left == 0:
            return None
        self._left -= 1
        try:
            return self._request_type.FromString(raw)
        except DecodeError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, "message-malformed") from error

    async def send_message(self, message: Message) -> None:
        await self._stream.send_message(message.SerializeToString())

    async def send_trailing_metadata(self, *, status: Status) -> None:
        await self._stream.send_trailing_metadata(status=status)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        message = await self.recv_message()
        if message is None:
            raise StopAsyncIteration
        return message


class StandardServices:
    """The method table of health and reflection for the services that a listener has.

    Args:
        services: full names of the services, as they are in the paths of their methods.
        pool: holds the schema of those services, for reflection.
        limits: how long a silent caller of these is kept.
    """

    def __init__(
        self, services: Sequence[str], *, pool: DescriptorPool, limits: ListenerLimits
    ) -> None:
        self._status = ServiceStatus()
        self._limits = limits
        named = [_Named(name) for name in services]
        health = Health({OVERALL: [self._status], **{service: [self._status] for service in named}})
        shown = ServerReflection.extend([*named, health], pool=pool)
        self.methods: Mapping[str, Handler] = {
            path: self._typed(handler)
            for service in (health, *shown[len(named) + 1 :])
            for path, handler in service.__mapping__().items()
        }

    def set_serving(self, *, serving: bool) -> None:
        """Say whether the services can do their work."""
        self._status.set(serving)

    def _typed(self, handler: Handler) -> Handler:
        async def handle(stream: Stream[Any, Any]) -> None:
            try:
                await handler.func(_Messages(stream, handler, self._limits.idle_timeout))
            except TimeoutError as error:
                raise GRPCError(Status.DEADLINE_EXCEEDED, "request-timeout") from error
            except BootzError as error:
                raise grpc_error(error) from error

        return Handler(handle, handler.cardinality, bytes, bytes)
