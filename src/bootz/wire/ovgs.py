"""The messages of ``ovgs.v1`` and their strict reading.

Source: openconfig/ovgs ``ovgs.proto``. The messages themselves are protobuf's; both sides of the
interface translate them to nouns of their own.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from bootz.errors import WireError
from bootz.wire.generated import ovgs_pb2 as messages

__all__ = [
    "IDEMPOTENCY_KEY",
    "SERVICE",
    "messages",
    "method_path",
    "parse",
    "read_instant",
    "write_instant",
]

SERVICE: Final = "ovgs.v1.OwnershipVoucherService"

IDEMPOTENCY_KEY: Final = "idempotency-key"
"""Metadata by which a caller says that a call is one that it made before, and whose answer it may
have lost; a service that does not know it issues again. Source: docs/protocol/ovgs.md#issuing.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND: Final = -62135596800
_LAST_SECOND: Final = 253402300799
"""The years 1 to 9999, which is what a Timestamp may hold."""

M = TypeVar("M", bound=Message)


def method_path(method: str) -> str:
    """Return the path of a method's calls."""
    return f"/{SERVICE}/{method}"


def parse(message_type: type[M], data: bytes) -> M:
    """Read a message.

    Raises:
        WireError: the bytes are malformed.
    """
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise WireError(
            "ovgs-request-malformed", f"not a {message_type.DESCRIPTOR.name}"
        ) from error


def read_instant(field: str, timestamp: Timestamp) -> datetime:
    """Return the instant of a Timestamp, cut to microseconds.

    Raises:
        WireError: outside of what a Timestamp may hold.
    """
    seconds, nanos = timestamp.seconds, timestamp.nanos
    if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos <= 999_999_999):
        raise WireError("ovgs-request-malformed", "is not a valid Timestamp", where=field)
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def write_instant(moment: datetime) -> Timestamp:
    """Return the Timestamp of an aware time."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)
