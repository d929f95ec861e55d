"""The JSON voucher request over HTTPS: one request or a purchase order's list.

Source: docs/protocol/ovgs.md#requests-over-https.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from bootz.errors import BootzError
from bootz.log import get_logger
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.requests import answer_requests, read_requests
from bootz.masa.service import MasaService
from bootz.reasons import Fault
from bootz.transport.acceptor import Acceptor
from bootz.transport.http_connection import HttpConnection
from bootz.transport.limits import ListenerLimits

log = get_logger()

PATH: Final = "/voucher-requests"

MAX_BODY: Final = 8 << 20
"""Bytes of a list of requests, some thousands; each holds a certificate in base64."""

_MAX_DETAIL: Final = 300
"""Characters of an error on the wire: it may quote a value of any length."""

_CHUNK: Final = 1 << 16

_STATUS: Final = {
    Fault.MALFORMED: 400,
    Fault.UNAUTHENTICATED: 401,
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.PRECONDITION: 409,
    Fault.TOO_LARGE: 413,
    Fault.DEADLINE: 408,
    Fault.UNAVAILABLE: 503,
}


class HttpDoor:
    """Serves ``POST /voucher-requests`` and nothing else.

    Args:
        service: decides and issues.
        limits: bounds for each peer and all together.
        context: the TLS context of connections to come. None: no TLS.
    """

    def __init__(
        self, service: MasaService, *, limits: ListenerLimits, context: ssl.SSLContext | None
    ) -> None:
        self._service = service
        self._limits = limits
        self._server = web.Server(self._handle)
        self._acceptor = Acceptor(
            lambda place: HttpConnection(
                self._server, place.leave, keepalive_timeout=limits.idle_timeout
            ),
            limits=limits,
            context=context,
        )

    async def start(self, addresses: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Listen; return the addresses with the ports that the system chose for 0.

        Raises:
            Unavailable: an address cannot be listened on.
        """
        return await self._acceptor.start(addresses)

    def replace_tls(self, context: ssl.SSLContext) -> None:
        """Use another context for connections to come."""
        self._acceptor.context = context

    async def drain(self, timeout: float) -> None:
        """Stop accepting, let running requests end for at most ``timeout`` seconds."""
        await self._acceptor.stop()
        await self._acceptor.finish(timeout, self._server.pre_shutdown)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            async with asyncio.timeout(self._limits.request_timeout):
                return await self._answer(request)
        except TimeoutError:
            return web.json_response({"reason": "request-timeout"}, status=408)
        except BootzError as error:
            return _refused(error)
        except Exception:
            # A defect of ours: bland outside, the traceback inside.
            log.exception("request-failed")
            return web.json_response({"reason": "internal"}, status=500)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != PATH:
            return web.json_response({"reason": "method-unknown"}, status=404)
        if request.method != "POST":
            headers = {"Allow": "POST"}
            return web.json_response({"reason": "method-unknown"}, status=405, headers=headers)
        caller = await self._service.authenticate(_token(request))
        ien = request.query.get("ien")
        asked = read_requests(await _body(request))
        answer = await answer_requests(self._service, caller, asked, ien=ien)
        return web.Response(body=answer.body, content_type=answer.content_type)


def _refused(error: BootzError) -> web.StreamResponse:
    status = _STATUS.get(error.row.fault, 500)
    if isinstance(error, LedgerError) or status < 500:
        log.info("request-refused", reason=error.reason, status=status)
    else:
        log.error("request-failed", reason=error.reason, detail=str(error))
    document = {"reason": error.reason, "meaning": error.row.meaning}
    if status < 500 and status != 401:
        document["detail"] = str(error)[:_MAX_DETAIL]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return web.json_response(document, status=status, headers=headers)


def _token(request: web.BaseRequest) -> str | None:
    given = request.headers.getall("authorization", [])
    if len(given) > 1:
        raise LedgerError("token-unknown", "the call has more than one token")
    scheme, _, token = (given[0] if given else "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _body(request: web.BaseRequest) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > MAX_BODY:
            raise LedgerError(
                "ovgs-request-too-large", "the body is too long", expected=f"at most {MAX_BODY}"
            )
        parts.append(part)
    return b"".join(parts)
