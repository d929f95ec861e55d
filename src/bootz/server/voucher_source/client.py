"""The client of one vendor's OVGS service: tokens, tries, and what older services lack.

Source: docs/protocol/ovgs.md#the-client (2 to 5, 9, 10); openconfig/ovgs ``ovgs.proto``.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel
from grpclib.const import Status

from bootz.errors import BootzError, PeerError, Unavailable, WireError
from bootz.server.voucher_source.retry import FIRST_S, MAX_TRIES, MOST_S, Breaker
from bootz.server.voucher_source.token import SourceToken
from bootz.transport.backoff import backoff
from bootz.transport.calling import CallReasons, CallRefused, call_unary, end_channel
from bootz.transport.codec import BytesCodec
from bootz.wire.ovgs import IDEMPOTENCY_KEY, method_path, parse, read_instant, write_instant
from bootz.wire.ovgs import messages as pb

TRY_S: Final = 10.0
"""Seconds for each try."""

MAX_ANSWER_BYTES: Final = 4 << 20

_OLDER_S: Final = 3600.0
"""Seconds for which it is remembered that a service lacks a method."""

REASONS: Final = CallReasons(
    refused="masa-refused",
    unreachable="masa-unreachable",
    broken="masa-broken",
    late="masa-deadline",
    untrusted="masa-untrusted",
)

_AGAIN: Final = frozenset(
    {
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
        Status.RESOURCE_EXHAUSTED,
        Status.ABORTED,
    }
)

M = TypeVar("M", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registration:
    """A pinned domain certificate (DER) as the manufacturer has it, and until when."""

    certificate: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TpmAnswer:
    """What the manufacturer says of a card's TPM, unread; empty where it says nothing."""

    endorsement_key: bytes = field(default=b"", repr=False)
    ek_certificate: bytes = field(default=b"", repr=False)
    platform_primary_key: bytes = field(default=b"", repr=False)
    deprecated_key: bytes = field(default=b"", repr=False)
    """The EK's public key of services that do not know the other fields."""


@dataclass(frozen=True, slots=True)
class VoucherAnswer:
    """A voucher (CMS), unverified, and what came beside it."""

    cms: bytes = field(repr=False)
    tpm: TpmAnswer


@dataclass(slots=True)
class Tally:
    """What an endpoint was asked: calls by RPC and status, and when it last answered one."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    last_success: datetime | None = None


class OvgsClient:
    """Calls one endpoint for one vendor; opened by its first call, ended by ``close``.

    Args:
        open_channel: makes the connection's channel.
        where: the endpoint, as errors name it.
        ien: the vendor's enterprise number.
        token: the bearer token.
        metadata: key and template of the metadata that carries it.
        clock: aware UTC.
        chance: random in [0, 1).
        sleep: waits so many seconds.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        open_channel: Callable[[BytesCodec], Channel],
        *,
        where: str,
        ien: str,
        token: SourceToken,
        metadata: tuple[str, str],
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_channel = open_channel
        self._channel: Channel | None = None
        self._where = where
        self._ien = ien
        self._token = token
        self._metadata = metadata
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self._monotonic = monotonic
        self._breaker = Breaker(monotonic)
        self._lacks: dict[str, float] = {}
        self.tally = Tally()

    def close(self) -> None:
        """End the connection."""
        if self._channel is not None:
            end_channel(self._channel)
            self._channel = None

    async def registration(self, cert_id: str) -> Registration:
        """Return what is registered under an id.

        Raises:
            BootzError: refused, unreachable, or not of the form.
        """
        answer = await self._call(
            "GetDomainCert", pb.GetDomainCertRequest(cert_id=cert_id), pb.GetDomainCertResponse
        )
        with _strict(self._where):
            return Registration(
                answer.certificate_der, read_instant("expiry_time", answer.expiry_time)
            )

    async def vouchers(
        self, serials: Sequence[str], cert_id: str, lifetime: datetime, *, key: str
    ) -> tuple[VoucherAnswer, ...]:
        """Return a voucher for each serial number, in their order; all or nothing.

        ``key`` goes along with each try: a service that knows such keys answers what it answered
        before.

        Raises:
            BootzError: refused, unreachable, or not of the form.
        """
        until = write_instant(lifetime)

        async def batch() -> tuple[VoucherAnswer, ...]:
            answer = await self._call(
                "GetOwnershipVouchers",
                pb.GetOwnershipVouchersRequest(
                    component=[self._component(serial) for serial in serials],
                    cert_id=cert_id,
                    lifetime=until,
                ),
                pb.GetOwnershipVouchersResponse,
                key,
            )
            self._count(len(answer.ownership_vouchers), len(serials))
            return tuple(_voucher(each) for each in answer.ownership_vouchers)

        async def single() -> tuple[VoucherAnswer, ...]:
            return tuple(
                [
                    _voucher(
                        await self._call(
                            "GetOwnershipVoucher",
                            pb.GetOwnershipVoucherRequest(
                                component=self._component(serial),
                                cert_id=cert_id,
                                lifetime=until,
                            ),
                            pb.GetOwnershipVoucherResponse,
                            key,
                        )
                    )
                    for serial in serials
                ]
            )

        return await self._newer("GetOwnershipVouchers", batch, single)

    async def tpms(self, serials: Sequence[str]) -> tuple[TpmAnswer, ...]:
        """Return what is known of each card's TPM, in their order; all or nothing.

        Raises:
            BootzError: refused, unreachable, or not of the form.
        """

        async def batch() -> tuple[TpmAnswer, ...]:
            answer = await self._call(
                "GetSerials",
                pb.GetSerialsRequest(components=[self._component(each) for each in serials]),
                pb.GetSerialsResponse,
            )
            self._count(len(answer.serials), len(serials))
            return tuple(_tpm(each) for each in answer.serials)

        async def single() -> tuple[TpmAnswer, ...]:
            return tuple(
                [
                    _tpm(
                        await self._call(
                            "GetSerial",
                            pb.GetSerialRequest(component=self._component(serial)),
                            pb.GetSerialResponse,
                        )
                    )
                    for serial in serials
                ]
            )

        return await self._newer("GetSerials", batch, single)

    def _component(self, serial: str) -> pb.Component:
        return pb.Component(ien=self._ien, serial_number=serial)

    def _count(self, seen: int, expected: int) -> None:
        if seen != expected:
            raise WireError(
                "masa-answer-invalid",
                "the answer does not have one entry for each component that was requested",
                where=self._where,
                expected=str(expected),
                seen=str(seen),
            )

    async def _newer(
        self, rpc: str, batch: Callable[[], Awaitable[T]], single: Callable[[], Awaitable[T]]
    ) -> T:
        """Use a method that came later; where it is not there, the older one for an hour."""
        lacking = self._lacks.get(rpc)
        if lacking is not None and self._monotonic() < lacking:
            return await single()
        try:
            return await batch()
        except CallRefused as error:
            if error.status is not Status.UNIMPLEMENTED:
                raise
        self._lacks[rpc] = self._monotonic() + _OLDER_S
        return await single()

    async def _call(self, rpc: str, request: Message, answer: type[M], key: str = "") -> M:
        data = request.SerializeToString()
        body = await self._tried(rpc, data, key)
        with _strict(self._where):
            return parse(answer, body)

    async def _tried(self, rpc: str, data: bytes, key: str) -> bytes:
        """Call until there is an answer, a refusal that stays one, or enough tries."""
        renewed = False
        tries = 0
        while True:
            if wait := self._breaker.wait():
                raise Unavailable("masa-suspended", f"for another {wait:.0f} s", where=self._where)
            tries += 1
            try:
                body = await self._once(rpc, data, key, anew=renewed)
            except CallRefused as error:
                self.tally.calls[rpc, error.status.name] += 1
                if error.status is Status.UNAUTHENTICATED:
                    self._breaker.succeeded()
                    if renewed:
                        raise Unavailable(
                            "masa-token-refused", error.detail, where=self._where
                        ) from error
                    renewed = True
                    tries -= 1
                    continue
                if error.status not in _AGAIN:
                    self._breaker.succeeded()
                    raise
                failure: BootzError = error
            except Unavailable as error:
                self.tally.calls[rpc, error.reason] += 1
                failure = error
            else:
                self._breaker.succeeded()
                self.tally.calls[rpc, Status.OK.name] += 1
                self.tally.last_success = self._clock()
                return body
            self._breaker.failed()
            if tries >= MAX_TRIES:
                raise failure
            await self._sleep(backoff(tries, self._chance(), first=FIRST_S, most=MOST_S))

    async def _once(self, rpc: str, data: bytes, key: str, *, anew: bool) -> bytes:
        name, template = self._metadata
        token = template.replace("{token}", self._token.read(anew=anew))
        if self._channel is None:
            self._channel = self._open_channel(BytesCodec())
        try:
            return await call_unary(
                self._channel,
                method_path(rpc),
                data,
                metadata=[(name, token), *([(IDEMPOTENCY_KEY, key)] if key else [])],
                seconds=TRY_S,
                max_bytes=MAX_ANSWER_BYTES,
                reasons=REASONS,
                where=self._where,
            )
        except Unavailable:
            # What is left of the connection may hang; the next try makes its own.
            self.close()
            raise
        except WireError as error:
            self.close()
            raise WireError(
                "masa-answer-invalid", error.detail, where=self._where, seen=error.reason
            ) from error


@contextmanager
def _strict(where: str) -> Iterator[None]:
    """Blame the service for bytes that are not of the form."""
    try:
        yield
    except PeerError as error:
        raise WireError(
            "masa-answer-invalid", error.detail, where=where, seen=error.where
        ) from error


def _voucher(answer: pb.GetOwnershipVoucherResponse) -> VoucherAnswer:
    return VoucherAnswer(answer.voucher_cms, _tpm(answer))


def _tpm(answer: pb.GetOwnershipVoucherResponse | pb.GetSerialResponse) -> TpmAnswer:
    if not answer.HasField("tpm_info"):
        return TpmAnswer(deprecated_key=answer.public_key_der)
    info = answer.tpm_info
    return TpmAnswer(info.endorsement_key, info.ek_certificate, info.platform_primary_key)
