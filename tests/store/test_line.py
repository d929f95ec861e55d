"""Writers of a SQLite file in several processes: in line, and never two at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bootz.errors import Unavailable
from bootz.sql.line import in_line, turn_at_once


def turn(path: Path, seconds: float = 60) -> AbstractContextManager[None]:
    return in_line(path, seconds=seconds, unavailable="database-unavailable")


def test_one_at_a_time_and_the_next_is_woken(tmp_path: Path) -> None:
    path = tmp_path / "bootz.db-line"
    inside: list[int] = []
    most: list[int] = []
    held = threading.Event()
    go = threading.Event()

    def write(number: int) -> None:
        with turn(path):
            inside.append(number)
            most.append(len(inside))
            held.set()
            go.wait()
            inside.remove(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    held.wait()
    assert inside == [inside[0]]
    go.set()
    for thread in threads:
        thread.join()
    assert most == [1] * 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_no_file_can_be_made_nothing_is_waited_for(tmp_path: Path) -> None:
    entered: list[int] = []
    with turn(tmp_path / "nowhere" / "line"), turn(tmp_path / "nowhere" / "line"):
        entered.append(2)
    assert entered == [2]
    assert not (tmp_path / "nowhere").exists()


def test_who_has_waited_long_enough_leaves_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bootz.db-line"
    with turn(path):
        with pytest.raises(Unavailable) as caught, turn(path, 0.01):
            pass
        assert caught.value.reason == "database-unavailable"
    with turn(path):
        pass


def test_a_turn_at_once_waits_for_no_other_writer(tmp_path: Path) -> None:
    path = tmp_path / "bootz.db-line"
    with turn(path):
        assert turn_at_once(str(path)) is None
    taken = turn_at_once(str(path))
    assert taken is not None
    # Whoever comes now waits, as for any other turn.
    with pytest.raises(Unavailable), turn(path, 0.01):
        pass
    taken.leave()
    with turn(path):
        pass


def test_a_turn_at_once_needs_no_file(tmp_path: Path) -> None:
    taken = turn_at_once(str(tmp_path / "nowhere" / "line"))
    assert taken is not None
    taken.leave()


@pytest.mark.parametrize("fails", [fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_EX])
def test_a_file_that_cannot_be_locked_is_told_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    path = tmp_path / "bootz.db-line"
    really = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if operation == fails:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        really(descriptor, operation)

    with turn(path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        monkeypatch.setattr(fcntl, "flock", flock)
        with pytest.raises(Unavailable) as caught, turn(path):
            pass
        assert caught.value.reason == "database-unavailable"
        assert os.strerror(errno.ENOLCK) in str(caught.value)
        assert str(path) in str(caught.value)
        # Who does not wait leaves it to who does, and keeps nothing open either.
        assert turn_at_once(str(path)) is None
        assert len(list(Path("/proc/self/fd").iterdir())) == before
