"""Long lists of values, in as many statements as they need."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")

VALUES_MOST: Final = 500
"""Values of one statement: engines bound their number, SQLite before 3.32 at 999."""


def batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Return the values in their order, at most ``VALUES_MOST`` at a time."""
    for at in range(0, len(values), VALUES_MOST):
        yield values[at : at + VALUES_MOST]
