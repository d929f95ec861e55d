"""The screen of ``bootz watch``: what a person sees and presses, in terminals of any size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bootz.cli.site.watch.screen import View, frame
from bootz.cli.site.watch.terminal import split_keys
from bootz.server.operations.chassis_state import ChassisState, Standing
from bootz.server.operations.turn_up import TurnUpRouter, estimate, ordered

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


NIGHT = ordered(
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
    end = estimate(NIGHT, NOW)

    assert (end.remaining, end.waiting_for_a_person) == (2, 2)
    assert end.per_minute == pytest.approx(0.9)
    assert end.finish == NOW + timedelta(minutes=2 / 0.9)
    assert "0.9 a minute, the remaining 2 ready about 03:02, 2 need a person" in text()[1]


def test_without_a_rate_no_end_is_told() -> None:
    one = [router(1, ChassisState.READY), router(2, ChassisState.SENT)]

    assert estimate(one, NOW).finish is None
    assert estimate([], NOW).per_minute is None


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
    assert View(filter_key="f").pressed("down", [], 5).selected is None


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
    routers = ordered(
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
