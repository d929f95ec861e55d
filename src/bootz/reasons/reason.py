"""What a reason is: a stable code, what it means, and what a person does next.

A reason has a fault, which says whose move it is; transports translate the fault, once each
(gRPC status in ``server/onboarding/grpc.py``, HTTP status in the HTTP parties, exit code in
``cli``).
"""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """The kind of failure, from which every transport derives its own code."""

    MALFORMED = "malformed"
    """The peer's bytes or arguments are not of the form."""
    TOO_LARGE = "too-large"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    """What is to be created exists already."""
    PRECONDITION = "precondition"
    """The call is right, the state is not."""
    UNIMPLEMENTED = "unimplemented"
    DEADLINE = "deadline"
    UNAVAILABLE = "unavailable"
    """The world's: a file, a disk, a database, a peer that does not answer."""
    CONFIGURATION = "configuration"
    """The operator's: a setting, a file, a template."""
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the list of reasons; ``action`` is the next step for a person."""

    code: str
    fault: Fault
    meaning: str
    action: str
