"""The terminal of ``bootz watch``: keys one by one, lines drawn where they changed."""

import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from bootz.cli.output import printable, stdout
from bootz.cli.site.watch.screen import View, frame, rows_shown
from bootz.errors import Unavailable
from bootz.server.operations.following import Follower
from bootz.server.operations.turn_up import Roster

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
    console = stdout()
    with _keys() as keys, console.screen(hide_cursor=True):
        screen = WatchScreen(console, _size)
        drawn_at = -_DRAW_S
        now = datetime.now(UTC)
        routers = Roster()
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
                routers = follower.roster(now)
                screen.draw(routers, view, now, trouble)
            until = time.monotonic() + _LOOK_S
            while (key := keys.wait(until)) is not None:
                if key == "q" and not view.finding:
                    return
                view = view.pressed(key, routers, rows_shown(_size()[1]))
                screen.draw(routers, view, now, trouble)


class WatchScreen:
    """What stands on a terminal, so that only lines that changed are written.

    Args:
        console: of a terminal whose screen is ours.
        size: returns its columns and lines as they are now.

    Source: ECMA-48 (control functions CUP, EL, ED and SGR).
    """

    def __init__(self, console: Console, size: Callable[[], tuple[int, int]]) -> None:
        self._console = console
        self._size_now = size
        self._size = (0, 0)
        self._lines: list[str] = []
        # By the line's identity; the line is kept, so that no other takes it.
        self._spelled: dict[int, tuple[Text, str]] = {}

    def draw(self, routers: Roster, view: View, now: datetime, trouble: str = "") -> None:
        """Show routers as they stand at ``now``, on the terminal as large as it is now."""
        width, height = size = self._size_now()
        lines = frame(routers, view, now.astimezone(), width=width, height=height)
        if trouble:
            lines[0] = Text(printable(trouble), style="bold red")
            lines[0].truncate(width, overflow="ellipsis")
        out: list[str] = []
        if size != self._size:
            # A terminal of another size has moved what stood on it.
            self._size, self._lines = size, []
            out.append(_CLEAR)
        spelled = {id(line): self._spelled.get(id(line)) or self._spell(line) for line in lines}
        self._spelled = spelled
        texts = [spelled[id(line)][1] for line in lines]
        before = [*self._lines, *[""] * (len(texts) - len(self._lines))]
        texts += [""] * (len(before) - len(texts))
        for row, (old, new) in enumerate(zip(before, texts, strict=True), 1):
            if old != new:
                out.append(f"\x1b[{row};1H{new}\x1b[K")
        self._lines = texts
        if out:
            self._console.file.write("".join(out))
            self._console.file.flush()

    def _spell(self, line: Text) -> tuple[Text, str]:
        parts: Iterable[Segment] = line.render(self._console)
        if self._console.no_color:
            parts = Segment.remove_color(parts)
        # Our styles name the standard colours alone.
        colors = None if self._console.color_system is None else ColorSystem.STANDARD
        spelled = (
            part.text if part.style is None else part.style.render(part.text, color_system=colors)
            for part in parts
        )
        return line, "".join(spelled)


_CLEAR: Final = "\x1b[2J"


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
