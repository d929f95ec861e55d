"""The gRPC door of the MASA: tokens from metadata, bounded messages, errors to statuses.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#authentication.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import Requester
from bootz.masa.rpc import ISSUING, UNARY, Issuing, Unary, get_components
from bootz.masa.service import MasaService
from bootz.reasons import Fault
from bootz.transport.grpc.call import Call, Method
from bootz.transport.grpc.headers import Metadata
from bootz.transport.limits import ListenerLimits
from bootz.transport.status import STATUS_OF_FAULT, EndCall, end_of
from bootz.wire.ovgs import IDEMPOTENCY_KEY, method_path, parse
from bootz.wire.ovgs import messages as pb

log = get_logger()

_MAX_DETAIL: Final = 300
"""Characters of an error on the wire: it may quote an id of any length."""


_KEY: Final = re.compile(r"[!-~]{1,128}")


def ovgs_methods(
    service: MasaService, limits: ListenerLimits, *, cookies: bool = False
) -> Mapping[str, Method]:
    """Return the method table of ``ovgs.v1.OwnershipVoucherService``.

    ``cookies``: tokens are taken from ``cookie: access_token=…`` too.
    """
    door = _Door(service, limits, cookies=cookies)
    return {
        **{method_path(method): door.unary(method, row) for method, row in UNARY.items()},
        **{method_path(method): door.issuing(method, row) for method, row in ISSUING.items()},
        method_path("GetComponents"): door.get_components,
    }


class _Door:
    def __init__(self, service: MasaService, limits: ListenerLimits, *, cookies: bool) -> None:
        self._service = service
        self._limits = limits
        self._cookies = cookies

    def unary(self, method: str, row: Unary) -> Method:
        async def handle(call: Call) -> None:
            with _answered(method):
                async with asyncio.timeout(self._limits.request_timeout):
                    caller, data = await self._receive(call)
                    answer = await row.call(self._service, caller, parse(row.request, data))
                    await call.send(answer.SerializeToString())

        return handle

    def issuing(self, method: str, row: Issuing) -> Method:
        async def handle(call: Call) -> None:
            with _answered(method):
                async with asyncio.timeout(self._limits.request_timeout):
                    caller, data = await self._receive(call)
                    key = _key(call.metadata)
                    answer = await row.call(self._service, caller, parse(row.request, data), key)
                    await call.send(answer.SerializeToString())

        return handle

    async def get_components(self, call: Call) -> None:
        with _answered("GetComponents"):
            async with asyncio.timeout(self._limits.request_timeout) as deadline:
                caller, data = await self._receive(call)
                request = parse(pb.GetComponentsRequest, data)
                async for answer in get_components(self._service, caller, request):
                    await call.send(answer.SerializeToString())
                    # A big group takes long; a reader that does not read ends it.
                    now = asyncio.get_running_loop().time()
                    deadline.reschedule(now + self._limits.request_timeout)

    async def _receive(self, call: Call) -> tuple[Requester, bytes]:
        caller = await self._service.authenticate(self._token(call.metadata))
        data = await call.receive(self._limits.max_message_bytes)
        if data is None:
            raise LedgerError("ovgs-request-malformed", "the call has no message")
        return caller, data

    def _token(self, metadata: Metadata) -> str | None:
        """Return the one token of a call; several would leave open whose call it is."""
        given = metadata.all("authorization")
        found = [
            token.strip()
            for scheme, _, token in (value.partition(" ") for value in given)
            if scheme.lower() == "bearer"
        ]
        if self._cookies:
            for line in metadata.all("cookie"):
                pairs = (item.strip().partition("=") for item in line.split(";"))
                found += [value for name, _, value in pairs if name == "access_token"]
        if len(found) > 1:
            raise LedgerError("token-unknown", "the call has more than one token")
        return found[0] if found else None


def _key(metadata: Metadata) -> str | None:
    """Return the caller's key for a call; a header of any other form would hide a repetition."""
    given = metadata.all(IDEMPOTENCY_KEY)
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise LedgerError(
            "ovgs-request-malformed",
            f"{IDEMPOTENCY_KEY} must be there once, with 1 to 128 visible characters",
        )
    return given[0]


@contextmanager
def _answered(method: str) -> Iterator[None]:
    """Log what a call is refused for, and tell it.

    The detail goes along: it holds nothing but the caller's own words, and a batch needs it.
    """
    try:
        yield
    except LedgerError as error:
        log.info("call-refused", method=method, reason=error.reason)
        if error.row.fault in (Fault.INTERNAL, Fault.UNAUTHENTICATED):
            raise end_of(error) from error
        status = STATUS_OF_FAULT[error.row.fault]
        raise EndCall(status, f"{error.reason}: {error}"[:_MAX_DETAIL]) from error
    except BootzError as error:
        log.info("call-refused", method=method, reason=error.reason)
        raise
