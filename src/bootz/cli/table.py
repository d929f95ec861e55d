"""Tables of many rows: the same columns as a small table has, laid out in one pass."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

_GAP: Final = "  "


def lay_out(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]
) -> Iterator[str]:
    """Return the lines of a table, the titles first; no cell is folded or cut.

    ``right`` says which columns end at the same place. A cell of several lines takes as many.
    """
    widths = [
        max(_cell_width(title), *(_cell_width(row[at]) for row in rows)) if rows else len(title)
        for at, title in enumerate(titles)
    ]
    for row in (titles, *rows):
        if any("\n" in cell for cell in row):
            for parts in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
                yield _line(parts, widths, right)
        else:
            yield _line(row, widths, right)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, at_the_right in zip(cells, widths, right, strict=True):
        blanks = " " * (width - _width(cell))
        padded.append(blanks + cell if at_the_right else cell + blanks)
    return _GAP.join(padded).rstrip()


def _cell_width(cell: str) -> int:
    return max(map(_width, cell.split("\n"))) if "\n" in cell else _width(cell)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
