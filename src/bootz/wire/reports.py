"""Status reports (Bootz ``ReportStatusRequest``)."""

from typing import Final, cast

from bootz.errors import WireError
from bootz.model.bootstrap import ReportedStatus, StatusReport
from bootz.wire import bounds
from bootz.wire.claims import (
    check_serials,
    read_digest,
    read_identity,
    read_state,
    write_identity,
    write_state,
)
from bootz.wire.dialects import Dialect
from bootz.wire.generated import bootz_pb2 as pb

_STATUSES: Final = {status.value: status for status in ReportedStatus}


def decode_report(data: bytes, dialect: Dialect) -> StatusReport:
    """Read a report; its message is cut to what is kept, never refused.

    Raises:
        WireError: not well-formed or not within bounds (docs/protocol/wire.md#bounds-of-a-request).
    """
    return read_report(bounds.parse(pb.ReportStatusRequest, data), dialect)


def encode_report(report: StatusReport, dialect: Dialect) -> bytes:
    """Write a report with the fields that the dialect has."""
    return write_report(report, dialect).SerializeToString(deterministic=True)


def read_report(message: pb.ReportStatusRequest, dialect: Dialect) -> StatusReport:
    """Return the report that a message holds; raises as ``decode_report`` does."""
    status = _STATUSES.get(message.status)
    if status is None:
        raise WireError(
            "field-malformed", "not a status of a report", where="status", seen=str(message.status)
        )
    # Databases do not keep a NUL.
    text = message.status_message[: bounds.MAX_STATUS_MESSAGE].replace("\0", "\ufffd")
    if not dialect.report_states:
        return StatusReport(status, text)
    bounds.check_count(len(message.states), "states")
    states = tuple(
        read_state(state, f"states[{number}]") for number, state in enumerate(message.states)
    )
    check_serials((state.serial_number for state in states), "states")
    if not dialect.identity:
        return StatusReport(status, text, states)
    return StatusReport(
        status,
        text,
        states,
        read_identity(message.identity) if message.HasField("identity") else None,
        read_digest(message.aik_pub_digest),
    )


def write_report(report: StatusReport, dialect: Dialect) -> pb.ReportStatusRequest:
    """Return the message of a report."""
    status = cast("pb.ReportStatusRequest.BootstrapStatus", report.status.value)
    message = pb.ReportStatusRequest(status=status, status_message=report.message)
    if dialect.report_states:
        message.states.extend(write_state(state) for state in report.states)
    if dialect.identity:
        if report.identity is not None:
            message.identity.CopyFrom(write_identity(report.identity))
        message.aik_pub_digest = report.aik_pub_digest or b""
    return message
