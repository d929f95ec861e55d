"""The screen of ``bootz watch``: what a person sees and presses, in terminals of any size."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bootz.cli.site.watch.screen import View, frame
from bootz.cli.site.watch.terminal import WatchScreen, split_keys
from bootz.server.operations.chassis_state import ChassisState, Standing
from bootz.server.operations.turn_up import Roster, TurnUpRouter

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


def router(
    key: int,
    state: ChassisState,
    *,
    reason: str = "",
    detail: str = "",
    minutes: float = 1,
    hostname: str | None = None,
) -> TurnUpRouter:
    since = None if state is ChassisState.EXPECTED else NOW - timedelta(minutes=minutes)
    standing = Standing(state, since, 1, reason, detail)
    return TurnUpRouter(
        key, "Acme", f"FX{key}", f"r{key}" if hostname is None else hostname, standing
    )


NIGHT = Roster(
    [
        *(router(key, ChassisState.READY, minutes=key) for key in range(1, 11)),
        router(11, ChassisState.FAILED, reason="voucher-missing", detail="no voucher"),
        router(12, ChassisState.STUCK, reason="chassis-stuck"),
        router(13, ChassisState.IMAGE),
        router(14, ChassisState.EXPECTED),
    ]
)


_ALL = View()


def text(view: View = _ALL, *, width: int = 120, height: int = 30) -> list[str]:
    return [line.plain for line in frame(NIGHT, view, NOW, width=width, height=height)]


def test_counts_stand_on_top_and_those_that_need_a_person_first() -> None:
    lines = text()

    assert lines[0] == "14 routers  failed 1  stuck 1  image 1  expected 1  ready 10"
    assert [line.split()[0] for line in lines[3:8]] == [
        "failed",
        "stuck",
        "image",
        "expected",
        "ready",
    ]
    assert "voucher-missing" in lines[3]


def test_the_end_is_estimated_from_the_rate_of_the_night() -> None:
    end = NIGHT.estimate(NOW)

    assert (end.remaining, end.waiting_for_a_person) == (2, 2)
    assert end.per_minute == pytest.approx(0.9)
    assert end.finish == NOW + timedelta(minutes=2 / 0.9)
    assert "0.9 a minute, the remaining 2 ready about 03:02, 2 need a person" in text()[1]


def test_without_a_rate_no_end_is_told() -> None:
    one = Roster([router(1, ChassisState.READY), router(2, ChassisState.SENT)])

    assert one.estimate(NOW).finish is None
    assert Roster().estimate(NOW).per_minute is None


def test_the_selected_router_says_its_next_step() -> None:
    view = View().pressed("down", NIGHT, 10)

    lines = text(view)

    assert any(line.startswith("r11: failed - voucher-missing - no voucher") for line in lines)
    assert any(line.startswith("next: ") for line in lines)
    assert any("bootz attempts FX11" in line for line in lines)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("f", ["r11"]),
        ("s", ["r12"]),
        ("p", ["r11", "r12"]),
        ("u", ["r13"]),
        ("e", ["r14"]),
        ("/r1\n", ["r11", "r12", "r13", "r14", "r1", "r10"]),
        ("/voucher\n", ["r11"]),
        ("/fx1x\x7f3\n", ["r13"]),
        ("fa/r13\nx", ["r13"]),
    ],
)
def test_filter_keys(keys: str, shown: list[str]) -> None:
    view = View()
    for key in split_keys(keys):
        view = view.pressed(key, NIGHT, 10)

    assert [each.name for each in view.shown(NIGHT)] == shown


def test_the_selection_stays_with_its_router_and_within_the_list() -> None:
    view = View()
    for key in ["end", "down", "page-down"]:
        view = view.pressed(key, NIGHT, 5)
    assert view.selected == NIGHT[-1].key
    assert any(line.startswith("r10: ready") for line in text(view, height=12))

    moved = view.pressed("home", NIGHT, 5).pressed("up", NIGHT, 5)

    assert moved.selected == NIGHT[0].key
    assert View(filter_key="f").pressed("down", Roster(), 5).selected is None


def test_sequences_of_a_terminal_are_keys() -> None:
    keys = "a\x1b[A\x1b[B\x1b[5~\x1b[6~\x1bOA\x1b[H\x1b[F\r\x7fé"

    assert list(split_keys(keys)) == [
        *("a", "up", "down", "page-up", "page-down", "up", "home", "end", "enter", "backspace"),
        "é",
    ]
    assert list(split_keys("\x1b")) == ["escape"]


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 80),
    names=st.lists(st.text(max_size=40), max_size=12),
    states=st.lists(st.sampled_from(ChassisState), min_size=12, max_size=12),
    words=st.text(max_size=200),
    keys=st.lists(st.sampled_from(["f", "a", "p", "/", "x", "down", "end", "enter", "escape"])),
)
def test_it_fits_any_terminal_whatever_strangers_wrote(
    width: int,
    height: int,
    names: list[str],
    states: list[ChassisState],
    words: str,
    keys: list[str],
) -> None:
    routers = Roster(
        router(key, state, reason=words, detail=words, hostname=name)
        for key, (name, state) in enumerate(zip(names, states, strict=False))
    )
    view = View()
    for key in keys:
        view = view.pressed(key, routers, 5)

    lines = frame(routers, view, NOW, width=width, height=height)

    assert len(lines) <= height
    for line in lines:
        assert cell_len(line.plain) <= width
        assert all(letter.isprintable() for letter in line.plain)


_STATES = st.sampled_from([ChassisState.FAILED, ChassisState.EXPECTED, ChassisState.READY])


@given(moves=st.lists(st.tuples(st.integers(1, 5), _STATES, st.integers(0, 40)), max_size=20))
def test_one_change_after_another_is_as_all_at_once(
    moves: list[tuple[int, ChassisState, int]],
) -> None:
    one_by_one, latest = Roster(), {}
    for key, state, minutes in moves:
        latest[key] = router(key, state, minutes=minutes)
        one_by_one.put(latest[key])

    at_once = Roster(latest.values())

    assert list(one_by_one) == list(at_once)
    assert one_by_one.counts() == at_once.counts()
    assert one_by_one.estimate(NOW) == at_once.estimate(NOW)
    ready = [each for each in at_once if each.standing.state is ChassisState.READY]
    assert one_by_one.of({ChassisState.READY}) == ready


class Terminal:
    """What a terminal shows that understands no more than the screen sends."""

    def __init__(self) -> None:
        self.out = StringIO()
        self.size = (100, 12)
        self.rows: dict[int, str] = {}
        console = Console(file=self.out, force_terminal=True, color_system="standard")
        self.screen = WatchScreen(console, lambda: self.size)

    def draw(self, routers: Roster, trouble: str = "") -> int:
        """Draw, and return how many lines were sent."""
        self.screen.draw(routers, View(), NOW, trouble)
        sent = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        if "\x1b[2J" in sent:
            self.rows.clear()
        lines = re.findall(r"\x1b\[(\d+);1H(.*?)\x1b\[K", sent)
        self.rows |= {int(row): re.sub(r"\x1b\[[0-9;]*m", "", text) for row, text in lines}
        return len(lines)

    def shows(self, routers: Roster) -> bool:
        width, height = self.size
        local = NOW.astimezone()
        lines = frame(routers, View(), local, width=width, height=height)
        return list(self.rows.values()) == [line.plain for line in lines]


def test_only_lines_that_changed_are_sent() -> None:
    terminal, routers = Terminal(), Roster(NIGHT)
    assert terminal.draw(routers) > 10
    assert terminal.shows(routers)
    assert terminal.draw(routers) == 0

    routers.put(router(12, ChassisState.STUCK, reason="chassis-stuck", detail="longer"))
    assert terminal.draw(routers) == 0
    routers.put(router(12, ChassisState.STUCK, reason="image-failed"))
    assert terminal.draw(routers) == 1
    assert terminal.shows(routers)

    assert terminal.draw(routers, "database-unavailable: it does not answer") == 1
    assert terminal.rows[1] == "database-unavailable: it does not answer"
    assert terminal.draw(routers) == 1

    # Another size moves what stands there: all is sent again, and nothing is left of before.
    terminal.size = (60, 9)
    assert terminal.draw(routers) == 9
    assert terminal.shows(routers)
