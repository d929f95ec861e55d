"""How requests are spoilt, and the form of a case about a refusal."""

from typing import Any, Final

from grpclib.const import Status

from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.masa.plays import MasaCase, Refused, Spoil
from bootz.conformance.verdict import SpecSource

INVALID: Final = (Status.INVALID_ARGUMENT,)
NOT_FOUND: Final = (Status.NOT_FOUND,)
EXISTS: Final = (Status.ALREADY_EXISTS,)
PRECONDITION: Final = (Status.FAILED_PRECONDITION,)

UNKNOWN: Final = "conformance-there-is-none"
"""A name that nothing has."""


def refusal_case(name: str, rpc: str, play: Refused, claim: str, source: SpecSource) -> MasaCase:
    """Return a case about a refusal."""
    expected = " or ".join(status.name for status in play.statuses)
    return MasaCase(
        name, rpc, claim, expected, source, play, hostile=True, changes=play.deed.changes
    )


def documented_by(rpc: str) -> str:
    """Return the RPC whose comment has the errors of another one."""
    return {"GetSerials": "GetSerial", "GetOwnershipVouchers": "GetOwnershipVoucher"}.get(rpc, rpc)


def _holder(request: Any, field: str) -> tuple[Any, str]:
    """Return the message that has a field, and its name there; of a list the last entry."""
    *path, name = field.split(".")
    for part in path:
        inner = getattr(request, part)
        request = inner if hasattr(inner, "DESCRIPTOR") else inner[-1]
    return request, name


def cleared(field: str) -> Spoil:
    """Leave a field out."""

    def spoil(_ground: OvgsGround, request: Any) -> None:
        message, name = _holder(request, field)
        message.ClearField(name)

    return spoil


def setting(field: str, value: str | int) -> Spoil:
    """Set a field."""

    def spoil(_ground: OvgsGround, request: Any) -> None:
        message, name = _holder(request, field)
        setattr(message, name, value)

    return spoil


def aim_at_root(ground: OvgsGround, request: Any) -> None:
    """Name the root group."""
    request.group_id = ground.groups["root"]
