"""Statuses of gRPC, and the one table from a reason's fault to one."""

from enum import IntEnum
from types import MappingProxyType

from bootz.errors import BootzError
from bootz.reasons import Fault


class Status(IntEnum):
    """How a call ended.

    Source: gRPC status codes.
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class EndCall(Exception):
    """Ends a call with a status and words for the caller; raise it in a method."""

    def __init__(self, status: Status, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


STATUS_OF_FAULT = MappingProxyType(
    {
        Fault.MALFORMED: Status.INVALID_ARGUMENT,
        Fault.TOO_LARGE: Status.RESOURCE_EXHAUSTED,
        Fault.UNAUTHENTICATED: Status.UNAUTHENTICATED,
        Fault.FORBIDDEN: Status.PERMISSION_DENIED,
        Fault.NOT_FOUND: Status.NOT_FOUND,
        Fault.CONFLICT: Status.ALREADY_EXISTS,
        Fault.PRECONDITION: Status.FAILED_PRECONDITION,
        Fault.UNIMPLEMENTED: Status.UNIMPLEMENTED,
        Fault.DEADLINE: Status.DEADLINE_EXCEEDED,
        Fault.UNAVAILABLE: Status.UNAVAILABLE,
        # A mistake of our operator is nothing the peer could mend by asking differently.
        Fault.CONFIGURATION: Status.FAILED_PRECONDITION,
        Fault.INTERNAL: Status.INTERNAL,
    }
)


def end_of(error: BootzError) -> EndCall:
    """Translate an error for the wire: the reason's code and meaning, and no evidence.

    What was expected and seen stays with the operator; a peer that probes learns nothing of
    the inventory beyond the status.
    """
    return EndCall(STATUS_OF_FAULT[error.row.fault], f"{error.reason}: {error.row.meaning}")
