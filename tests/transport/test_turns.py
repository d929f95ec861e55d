"""In which order connections that wait are served."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from bootz.transport.returning import TABLE_BYTES, Returning
from bootz.transport.turns import Rank, Turns


def served(turns: Turns[str], count: int = 100) -> list[str]:
    found = []
    while len(found) < count and (turn := turns.next()) is not None:
        found.append(turn[0])
    return found


def waiting(*items: str, returning: str = "") -> Turns[str]:
    """Let connections wait: the first letter of each is its address."""
    turns: Turns[str] = Turns(lambda _: True)
    for item in items:
        known = item in returning.split()
        turns.add(item[0], item, rank=Rank.RETURNING if known else Rank.FIRST)
    return turns


def test_addresses_take_turns_and_each_keeps_its_order() -> None:
    turns = waiting("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert served(turns) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert len(turns) == 0


def test_who_comes_back_goes_first_and_leaves_every_fourth_turn() -> None:
    turns = waiting("a1", "a2", "b1", "r1", "r2", "r3", "r4", returning="r1 r2 r3 r4")
    assert served(turns) == ["r1", "r2", "r3", "a1", "r4", "b1", "a2"]


def known(turns: Turns[str], rank: Rank, *items: str) -> None:
    for item in items:
        turns.add(item[0], item, rank=rank)


def test_who_asked_for_nothing_goes_last_and_has_one_turn_of_sixteen() -> None:
    turns: Turns[str] = Turns(lambda _: True)
    known(turns, Rank.FRUITLESS, "x1", "x2")
    known(turns, Rank.FIRST, *(f"a{each}" for each in range(20)))
    order = served(turns)
    assert order.index("x1") == 15
    assert order[-1] == "x2"


def test_whose_rank_is_too_low_waits_on() -> None:
    turns: Turns[str] = Turns(lambda _: True)
    known(turns, Rank.FRUITLESS, "x1")
    known(turns, Rank.FIRST, "a1")
    known(turns, Rank.RETURNING, "r1")
    assert [turns.count(each) for each in Rank] == [1, 2, 3]
    assert turns.next(Rank.RETURNING) == ("r1", Rank.RETURNING)
    assert turns.next(Rank.RETURNING) is None
    assert turns.next(Rank.FIRST) == ("a1", Rank.FIRST)
    assert turns.next(Rank.FIRST) is None
    assert turns.next() == ("x1", Rank.FRUITLESS)


def test_newcomers_do_not_wait_for_strangers_and_these_keep_every_eighth_turn() -> None:
    turns: Turns[str] = Turns(lambda _: True)
    known(turns, Rank.FIRST, *(chr(ord("a") + each) + "1" for each in range(20)))
    order = []
    for _ in range(9):
        found = turns.next(newest=True)
        assert found is not None
        order.append(found[0])
    assert order == ["t1", "s1", "r1", "q1", "p1", "o1", "n1", "a1", "m1"]
    known(turns, Rank.FIRST, "z1")
    assert turns.next(newest=True) == ("z1", Rank.FIRST)
    # Behind one address, too.
    known(turns, Rank.FIRST, "y1", "y2", "y3")
    assert turns.next(newest=True) == ("y3", Rank.FIRST)
    assert turns.next(newest=True) == ("l1", Rank.FIRST)
    # Its peer has asked for something: the next ones may, too.
    turns.asked("y")
    assert turns.next(newest=True) == ("y2", Rank.FIRST)


def test_a_newcomer_begins_where_first_contacts_may_not() -> None:
    turns: Turns[str] = Turns(lambda host: host != "x")

    def newcomer(item: str) -> bool:
        return item > "c"

    known(turns, Rank.FIRST, "a1", "b1", "d1", "e1", "x1")
    known(turns, Rank.FRUITLESS, "f1")
    known(turns, Rank.RETURNING, "r1", "r2", "r3", "r4")
    order = []
    while (found := turns.next(Rank.RETURNING, newcomer=newcomer)) is not None:
        order.append(found[0])
    # Every fourth turn, the last one first, and none of who came before, or is at its bound.
    assert order == ["r1", "r2", "r3", "e1", "r4", "d1"]
    assert len(turns) == 4
    # Who has had a turn is none that came last any more.
    known(turns, Rank.FIRST, "g1", "g2")
    assert turns.next(Rank.RETURNING, newcomer=newcomer) == ("g2", Rank.FIRST)
    assert turns.next(Rank.RETURNING, newcomer=newcomer) is None
    assert turns.next(Rank.FIRST) == ("a1", Rank.FIRST)


def test_an_address_at_its_bound_stands_aside_until_it_is_freed() -> None:
    full = {"a"}
    turns: Turns[str] = Turns(lambda host: host not in full)
    for item in ("a1", "a2", "b1"):
        turns.add(item[0], item, rank=Rank.FIRST)
    assert served(turns) == ["b1"]
    assert turns.aside() == {"a"}
    # It comes to those that wait for it, not past them.
    turns.add("a", "a3", rank=Rank.FIRST)
    assert turns.next() is None
    full.clear()
    turns.freed("a")
    assert served(turns) == ["a1", "a2", "a3"]
    assert turns.aside() == set()


def test_one_that_has_gone_is_not_served() -> None:
    turns = waiting("a1", "a2", "b1")
    turns.discard("a", "a1")
    turns.discard("a", "a1")
    turns.discard("c", "c1")
    assert len(turns) == 2
    assert served(turns) == ["a2", "b1"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Rank)), max_size=40),
    st.booleans(),
)
def test_everybody_is_served_once(arrivals: list[tuple[str, Rank]], newest: bool) -> None:
    turns: Turns[tuple[str, int]] = Turns(lambda _: True)
    items = [(host, number) for number, (host, _) in enumerate(arrivals)]
    for (host, number), (_, rank) in zip(items, arrivals, strict=True):
        turns.add(host, (host, number), rank=rank)
    found = []
    while (turn := turns.next(newest=newest)) is not None:
        found.append(turn[0])
    assert sorted(found) == sorted(items)


def test_an_answer_is_remembered_for_a_minute() -> None:
    now = [1000.0]
    returning = Returning(monotonic=lambda: now[0])
    assert "192.0.2.1" not in returning
    returning.answered("192.0.2.1", to_be_followed=True)
    assert "192.0.2.1" in returning
    assert "192.0.2.2" not in returning
    now[0] += 60
    assert "192.0.2.1" in returning
    now[0] += 1
    assert "192.0.2.1" not in returning


def test_each_answer_lets_one_connection_go_first() -> None:
    now = [1000.0]
    returning = Returning(monotonic=lambda: now[0])
    assert not returning.take("192.0.2.1")
    # Behind one address: two routers that have their data, and one that has reported.
    for to_be_followed in (True, True, False):
        returning.answered("192.0.2.1", to_be_followed=to_be_followed)
    assert [returning.take("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    # It is known all the same.
    assert "192.0.2.1" in returning
    returning.answered("192.0.2.1", to_be_followed=True)
    now[0] += 61
    assert not returning.take("192.0.2.1")
    # What was expected then is not expected any more.
    returning.answered("192.0.2.1", to_be_followed=False)
    assert returning.owner("192.0.2.1") is None
    assert [returning.take("192.0.2.1") for _ in range(2)] == [True, False]


def test_each_answer_brings_one_connection_back_to_who_gave_it() -> None:
    descriptor = os.memfd_create("returning")
    try:
        os.ftruncate(descriptor, TABLE_BYTES)
        now = [1000.0]
        first, second = (
            Returning(descriptor, number=number, monotonic=lambda: now[0]) for number in (0, 300)
        )
        for each in (first, second):
            each.takes_connections(yes=True)
        assert first.owner("192.0.2.1") is None
        second.answered("192.0.2.1", to_be_followed=True)
        assert first.owner("192.0.2.1") == 300
        assert first.owner("192.0.2.1") is None
        # It still goes before those who were not answered.
        assert "192.0.2.1" in first
        second.answered("192.0.2.1", to_be_followed=True)
        assert second.owner("192.0.2.1") is None
        second.answered("192.0.2.1", to_be_followed=True)
        now[0] += 61
        assert first.owner("192.0.2.1") is None
        # Answered twice before it came once: there are several.
        second.answered("192.0.2.1", to_be_followed=True)
        first.answered("192.0.2.1", to_be_followed=True)
        assert second.owner("192.0.2.1") is None
        assert first.owner("192.0.2.1") is None
        now[0] += 61
        first.answered("192.0.2.1", to_be_followed=True)
        first.takes_connections(yes=False)
        assert second.owner("192.0.2.1") is None
    finally:
        os.close(descriptor)
