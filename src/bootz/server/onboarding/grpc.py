"""The gRPC door: a table of paths, one row per dialect and method.

Source: docs/protocol/wire.md#calls; docs/dialects.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bootz.server.onboarding.service import BootstrapService, Caller
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.wire.dialects import DIALECTS, GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect

UnaryCall = Callable[[bytes, Dialect, Caller], Awaitable[bytes]]


def bootstrap_methods(service: BootstrapService, limits: ListenerLimits) -> Mapping[str, Method]:
    """Return the method table: both unary calls under the path of every dialect.

    Dialects that share a path share its row; the chassis on record says which of them to write.
    """
    table: dict[str, Method] = {}
    for dialect in reversed(DIALECTS):
        calls: Mapping[str, UnaryCall] = {
            GET_BOOTSTRAP_DATA: service.get_bootstrap_data,
            REPORT_STATUS: service.report_status,
        }
        for method, call in calls.items():
            table.setdefault(f"{dialect.path}/{method}", _unary(call, dialect, limits))
    return table


def _unary(answer: UnaryCall, dialect: Dialect, limits: ListenerLimits) -> Method:
    async def handle(call: Call) -> None:
        async with asyncio.timeout(limits.request_timeout):
            message = await call.receive(limits.max_message_bytes)
            peer = call.peer
            caller = Caller(peer.address, peer.reached_at, peer.certificates)
            await call.send(await answer(message or b"", dialect, caller))

    return handle
