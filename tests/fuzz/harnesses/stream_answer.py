"""What a server sends on a stream, v0.6 and v1.0: read by the router."""

from fuzz.laws import stable

from bootz.wire.dialects import BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1
from bootz.wire.streams import STREAM_CODECS


def enter(data: bytes) -> None:
    v1 = bool(data) and data[0] % 2
    codec = STREAM_CODECS[BOOTSTRAP_STREAM_V1 if v1 else BOOTSTRAP_STREAM]
    codec.replied(data[1:])
    stable(data[1:], lambda raw: codec.reply(codec.replied(raw)), lambda raw: raw)
