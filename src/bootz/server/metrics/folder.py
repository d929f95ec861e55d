"""The files of all processes together: added up, and those of ended processes folded into one.

Nothing that was counted is lost when a process dies, and the folder does not grow with every
process that was ever started.
"""

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootz.errors import Unavailable
from bootz.keystore.files import atomic_write
from bootz.log import get_logger
from bootz.server.metrics.counting import SUFFIX, Counting, Key, series_in
from bootz.server.metrics.families import BY_NAME, MetricKind

log = get_logger()

FOLDER: Final = Path("run") / "metrics"
"""Below the site."""
_ENDED: Final = "ended.json"
_LOCK: Final = "folding.lock"
_NEVER: Final = (math.inf,)
"""The value of what has an end no more: the series is left out."""
_LASTING: Final = frozenset({MetricKind.COUNTER, MetricKind.HISTOGRAM})

Numbers = dict[Key, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class _Ended:
    """What ended processes have counted; the files in ``folded`` are in it already."""

    numbers: Numbers
    folded: frozenset[str]


def read_numbers(folder: Path) -> Numbers:
    """Return the numbers of all processes together; none where nothing has counted yet."""
    if not (folder / _LOCK).exists():
        return {}
    with _locked(folder, fcntl.LOCK_SH):
        ended = _read_ended(folder)
        total = dict(ended.numbers)
        for file in _files(folder):
            if file.name not in ended.folded:
                living, numbers = _read(file)
                _add(total, numbers, living=living)
    return total


def begin_counting(folder: Path) -> Counting:
    """Return the numbers of this process; those of ended ones are folded into one file first.

    A process that is killed while it folds leaves files that are named as folded: they count once.

    Raises:
        Unavailable: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        (folder / _LOCK).touch(mode=0o644)
        # The lock also covers the moment in which the new file has no lock of its own yet.
        with _locked(folder, fcntl.LOCK_EX):
            _fold(folder)
            return Counting.open(folder)
    except OSError as error:
        raise Unavailable(
            "file-unwritable", f"cannot be written: {error.strerror}", where=str(folder)
        ) from error


def counting_of_site(root: Path) -> Counting:
    """Return the numbers of this process of a site; where none can be kept, routers come first."""
    try:
        return begin_counting(root / FOLDER)
    except Unavailable as error:
        log.warning("metrics-not-kept", detail=str(error))
        return Counting.unkept()


def _fold(folder: Path) -> None:
    ended = _read_ended(folder)
    total, gone = dict(ended.numbers), []
    for file in _files(folder):
        if file.name in ended.folded:
            gone.append(file)
            continue
        living, numbers = _read(file)
        if not living:
            _add(total, numbers, living=False)
            gone.append(file)
    if not gone:
        return
    document = {
        "folded": [file.name for file in gone],
        "numbers": [[list(key), list(values)] for key, values in total.items()],
    }
    atomic_write(folder / _ENDED, json.dumps(document).encode(), mode=0o644)
    for file in gone:
        file.unlink(missing_ok=True)


def _add(total: Numbers, numbers: Mapping[Key, tuple[float, ...]], *, living: bool) -> None:
    for key, values in numbers.items():
        family = BY_NAME.get(key[0])
        # Of another version of this program: what it counts otherwise cannot be added.
        if family is None or family.width != len(values) or len(key) != len(family.labels) + 1:
            continue
        if not living and family.kind not in _LASTING:
            continue
        if family.kind is MetricKind.EARLIEST and values == _NEVER:
            continue
        before = total.get(key)
        if before is None:
            total[key] = values
        elif family.kind is MetricKind.EARLIEST:
            total[key] = min(before, values)
        else:
            total[key] = tuple(one + other for one, other in zip(before, values, strict=True))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def _read(file: Path) -> tuple[bool, Mapping[Key, tuple[float, ...]]]:
    """Return whether the process of a file lives, and what it has counted."""
    try:
        with file.open("rb") as reading:
            living = not _lockable(reading.fileno())
            return living, series_in(reading.read())
    except (OSError, ValueError, TypeError, OverflowError) as error:
        log.warning("metrics-unreadable", file=file.name, error=type(error).__name__)
        return False, {}


def _lockable(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_ended(folder: Path) -> _Ended:
    try:
        document = json.loads((folder / _ENDED).read_bytes())
        numbers = {tuple(key): tuple(values) for key, values in document["numbers"]}
        ended: Numbers = {}
        _add(ended, numbers, living=False)
        return _Ended(ended, frozenset(document["folded"]))
    except FileNotFoundError:
        return _Ended({}, frozenset())
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("metrics-unreadable", file=_ENDED, error=type(error).__name__)
        return _Ended({}, frozenset())


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    opened = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, how)
        yield
    finally:
        os.close(opened)
