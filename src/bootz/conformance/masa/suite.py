"""Plays the cases of the suite for voucher services, one after the other, and judges them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bootz.conformance.masa.answers import WrongAnswer
from bootz.conformance.masa.caller import NotJudged
from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.masa.plays import MasaCase
from bootz.conformance.masa.refusals import refusal_cases
from bootz.conformance.masa.rules import rule_cases
from bootz.conformance.masa.served import served_cases
from bootz.conformance.verdict import JudgedCase, Judgement, SentMessage
from bootz.errors import BootzError, ConfigError


def masa_cases() -> tuple[MasaCase, ...]:
    """Return every case, the well-formed calls first."""
    return (*served_cases(), *refusal_cases(), *rule_cases())


def chosen_masa_cases(patterns: Sequence[str]) -> tuple[MasaCase, ...]:
    """Return the cases whose names fit one of the patterns (``*`` stands for anything).

    Raises:
        ConfigError: a pattern fits none.
    """
    cases = masa_cases()
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in cases):
            raise ConfigError(
                "conformance-case-unknown", f"no case fits {pattern!r}", where="--case"
            )
    if not patterns:
        return cases
    return tuple(case for case in cases if any(fnmatchcase(case.name, each) for each in patterns))


@dataclass(frozen=True, slots=True)
class _Outcome:
    judgement: Judgement
    why: str = ""
    broken: bool = False


async def play_masa(
    cases: Sequence[MasaCase],
    ground: OvgsGround,
    *,
    seconds: float,
    on_case: Callable[[JudgedCase], None] = lambda _: None,
) -> list[JudgedCase]:
    """Play cases and return what they have shown; the service is left as it was.

    Args:
        cases: which.
        ground: not built yet.
        seconds: what takes longer has failed.
        on_case: told of each case.
    """
    judged: list[JudgedCase] = []
    flaw = await _build(ground, seconds)
    for case in cases:
        if not ground.groups and not flaw:
            flaw = await _build(ground, seconds)
        one = await _play(case, ground, flaw, seconds)
        judged.append(one)
        on_case(one)
        if case.changes and not flaw and not await _mended(ground, seconds):
            await _clear(ground, seconds)
    await _clear(ground, seconds)
    ground.caller.close()
    return judged


async def _build(ground: OvgsGround, seconds: float) -> str:
    """Make what the cases stand on; return why that cannot be."""
    try:
        async with asyncio.timeout(seconds):
            await ground.build()
    except TimeoutError:
        return f"the groups of the suite: nothing within {seconds:g} s"
    except (BootzError, NotJudged) as error:
        return f"the groups of the suite cannot be made: {error}"
    return ""


async def _mended(ground: OvgsGround, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await ground.mend(ground.base)
    except (BootzError, NotJudged, TimeoutError):
        return False
    return True


async def _clear(ground: OvgsGround, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await ground.clear()
    except (BootzError, TimeoutError):
        # What is left says its own name: the descriptions of the groups.
        ground.groups = {}


async def _play(case: MasaCase, ground: OvgsGround, flaw: str, seconds: float) -> JudgedCase:
    ground.caller.exchanges.clear()
    started = time.monotonic()
    if flaw:
        refusal = _Outcome(Judgement.NOT_JUDGED, flaw)
        outcome = refusal if case.hostile else _Outcome(Judgement.FAILED, flaw, broken=True)
    else:
        outcome = await _judged(case, ground, seconds)
    said = ground.caller.exchanges
    about = [each for each in said if each.rpc == case.rpc] or said
    group, _, name = case.name.rpartition("/")
    return JudgedCase(
        group,
        name,
        outcome.judgement,
        time.monotonic() - started,
        claim=case.claim,
        expected=case.expected,
        came="; ".join(f"{each.rpc} by {each.who.value}: {each.came}" for each in about[:6]),
        why=outcome.why,
        sent=tuple(SentMessage(f"{each.rpc} by {each.who.value}", each.sent) for each in about[:6]),
        source=case.source,
        broken=outcome.broken,
    )


async def _judged(case: MasaCase, ground: OvgsGround, seconds: float) -> _Outcome:
    try:
        async with asyncio.timeout(seconds):
            await case.play(ground)
    except TimeoutError:
        return _Outcome(Judgement.FAILED, f"nothing within {seconds:g} s", broken=True)
    except NotJudged as reason:
        return _Outcome(Judgement.NOT_JUDGED, str(reason))
    except WrongAnswer as error:
        return _Outcome(Judgement.FAILED, str(error))
    except BootzError as error:
        return _Outcome(Judgement.FAILED, str(error), broken=True)
    return _Outcome(Judgement.PASSED)
