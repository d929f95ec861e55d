"""What a router sends on a stream, v0.6 and v1.0."""

from fuzz.laws import same

from bootz.wire.dialects import BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1
from bootz.wire.streams import STREAM_CODECS, MessageKind


def enter(data: bytes) -> None:
    v1 = bool(data) and data[0] % 2
    codec = STREAM_CODECS[BOOTSTRAP_STREAM_V1 if v1 else BOOTSTRAP_STREAM]
    arrived = codec.arrived(data[1:])
    told = arrived.read()
    if arrived.kind is MessageKind.ANSWER:
        same(told, codec.tell, lambda written: codec.arrived(written).read())
