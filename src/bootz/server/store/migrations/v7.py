"""Version 7: one function for each part of the tables that changed since version 6."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


_PARTS: "Final[tuple[Callable[[Operations], None], ...]]" = ()


def _upgrade(op: "Operations") -> None:
    for part in _PARTS:
        part(op)


STEP: Final = Step(7, "what was last sent, and what an operator asks of the server", _upgrade)
