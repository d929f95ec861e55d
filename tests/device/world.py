"""A vendor, an owner and a chassis in memory, and a Bootz server that lies on request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream
from pki import Pair, make_pair

from bootz.device.board import Board, BootOptions
from bootz.device.contact import UnaryContact
from bootz.device.download import DownloadOptions
from bootz.device.grpc_client import Dialer, Timeouts
from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware, NewCard
from bootz.device.onboarding import BootResult
from bootz.device.source import FixedUris
from bootz.device.state import InstalledImage, RouterState
from bootz.device.workflow import Router
from bootz.model.artifacts import Assertion, SealedData, VoucherContent
from bootz.model.bootstrap import (
    BootConfig,
    BootstrapData,
    BootstrapRequest,
    SoftwareImage,
    StatusReport,
)
from bootz.transport.tls import server_context
from bootz.trust.owner import build_owner_certificate
from bootz.trust.signature import encode_signature, scheme_for, sign_with
from bootz.trust.voucher import issue_voucher
from bootz.wire.answers import encode_answer, encode_bootstrap_data, with_nonce
from bootz.wire.dialects import DIALECTS, Dialect, dialect_by_name
from bootz.wire.reports import decode_report
from bootz.wire.requests import decode_bootstrap_request
from bootz.wire.uri import parse_bootz_uri

SERIAL = "FOC12345678"
IMAGE = b"BOOTZ-IMAGE 2"
NOW = datetime.now(UTC)

HONEST = [
    "BOOTZ_UNSPECIFIED",
    "BOOTZ_SENT",
    "BOOTZ_RECEIVED",
    "BOOTZ_CONFIGURATION_APPLIED",
    "BOOTZ_OK",
]
UPGRADED = [
    *HONEST[:3],
    "BOOTZ_OS_UPGRADE_IN_PROGRESS",
    "BOOTZ_OS_UPGRADE_COMPLETE",
    *HONEST[3:],
]


@dataclass
class Owner:
    """An owner's keys, each of which a test may replace."""

    pdc: Pair = field(default_factory=lambda: make_pair("PDC", ca=True))
    owner: Pair | None = None
    anchor: Pair = field(default_factory=lambda: make_pair("trust anchor", ca=True))

    def __post_init__(self) -> None:
        self.owner = self.owner or make_pair("owner", self.pdc)


@dataclass
class Manner:
    """How one answer is made; the defaults are honest."""

    voucher_serial: str = SERIAL
    expires_on: datetime | None = None
    created_on: datetime = NOW - timedelta(hours=1)
    assertion: Assertion = Assertion.VERIFIED
    pinned: Pair | None = None
    signed_by: Pair | None = None
    voucher_signer: Pair | None = None
    signed_at: datetime = NOW
    nonce: str | None = None
    change: Callable[[SealedData], SealedData] = lambda sealed: sealed
    data: BootstrapData | None = None
    status: Status | None = None
    raw: bytes | None = None
    frame: bytes | None = None


class World:
    """Everything that a router meets, and the router."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vendor = make_pair("vendor CA", ca=True)
        self.signer = make_pair("voucher signer", self.vendor)
        self.idevid = make_pair(SERIAL, self.vendor)
        self.owner = Owner()
        self.data = BootstrapData(
            SERIAL, self.owner.anchor.der, boot_config=BootConfig(vendor_config=b"hostname r1\n")
        )

    def manufacture(self, name: str = "router", **settings: Any) -> Hardware:
        card = BuiltCard("RP0", SERIAL, "PID-1")
        record = BuiltChassis("Acme", SERIAL, (card,), "PID-1", **settings)
        return Hardware.manufacture(
            self.folder / name,
            record,
            [NewCard(card, self.idevid.key, [self.idevid.der], [self.vendor.der])],
            RouterState(image=InstalledImage("os", "1")),
        )

    def with_image(self, url: str, content: bytes = IMAGE) -> BootstrapData:
        digest = hashlib.sha256(content).hexdigest()
        return replace(self.data, image=SoftwareImage("os", "2", url, digest))

    def voucher(self, manner: Manner) -> bytes:
        signer = manner.voucher_signer or self.signer
        content = VoucherContent(
            manner.voucher_serial,
            manner.assertion,
            (manner.pinned or self.owner.pdc).der,
            manner.created_on,
            manner.expires_on,
        )
        return issue_voucher(
            content,
            signer_certificate=signer.der,
            chain=[_der(each) for each in signer.chain],
            scheme=scheme_for(signer.key.public_key()),
            sign=sign_with(signer.key),
            now=manner.signed_at,
        )

    def seal(self, nonce: str | None, dialect: Dialect, manner: Manner | None = None) -> SealedData:
        manner = manner or Manner()
        owner = manner.signed_by or self.owner.owner
        assert owner is not None
        body = encode_bootstrap_data([manner.data or self.data], dialect)
        payload = with_nonce(body, manner.nonce if manner.nonce is not None else nonce)
        if nonce is None:
            return manner.change(SealedData(payload))
        sealed = SealedData(
            payload,
            encode_signature(sign_with(owner.key)(payload)),
            self.voucher(manner),
            build_owner_certificate(
                owner.der,
                [],
                scheme=scheme_for(owner.key.public_key()),
                sign=sign_with(owner.key),
                signing_time=NOW,
            ).cms,
        )
        return manner.change(sealed)


class _Codec(CodecBase):
    __content_subtype__ = "proto"

    def encode(self, message: bytes, message_type: type) -> bytes:
        return message

    def decode(self, data: bytes, message_type: type) -> bytes:
        return data


class FakeServer:
    """A Bootz server of the test's own; ``manners`` and ``report_statuses`` are used up in turn."""

    def __init__(self, world: World, *, tls: Pair | None = None) -> None:
        self.world = world
        self.manners: list[Manner] = []
        self.report_statuses: list[Status] = []
        self.requests: list[tuple[str, BootstrapRequest]] = []
        self.reports: list[StatusReport] = []
        self.sealed: list[SealedData] = []
        self._tls = tls or make_pair("server", world.owner.anchor, ip="127.0.0.1")
        self._server = Server([self], codec=_Codec())
        self.uri = ""

    def __mapping__(self) -> Mapping[str, Handler]:
        rows: dict[str, Handler] = {}
        for dialect in DIALECTS:
            for name, handle in (
                ("GetBootstrapData", self._ask(dialect)),
                ("ReportStatus", self._report(dialect)),
            ):
                path = f"{dialect.path}/{name}"
                rows.setdefault(path, Handler(handle, Cardinality.UNARY_UNARY, bytes, bytes))
        return rows

    async def __aenter__(self) -> Self:
        context = server_context(
            *self._tls.save(self.world.folder, f"server-{id(self)}"),
            client_anchors=[self.world.vendor.der],
        )
        await self._server.start("127.0.0.1", 0, ssl=context)
        inner = self._server._server
        assert isinstance(inner, asyncio.Server)
        self.uri = f"bootz://127.0.0.1:{inner.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _ask(self, dialect: Dialect) -> Callable[[Stream[Any, Any]], Any]:
        async def handle(stream: Stream[Any, Any]) -> None:
            message = await stream.recv_message()
            assert message is not None
            assert stream.peer is not None
            assert stream.peer.cert() is not None
            manner = self.manners.pop(0) if self.manners else Manner()
            if manner.frame is not None:
                await stream.send_initial_metadata()
                await stream._stream.send_data(manner.frame)
                stream._send_message_done = True
                await stream.send_trailing_metadata(status=Status.OK)
                return
            request = decode_bootstrap_request(message, dialect)
            self.requests.append((dialect.name, request))
            if manner.status is not None:
                raise GRPCError(manner.status, "no-such-thing: said the server")
            if manner.raw is not None:
                await stream.send_message(manner.raw)
                return
            await stream.send_message(await self.respond(request, dialect, manner))

        return handle

    async def respond(self, request: BootstrapRequest, dialect: Dialect, manner: Manner) -> bytes:
        sealed = self.world.seal(request.nonce, dialect, manner)
        self.sealed.append(sealed)
        return encode_answer(sealed, dialect)

    def _report(self, dialect: Dialect) -> Callable[[Stream[Any, Any]], Any]:
        async def handle(stream: Stream[Any, Any]) -> None:
            message = await stream.recv_message()
            assert message is not None
            if self.report_statuses:
                status = self.report_statuses.pop(0)
                if status is not Status.OK:
                    raise GRPCError(status, "later")
            self.reports.append(decode_report(message, dialect))
            await stream.send_message(b"")

        return handle


class Log:
    """What a router told while it worked."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, object]]] = []

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        self.events.append((event, fields))

    def named(self, event: str) -> list[Mapping[str, object]]:
        return [fields for name, fields in self.events if name == event]


def options(uri: str, dialect: str = "current", **changes: Any) -> BootOptions:
    return replace(
        BootOptions(
            FixedUris([parse_bootz_uri(uri)]),
            dialect_by_name(dialect),
            retry_wait=0,
            max_attempts=1,
            report_wait=0,
            report_attempts=2,
            timeouts=Timeouts(10, 20),
            download=DownloadOptions(connect=5, stall=5, tries=2, wait=0),
        ),
        **changes,
    )


def router(
    hardware: Hardware,
    choice: BootOptions,
    log: Callable[[str, Mapping[str, object]], None],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    nonces: Callable[[], str] | None = None,
) -> Router:
    dialer = Dialer(choice.timeouts, hardware.identity(hardware.record.cards[0]))
    count = iter(range(1000))
    board = Board(
        hardware,
        choice,
        lambda dialect: UnaryContact(dialer, dialect),
        clock=clock,
        make_nonce=nonces or (lambda: f"nonce-{next(count)}"),
        notify=log,
    )
    return Router(board)


async def boot(
    hardware: Hardware, choice: BootOptions, **changes: Any
) -> tuple[BootResult, RouterState, Log]:
    log = Log()
    result = await router(hardware, choice, log, **changes).boot()
    return result, hardware.load_state(), log


def names(state: RouterState) -> list[str]:
    return [status.value for status in state.statuses]


def play(story: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story(), 60))


def _der(certificate: Any) -> bytes:
    der: bytes = certificate.public_bytes(Encoding.DER)
    return der
