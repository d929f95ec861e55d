"""Serial numbers that a person may have meant: letters taken for digits, one slip of the hand."""

from collections.abc import Iterable
from typing import Final

from bootz.model.chassis import fold_serial

MOST: Final = 3
"""Serial numbers that are offered."""

_ALIKE: Final = str.maketrans("oilbsz", "011852")
"""Letters that are read as digits, and what they are read as."""


def nearest_serials(serial: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return those of the known serial numbers that are next to one that is not among them.

    Those that differ by letters that look like digits (O for 0, I for 1); if there are none, those
    with one character more, less or other, or two neighbours exchanged.
    """
    wanted = fold_serial(serial).translate(_ALIKE)
    found: dict[str, int] = {}
    for each in known:
        if fold_serial(each) == fold_serial(serial):
            # It is on record, and something else of it is missing: it is no help to name it.
            continue
        other = fold_serial(each).translate(_ALIKE)
        if other == wanted:
            found[each] = 0
        elif _is_one_slip(wanted, other):
            found[each] = 1
    if 0 in found.values():
        found = {each: slips for each, slips in found.items() if slips == 0}
    return tuple(sorted(found)[:MOST])


def did_you_mean(serial: str, known: Iterable[str]) -> str:
    """Return words that go behind an error; empty if no serial number is near, or it is known.

    What is missing for a number that is known is something else than the right number.
    """
    numbers = tuple(known)
    if fold_serial(serial) in {fold_serial(each) for each in numbers}:
        return ""
    found = nearest_serials(serial, numbers)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _is_one_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 2:
        return False
    start, shorter = 0, min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    return max(len(left), len(right)) <= 1 or (len(left) == 2 and left == right[::-1])
