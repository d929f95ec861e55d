"""Calls of an OVGS service in the name of one account or another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from google.protobuf.message import Message
from grpclib.client import Channel, UnaryStreamMethod
from grpclib.const import Status

from bootz.errors import BootzError
from bootz.transport.calling import (
    CallReasons,
    CallRefused,
    call_errors,
    call_unary,
    end_channel,
)
from bootz.transport.codec import BytesCodec
from bootz.transport.messages import receive_bounded
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path, parse

MAX_ANSWER_BYTES: Final = 4 << 20

_REASONS: Final = CallReasons(
    refused="masa-refused",
    unreachable="masa-unreachable",
    broken="masa-broken",
    late="masa-deadline",
    untrusted="masa-untrusted",
)

LATER: Final = ("GetComponents", "GetSerials", "GetOwnershipVouchers")
"""RPCs that were added to ``ovgs.v1`` later: a service may be older than they are."""


class Who(Enum):
    """In whose name a call is made.

    The roles are those on the suite's own group ``site``; ADMIN's is on the root group.
    """

    ADMIN = "admin"
    GROUP_ADMIN = "group-admin"
    ASSIGNER = "assigner"
    REQUESTOR = "requestor"
    OUTSIDER = "outsider"
    SUPPORT = "support"
    FOREIGN_ADMIN = "foreign-admin"
    FOREIGN = "foreign"
    EXPIRED = "expired"
    UNKNOWN = "unknown-token"
    NONE = "no-token"


@dataclass(frozen=True, slots=True)
class OvgsAccount:
    """An account of the service: the triple that names it, and its token."""

    username: str
    account_type: int
    org_id: str
    token: str = field(repr=False)


class NotJudged(Exception):
    """A case says nothing in this run, and why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call: what was sent, and what came, in words."""

    who: Who
    rpc: str
    sent: bytes = field(repr=False)
    came: str


@dataclass(frozen=True, slots=True)
class TokenForm:
    """How a service takes its token: a key of the metadata, and a template with ``{token}``."""

    key: str = "authorization"
    template: str = "Bearer {token}"


class OvgsCaller:
    """Calls one service, one call after the other, and keeps what was said since ``begin``.

    Args:
        open_channel: makes the connection's channel.
        accounts: those whose tokens there are.
        form: of the metadata.
        where: the service, as errors name it.
        seconds: until an answer must be there.
    """

    def __init__(
        self,
        open_channel: Callable[[BytesCodec], Channel],
        accounts: Mapping[Who, OvgsAccount],
        form: TokenForm,
        *,
        where: str,
        seconds: float,
    ) -> None:
        self._open_channel = open_channel
        self._channel: Channel | None = None
        self._accounts = accounts
        self._form = form
        self._where = where
        self._seconds = seconds
        self.exchanges: list[Exchange] = []

    def close(self) -> None:
        """End the connection."""
        if self._channel is not None:
            end_channel(self._channel)
            self._channel = None

    def has(self, who: Who) -> bool:
        """Tell whether calls can be made in the name of an account."""
        return who in (Who.UNKNOWN, Who.NONE) or who in self._accounts

    def account(self, who: Who) -> OvgsAccount:
        """Return an account.

        Raises:
            NotJudged: the run was given none of that kind.
        """
        found = self._accounts.get(who)
        if found is None:
            raise NotJudged(f"needs --{who.value}")
        return found

    async def call(self, who: Who, rpc: str, request: Message) -> Any:
        """Make a call and return its message; of GetComponents the list of messages.

        Raises:
            NotJudged: there is no such account in this run.
            CallRefused: a status other than OK.
            BootzError: no answer, or none that can be read.
        """
        metadata = self._metadata(who)
        sent = request.SerializeToString()
        try:
            if rpc == "GetComponents":
                bodies = await self._stream(rpc, sent, metadata)
            else:
                bodies = [await self._unary(rpc, sent, metadata)]
            answers = [parse(getattr(pb, f"{rpc}Response"), body) for body in bodies]
        except CallRefused as refusal:
            self._keep(who, rpc, sent, refusal.detail.removeprefix("the service answered "))
            raise
        except BootzError as error:
            self._keep(who, rpc, sent, f"{error.reason}: {error.detail}")
            self.close()
            raise
        words = f"OK, {sum(map(len, bodies))} bytes"
        self._keep(who, rpc, sent, words)
        return answers if rpc == "GetComponents" else answers[0]

    def _keep(self, who: Who, rpc: str, sent: bytes, came: str) -> None:
        self.exchanges.append(Exchange(who, rpc, sent, came))

    def _metadata(self, who: Who) -> list[tuple[str, str]]:
        if who is Who.NONE:
            return []
        token = (
            "conformance-unknown-token-0123456789"
            if who is Who.UNKNOWN
            else self.account(who).token
        )
        return [(self._form.key, self._form.template.replace("{token}", token))]

    def _opened(self) -> Channel:
        if self._channel is None:
            self._channel = self._open_channel(BytesCodec())
        return self._channel

    async def _unary(self, rpc: str, sent: bytes, metadata: Sequence[tuple[str, str]]) -> bytes:
        return await call_unary(
            self._opened(),
            method_path(rpc),
            sent,
            metadata=metadata,
            seconds=self._seconds,
            max_bytes=MAX_ANSWER_BYTES,
            reasons=_REASONS,
            where=self._where,
        )

    async def _stream(
        self, rpc: str, sent: bytes, metadata: Sequence[tuple[str, str]]
    ) -> list[bytes]:
        method = UnaryStreamMethod[bytes, bytes](self._opened(), method_path(rpc), bytes, bytes)
        bodies: list[bytes] = []
        async with (
            call_errors(self._seconds, reasons=_REASONS, where=self._where),
            method.open(timeout=self._seconds, metadata=list(metadata)) as stream,
        ):
            await stream.send_message(sent, end=True)
            await stream.recv_initial_metadata()
            while (body := await receive_bounded(stream, MAX_ANSWER_BYTES)) is not None:
                bodies.append(body)
            await stream.recv_trailing_metadata()
        return bodies


def lacks(rpc: str, refusal: CallRefused) -> bool:
    """Tell whether a service is only older than an RPC that was added later."""
    return rpc in LATER and refusal.status is Status.UNIMPLEMENTED
