"""The codec of every gRPC client here: bytes pass through, so that ``wire`` has all control."""

from grpclib.encoding.base import CodecBase


class BytesCodec(CodecBase):
    """Passes ``bytes`` through."""

    __content_subtype__ = "proto"

    def encode(self, message: bytes, message_type: type[bytes]) -> bytes:
        """Return the bytes of a message."""
        return message

    def decode(self, data: bytes, message_type: type[bytes]) -> bytes:
        """Return the bytes."""
        return data
