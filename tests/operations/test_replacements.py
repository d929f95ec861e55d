"""Cards that a proven chassis lists and that are not on record; the history of slots (S10)."""

from __future__ import annotations

import pytest
from operations.shell import Shell
from store.world import call

from bootz.model.chassis import ClaimedCard

MODULAR = ("--modular", "--card", "RP0:0", "--card", "RP1:1:RP-X", "--card", "LC9:LC0")


@pytest.fixture
def chassis(shell: Shell) -> Shell:
    shell.ok("chassis", "add", "CH1", "--vendor", "Acme", *MODULAR)
    return shell


def listed(shell: Shell, *cards: ClaimedCard, **more: object) -> None:
    key = shell.key("CH1")
    shell.record(call("RP0", chassis_key=key, foreign_cards=cards, **more))


def test_s10_an_accepted_card_takes_the_place_of_the_one_in_its_slot(chassis: Shell) -> None:
    listed(chassis, ClaimedCard("NEW", "RP-Y", "1"))
    (row,) = chassis.json("chassis", "replacements", "list")
    assert (row["chassis"], row["serial_number"], row["slot"]) == ("CH1", "NEW", "1")
    assert (row["part_number"], row["replaces"], row["proven_serial"]) == ("RP-Y", "RP1", "RP0")
    assert row["evidence"] == "ab" * 32
    assert row["peer"] == "192.0.2.1:4711"
    shown = chassis.json("chassis", "replacements", "accept", "new")
    assert [card["serial_number"] for card in shown["cards"]] == ["RP0", "LC9", "NEW"]
    assert chassis.json("chassis", "replacements", "list") == []
    on_record = chassis.json("chassis", "show", "NEW")
    assert on_record["cards"][-1] == {"serial_number": "NEW", "part_number": "RP-Y", "slot": "1"}
    assert chassis.refused("chassis", "show", "RP1") == "chassis-not-found"


def test_s10_a_card_in_a_new_slot_is_added_beside_the_others(chassis: Shell) -> None:
    listed(chassis, ClaimedCard("NEW", "", "LC1"), ClaimedCard("TWO", "", "1"))
    chassis.ok("chassis", "replacements", "accept", "NEW")
    chassis.ok("chassis", "replacements", "accept", "TWO", "--beside", "--kind", "line")
    cards = chassis.json("chassis", "show", "CH1")["cards"]
    kinds = {card["serial_number"]: card.get("kind", "control") for card in cards}
    assert kinds == {
        "RP0": "control",
        "RP1": "control",
        "LC9": "line",
        "NEW": "line",
        "TWO": "line",
    }


def test_s10_a_rejected_card_is_not_shown_again(chassis: Shell) -> None:
    listed(chassis, ClaimedCard("NEW", "", "1"))
    chassis.ok("chassis", "replacements", "reject", "NEW")
    listed(chassis, ClaimedCard("NEW", "", "1"))
    assert chassis.json("chassis", "replacements", "list") == []
    (row,) = chassis.json("chassis", "replacements", "list", "--all")
    assert row["state"] == "rejected"
    chassis.ok("chassis", "replacements", "accept", "NEW")


def test_a_card_of_another_chassis_is_not_taken_from_it(chassis: Shell) -> None:
    chassis.ok("chassis", "add", "FX1", "--vendor", "Acme")
    listed(chassis, ClaimedCard("FX1", "", "1"))
    assert chassis.refused("chassis", "replacements", "accept", "FX1") == "serial-taken"
    assert len(chassis.json("chassis", "replacements", "list")) == 1


def test_what_nobody_listed_cannot_be_decided_on(chassis: Shell) -> None:
    for verb in ("accept", "reject"):
        reason = chassis.refused("chassis", "replacements", verb, "NOBODY")
        assert reason == "replacement-not-found"


def test_one_serial_number_that_two_chassis_list_is_ambiguous(chassis: Shell) -> None:
    chassis.ok("chassis", "add", "CH2", "--vendor", "Acme", "--modular", "--card", "RPX:0")
    listed(chassis, ClaimedCard("NEW", "", "1"))
    other = chassis.key("CH2")
    chassis.record(call("RPX", chassis_key=other, foreign_cards=(ClaimedCard("NEW"),)))
    assert chassis.refused("chassis", "replacements", "accept", "NEW") == "replacement-ambiguous"


def test_s10_who_sat_in_which_slot_is_remembered(chassis: Shell) -> None:
    key = chassis.key("CH1")
    for serial in ("RP1", "rp1", "NEW", "RP1"):
        chassis.record(call("RP0", chassis_key=key, seated=(ClaimedCard(serial, "", "1"),)))
    seats = chassis.json("chassis", "slots", "CH1")
    assert [(seat["slot"], seat["serial_number"]) for seat in seats] == [
        ("1", "RP1"),
        ("1", "NEW"),
        ("1", "RP1"),
    ]


def test_the_history_of_slots_is_bounded(chassis: Shell) -> None:
    key = chassis.key("CH1")
    many = tuple(ClaimedCard(f"S{number}", "", str(number % 50)) for number in range(1_200))
    chassis.record(call("RP0", chassis_key=key, seated=many))
    assert len(chassis.json("chassis", "slots", "CH1")) == 1_000


def test_a_card_on_record_without_a_slot_is_found_by_where_it_sat(shell: Shell) -> None:
    shell.ok("chassis", "add", "CH1", "--vendor", "Acme", "--modular", "--card", "A", "--card", "B")
    key = shell.key("CH1")
    seated = (ClaimedCard("A", "", "RP0"), ClaimedCard("B", "", "RP1"))
    shell.record(call("A", chassis_key=key, seated=seated))
    listed(shell, ClaimedCard("C", "", "RP1"))
    (row,) = shell.json("chassis", "replacements", "list")
    assert row["replaces"] == "B"
