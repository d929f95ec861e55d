"""Writers of a SQLite file in several processes: in line, and never two at a time."""

from __future__ import annotations

import threading
from pathlib import Path

from bootz.sql.line import in_line


def test_one_at_a_time_and_the_next_is_woken(tmp_path: Path) -> None:
    path = tmp_path / "bootz.db-line"
    inside: list[int] = []
    most: list[int] = []
    held = threading.Event()
    go = threading.Event()

    def write(number: int) -> None:
        with in_line(path):
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
    with in_line(tmp_path / "nowhere" / "line"), in_line(tmp_path / "nowhere" / "line"):
        pass
