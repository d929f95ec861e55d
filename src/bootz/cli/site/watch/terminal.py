"""The terminal of ``bootz watch``: keys one by one, the screen drawn a few times a second."""

import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from bootz.cli.output import printable, stdout
from bootz.cli.site.watch.screen import View, frame, rows_shown
from bootz.errors import Unavailable
from bootz.server.operations.following import Follower
from bootz.server.operations.turn_up import TurnUpRouter, ordered

_LOOK_S: Final = 0.5
"""Seconds between two looks at the journal; a key is answered at once."""
_DRAW_S: Final = 2.0
"""Seconds after which the screen is drawn again without news: time alone makes routers stuck."""

_SEQUENCES: Final = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1b[5~": "page-up",
    "\x1b[6~": "page-down",
    "\x1b[H": "home",
    "\x1b[F": "end",
    "\x1b[1~": "home",
    "\x1b[4~": "end",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
}


def show(follower: Follower, events: int | None) -> None:
    """Show the screen until ``q``, Ctrl-C, or so many events."""
    view = View()
    left = events
    with (
        _keys() as keys,
        Live(console=stdout(), screen=True, auto_refresh=False, vertical_overflow="crop") as live,
    ):
        drawn_at = -_DRAW_S
        now = datetime.now(UTC)
        routers: list[TurnUpRouter] = []
        while left is None or left > 0:
            trouble, came = "", 0
            try:
                came = follower.refresh(time.monotonic())
            except Unavailable as error:
                # The screen stays, with what was read last, and says so.
                trouble = f"{error.reason}: {error.detail}; trying again"
            left = None if left is None else left - came
            if came or trouble or time.monotonic() - drawn_at >= _DRAW_S:
                drawn_at = time.monotonic()
                now = datetime.now(UTC)
                routers = ordered(follower.routers(now))
                _draw(live, _frame(routers, view, now.astimezone()), trouble)
            until = time.monotonic() + _LOOK_S
            while (key := keys.wait(until)) is not None:
                if key == "q" and not view.finding:
                    return
                view = view.pressed(key, routers, rows_shown(_size()[1]))
                _draw(live, _frame(routers, view, now.astimezone()), trouble)


def _draw(live: Live, lines: list[Text], trouble: str) -> None:
    if trouble:
        lines = [Text(printable(trouble), style="bold red"), *lines[1:]]
    for line in lines:
        line.no_wrap = True
        line.overflow = "ellipsis"
    live.update(Group(*lines), refresh=True)


def _frame(routers: Sequence[TurnUpRouter], view: View, now: datetime) -> list[Text]:
    """Return the lines for the terminal as large as it is now."""
    width, height = _size()
    return frame(routers, view, now, width=width, height=height)


def _size() -> tuple[int, int]:
    found = shutil.get_terminal_size()
    return found.columns, found.lines


class _Keys:
    """Keys as they are pressed; none where stdin is not a terminal."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._waiting: list[str] = []

    def wait(self, until: float) -> str | None:
        """Return the next key, or None when the monotonic time ``until`` has come."""
        while not self._waiting:
            left = until - time.monotonic()
            if left <= 0:
                return None
            if self._descriptor is None:
                time.sleep(left)
                return None
            ready, _, _ = select.select([self._descriptor], [], [], left)
            if ready:
                data = os.read(self._descriptor, 64)
                if not data:
                    self._descriptor = None
                self._waiting.extend(split_keys(data.decode(errors="replace")))
        return self._waiting.pop(0)


def split_keys(text: str) -> Iterator[str]:
    """Return the keys in what a terminal sent, cursor keys by their names."""
    while text:
        sequence = max(
            (known for known in _SEQUENCES if text.startswith(known)), key=len, default=text[0]
        )
        yield _SEQUENCES.get(sequence, sequence)
        text = text[len(sequence) :]


@contextmanager
def _keys() -> Iterator[_Keys]:
    """Read keys one by one and unseen; the terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield _Keys(None)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield _Keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
