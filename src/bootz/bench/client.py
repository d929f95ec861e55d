"""A process full of routers: each onboarding is done as a router does it, and verified.

First connection with the IDevID, the server unverified; the answer verified completely; second
connection verified by the trust anchor in the answer; the report. Imports nothing of the server.
"""

import asyncio
import base64
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import uvloop
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, StreamTerminatedError

from bootz.bench.material import BenchRouter
from bootz.bench.streams import Streams
from bootz.errors import BootzError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.trust.owner import verify_owner_certificate
from bootz.trust.signature import verify_response_signature
from bootz.trust.voucher import verify_voucher
from bootz.wire.answers import decode_answer, decode_bootstrap_data
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect, dialect_by_name
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request
from bootz.wire.uri import BootzUri

UNARY: Final = "unary"
"""The flow that is none of the streams."""

TOLD_EVERY: Final = 20
"""Onboardings after which a process tells its progress."""


@dataclass(frozen=True, slots=True)
class ClientJob:
    """What one process does: all its routers, ``rounds`` times, ``concurrency`` at a time."""

    address: tuple[str, int]
    dialect: str
    manufacturer: str
    part_number: str
    vendor_ca: bytes = field(repr=False)
    routers: tuple[BenchRouter, ...]
    onboardings: int
    concurrency: int
    flow: str = UNARY


@dataclass(frozen=True, slots=True)
class ClientNews:
    """What a process tells: how many onboardings are done; at the end all their times.

    ``seconds`` is None until the end; ``failure`` names the first onboarding that failed.
    """

    done: int
    seconds: tuple[float, ...] | None = None
    failure: str = ""


def run_client(told: Connection) -> None:
    """Take jobs: say that this process is ready, wait for the word to go, do it, tell the times.

    Until the other end is closed.
    """
    while isinstance(job := _heard(told), ClientJob):
        client = _Client(job, told)
        told.send(ClientNews(0))
        if _heard(told) is None:
            return
        try:
            uvloop.run(client.run())
        except BootzError as error:
            client.fail(f"{error.reason}: {error}")
        except GRPCError as error:
            client.fail(f"{error.status.name}: {error.message}")
        except (OSError, StreamTerminatedError) as error:
            client.fail(f"{type(error).__name__}: {error}")
        else:
            told.send(ClientNews(len(client.seconds), tuple(client.seconds)))


def _heard(told: Connection) -> object:
    """Return what the other end says, None once it is closed."""
    try:
        return told.recv()
    except EOFError:
        return None


class _Client:
    def __init__(self, job: ClientJob, told: Connection) -> None:
        self.seconds: list[float] = []
        self._job = job
        self._told = told
        self._dialect: Dialect = dialect_by_name(job.dialect)
        self._streams = None if job.flow == UNARY else Streams(job.flow)
        self._anchors = VendorCAs(AnchorSet.from_der([job.vendor_ca]))

    def fail(self, words: str) -> None:
        # One who has heard of another process's failure hears of no more.
        with suppress(ConnectionError):
            self._told.send(ClientNews(len(self.seconds), failure=words))

    async def run(self) -> None:
        routers = self._job.routers
        turns = iter(routers[turn % len(routers)] for turn in range(self._job.onboardings))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._job.concurrency):
                    group.create_task(self._work(turns))
        except* (BootzError, GRPCError, OSError, StreamTerminatedError) as errors:
            raise _first(errors) from None

    async def _work(self, turns: Iterator[BenchRouter]) -> None:
        for router in turns:
            begin = time.perf_counter()
            await self._onboard(router)
            self.seconds.append(time.perf_counter() - begin)
            if len(self.seconds) % TOLD_EVERY == 0:
                self._told.send(ClientNews(len(self.seconds)))

    async def _onboard(self, router: BenchRouter) -> None:
        serial = router.serial_number
        nonce = base64.b64encode(secrets.token_bytes(32)).decode()
        request = BootstrapRequest(
            ChassisDescriptor(self._job.manufacturer, self._job.part_number, serial),
            CardState(serial, CardStatus.NOT_INITIALIZED),
            nonce,
        )
        report = StatusReport(
            ReportedStatus.SUCCESS, states=(CardState(serial, CardStatus.INITIALIZED),)
        )
        if self._streams is not None:
            contact = self._streams.contact(router.identity)
            uri = BootzUri(*self._job.address)
            sealed = await contact.ask(uri, request, anchor=None, on_sent=lambda: None)
            anchor = self._verified_anchor(sealed, serial, nonce)
            await contact.report(uri, report, anchor=anchor)
            return
        answer = await self._call(
            client_context(router.identity, None),
            GET_BOOTSTRAP_DATA,
            encode_bootstrap_request(request, self._dialect),
        )
        anchor = self._verified_anchor(decode_answer(answer, self._dialect), serial, nonce)
        await self._call(
            client_context(router.identity, anchor),
            REPORT_STATUS,
            encode_report(report, self._dialect),
        )

    def _verified_anchor(self, sealed: SealedData, serial: str, nonce: str) -> bytes:
        """Verify an answer as a router does; return the server's trust anchor as DER."""
        now = datetime.now(UTC)
        voucher = verify_voucher(sealed.ownership_voucher, self._anchors, now=now)
        owner = verify_owner_certificate(sealed.owner_certificate, voucher, now=now)
        verify_response_signature(owner.certificate, sealed.signature, sealed.payload)
        data = decode_bootstrap_data(sealed.content or b"", self._dialect)
        (own,) = data.responses
        if (voucher.content.serial_number, own.serial_number, data.nonce) != (
            serial,
            serial,
            nonce,
        ):
            raise BootzError(
                "bench-onboarding-failed", "the answer is for another router", where=serial
            )
        return own.server_trust_cert

    async def _call(self, context: ssl.SSLContext, method: str, message: bytes) -> bytes:
        channel = Channel(*self._job.address, ssl=context, codec=BytesCodec())
        try:
            call = UnaryUnaryMethod[bytes, bytes](
                channel, f"{self._dialect.path}/{method}", bytes, bytes
            )
            answer = await call(message)
        finally:
            end_channel(channel)
        return answer or b""


def client_context(identity: Path, anchor: bytes | None) -> ssl.SSLContext:
    """Return a router's TLS; it verifies the server only with an ``anchor`` (DER)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    if anchor is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=anchor)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(identity)
    return context


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
