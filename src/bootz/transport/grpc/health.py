"""Whether a listener's services can do their work, for whoever asks or watches.

Source: gRPC health checking protocol.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.message import DecodeError
from grpclib.health.v1 import health_pb2 as pb

from bootz.errors import WireError
from bootz.transport.grpc.call import Call, Method
from bootz.transport.status import EndCall, Status

_SERVICE: Final = "grpc.health.v1.Health"
_OVERALL: Final = ""
_MAX_REQUEST: Final = 4096
"""Bytes of a request: it holds one name."""

_Serving = pb.HealthCheckResponse.ServingStatus


class Health:
    """Tells whether services can do their work: all of them, or none.

    Args:
        services: their full names.
        request_timeout: seconds in which a request must have arrived.
    """

    def __init__(self, services: Sequence[str], *, request_timeout: float) -> None:
        self._names = {_OVERALL, _SERVICE, *services}
        self._request_timeout = request_timeout
        self._serving = False
        self._stopped = False
        self._watching: set[asyncio.Event] = set()

    @property
    def name(self) -> str:
        """The full name of this service."""
        return _SERVICE

    @property
    def methods(self) -> Mapping[str, Method]:
        """The method table."""
        return {f"/{_SERVICE}/Check": self._check, f"/{_SERVICE}/Watch": self._watch}

    def set_serving(self, *, serving: bool) -> None:
        """Say whether the services can do their work."""
        self._serving = serving and not self._stopped
        self._tell()

    def stop(self) -> None:
        """Say that they end; who watches is told so, and let go."""
        self._serving, self._stopped = False, True
        self._tell()

    def _tell(self) -> None:
        for event in self._watching:
            event.set()

    def _status(self, name: str) -> "_Serving.ValueType":
        if name not in self._names:
            return pb.HealthCheckResponse.SERVICE_UNKNOWN
        if self._serving:
            return pb.HealthCheckResponse.SERVING
        return pb.HealthCheckResponse.NOT_SERVING

    async def _check(self, call: Call) -> None:
        name = await self._asked(call)
        status = self._status(name)
        if status == pb.HealthCheckResponse.SERVICE_UNKNOWN:
            raise EndCall(Status.NOT_FOUND, "there is no such service")
        await call.send(pb.HealthCheckResponse(status=status).SerializeToString())

    async def _watch(self, call: Call) -> None:
        name = await self._asked(call)
        changed = asyncio.Event()
        self._watching.add(changed)
        told: int | None = None
        try:
            while True:
                changed.clear()
                status = self._status(name)
                if status != told:
                    told = status
                    await call.send(pb.HealthCheckResponse(status=status).SerializeToString())
                if self._stopped:
                    raise EndCall(Status.UNAVAILABLE, "the server stops")
                await changed.wait()
        finally:
            self._watching.discard(changed)

    async def _asked(self, call: Call) -> str:
        async with asyncio.timeout(self._request_timeout):
            raw = await call.receive(_MAX_REQUEST)
        try:
            return pb.HealthCheckRequest.FromString(raw or b"").service
        except DecodeError as error:
            raise WireError(
                "message-malformed", "cannot be read as a HealthCheckRequest"
            ) from error
