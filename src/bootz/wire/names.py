"""The names of dialects and flows, as they stand in journals and on the command line."""

from enum import Enum


class DialectName(Enum):
    """The release lines of the interface, oldest first."""

    V0_1_0 = "v0.1.0"
    NOVEMBER_2023 = "2023-11"
    V0_3 = "v0.3"
    CURRENT = "current"


class FlowName(Enum):
    """How a router asks: unary calls, the stream of v0.6, or that of v1.0."""

    UNARY = "unary"
    STREAM = "stream"
    STREAM_V1 = "stream-v1"
