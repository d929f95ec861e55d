"""What ``bootz watch`` shows, as lines of text for a terminal of any size; no terminal here.

The pure part of the screen: routers, the selected one, filters and the time in, styled lines out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from bootz.cli.output import printable
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.turn_up import Estimate, Roster, TurnUpRouter

STYLES: Final[Mapping[ChassisState, str]] = {
    ChassisState.FAILED: "bold red",
    ChassisState.STUCK: "bold yellow",
    ChassisState.ON_HOLD: "magenta",
    ChassisState.APPLYING: "cyan",
    ChassisState.IMAGE: "cyan",
    ChassisState.SENT: "cyan",
    ChassisState.PROVED: "blue",
    ChassisState.CONNECTED: "blue",
    ChassisState.EXPECTED: "dim",
    ChassisState.READY: "green",
}

FILTERS: Final[Mapping[str, tuple[str, frozenset[ChassisState]]]] = {
    "a": ("all", frozenset(ChassisState)),
    "p": (
        "need a person",
        frozenset({ChassisState.FAILED, ChassisState.STUCK, ChassisState.ON_HOLD}),
    ),
    "f": ("failed", frozenset({ChassisState.FAILED})),
    "s": ("stuck", frozenset({ChassisState.STUCK})),
    "u": (
        "under way",
        frozenset(
            {
                ChassisState.CONNECTED,
                ChassisState.PROVED,
                ChassisState.SENT,
                ChassisState.IMAGE,
                ChassisState.APPLYING,
            }
        ),
    ),
    "e": ("expected", frozenset({ChassisState.EXPECTED})),
    "r": ("ready", frozenset({ChassisState.READY})),
}
"""Each filter key with its name and the states that it shows."""

_KEYS: Final = "keys: " + "  ".join(f"{key} {name}" for key, (name, _) in FILTERS.items())
_HELP: Final = f"{_KEYS}  / find  up/down select  q quit"

_MIN_HEIGHT: Final = 6
"""Below this many lines only counts and routers are shown."""


@dataclass(frozen=True, slots=True)
class View:
    """What a person has chosen: a filter key, a text to find, and the selected router's key."""

    filter_key: str = "a"
    find: str = ""
    finding: bool = False
    selected: int | None = None

    def shown(self, routers: Roster) -> Sequence[TurnUpRouter]:
        """Return the routers of the filter that hold the text, in the order of the screen."""
        found: Sequence[TurnUpRouter] = routers
        if self.filter_key != "a":
            found = routers.of(FILTERS[self.filter_key][1])
        if text := self.find.casefold():
            found = [router for router in found if text in _searched(router)]
        return found

    def pressed(self, key: str, routers: Roster, page: int) -> "View":
        """Return the view after a key: a character, or ``up``, ``down``, ``page-up``, ….

        ``page`` is how many rows are shown.
        """
        if self.finding:
            return self._typed(key)
        if key in FILTERS:
            return replace(self, filter_key=key)
        match key:
            case "/":
                return replace(self, finding=True)
            case "escape":
                return replace(self, find="", selected=None)
            case "up" | "k":
                return self._moved(routers, -1)
            case "down" | "j":
                return self._moved(routers, 1)
            case "page-up":
                return self._moved(routers, -page)
            case "page-down":
                return self._moved(routers, page)
            case "home":
                return self._moved(routers, -len(routers))
            case "end":
                return self._moved(routers, len(routers))
        return self

    def _typed(self, key: str) -> "View":
        match key:
            case "enter":
                return replace(self, finding=False)
            case "escape":
                return replace(self, finding=False, find="")
            case "backspace":
                return replace(self, find=self.find[:-1])
            case _ if len(key) == 1 and key.isprintable() and len(self.find) < 64:
                return replace(self, find=self.find + key)
        return self

    def _moved(self, routers: Roster, by: int) -> "View":
        shown = self.shown(routers)
        if not shown:
            return replace(self, selected=None)
        at = next((row for row, router in enumerate(shown) if router.key == self.selected), None)
        last = len(shown) - 1
        target = (last if by > last else 0) if at is None else max(0, min(last, at + by))
        return replace(self, selected=shown[target].key)


def frame(routers: Roster, view: View, now: datetime, *, width: int, height: int) -> list[Text]:
    """Return the lines of the screen: at most ``height``, each at most ``width`` cells.

    Times are shown in the zone of ``now``. A line that is as it was before is the same object,
    and is not to be changed.
    """
    shown = view.shown(routers)
    at = _at(shown, routers, view)
    selected = None if at is None else shown[at]
    top = [_counts(routers, width)]
    bottom: list[Text] = []
    if height >= _MIN_HEIGHT:
        top += [_progress(routers, routers.estimate(now), now, width), _titles(width)]
        bottom = [*_explained(selected, width), _foot(view, len(shown), width)]
    room = max(1, height - len(top) - len(bottom))
    rows = [
        _row(router, now.tzinfo, width, selected=router is selected)
        for router in _window(shown, at, room)
    ]
    rows += [_EMPTY] * (room - len(rows) if bottom else 0)
    return [*top, *rows, *bottom][:height]


_EMPTY: Final = Text()


def _at(shown: Sequence[TurnUpRouter], routers: Roster, view: View) -> int | None:
    """Return where the selected router is shown, None where it is not."""
    selected = routers.get(view.selected)
    if selected is None:
        return None
    return next((row for row, router in enumerate(shown) if router is selected), None)


def rows_shown(height: int) -> int:
    """Return about how many routers a screen of this height shows."""
    return max(1, height - _MIN_HEIGHT)


def _searched(router: TurnUpRouter) -> str:
    standing = router.standing
    words = (router.hostname, router.serial_number, router.vendor, standing.reason, standing.detail)
    return " ".join(words).casefold()


def _window(
    shown: Sequence[TurnUpRouter], selected: int | None, room: int
) -> Sequence[TurnUpRouter]:
    """Return the rows that fit, with the selected one among them."""
    first = max(0, min((selected or 0) - room // 2, len(shown) - room))
    return shown[first : first + room]


def _fitted(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _counts(routers: Roster, width: int) -> Text:
    line = Text(f"{len(routers)} routers")
    for state, number in routers.counts().items():
        if number:
            line.append("  ")
            line.append(f"{state.value} {number}", style=STYLES[state])
    return _fitted(line, width)


def _progress(routers: Roster, end: Estimate, now: datetime, width: int) -> Text:
    ready = routers.counts()[ChassisState.READY]
    share = 100 * ready // len(routers) if routers else 0
    words = [f"{now:%H:%M:%S}", f"{share}% ready"]
    if end.per_minute is not None:
        words.append(f"{end.per_minute:.1f} a minute")
    if end.finish is not None:
        finish = end.finish.astimezone(now.tzinfo)
        words.append(f"the remaining {end.remaining} ready about {finish:%H:%M}")
    if end.waiting_for_a_person:
        words.append(f"{end.waiting_for_a_person} need a person")
    return _fitted(Text(", ".join(words)), width)


_WIDTHS: Final = (("STATE", 9), ("SINCE", 8), ("TRY", 3))


def _columns(width: int) -> tuple[int, int]:
    """Return the widths of router and serial number; what is left is the reason's."""
    rest = max(10, width - sum(size + 1 for _, size in _WIDTHS))
    name = max(8, min(28, rest * 3 // 10))
    return name, max(8, min(20, rest * 2 // 10))


@lru_cache(8)
def _titles(width: int) -> Text:
    name, serial = _columns(width)
    cells = [set_cell_size(title, size) for title, size in _WIDTHS]
    cells += [set_cell_size("ROUTER", name), set_cell_size("SERIAL", serial), "WHY"]
    return _fitted(Text(" ".join(cells), style="bold"), width)


@lru_cache(1024)
def _row(router: TurnUpRouter, zone: tzinfo | None, width: int, *, selected: bool) -> Text:
    standing = router.standing
    name, serial = _columns(width)
    since = "" if standing.since is None else f"{standing.since.astimezone(zone):%H:%M:%S}"
    line = Text()
    line.append(set_cell_size(standing.state.value, 9), style=STYLES[standing.state])
    line.append(f" {since:8} {standing.attempt or '':>3} ")
    line.append(set_cell_size(_one_line(router.hostname or "-"), name))
    line.append(f" {set_cell_size(_one_line(router.serial_number or '-'), serial)} ")
    line.append(_one_line(standing.reason or standing.detail))
    if selected:
        line.pad_right(max(0, width - cell_len(line.plain)))
        line.stylize("reverse")
    return _fitted(line, width)


@lru_cache(8)
def _explained(router: TurnUpRouter | None, width: int) -> Sequence[Text]:
    """Return why the selected router is where it is, and what to do."""
    if router is None:
        return []
    standing = router.standing
    words = [f"{router.name}: {standing.state.value}"]
    words += [word for word in (standing.reason, standing.detail) if word]
    lines = [Text("─" * width, style="dim"), Text(_one_line(" - ".join(words)))]
    if standing.next_action:
        lines.append(Text.assemble(("next: ", "bold"), _one_line(standing.next_action)))
    serial = router.serial_number or router.hostname
    lines.append(Text(f"more: bootz attempts {_one_line(serial)}", style="dim"))
    return [_fitted(line, width) for line in lines]


@lru_cache(8)
def _foot(view: View, shown: int, width: int) -> Text:
    if view.finding:
        words = f"find: {view.find}▏  enter keeps it, escape clears it"
        return _fitted(Text(words, style="bold"), width)
    found = f", with {view.find!r}" if view.find else ""
    words = f"[{FILTERS[view.filter_key][0]}{found}: {shown}]  {_HELP}"
    return _fitted(Text(words, style="dim"), width)


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")
