"""How the suite for servers judges: each outcome, with and without a served twin."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from grpclib.const import Status

from bootz.conformance.server.player import Disclosed, HonestPartRefused, Player
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import (
    OK,
    OWN_ONLY,
    REFUSED,
    Play,
    ServerCase,
    ServerRun,
    ServerVerdict,
)
from bootz.conformance.server.ways import UNARY_WAYS
from bootz.conformance.verdict import JudgedCase, Judgement, succeeded, tally
from bootz.device.grpc_client import ServerRefused, Timeouts
from bootz.errors import Unavailable, WireError
from bootz.wire.uri import parse_bootz_uri

PASSED, FAILED, NOT_JUDGED = Judgement.PASSED, Judgement.FAILED, Judgement.NOT_JUDGED


def raising(error: Exception) -> Play:
    async def play(_player: Player) -> None:
        raise error

    return play


def refusing(status: str) -> Play:
    return raising(ServerRefused(Status[status], "because", where="x"))


async def served(_player: Player) -> None:
    return


async def hanging(_player: Player) -> None:
    await asyncio.Event().wait()


CUT = raising(Unavailable("contact-broken", "the connection was lost"))
WRONG = raising(WireError("data-malformed", "no data"))


def case(name: str, expected: str, play: Play, *twins: str) -> ServerCase:
    about = REQUIREMENTS["bounds"]
    return ServerCase(name, expected, play, UNARY_WAYS[0], "p256", about, twins)


def judge(
    asked: ServerCase, *others: ServerCase, exact: bool = True, seconds: float = 5
) -> ServerVerdict:
    # None of these plays reaches for a device.
    player = Player(parse_bootz_uri("bootz://127.0.0.1:1"), None, Timeouts())  # type: ignore[arg-type]
    run = ServerRun(player, [asked, *others], exact=exact, seconds=seconds)
    return asyncio.run(run.judge(asked))


@pytest.mark.parametrize(
    ("play", "judgement"), [(served, PASSED), (WRONG, FAILED), (CUT, FAILED), (hanging, FAILED)]
)
def test_a_well_behaved_device_must_be_served(play: Play, judgement: Judgement) -> None:
    assert judge(case("x", OK, play), seconds=0.05).judgement is judgement


def hostile(play: Play, expected: str = "NOT_FOUND") -> ServerCase:
    return case("hostile", expected, play, "twin")


@pytest.mark.parametrize(
    ("play", "expected", "exact", "judgement"),
    [
        (refusing("NOT_FOUND"), "NOT_FOUND", True, PASSED),
        (refusing("INVALID_ARGUMENT"), "NOT_FOUND", True, FAILED),
        (refusing("INVALID_ARGUMENT"), "NOT_FOUND", False, PASSED),
        (served, "NOT_FOUND", False, FAILED),
        (WRONG, "NOT_FOUND", False, FAILED),
        (CUT, "NOT_FOUND", False, FAILED),
        (hanging, "NOT_FOUND", False, FAILED),
        (CUT, REFUSED, True, PASSED),
        (refusing("UNAUTHENTICATED"), REFUSED, True, PASSED),
        (refusing("INTERNAL"), REFUSED, True, FAILED),
        (refusing("INTERNAL"), REFUSED, False, PASSED),
        (served, REFUSED, True, FAILED),
        (served, OWN_ONLY, True, PASSED),
        (refusing("NOT_FOUND"), OWN_ONLY, True, PASSED),
        (refusing("UNKNOWN"), OWN_ONLY, True, FAILED),
        (raising(Disclosed("data of another")), OWN_ONLY, True, FAILED),
        (CUT, OWN_ONLY, True, FAILED),
        (raising(HonestPartRefused("the opening")), "NOT_FOUND", False, NOT_JUDGED),
    ],
)
def test_a_hostile_device_beside_its_twin(
    play: Play, expected: str, judgement: Judgement, *, exact: bool
) -> None:
    twin = case("twin", OK, served)
    verdict = judge(hostile(play, expected), twin, exact=exact, seconds=0.05)
    assert verdict.judgement is judgement


def test_another_status_is_told() -> None:
    verdict = judge(hostile(refusing("INTERNAL")), case("twin", OK, served), exact=False)
    assert verdict.remark == "the specification says NOT_FOUND"


@pytest.mark.parametrize(
    ("twin", "play", "judgement"),
    [
        (refusing("NOT_FOUND"), refusing("NOT_FOUND"), NOT_JUDGED),
        (refusing("NOT_FOUND"), WRONG, NOT_JUDGED),
        # It serves the liar and not the honest one.
        (refusing("NOT_FOUND"), served, FAILED),
        (WRONG, raising(Disclosed("data of another")), FAILED),
        # Not played at all: the server does not answer.
        (CUT, served, NOT_JUDGED),
        (refusing("UNIMPLEMENTED"), refusing("UNIMPLEMENTED"), NOT_JUDGED),
    ],
)
def test_without_its_twin_a_refusal_proves_nothing(
    twin: Play, play: Play, judgement: Judgement
) -> None:
    assert judge(hostile(play), case("twin", OK, twin), exact=False).judgement is judgement


def test_not_offered_only_where_nothing_of_it_is() -> None:
    missing, other = case("a", OK, refusing("UNIMPLEMENTED")), case("b", OK, served)
    assert judge(missing).judgement is NOT_JUDGED
    assert judge(missing, other).judgement is FAILED
    elsewhere = replace(other, way=UNARY_WAYS[1])
    assert judge(missing, elsewhere).judgement is NOT_JUDGED


def test_a_silent_server_does_not_cost_a_time_limit_for_each_case() -> None:
    played = []

    async def counted(player: Player) -> None:
        played.append(player)
        await hanging(player)

    cases = [case(f"device-{number}", OK, counted) for number in range(9)]
    asked = replace(hostile(served), twins=tuple(each.name for each in cases), any_twin=True)
    assert judge(asked, *cases, seconds=0.02).judgement is NOT_JUDGED
    assert len(played) == 3


def test_one_of_several_twins_is_enough_where_any_will_do() -> None:
    lost, found = case("lost", OK, refusing("NOT_FOUND")), case("found", OK, served)
    asked = replace(hostile(refusing("NOT_FOUND")), twins=("lost", "found"))
    assert judge(asked, lost, found).judgement is NOT_JUDGED
    assert judge(replace(asked, any_twin=True), lost, found).judgement is PASSED


def test_a_connection_may_end_where_tls_wants_a_certificate() -> None:
    asked = replace(hostile(CUT), may_cut=True)
    twin = case("twin", OK, served)
    assert judge(asked, twin, exact=False).judgement is PASSED
    assert judge(asked, twin, exact=True).judgement is FAILED


def test_a_run_is_good_if_something_passed_and_nothing_failed() -> None:
    passed, failed, open_ = (JudgedCase("g", "n", each) for each in (PASSED, FAILED, NOT_JUDGED))
    assert succeeded([passed, open_], strict=False)
    assert not succeeded([passed, open_], strict=True)
    assert not succeeded([open_, open_], strict=False)
    assert not succeeded([], strict=False)
    assert not succeeded([passed, failed], strict=False)
    assert tally([passed, failed, open_]) == "1 of 3 cases passed, 1 failed, 1 not judged"
