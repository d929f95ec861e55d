"""What open boards are told: small messages, nothing missed, nothing read twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from board import night
from board.conftest import Board
from structlog.testing import capture_logs

from bootz.server.api.auth.accounts import IDLE_END
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.board import live
from bootz.server.board.live import Broadcast, messages
from bootz.server.board.newsroom import MOST_ONE_BY_ONE, Glance, Newsroom
from bootz.server.board.visitor import still_holds
from bootz.server.operations.chassis import remove_chassis_by_key
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.store import bell
from bootz.server.store.bell import NewsBell


@pytest.fixture
def newsroom(board: Board) -> Newsroom:
    night.fill(board.database, board.now, plan=(("expected", 300), ("ready", 5)))
    door = board.client.app.state.door  # type: ignore[attr-defined]
    return Newsroom(door)


def hold(board: Board, *keys: int) -> None:
    with board.database.write() as connection:
        hold_chassis(connection, keys, "", now=board.now)


def test_an_event_is_one_tile_and_the_counts_in_two_kilobytes(
    board: Board, newsroom: Newsroom
) -> None:
    mark = newsroom.look().mark
    key, serial = 7, "FX00007"
    night.write(board.database, list(night.entries_of("sent", key, serial, "", board.now, 0, "")))
    newsroom.look()

    news = newsroom.after(mark)
    told = list(messages(news))

    assert news.changed == [key]
    assert news.glance.counts[ChassisState.SENT] == 1
    assert sum(len(text.encode()) for text in told) < 2048
    assert told[0].count('class="tile') == 1
    assert 'id="n-expected" hx-swap-oob="true">299<' in told[0]
    # Only the last says how far the board has come, so that nothing is lost between.
    assert ["id: " in text for text in told] == [False] * (len(told) - 1) + [True]


def test_a_board_that_was_away_gets_each_router_once_as_it_stands(
    board: Board, newsroom: Newsroom
) -> None:
    mark = newsroom.look().mark
    hold(board, 1, 2)
    newsroom.look()
    with board.database.write() as connection:
        release_chassis(connection, [1])
    hold(board, 3)
    newsroom.look()

    news = newsroom.after(mark)

    assert news.changed is not None
    assert sorted(news.changed) == [1, 2, 3]
    assert news.glance.tiles[1].state is ChassisState.EXPECTED
    assert newsroom.after(news.glance.mark).changed == []


def test_what_cannot_be_told_one_by_one_is_read_as_a_whole(
    board: Board, newsroom: Newsroom
) -> None:
    mark = newsroom.look().mark
    for strange in ("", "nonsense", "00000000-1", f"{mark}9", "-1"):
        assert newsroom.after(strange).changed is None, strange
    hold(board, *range(1, MOST_ONE_BY_ONE + 2))
    newsroom.look()
    news = newsroom.after(mark)
    assert news.changed is None
    assert "event: everything" in next(messages(news))

    mark = newsroom.look().mark
    with board.database.write() as connection:
        remove_chassis_by_key(connection, 300)
    newsroom.look()
    assert newsroom.after(mark).changed is None


def test_a_defect_leaves_no_board_without_news(
    board: Board, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "AGAIN_S", 0.0)
    monkeypatch.setattr(live, "LOOK_S", 1.0)
    monkeypatch.setattr(bell, "LOOK_S", 0.0)
    really, looks = newsroom.look, 0

    def fails() -> Glance:
        nonlocal looks
        looks += 1
        if looks <= 3:
            raise RuntimeError("a defect")
        return really()

    monkeypatch.setattr(newsroom, "look", fails)

    async def play() -> None:
        broadcast = Broadcast(newsroom, NewsBell(board.database))
        broadcast.join()
        async with asyncio.timeout(30):
            while looks <= 3:
                await broadcast.wait(30)
        broadcast.leave()

    with capture_logs() as logs:
        asyncio.run(play())
    assert [each["event"] for each in logs] == ["board-news-failed"]


def test_another_door_has_other_marks(board: Board, newsroom: Newsroom) -> None:
    mark = newsroom.look().mark
    other = Newsroom(board.client.app.state.door)  # type: ignore[attr-defined]
    other.look()
    assert other.after(mark).changed is None


def test_asking_whether_a_session_holds_does_not_keep_it(board: Board) -> None:
    board.enter("viewer")
    secret = str(board.client.cookies.get(SESSION_COOKIE))
    door = board.client.app.state.door  # type: ignore[attr-defined]
    for _ in range(3):
        assert still_holds(door, secret)
        board.now += IDLE_END / 4
    assert still_holds(door, secret)
    board.now += IDLE_END / 4 + timedelta(seconds=1)
    assert not still_holds(door, secret)


def test_a_stream_without_a_session_says_that_it_has_ended(board: Board) -> None:
    for path in ("/live", "/wall/live"):
        answer = board.get(path)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text == "event: ended\ndata: -\n\n"
