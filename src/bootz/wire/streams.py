"""Messages of the streams: two releases of the same conversation, each a table of fields.

Source: docs/protocol/tpm.md#identities; Bootz ``BootstrapStream`` (v0.6) and ``BootstrapStreamV1``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

from google.protobuf.message import Message

from bootz.errors import WireError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import (
    Challenge,
    ChallengeAnswer,
    EkAnswer,
    EkChallenge,
    HmacAnswer,
    HmacChallenge,
    NonceChallenge,
    SignatureAnswer,
)
from bootz.model.identity import TpmKeyType
from bootz.wire import bounds
from bootz.wire.answers import read_answer, write_answer
from bootz.wire.dialects import BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1, CURRENT
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.reports import read_report, write_report
from bootz.wire.requests import read_request, write_request

MAX_PROOF: Final = 8 * 1024
"""Bytes of a field of an answer; a TPM's structures have some hundred."""

_KEY_TYPES: Final = {each.value: each for each in TpmKeyType}

Told: TypeAlias = BootstrapRequest | StatusReport | ChallengeAnswer
"""What a router says on a stream."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A report has been taken (``EmptyResponse``)."""


Reply: TypeAlias = Challenge | SealedData | Acknowledged
"""What a server says on a stream."""


class MessageKind(Enum):
    """The three things a router can say; the order is judged by them, before content is read."""

    REQUEST = "bootstrap_request"
    ANSWER = "challenge answer"
    REPORT = "report_status_request"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message whose kind is known. ``read`` returns its content, or raises WireError."""

    kind: MessageKind
    read: Callable[[], Told] = field(repr=False)


class _Row:
    """How a challenge or an answer is spelt: where each of its attributes is in the message.

    ``path`` is the member of the oneof, from the top; ``fields`` are below it ("" is the member
    itself). A text holds ASCII; a number is that of a key type.
    """

    def __init__(self, kind: type, path: str, fields: Mapping[str, str]) -> None:
        self.kind = kind
        self.path = path
        places = {name: f"{path}.{place}".rstrip(".") for name, place in fields.items()}
        self._gets = [(name, place, attrgetter(place)) for name, place in places.items()]
        cut = [(name, *place.rpartition(".")) for name, place in places.items()]
        self._sets = [(name, attrgetter(above), last) for name, above, _, last in cut]

    def read(self, message: Message) -> Any:
        """Return what the message says."""
        said: dict[str, bytes | TpmKeyType] = {}
        for name, place, get in self._gets:
            value = get(message)
            if isinstance(value, int):
                said[name] = _KEY_TYPES.get(value, TpmKeyType.UNSPECIFIED)
                continue
            data = value.encode() if isinstance(value, str) else value
            bounds.check_length(len(data), place, MAX_PROOF, "bytes")
            said[name] = data
        return self.kind(**said)

    def write(self, told: Any, message: Message) -> None:
        """Write it into the message."""
        for name, holder_of, last in self._sets:
            value, holder = getattr(told, name), holder_of(message)
            if isinstance(value, TpmKeyType):
                value = value.value
            elif isinstance(getattr(holder, last), str):
                value = value.decode("ascii")
            setattr(holder, last, value)


def _below(member: str, *pairs: tuple[str, str]) -> Mapping[str, str]:
    return {name: f"{member}{place}" for name, place in pairs}


_KEY: Final = (("public", "hmac_pub_key"), ("duplicate", "duplicate"), ("seed", "in_sym_seed"))
_CERTIFIED: Final = (
    ("iak_public", "iak_pub"),
    ("certify_info", "iak_certify_info"),
    ("signature", "iak_certify_info_signature"),
)
_BOUND: Final = {"transport_key": "serialized_transport_key"}

_V06: Final = (
    _Row(SignatureAnswer, "response.nonce_signed", {"signature": ""}),
    _Row(HmacAnswer, "response.hmac_challenge_response", _below("", *_CERTIFIED)),
    _Row(NonceChallenge, "challenge.nonce", {"nonce": ""}),
    _Row(
        HmacChallenge,
        "challenge.tpm20_hmac_challenge",
        {"key_type": "key", **_below("hmac_challenge.", *_KEY)},
    ),
)
_V1: Final = (
    _Row(SignatureAnswer, "challenge_response.tpm20_idevid", {"signature": "signature", **_BOUND}),
    _Row(HmacAnswer, "challenge_response.tpm20_hmac", {**_below("hmac.", *_CERTIFIED), **_BOUND}),
    _Row(EkAnswer, "challenge_response.tpm12_ek", {"hash": "hash", **_BOUND}),
    _Row(NonceChallenge, "challenge_request.tpm20_idevid", {"nonce": "nonce"}),
    _Row(
        HmacChallenge,
        "challenge_request.tpm20_hmac",
        {"key_type": "key_type", **_below("hmac_encrypted.", *_KEY)},
    ),
    _Row(EkChallenge, "challenge_request.tpm12_ek", {"blob": "blob_encrypted"}),
)
_ENCRYPTED: Final = {
    "payload": "encrypted_serialized_bootstrap_data",
    "encapsulated_key": "encapsulated_key",
    "signature": "response_signature",
    "ownership_voucher": "ownership_voucher",
    "owner_certificate": "ownership_certificate",
}


class StreamCodec:
    """How one release spells a stream.

    Args:
        asks: the message of a router; both openings are alike in all releases.
        replies: the message of a server.
        rows: the challenges and answers that the release has.
        read_data: returns the sealed data of a server's message, or raises WireError.
        write_data: writes them.
    """

    def __init__(
        self,
        asks: type[Message],
        replies: type[Message],
        rows: Iterable[_Row],
        read_data: Callable[[Any], SealedData],
        write_data: Callable[[SealedData, Any], None],
    ) -> None:
        self._asks = asks
        self._replies = replies
        self._by_path = {row.path: row for row in rows}
        self._by_kind = {row.kind: row for row in self._by_path.values()}
        self._read_data = read_data
        self._write_data = write_data

    def arrived(self, data: bytes) -> Arrived:
        """Read as much of a router's message as tells its kind.

        Raises:
            WireError: malformed, too large, or with nothing set that this release knows.
        """
        message: Any = bounds.parse(self._asks, data)
        match message.WhichOneof("type"):
            case "bootstrap_request":
                opening = message.bootstrap_request
                return Arrived(MessageKind.REQUEST, lambda: read_request(opening, CURRENT))
            case "report_status_request":
                report = message.report_status_request
                return Arrived(MessageKind.REPORT, lambda: read_report(report, CURRENT))
            case None:
                raise _empty(self._asks.DESCRIPTOR.name)
            case member:
                return Arrived(MessageKind.ANSWER, lambda: self._read(message, member))

    def tell(self, told: Told) -> bytes:
        """Write a router's message."""
        message: Any = self._asks()
        match told:
            case BootstrapRequest():
                message.bootstrap_request.CopyFrom(write_request(told, CURRENT))
            case StatusReport():
                message.report_status_request.CopyFrom(write_report(told, CURRENT))
            case _:
                self._row(told).write(told, message)
        return cast("bytes", message.SerializeToString(deterministic=True))

    def reply(self, reply: Reply) -> bytes:
        """Write a server's message."""
        message: Any = self._replies()
        match reply:
            case SealedData():
                message.bootstrap_response.SetInParent()
                self._write_data(reply, message.bootstrap_response)
            case Acknowledged():
                message.report_status_response.SetInParent()
            case _:
                self._row(reply).write(reply, message)
        return cast("bytes", message.SerializeToString(deterministic=True))

    def replied(self, data: bytes) -> Reply:
        """Read a server's message.

        Raises:
            WireError: malformed, too large, or with nothing set that this release knows.
        """
        message: Any = bounds.parse(self._replies, data, limit=bounds.MAX_ANSWER_BYTES)
        match message.WhichOneof("type"):
            case "bootstrap_response":
                return self._read_data(message.bootstrap_response)
            case "report_status_response":
                return Acknowledged()
            case None:
                raise _empty(self._replies.DESCRIPTOR.name)
            case member:
                return cast("Challenge", self._read(message, member))

    def _read(self, message: Any, member: str) -> Any:
        inner = getattr(message, member).WhichOneof("type")
        if inner is None:
            raise _empty(member)
        return self._by_path[f"{member}.{inner}"].read(message)

    def _row(self, told: Challenge | ChallengeAnswer) -> _Row:
        row = self._by_kind.get(type(told))
        if row is None:
            raise RuntimeError(f"this release has no {type(told).__name__}")
        return row


def _read_encrypted(message: pb.StreamBootstrapDataResponse) -> SealedData:
    for place in (_ENCRYPTED["payload"], _ENCRYPTED["encapsulated_key"]):
        if not getattr(message, place):
            raise WireError("field-malformed", "the answer contains no encrypted data", where=place)
    return SealedData(**{name: getattr(message, place) for name, place in _ENCRYPTED.items()})


def _write_encrypted(sealed: SealedData, message: pb.StreamBootstrapDataResponse) -> None:
    for name, place in _ENCRYPTED.items():
        setattr(message, place, getattr(sealed, name))


STREAM_CODECS: Final = MappingProxyType[str, StreamCodec](
    {
        # No transport key; the data are signed and travel in the clear.
        BOOTSTRAP_STREAM: StreamCodec(
            pb.BootstrapStreamRequest,
            pb.BootstrapStreamResponse,
            _V06,
            lambda message: read_answer(message, CURRENT),
            lambda sealed, message: message.CopyFrom(write_answer(sealed, CURRENT, streamed=True)),
        ),
        # Answers are bound to a transport key, and the data are encrypted for it.
        BOOTSTRAP_STREAM_V1: StreamCodec(
            pb.BootstrapStreamRequestV1,
            pb.BootstrapStreamResponseV1,
            _V1,
            _read_encrypted,
            _write_encrypted,
        ),
    }
)
"""By the name of the method."""


def _empty(where: str) -> WireError:
    return WireError("stream-message-empty", "no known field is set", where=where)
