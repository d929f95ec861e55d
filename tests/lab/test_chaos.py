"""Servers, database and voucher source are killed while routers onboard, and what that costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bootz.cli.main import run
from bootz.lab.chaos.verdict import Heard, StormRecord, StormVerdict, judge_storm
from bootz.lab.outcome import LabOutcome
from bootz.lab.plan import plan_routers


@pytest.mark.postgresql
def test_a_storm_costs_time_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--servers", "2", "--database", "postgresql", "--chaos", "--kills", "2"]
    # Of one kind: one process boots them all.
    routers = ["--routers", "4", "--dialect", "v0.1.0", "--image-kib", "64"]
    folder = tmp_path / "lab"
    assert run(["lab", *words, *routers, "--keep", str(folder), "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["faults"]) == (True, [])
    assert told["kills"]["total"] == 2
    # More than one round, where the routers were quicker than the storm.
    powered_on = told["routers"]["powered_on"]
    assert powered_on % 4 == 0
    assert told["routers"]["managed"] == powered_on
    assert told["reports"]["acknowledged"] >= powered_on
    assert told["vouchers"]["on_record"] == told["vouchers"]["cards"]
    assert (folder / "logs" / "server2.log").is_file()


def test_several_servers_need_a_database_that_they_share(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["lab", "--servers", "2"]) == 2
    assert run(["lab", "--chaos"]) == 2
    assert run(["lab", "--database", "postgresql", "--kills", "3"]) == 2
    assert "--chaos" in capsys.readouterr().err


def judged(
    *,
    acknowledged: int = 2,
    unanswered: int = 0,
    reports: int = 2,
    successes: int = 1,
    stored: int = 1,
    issued: int = 1,
    why: str = "",
    cards: Sequence[str] = (),
) -> StormVerdict:
    """Judge one router that differs from a good one in some number."""
    (router,) = plan_routers(1)
    serial = router.serial_number
    outcome = LabOutcome(router, 1, "lab-os 2.0", "ab", "BOOTZ_OK", 1.0, "success", why)
    states = ["success"] * successes or ["answered"]
    rows = [{"serial_number": serial, "state": state, "reports": 0} for state in states]
    rows[0]["reports"] = reports
    heard = Heard()
    for _ in range(acknowledged):
        heard.hear(serial, {"event": "report"})
    for _ in range(unanswered):
        heard.hear(serial, {"event": "report-failed"})
    for fate in cards:
        heard.hear(serial, {"event": fate, "card": serial, "reason": "contact-unreachable"})
    record = StormRecord(rows, {serial: stored}, {serial: issued})
    return judge_storm([outcome], heard, record, Counter({"server 1": 3}))


def test_a_good_night_is_judged_good() -> None:
    verdict = judged()
    assert (verdict.ok, verdict.managed, verdict.recorded) == (True, 1, 2)
    assert verdict.record()["kills"] == {"total": 3, "server 1": 3}


def test_what_was_sent_again_is_told_and_no_fault() -> None:
    verdict = judged(unanswered=1, reports=3)
    assert (verdict.ok, verdict.sent_again, verdict.issued) == (True, 1, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reports": 1}, "lost"),
        ({"reports": 3}, "doubled"),
        ({"successes": 2}, "doubled"),
        ({"stored": 2}, "voucher_doubles"),
        ({"stored": 0}, "voucher_missing"),
        ({"issued": 2}, "issued_again"),
    ],
)
def test_each_loss_is_found(changes: dict[str, int], field: str) -> None:
    verdict = judged(**changes)  # type: ignore[arg-type]
    assert not verdict.ok
    assert getattr(verdict, field) == 1
    assert verdict.faults[0].startswith("LAB00001: ")


def test_a_router_that_is_not_in_managed_state_is_a_fault() -> None:
    verdict = judged(why="status unknown")
    assert (verdict.ok, verdict.managed) == (False, 0)
    assert verdict.faults == ("LAB00001: status unknown",)


def test_a_card_that_is_taken_in_the_end_is_told_and_no_fault() -> None:
    taken = ["card-shut-down", "card-shut-down", "card-verified", "cards-done"]
    verdict = judged(cards=taken, successes=2)
    assert (verdict.ok, verdict.cards_shut_down, verdict.cards_left_shut) == (True, 1, 0)
    assert judged(cards=taken, successes=3).doubled == 1


def test_a_card_that_stays_shut_down_is_a_fault() -> None:
    verdict = judged(cards=["card-verified", "card-shut-down"])
    assert (verdict.ok, verdict.cards_left_shut) == (False, 1)
    assert verdict.faults == ("LAB00001: the card is still shut down: contact-unreachable",)
