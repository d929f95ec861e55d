"""Messages of the streams: two releases of the same conversation, each spelt by its own codec.

Source: docs/protocol/tpm.md#identities; Bootz ``BootstrapStream`` (v0.6) and ``BootstrapStreamV1``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias, assert_never, cast

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
    TransportKey,
)
from bootz.model.identity import TpmKeyType
from bootz.wire import bounds
from bootz.wire.answers import read_answer, write_answer
from bootz.wire.dialects import BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1, CURRENT
from bootz.wire.generated import attestz_pb2 as attestz
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


class StreamCodec(Protocol):
    """How one release spells a stream."""

    def arrived(self, data: bytes) -> Arrived:
        """Read as much of a router's message as tells its kind.

        Raises:
            WireError: malformed, too large, or with nothing set that this release knows.
        """
        ...

    def tell(self, told: Told) -> bytes:
        """Write a router's message."""
        ...

    def reply(self, reply: Reply) -> bytes:
        """Write a server's message."""
        ...

    def replied(self, data: bytes) -> Reply:
        """Read a server's message.

        Raises:
            WireError: malformed, too large, or with nothing set that this release knows.
        """
        ...


class _Codec(ABC):
    """What both releases spell alike: the first messages, and how a message tells its kind.

    ``told_type`` is the router's message, whose oneof has both openings and the answer.
    """

    told_type: type[pb.BootstrapStreamRequest] | type[pb.BootstrapStreamRequestV1]

    def arrived(self, data: bytes) -> Arrived:
        """Read as much of a router's message as tells its kind."""
        message = bounds.parse(self.told_type, data)
        match message.WhichOneof("type"):
            case "bootstrap_request":
                return Arrived(
                    MessageKind.REQUEST, lambda: read_request(message.bootstrap_request, CURRENT)
                )
            case "report_status_request":
                return Arrived(
                    MessageKind.REPORT, lambda: read_report(message.report_status_request, CURRENT)
                )
            case None:
                raise _empty(self.told_type.DESCRIPTOR.name)
            case answer:
                return Arrived(MessageKind.ANSWER, lambda: self._read(getattr(message, answer)))

    def tell(self, told: Told) -> bytes:
        """Write a router's message."""
        if not isinstance(told, BootstrapRequest | StatusReport):
            return self._write(told).SerializeToString(deterministic=True)
        message = self.told_type()
        if isinstance(told, BootstrapRequest):
            message.bootstrap_request.CopyFrom(write_request(told, CURRENT))
        else:
            message.report_status_request.CopyFrom(write_report(told, CURRENT))
        return message.SerializeToString(deterministic=True)

    @abstractmethod
    def _read(self, message: Any) -> ChallengeAnswer:
        """Return the answer that the oneof holds."""

    @abstractmethod
    def _write(self, answer: ChallengeAnswer) -> Message:
        """Return the message of an answer."""


class _CodecV1(_Codec):
    """``BootstrapStreamV1``: answers are bound to a transport key, data are encrypted for it."""

    told_type = pb.BootstrapStreamRequestV1

    def _read(self, message: pb.BootstrapStreamRequestV1.ChallengeResponse) -> ChallengeAnswer:
        match message.WhichOneof("type"):
            case "tpm20_idevid":
                signed = message.tpm20_idevid
                return SignatureAnswer(
                    _proof(signed.signature, "tpm20_idevid.signature"),
                    _transport_key(signed.serialized_transport_key),
                )
            case "tpm20_hmac":
                return _read_hmac(
                    message.tpm20_hmac.hmac,
                    _transport_key(message.tpm20_hmac.serialized_transport_key),
                )
            case "tpm12_ek":
                return EkAnswer(
                    _proof(message.tpm12_ek.hash, "tpm12_ek.hash"),
                    _transport_key(message.tpm12_ek.serialized_transport_key),
                )
            case None:
                raise _empty("challenge_response")
            case other:
                assert_never(other)

    def _write(self, answer: ChallengeAnswer) -> Message:
        message = pb.BootstrapStreamRequestV1()
        match answer:
            case SignatureAnswer():
                signed = message.challenge_response.tpm20_idevid
                signed.serialized_transport_key = answer.transport_key
                signed.signature = answer.signature
            case HmacAnswer():
                certified = message.challenge_response.tpm20_hmac
                certified.serialized_transport_key = answer.transport_key
                certified.hmac.CopyFrom(_write_hmac(answer))
            case EkAnswer():
                hashed = message.challenge_response.tpm12_ek
                hashed.serialized_transport_key = answer.transport_key
                hashed.hash = answer.hash
            case other:
                assert_never(other)
        return message

    def reply(self, reply: Reply) -> bytes:
        """Write a server's message."""
        message = pb.BootstrapStreamResponseV1()
        match reply:
            case NonceChallenge():
                message.challenge_request.tpm20_idevid.nonce = reply.nonce
            case HmacChallenge():
                asked = message.challenge_request.tpm20_hmac
                asked.key_type = cast("attestz.Key", reply.key_type.value)
                asked.hmac_encrypted.CopyFrom(_write_key(reply))
            case EkChallenge():
                message.challenge_request.tpm12_ek.blob_encrypted = reply.blob
            case SealedData():
                answer = message.bootstrap_response
                answer.ownership_voucher = reply.ownership_voucher
                answer.ownership_certificate = reply.owner_certificate
                answer.response_signature = reply.signature
                answer.encrypted_serialized_bootstrap_data = reply.payload
                answer.encapsulated_key = reply.encapsulated_key
                message.bootstrap_response.SetInParent()
            case Acknowledged():
                message.report_status_response.SetInParent()
            case other:
                assert_never(other)
        return message.SerializeToString(deterministic=True)

    def replied(self, data: bytes) -> Reply:
        """Read a server's message."""
        message = bounds.parse(pb.BootstrapStreamResponseV1, data, limit=bounds.MAX_ANSWER_BYTES)
        match message.WhichOneof("type"):
            case "challenge_request":
                return self._challenge(message.challenge_request)
            case "bootstrap_response":
                answer = message.bootstrap_response
                if not answer.encrypted_serialized_bootstrap_data or not answer.encapsulated_key:
                    raise WireError(
                        "field-malformed",
                        "the answer contains no encrypted data",
                        where="encrypted_serialized_bootstrap_data",
                    )
                return SealedData(
                    answer.encrypted_serialized_bootstrap_data,
                    answer.response_signature,
                    answer.ownership_voucher,
                    answer.ownership_certificate,
                    answer.encapsulated_key,
                )
            case "report_status_response":
                return Acknowledged()
            case None:
                raise _empty("BootstrapStreamResponseV1")
            case other:
                assert_never(other)

    def _challenge(self, message: pb.BootstrapStreamResponseV1.ChallengeRequest) -> Challenge:
        match message.WhichOneof("type"):
            case "tpm20_idevid":
                return NonceChallenge(_proof(message.tpm20_idevid.nonce, "tpm20_idevid.nonce"))
            case "tpm20_hmac":
                asked = message.tpm20_hmac
                return _read_key(asked.key_type, asked.hmac_encrypted)
            case "tpm12_ek":
                return EkChallenge(_proof(message.tpm12_ek.blob_encrypted, "blob_encrypted"))
            case None:
                raise _empty("challenge_request")
            case other:
                assert_never(other)


class _CodecV06(_Codec):
    """``BootstrapStream``: no transport key; the data are signed and travel in the clear."""

    told_type = pb.BootstrapStreamRequest

    def _read(self, message: pb.BootstrapStreamRequest.Response) -> ChallengeAnswer:
        match message.WhichOneof("type"):
            case "nonce_signed":
                return SignatureAnswer(_proof(message.nonce_signed, "response.nonce_signed"))
            case "hmac_challenge_response":
                return _read_hmac(message.hmac_challenge_response, b"")
            case None:
                raise _empty("response")
            case other:
                assert_never(other)

    def _write(self, answer: ChallengeAnswer) -> Message:
        message = pb.BootstrapStreamRequest()
        match answer:
            case SignatureAnswer():
                message.response.nonce_signed = answer.signature
            case HmacAnswer():
                message.response.hmac_challenge_response.CopyFrom(_write_hmac(answer))
            case EkAnswer():
                raise RuntimeError("this release does not have this answer")
            case other:
                assert_never(other)
        return message

    def reply(self, reply: Reply) -> bytes:
        """Write a server's message."""
        message = pb.BootstrapStreamResponse()
        match reply:
            case NonceChallenge():
                message.challenge.nonce = reply.nonce.decode("ascii")
            case HmacChallenge():
                asked = message.challenge.tpm20_hmac_challenge
                asked.key = cast("attestz.Key", reply.key_type.value)
                asked.hmac_challenge.CopyFrom(_write_key(reply))
            case EkChallenge():
                raise RuntimeError("this release does not have this challenge")
            case SealedData():
                message.bootstrap_response.CopyFrom(write_answer(reply, CURRENT, streamed=True))
            case Acknowledged():
                message.report_status_response.SetInParent()
            case other:
                assert_never(other)
        return message.SerializeToString(deterministic=True)

    def replied(self, data: bytes) -> Reply:
        """Read a server's message."""
        message = bounds.parse(pb.BootstrapStreamResponse, data, limit=bounds.MAX_ANSWER_BYTES)
        match message.WhichOneof("type"):
            case "challenge":
                return self._challenge(message.challenge)
            case "bootstrap_response":
                return read_answer(message.bootstrap_response, CURRENT)
            case "report_status_response":
                return Acknowledged()
            case None:
                raise _empty("BootstrapStreamResponse")
            case other:
                assert_never(other)

    def _challenge(self, message: pb.BootstrapStreamResponse.Challenge) -> Challenge:
        match message.WhichOneof("type"):
            case "nonce":
                return NonceChallenge(_proof(message.nonce.encode(), "challenge.nonce"))
            case "tpm20_hmac_challenge":
                asked = message.tpm20_hmac_challenge
                return _read_key(asked.key, asked.hmac_challenge)
            case None:
                raise _empty("challenge")
            case other:
                assert_never(other)


STREAM_CODECS: Final = MappingProxyType[str, StreamCodec](
    {BOOTSTRAP_STREAM: _CodecV06(), BOOTSTRAP_STREAM_V1: _CodecV1()}
)
"""By the name of the method."""


def decode_transport_key(data: bytes) -> TransportKey:
    """Read a serialised TransportKey.

    Raises:
        WireError: not a message of that form, or too long.
    """
    message = bounds.parse(pb.TransportKey, data, limit=MAX_PROOF)
    return TransportKey(message.cipher_suite, message.public_key, message.nonce)


def encode_transport_key(key: TransportKey) -> bytes:
    """Write a TransportKey; whoever proves something proves it over exactly these bytes."""
    suite = cast("pb.HPKECipherSuite", key.cipher_suite)
    message = pb.TransportKey(cipher_suite=suite, public_key=key.public_key, nonce=key.nonce)
    return message.SerializeToString(deterministic=True)


def _empty(where: str) -> WireError:
    return WireError("stream-message-empty", "no known field is set", where=where)


def _proof(data: bytes, where: str) -> bytes:
    bounds.check_length(len(data), where, MAX_PROOF, "bytes")
    return data


def _transport_key(data: bytes) -> bytes:
    return _proof(data, "serialized_transport_key")


def _read_hmac(message: attestz.HMACChallengeResponse, transport_key: bytes) -> HmacAnswer:
    return HmacAnswer(
        _proof(message.iak_pub, "iak_pub"),
        _proof(message.iak_certify_info, "iak_certify_info"),
        _proof(message.iak_certify_info_signature, "iak_certify_info_signature"),
        transport_key,
    )


def _write_hmac(answer: HmacAnswer) -> attestz.HMACChallengeResponse:
    return attestz.HMACChallengeResponse(
        iak_pub=answer.iak_public,
        iak_certify_info=answer.certify_info,
        iak_certify_info_signature=answer.signature,
    )


def _read_key(key_type: int, message: attestz.HMACChallenge) -> HmacChallenge:
    return HmacChallenge(
        _KEY_TYPES.get(key_type, TpmKeyType.UNSPECIFIED),
        _proof(message.hmac_pub_key, "hmac_pub_key"),
        _proof(message.duplicate, "duplicate"),
        _proof(message.in_sym_seed, "in_sym_seed"),
    )


def _write_key(challenge: HmacChallenge) -> attestz.HMACChallenge:
    return attestz.HMACChallenge(
        hmac_pub_key=challenge.public,
        duplicate=challenge.duplicate,
        in_sym_seed=challenge.seed,
    )
