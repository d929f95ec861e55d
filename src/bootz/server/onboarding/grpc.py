"""The gRPC door: a table of paths, one row per dialect and method; errors become statuses here.

Source: docs/protocol/wire.md#calls; docs/dialects.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.server.onboarding.service import BootstrapService, Caller
from bootz.transport.limits import ListenerLimits
from bootz.transport.messages import receive_bounded
from bootz.transport.peer import peer_info
from bootz.transport.status import grpc_error
from bootz.wire.dialects import DIALECTS, GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect

log = get_logger()

UnaryCall = Callable[[bytes, Dialect, Caller], Awaitable[bytes]]


def bootstrap_methods(service: BootstrapService, limits: ListenerLimits) -> Mapping[str, Handler]:
    """Return the method table: both unary calls under the path of every dialect.

    Dialects that share a path share its row; the chassis on record says which of them to write.
    """
    table: dict[str, Handler] = {}
    for dialect in reversed(DIALECTS):
        calls: Mapping[str, UnaryCall] = {
            GET_BOOTSTRAP_DATA: service.get_bootstrap_data,
            REPORT_STATUS: service.report_status,
        }
        for method, call in calls.items():
            table.setdefault(f"{dialect.path}/{method}", _unary(call, dialect, limits))
    return table


def _unary(call: UnaryCall, dialect: Dialect, limits: ListenerLimits) -> Handler:
    async def handle(stream: Stream[Any, Any]) -> None:
        try:
            async with asyncio.timeout(limits.request_timeout):
                message = await receive_bounded(stream, limits.max_message_bytes)
                peer = peer_info(stream)
                caller = Caller(peer.address, peer.reached_at, peer.certificates)
                answer = await call(message or b"", dialect, caller)
                await stream.send_message(answer)
        except TimeoutError as error:
            log.info("request-timeout", peer=peer_info(stream).address, dialect=dialect.name)
            raise GRPCError(Status.DEADLINE_EXCEEDED, "request-timeout") from error
        except BootzError as error:
            raise grpc_error(error) from error
        except (GRPCError, asyncio.CancelledError):
            raise
        except Exception as error:
            # A defect of ours: bland outside, the traceback inside.
            log.exception("call-failed", dialect=dialect.name)
            raise GRPCError(Status.INTERNAL, "internal") from error

    return Handler(handle, Cardinality.UNARY_UNARY, bytes, bytes)
