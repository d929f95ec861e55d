"""Numbers of several processes: added up, kept when one is killed, folded once."""

from __future__ import annotations

import math
import os
import signal
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.server.metrics.counting import MAGIC, SUFFIX, Counting, series_in
from bootz.server.metrics.families import (
    ATTEMPTS,
    CERTIFICATE_EXPIRY,
    CONNECTIONS,
    IMAGE_BYTES,
    JOURNAL_SECONDS,
)
from bootz.server.metrics.folder import begin_counting, counting_of_site, read_numbers

REFUSED = (ATTEMPTS.name, "unary", "refused", "chassis-unknown")

CHILD = """
import sys, time
from pathlib import Path
from bootz.server.metrics.families import ATTEMPTS, CONNECTIONS
from bootz.server.metrics.folder import begin_counting
counting = begin_counting(Path(sys.argv[1]))
counting.put(CONNECTIONS, value=5)
for _ in range(int(sys.argv[2])):
    counting.add(ATTEMPTS, "unary", "refused", "chassis-unknown")
print("counted", flush=True)
sys.stdin.read()
"""


def counted_and_killed(folder: Path, count: int) -> None:
    """Let a process count, and kill it."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"counted\n"
        child.send_signal(signal.SIGKILL)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def test_processes_are_added_up(tmp_path: Path) -> None:
    first, second = begin_counting(tmp_path), begin_counting(tmp_path)
    first.add(ATTEMPTS, *REFUSED[1:])
    second.add(ATTEMPTS, *REFUSED[1:], by=2)
    second.add(IMAGE_BYTES, by=10)
    first.put(CONNECTIONS, value=3)
    second.put(CONNECTIONS, value=4)
    first.put(CERTIFICATE_EXPIRY, "tls", value=200)
    second.put(CERTIFICATE_EXPIRY, "tls", value=100)
    first.put(CERTIFICATE_EXPIRY, "owner-p256", value=math.inf)

    numbers = read_numbers(tmp_path)

    assert numbers[REFUSED] == (3,)
    assert numbers[(IMAGE_BYTES.name,)] == (10,)
    assert numbers[(CONNECTIONS.name,)] == (7,)
    assert numbers[(CERTIFICATE_EXPIRY.name, "tls")] == (100,)
    assert (CERTIFICATE_EXPIRY.name, "owner-p256") not in numbers
    first.close()
    second.close()


def test_what_a_killed_process_counted_stays_and_what_it_held_goes(tmp_path: Path) -> None:
    for count in (3, 4):
        counted_and_killed(tmp_path, count)

    # The second process has folded the first one's file.
    assert len(files(tmp_path)) == 1
    numbers = read_numbers(tmp_path)
    assert numbers[REFUSED] == (7,)
    assert (CONNECTIONS.name,) not in numbers

    begin_counting(tmp_path).close()
    assert read_numbers(tmp_path)[REFUSED] == (7,)
    begin_counting(tmp_path).close()
    assert len(files(tmp_path)) == 1
    assert read_numbers(tmp_path)[REFUSED] == (7,)


def test_a_kill_between_folding_and_removing_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_and_killed(tmp_path, 5)
    (file,) = files(tmp_path)
    left = file.read_bytes()
    begin_counting(tmp_path).close()
    # As it lies there after a kill: in the total, and not removed.
    file.write_bytes(left)

    assert read_numbers(tmp_path)[REFUSED] == (5,)
    begin_counting(tmp_path).close()
    assert not file.exists()
    assert read_numbers(tmp_path)[REFUSED] == (5,)


def test_a_histogram_counts_at_and_beyond_its_bounds(tmp_path: Path) -> None:
    counting = begin_counting(tmp_path)
    bounds = JOURNAL_SECONDS.buckets
    for seconds in (0.0, bounds[0], bounds[0] * 1.001, bounds[-1], bounds[-1] + 1):
        counting.observe(JOURNAL_SECONDS, seconds)

    *counts, total = read_numbers(tmp_path)[(JOURNAL_SECONDS.name,)]

    assert counts == [2, 1, *[0] * (len(bounds) - 3), 1, 1]
    assert total == pytest.approx(2 * bounds[-1] + 1 + 2.001 * bounds[0])
    counting.close()


def test_a_file_that_is_full_counts_on_in_what_it_has(tmp_path: Path) -> None:
    counting = begin_counting(tmp_path)
    counting.add(ATTEMPTS, *REFUSED[1:])
    for number in range(20_000):
        counting.add(ATTEMPTS, "unary", "refused", f"reason-{number:06}")
        counting.observe(JOURNAL_SECONDS, 1.0)
    counting.add(ATTEMPTS, *REFUSED[1:])

    numbers = read_numbers(tmp_path)
    assert numbers[REFUSED] == (2,)
    assert 5_000 < len(numbers) < 20_000
    assert all(values == (1,) for key, values in numbers.items() if "reason-" in key[-1])
    counting.close()


@given(st.binary(max_size=400))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    for tried in (content, struct.pack("dd", MAGIC, 30.0) + content):
        try:
            found = series_in(tried)
        except (ValueError, TypeError, OverflowError):
            continue
        assert isinstance(found, dict)


def test_a_damaged_file_is_left_out(tmp_path: Path) -> None:
    counting = begin_counting(tmp_path)
    counting.add(ATTEMPTS, *REFUSED[1:])
    (tmp_path / f"1-damaged{SUFFIX}").write_bytes(os.urandom(4096))
    (tmp_path / "ended.json").write_text("{")

    assert read_numbers(tmp_path) == {REFUSED: (1,)}
    counting.close()


def test_a_folder_that_cannot_be_written_stops_no_server(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")

    counting = counting_of_site(tmp_path)

    counting.add(ATTEMPTS, *REFUSED[1:])
    counting.close()


def test_nothing_was_counted_yet(tmp_path: Path) -> None:
    assert read_numbers(tmp_path / "missing") == {}


def test_series_of_another_version_are_left_out(tmp_path: Path) -> None:
    counting = Counting.open(tmp_path)
    (tmp_path / "folding.lock").touch()
    counting.observe(replace(JOURNAL_SECONDS, buckets=(1.0,)), 0.5)
    counting.add(replace(ATTEMPTS, name="bootz_later_total"), "a", "b", "c")
    counting.add(IMAGE_BYTES, by=4)

    assert read_numbers(tmp_path) == {(IMAGE_BYTES.name,): (4,)}
    counting.close()
