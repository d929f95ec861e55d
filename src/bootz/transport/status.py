"""The one table from a reason's fault to a gRPC status."""

from types import MappingProxyType

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from bootz.errors import BootzError
from bootz.reasons import Fault

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


def grpc_error(error: BootzError) -> GRPCError:
    """Translate an error for the wire: the reason's code and meaning, and no evidence.

    What was expected and seen stays with the operator; a peer that probes learns nothing of
    the inventory beyond the status.
    """
    return GRPCError(STATUS_OF_FAULT[error.row.fault], f"{error.reason}: {error.row.meaning}")
