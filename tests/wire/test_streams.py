"""Messages of the streams: their bytes, both ways, and what is none."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from vectors import tpm as vector

from bootz.errors import WireError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.challenge import (
    HPKE_SUITE,
    EkAnswer,
    EkChallenge,
    HmacAnswer,
    HmacChallenge,
    NonceChallenge,
    SignatureAnswer,
    TransportKey,
)
from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.model.identity import Identity, IdentityKind, TpmKeyType
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.streams import (
    MAX_PROOF,
    STREAM_CODECS,
    Acknowledged,
    MessageKind,
    StreamCodec,
)
from bootz.wire.transport_key import decode_transport_key, encode_transport_key

V06, V1 = STREAM_CODECS["BootstrapStream"], STREAM_CODECS["BootstrapStreamV1"]
BOTH = pytest.mark.parametrize("codec", [V06, V1], ids=["v0.6", "v1"])

STATE = CardState("S1", CardStatus.NOT_INITIALIZED)
IDENTITY = Identity(IdentityKind.IDEVID, idevid_cert="AAAA")
REQUEST = BootstrapRequest(ChassisDescriptor("Acme", "P", "S1"), STATE, "n", IDENTITY)
REPORT = StatusReport(ReportedStatus.SUCCESS, "done", (STATE,), IDENTITY)
SEALED = SealedData(b"data", "c2ln", b"ov", b"oc")
ANSWERS = (
    SignatureAnswer(b"s", b"t"),
    HmacAnswer(b"p", b"i", b"s", b"t"),
    EkAnswer(b"h", b"t"),
)
CHALLENGES = (
    NonceChallenge(b"n"),
    HmacChallenge(TpmKeyType.EK, b"p", b"d", b"s"),
    EkChallenge(b"b"),
)


def field(number: int, content: bytes) -> bytes:
    assert number < 16 and len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_transport_key_as_it_is_signed() -> None:
    plain = encode_transport_key(TransportKey(HPKE_SUITE, vector.seq(0x80, 32)))
    assert plain == vector.TRANSPORT_KEY
    key = TransportKey(HPKE_SUITE, vector.seq(0x80, 32), vector.NONCE)
    assert encode_transport_key(key) == vector.NONCE_TRANSPORT_KEY
    assert hashlib.sha256(vector.NONCE_TRANSPORT_KEY).digest() == vector.NONCE_TRANSPORT_KEY_SHA256
    assert decode_transport_key(vector.NONCE_TRANSPORT_KEY) == key
    assert base64.b64encode(vector.NONCE) == vector.NONCE_TEXT


@BOTH
@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (REQUEST, MessageKind.REQUEST),
        (REPORT, MessageKind.REPORT),
        (SignatureAnswer(b"s"), MessageKind.ANSWER),
        (HmacAnswer(b"p", b"i", b"s"), MessageKind.ANSWER),
    ],
)
def test_what_a_router_says(codec: object, told: object, kind: MessageKind) -> None:
    arrived = codec.arrived(codec.tell(told))  # type: ignore[attr-defined]
    assert (arrived.kind, arrived.read()) == (kind, told)


def test_transport_keys_and_tpm12_travel_in_v1_alone() -> None:
    for told in (
        SignatureAnswer(b"s", b"t"),
        HmacAnswer(b"p", b"i", b"s", b"t"),
        EkAnswer(b"h", b"t"),
    ):
        assert V1.arrived(V1.tell(told)).read() == told
    with pytest.raises(RuntimeError):
        V06.tell(EkAnswer(b"h"))
    with pytest.raises(RuntimeError):
        V06.reply(EkChallenge(b"b"))


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        NonceChallenge(vector.NONCE_TEXT),
        HmacChallenge(TpmKeyType.PPK, b"p", b"d", b"s"),
        HmacChallenge(TpmKeyType.UNSPECIFIED, b"p", b"d", b"s"),
        Acknowledged(),
    ],
)
def test_what_a_server_says(codec: object, reply: object) -> None:
    assert codec.replied(codec.reply(reply)) == reply  # type: ignore[attr-defined]


def test_answers_differ() -> None:
    assert V06.replied(V06.reply(SEALED)) == SEALED
    # On a stream field 1 of the answer is left out.
    assert V06.reply(SEALED)[2:].startswith(b"\xaa\x06")
    encrypted = SealedData(b"cipher", "c2ln", b"ov", b"oc", b"encapsulated")
    assert V1.replied(V1.reply(encrypted)) == encrypted
    with pytest.raises(WireError):
        V1.replied(V1.reply(SEALED))


def test_bytes_of_v1() -> None:
    signed = field(1, field(1, b"tk") + field(2, b"sig"))
    assert V1.tell(SignatureAnswer(b"sig", b"tk")) == field(2, signed)
    hashed = field(3, field(1, b"tk") + field(2, b"hash"))
    assert V1.tell(EkAnswer(b"hash", b"tk")) == field(2, hashed)
    certified = field(1, b"p") + field(2, b"i") + field(3, b"s")
    assert V1.tell(HmacAnswer(b"p", b"i", b"s", b"tk")) == field(
        2, field(2, field(1, b"tk") + field(2, certified))
    )
    assert V1.reply(NonceChallenge(b"n")) == field(1, field(1, field(1, b"n")))
    assert V1.reply(EkChallenge(b"b")) == field(1, field(3, field(1, b"b")))
    assert V1.reply(Acknowledged()) == field(3, b"")


def test_bytes_of_v06() -> None:
    assert V06.tell(SignatureAnswer(b"sig")) == field(2, field(1, b"sig"))
    certified = field(1, b"p") + field(2, b"i") + field(3, b"s")
    assert V06.tell(HmacAnswer(b"p", b"i", b"s")) == field(2, field(3, certified))
    assert V06.reply(NonceChallenge(b"n")) == field(1, field(1, b"n"))
    wrapped = b"\x08\x01" + field(2, field(1, b"p") + field(2, b"d") + field(3, b"s"))
    key = HmacChallenge(TpmKeyType.EK, b"p", b"d", b"s")
    assert V06.reply(key) == field(1, field(5, wrapped))


@BOTH
@pytest.mark.parametrize("data", [b"", field(7, b"draft"), field(2, b""), field(2, field(9, b""))])
def test_nothing_set_that_is_known(codec: object, data: bytes) -> None:
    with pytest.raises(WireError) as caught:
        codec.arrived(data).read()  # type: ignore[attr-defined]
    assert caught.value.reason == "stream-message-empty"


@BOTH
def test_oversized_proofs_and_messages(codec: object) -> None:
    for told, reason in (
        (SignatureAnswer(bytes(MAX_PROOF + 1)), "field-too-long"),
        (HmacAnswer(b"", bytes(MAX_PROOF + 1), b""), "field-too-long"),
        (SignatureAnswer(bytes(1 << 20)), "message-too-large"),
    ):
        with pytest.raises(WireError) as caught:
            codec.arrived(codec.tell(told)).read()  # type: ignore[attr-defined]
        assert caught.value.reason == reason


@BOTH
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(codec: object, data: bytes) -> None:
    for read in (
        lambda: codec.arrived(data).read(),  # type: ignore[attr-defined]
        lambda: codec.replied(data),  # type: ignore[attr-defined]
        lambda: decode_transport_key(data),
    ):
        try:
            read()
        except WireError:
            continue


def leaves_of(message: Message, member: str) -> set[str]:
    """Every field of each thing that a oneof's member can hold, by its path."""
    found: set[str] = set()

    def walk(descriptor: Any, path: str) -> None:
        for each in descriptor.fields:
            place = f"{path}.{each.name}"
            if each.message_type is None:
                found.add(place)
            else:
                walk(each.message_type, place)

    walk(message.DESCRIPTOR.fields_by_name[member].message_type, member)
    return found


def set_leaves(message: Any, path: str = "") -> set[str]:
    found: set[str] = set()
    for each, value in message.ListFields():
        place = f"{path}{each.name}"
        found |= {place} if each.message_type is None else set_leaves(value, f"{place}.")
    return found


@pytest.mark.parametrize(
    ("codec", "message", "member", "things"),
    [
        (V06, pb.BootstrapStreamRequest(), "response", ANSWERS[:2]),
        (V06, pb.BootstrapStreamResponse(), "challenge", CHALLENGES[:2]),
        (V1, pb.BootstrapStreamRequestV1(), "challenge_response", ANSWERS),
        (V1, pb.BootstrapStreamResponseV1(), "challenge_request", CHALLENGES),
    ],
    ids=["v0.6 answers", "v0.6 challenges", "v1 answers", "v1 challenges"],
)
def test_every_field_of_the_schema_is_written(
    codec: StreamCodec, message: Message, member: str, things: Sequence[Any]
) -> None:
    write = codec.tell if things[0] in ANSWERS else codec.reply
    written = (type(message).FromString(write(each)) for each in things)
    assert set().union(*map(set_leaves, written)) == leaves_of(message, member)


DATA = st.binary(max_size=20)
TEXT = st.text(st.characters(max_codepoint=127), max_size=20).map(str.encode)
KEYS = st.builds(HmacChallenge, st.sampled_from(TpmKeyType), DATA, DATA, DATA)


@BOTH
@given(
    st.builds(SignatureAnswer, DATA) | st.builds(HmacAnswer, DATA, DATA, DATA),
    st.builds(NonceChallenge, TEXT) | KEYS,
)
def test_whatever_is_written_is_read_again(codec: StreamCodec, told: Any, reply: Any) -> None:
    assert codec.arrived(codec.tell(told)).read() == told
    assert codec.replied(codec.reply(reply)) == reply
