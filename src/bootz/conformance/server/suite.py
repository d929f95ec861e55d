"""Plays cases against a server, one after the other, and judges what it saw."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from bootz.conformance.server.player import Player, WrongReply
from bootz.device.grpc_client import ServerRefused
from bootz.errors import BootzError, ConfigError, Unavailable

OK = "OK"
REFUSED = "REFUSED"
"""The connection itself may end; there need not be a status."""

Play = Callable[[Player], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class ServerCase:
    """One case. ``expected``: ``OK``, a gRPC status, or any ``REFUSED``.

    The status is that of docs/dialects.md#order-of-the-checks-of-getbootstrapdata.

    ``play`` returns when the server has done all that it should do for a well-behaved device,
    and raises what a refusal raises; ``slow`` cases wait for a time limit of the protocol.
    """

    name: str
    expected: str
    play: Play
    slow: bool = False


@dataclass(frozen=True, slots=True)
class ServerVerdict:
    """How a case went. ``remark`` tells of another status than that of the specification."""

    case: ServerCase
    passed: bool
    seen: str
    remark: str
    seconds: float


def chosen(cases: Sequence[ServerCase], patterns: Sequence[str], *, slow: bool) -> list[ServerCase]:
    """Return the cases whose names fit one of the patterns (``*`` stands for anything).

    Raises:
        ConfigError: a pattern fits none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in cases):
            raise ConfigError(
                "conformance-case-unknown", f"no case fits {pattern!r}", where="--case"
            )
    return [
        case
        for case in cases
        if (slow or not case.slow)
        and (not patterns or any(fnmatchcase(case.name, each) for each in patterns))
    ]


async def play(case: ServerCase, player: Player, *, exact: bool, seconds: float) -> ServerVerdict:
    """Play a case and judge it.

    Args:
        case: which.
        player: the devices, in front of the server.
        exact: another status than that of the specification fails; else any refusal is one,
            since a device acts only on "not OK".
        seconds: a case that takes longer has failed.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            await case.play(player)
            outcome, told = _Outcome.SERVED, OK
    except TimeoutError:
        outcome, told = _Outcome.WRONG, f"nothing within {seconds:g} s"
    except ServerRefused as refusal:
        outcome, told = _Outcome.REFUSED, refusal.seen
    except Unavailable as error:
        outcome, told = _Outcome.CUT, f"{error.reason}: {error.detail}"
    except (BootzError, WrongReply) as error:
        outcome, told = _Outcome.WRONG, str(error)
    took = time.monotonic() - started
    passed, remark = _judge(case, outcome, told, exact=exact)
    return ServerVerdict(case, passed, told, remark, took)


class _Outcome(Enum):
    SERVED = "the server accepted everything"
    REFUSED = "a status other than OK"
    CUT = "the connection ended"
    WRONG = "the server sent something unexpected, or something that does not verify"


def _judge(case: ServerCase, outcome: _Outcome, told: str, *, exact: bool) -> tuple[bool, str]:
    if case.expected == OK:
        return outcome is _Outcome.SERVED, ""
    if case.expected == REFUSED:
        return outcome in {_Outcome.REFUSED, _Outcome.CUT}, ""
    if outcome is not _Outcome.REFUSED:
        return False, ""
    right = told.partition(" ")[0] == case.expected
    return right or not exact, "" if right else f"the specification says {case.expected}"
