"""The gRPC door of the MASA: tokens from metadata, bounded messages, errors to statuses.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#authentication.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import Requester
from bootz.masa.rpc import UNARY, Unary, get_components
from bootz.masa.service import MasaService
from bootz.reasons import Fault
from bootz.transport.limits import ListenerLimits
from bootz.transport.messages import receive_bounded
from bootz.transport.status import STATUS_OF_FAULT, grpc_error
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path, parse

log = get_logger()

_MAX_DETAIL: Final = 300
"""Characters of an error on the wire: it may quote an id of any length."""

_Handle = Callable[[Stream[Any, Any]], Awaitable[None]]


def ovgs_methods(
    service: MasaService, limits: ListenerLimits, *, cookies: bool = False
) -> Mapping[str, Handler]:
    """Return the method table of ``ovgs.v1.OwnershipVoucherService``.

    ``cookies``: tokens are taken from ``cookie: access_token=…`` too.
    """
    door = _Door(service, limits, cookies=cookies)
    table = {
        method_path(method): Handler(door.unary(method, row), Cardinality.UNARY_UNARY, bytes, bytes)
        for method, row in UNARY.items()
    }
    table[method_path("GetComponents")] = Handler(
        door.get_components, Cardinality.UNARY_STREAM, bytes, bytes
    )
    return table


class _Door:
    def __init__(self, service: MasaService, limits: ListenerLimits, *, cookies: bool) -> None:
        self._service = service
        self._limits = limits
        self._cookies = cookies

    def unary(self, method: str, row: Unary) -> _Handle:
        async def handle(stream: Stream[Any, Any]) -> None:
            with _answered(method):
                async with asyncio.timeout(self._limits.request_timeout):
                    caller, data = await self._receive(stream)
                    answer = await row.call(self._service, caller, parse(row.request, data))
                    await stream.send_message(answer.SerializeToString())

        return handle

    async def get_components(self, stream: Stream[Any, Any]) -> None:
        with _answered("GetComponents"):
            async with asyncio.timeout(self._limits.request_timeout) as deadline:
                caller, data = await self._receive(stream)
                request = parse(pb.GetComponentsRequest, data)
                async for answer in get_components(self._service, caller, request):
                    await stream.send_message(answer.SerializeToString())
                    # A big group takes long; a reader that does not read ends it.
                    now = asyncio.get_running_loop().time()
                    deadline.reschedule(now + self._limits.request_timeout)

    async def _receive(self, stream: Stream[Any, Any]) -> tuple[Requester, bytes]:
        caller = await self._service.authenticate(self._token(stream.metadata))
        data = await receive_bounded(stream, self._limits.max_message_bytes)
        if data is None:
            raise LedgerError("ovgs-request-malformed", "the call has no message")
        return caller, data

    def _token(self, metadata: Any) -> str | None:
        """Return the one token of a call; several would leave open whose call it is."""
        given = [str(value) for value in metadata.getall("authorization", [])]
        found = [
            token.strip()
            for scheme, _, token in (value.partition(" ") for value in given)
            if scheme.lower() == "bearer"
        ]
        if self._cookies:
            for line in metadata.getall("cookie", []):
                pairs = (item.strip().partition("=") for item in str(line).split(";"))
                found += [value for name, _, value in pairs if name == "access_token"]
        if len(found) > 1:
            raise LedgerError("token-unknown", "the call has more than one token")
        return found[0] if found else None


@contextmanager
def _answered(method: str) -> Iterator[None]:
    """Turn what a call raises into its status.

    The detail goes along: it holds nothing but the caller's own words, and a batch needs it.
    """
    try:
        yield
    except TimeoutError as error:
        log.info("request-timeout", method=method)
        raise GRPCError(Status.DEADLINE_EXCEEDED, "request-timeout") from error
    except LedgerError as error:
        log.info("call-refused", method=method, reason=error.reason)
        if error.row.fault in (Fault.INTERNAL, Fault.UNAUTHENTICATED):
            raise grpc_error(error) from error
        status = STATUS_OF_FAULT[error.row.fault]
        raise GRPCError(status, f"{error.reason}: {error}"[:_MAX_DETAIL]) from error
    except BootzError as error:
        log.info("call-refused", method=method, reason=error.reason)
        raise grpc_error(error) from error
    except (GRPCError, asyncio.CancelledError):
        raise
    except Exception as error:
        # A defect of ours: bland outside, the traceback inside.
        log.exception("call-failed", method=method)
        raise GRPCError(Status.INTERNAL, "internal") from error
