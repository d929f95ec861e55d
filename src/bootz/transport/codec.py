"""The codec of every gRPC listener: bytes pass through, so that ``wire`` has all control.

Message objects are serialised only for the health and reflection services of grpclib.
"""

from google.protobuf.message import DecodeError, Message
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError


class BytesCodec(CodecBase):
    """Passes ``bytes`` through and serialises protobuf messages."""

    __content_subtype__ = "proto"

    def encode(self, message: bytes | Message, message_type: type) -> bytes:
        """Return the bytes of a message."""
        return message if isinstance(message, bytes) else message.SerializeToString()

    def decode(self, data: bytes, message_type: type[bytes | Message]) -> bytes | Message:
        """Return the bytes, or the message where a service asks for one."""
        if not issubclass(message_type, Message):
            return data
        try:
            return message_type.FromString(data)
        except DecodeError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, "malformed message") from error
