"""Plays cases against a server, one after the other, and judges what it saw.

A refusal proves something only where the same device is served when it behaves. So a hostile case
has twins, the well-behaved cases of the same device, dialect and flow; they are played once in a
run, and where a server does not serve them its refusals are not judged.

Source: docs/conformance.md#twins.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from bootz.conformance.server.player import Disclosed, HonestPartRefused, Player, WrongReply
from bootz.conformance.server.ways import Way
from bootz.conformance.verdict import JudgedCase, Judgement, SpecSource
from bootz.device.grpc_client import ServerRefused
from bootz.errors import BootzError, ConfigError, Unavailable

OK: Final = "OK"
REFUSED: Final = "REFUSED"
"""The connection itself may end; there need not be a status."""

OWN_ONLY: Final = "OWN ONLY"
"""AnsweredFor without anything of another chassis, or refused."""

TOO_LARGE: Final = "RESOURCE_EXHAUSTED"

_PATIENCE: Final = 3
"""Well-behaved devices that may be left without answer on one way; each costs a time limit."""

_BROKEN: Final = frozenset({"INTERNAL", "UNKNOWN"})
"""The statuses of gRPC for a server's own fault, whatever is expected."""

ANY: Final = "any"
"""The identity of a case for which it does not matter who asks."""

Play = Callable[[Player], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a sound server does, and where that is said."""

    claim: str
    source: SpecSource


@dataclass(frozen=True, slots=True)
class ServerCase:
    """One case.

    Attributes:
        name: unique, with ``/`` between its parts.
        expected: ``OK``, a gRPC status, ``OWN ONLY``, or any ``REFUSED``. The status is that of
            docs/dialects.md#order-of-the-checks-of-getbootstrapdata.
        play: returns when the server has done all that it should do for a well-behaved device,
            and raises what a refusal raises.
        way: dialect and flow.
        identity: the device that asks, ``any`` where that does not matter.
        requirement: what it is about.
        twins: names of the well-behaved cases that must be served for a refusal to count.
        any_twin: one of them is enough.
        may_cut: the server may end the connection instead; then there is no status.
        slow: it waits for a time limit of the protocol.
        prepare: what is done before the server restarts; the case is played after that.
    """

    name: str
    expected: str
    play: Play
    way: Way
    identity: str
    requirement: Requirement
    twins: tuple[str, ...] = ()
    any_twin: bool = False
    may_cut: bool = False
    slow: bool = False
    prepare: Play | None = None


@dataclass(frozen=True, slots=True)
class CaseChoice:
    """Which cases are wanted; an empty tuple wants all.

    ``slow`` takes those that wait for a time limit too, ``restart`` those that need a restart.
    """

    patterns: Sequence[str] = ()
    dialects: Sequence[str] = ()
    flows: Sequence[str] = ()
    identities: Sequence[str] = ()
    slow: bool = False
    restart: bool = False

    def takes(self, case: ServerCase) -> bool:
        """Tell whether a case is wanted."""
        identities = (*self.identities, ANY)
        return (
            (self.slow or not case.slow)
            and (self.restart or case.prepare is None)
            and (not self.dialects or case.way.dialect.name in self.dialects)
            and (not self.flows or case.way.flow in self.flows)
            and (not self.identities or case.identity in identities)
            and (not self.patterns or any(fnmatchcase(case.name, each) for each in self.patterns))
        )


def chosen(cases: Sequence[ServerCase], choice: CaseChoice) -> list[ServerCase]:
    """Return the cases that are wanted (``*`` in a pattern stands for anything).

    Raises:
        ConfigError: a pattern fits no case, or the choice leaves none.
    """
    for pattern in choice.patterns:
        if not any(fnmatchcase(case.name, pattern) for case in cases):
            raise ConfigError(
                "conformance-case-unknown", f"no case fits {pattern!r}", where="--case"
            )
    wanted = [case for case in cases if choice.takes(case)]
    if not wanted:
        raise ConfigError(
            "conformance-case-unknown",
            "no case fits all of these options",
            where="--case, --dialect, --flow, --identity",
        )
    return wanted


@dataclass(frozen=True, slots=True)
class ServerVerdict:
    """How a case went. ``status`` is the gRPC status of a refusal, empty where there was none;
    ``remark`` tells of another one than that of the specification.
    """

    case: ServerCase
    judged: JudgedCase
    status: str
    remark: str

    @property
    def judgement(self) -> Judgement:
        """What the case has shown."""
        return self.judged.judgement


class PlayOutcome(Enum):
    """What one play has come to."""

    SERVED = "the server accepted everything"
    REFUSED = "a status other than OK"
    CUT = "the connection ended"
    SILENT = "nothing came in time"
    DISCLOSED = "the server handed out what belongs to another"
    WRONG = "the server sent something unexpected, or something that does not verify"
    UNFIT = "the honest part of a hostile case was not served"


@dataclass(frozen=True, slots=True)
class CasePlay:
    """One play: what came of it, told in words."""

    outcome: PlayOutcome
    told: str
    judged: JudgedCase

    @property
    def status(self) -> str:
        """The name of the gRPC status of a refusal, else empty."""
        return self.told.partition(" ")[0] if self.outcome is PlayOutcome.REFUSED else ""

    @property
    def not_offered(self) -> bool:
        """Whether the server has no such call."""
        return self.status == "UNIMPLEMENTED"


class ServerRun:
    """One run against one server.

    Args:
        player: the devices, in front of the server.
        cases: all of them, also those that are not played: twins are looked up there.
        exact: another status than that of the specification fails; else any refusal is one,
            since a device acts only on "not OK".
        seconds: a case that takes longer has failed.
    """

    def __init__(
        self, player: Player, cases: Iterable[ServerCase], *, exact: bool, seconds: float
    ) -> None:
        self._player = player
        self._exact = exact
        self._seconds = seconds
        self._behaved: Mapping[str, ServerCase] = {
            case.name: case for case in cases if case.expected == OK
        }
        self._played: dict[str, CasePlay] = {}
        self._silent: dict[str, int] = {}
        """Well-behaved devices that were left without answer, by way."""

    async def prepare(self, case: ServerCase) -> str:
        """Do what a case needs before the server restarts; return why it failed, else nothing."""
        if case.prepare is None:
            return ""
        played = await self._play(replace(case, play=case.prepare))
        return "" if played.outcome is PlayOutcome.SERVED else played.told

    def unprepared(self, case: ServerCase, why: str) -> ServerVerdict:
        """Return the verdict of a case that could not be prepared."""
        return _verdict(case, _unplayed(case), Judgement.NOT_JUDGED, f"not prepared: {why}")

    async def judge(self, case: ServerCase) -> ServerVerdict:
        """Play a case and its twins, and judge it."""
        if case.expected == OK:
            played = await self._twin(case.name)
            if played.outcome is PlayOutcome.SERVED:
                return _verdict(case, played, Judgement.PASSED)
            if played.not_offered and not await self._offers(case.way):
                return _verdict(case, played, Judgement.NOT_JUDGED, _not_offered(case.way))
            return _verdict(case, played, Judgement.FAILED, f"expected OK, seen {played.told}")
        unserved = await self._unserved(case)
        if unserved is None:
            return _judge(case, await self._play(case), exact=self._exact)
        twin, failing = unserved
        why = f"its well-behaved twin {twin} is not served: {failing.told}"
        if failing.not_offered and not await self._offers(case.way):
            return _verdict(case, _unplayed(case), Judgement.NOT_JUDGED, _not_offered(case.way))
        if failing.outcome in {PlayOutcome.CUT, PlayOutcome.SILENT} or case.expected == TOO_LARGE:
            # A server that does not answer, or does not take what is too large, would cost a time
            # limit for each case.
            return _verdict(case, _unplayed(case), Judgement.NOT_JUDGED, why)
        played = await self._play(case)
        served = played.outcome is PlayOutcome.SERVED and case.expected != OWN_ONLY
        if served or played.outcome is PlayOutcome.DISCLOSED:
            # What is handed out to a liar is a fault, whoever else is served.
            return _judge(case, played, exact=self._exact)
        return _verdict(case, played, Judgement.NOT_JUDGED, why)

    async def _twin(self, name: str) -> CasePlay:
        """Return how a well-behaved case goes; it is played once in a run."""
        if name not in self._played:
            case = self._behaved[name]
            way = case.way.name
            if self._silent.get(way, 0) >= _PATIENCE:
                told = f"not played: the server left {_PATIENCE} devices before this without answer"
                played = CasePlay(PlayOutcome.SILENT, told, _unplayed(case).judged)
            else:
                played = await self._play(case)
                if played.outcome is PlayOutcome.SILENT:
                    self._silent[way] = self._silent.get(way, 0) + 1
            self._played[name] = played
        return self._played[name]

    async def _unserved(self, case: ServerCase) -> tuple[str, CasePlay] | None:
        """Return a twin that is not served, None where enough of them are."""
        unserved: tuple[str, CasePlay] | None = None
        for name in case.twins:
            played = await self._twin(name)
            if (served := played.outcome is PlayOutcome.SERVED) and case.any_twin:
                return None
            if not served and unserved is None:
                unserved = name, played
                if not case.any_twin:
                    break
        return unserved

    async def _offers(self, way: Way) -> bool:
        """Tell whether the server has any call of a way."""
        for name, case in self._behaved.items():
            if case.way == way and not (await self._twin(name)).not_offered:
                return True
        return False

    async def _play(self, case: ServerCase) -> CasePlay:
        player = self._player.begin()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                await case.play(player)
                outcome, told = PlayOutcome.SERVED, OK
        except TimeoutError:
            outcome, told = PlayOutcome.SILENT, f"nothing within {self._seconds:g} s"
        except HonestPartRefused as refusal:
            outcome, told = PlayOutcome.UNFIT, str(refusal)
        except Disclosed as disclosed:
            outcome, told = PlayOutcome.DISCLOSED, str(disclosed)
        except ServerRefused as refusal:
            outcome, told = PlayOutcome.REFUSED, refusal.seen
        except Unavailable as error:
            late = isinstance(error.__cause__, TimeoutError)
            outcome = PlayOutcome.SILENT if late else PlayOutcome.CUT
            told = f"{error.reason}: {error.detail}"
        except (BootzError, WrongReply) as error:
            outcome, told = PlayOutcome.WRONG, str(error)
        came = [*player.transcript.came, told]
        judged = replace(
            _unplayed(case).judged,
            seconds=time.monotonic() - started,
            came="; then ".join(came),
            sent=tuple(player.transcript.sent),
        )
        return CasePlay(outcome, told, judged)


def _unplayed(case: ServerCase) -> CasePlay:
    """Return the empty form of a case; its group is all of its name but the last part."""
    group, _, name = case.name.rpartition("/")
    told = "not played"
    judged = JudgedCase(
        group,
        name,
        Judgement.NOT_JUDGED,
        claim=case.requirement.claim,
        expected=case.expected,
        came=told,
        source=case.requirement.source,
    )
    return CasePlay(PlayOutcome.UNFIT, told, judged)


def _not_offered(way: Way) -> str:
    return f"the server does not offer {way.name} (UNIMPLEMENTED)"


def _verdict(
    case: ServerCase, played: CasePlay, judgement: Judgement, why: str = "", remark: str = ""
) -> ServerVerdict:
    judged = replace(played.judged, judgement=judgement, why=why, notes=remark)
    return ServerVerdict(case, judged, played.status, remark)


def _judge(case: ServerCase, played: CasePlay, *, exact: bool) -> ServerVerdict:
    """Judge a hostile case whose twins were served."""
    outcome = played.outcome
    if outcome is PlayOutcome.UNFIT:
        return _verdict(case, played, Judgement.NOT_JUDGED, played.told)
    remark = ""
    if exact and played.status in _BROKEN:
        # It did not refuse, it broke.
        right = False
    elif case.expected == OWN_ONLY:
        right = outcome in {PlayOutcome.SERVED, PlayOutcome.REFUSED}
    elif case.expected == REFUSED:
        right = outcome in {PlayOutcome.REFUSED, PlayOutcome.CUT}
    elif outcome is PlayOutcome.REFUSED:
        right = played.status == case.expected or not exact
        if played.status != case.expected:
            remark = f"the specification says {case.expected}"
    else:
        right = outcome is PlayOutcome.CUT and case.may_cut and not exact
    if right:
        return _verdict(case, played, Judgement.PASSED, remark=remark)
    why = f"expected {case.expected}, seen {played.told}"
    return _verdict(case, played, Judgement.FAILED, why, remark)
