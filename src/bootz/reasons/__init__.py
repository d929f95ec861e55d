"""The one list of reasons: ``ROWS`` of every module here, one per subject; a code appears once."""

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from bootz.reasons.reason import Fault, Reason

__all__ = ["REASONS", "Fault", "Reason", "reason_row"]


def _gather() -> MappingProxyType[str, Reason]:
    rows: dict[str, Reason] = {}
    for module in iter_modules(__path__, f"{__name__}."):
        table: tuple[Reason, ...] = getattr(import_module(module.name), "ROWS", ())
        for row in table:
            if row.code in rows:
                raise RuntimeError(f"reason {row.code} is listed twice")
            rows[row.code] = row
    return MappingProxyType(rows)


REASONS = _gather()


def reason_row(code: str) -> Reason:
    """Return the row of a code.

    Raises:
        RuntimeError: the code is in no table; a defect of the caller.
    """
    try:
        return REASONS[code]
    except KeyError:
        raise RuntimeError(f"reason {code!r} is not in the list of reasons") from None
