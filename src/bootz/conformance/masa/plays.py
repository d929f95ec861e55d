"""The two plays of the suite: a call that must be served, and one that must be refused.

A refusal counts only where the same call, in order and by an account that may make it, is
served in the same case (its twin). A service that refuses everything passes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from grpclib.const import Status

from bootz.conformance.masa.answers import WrongAnswer
from bootz.conformance.masa.caller import NotJudged, Who, lacks
from bootz.conformance.masa.deeds import Deed
from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.verdict import SpecSource
from bootz.errors import BootzError
from bootz.transport.calling import CallRefused

Play = Callable[[OvgsGround], Awaitable[None]]
Spoil = Callable[[OvgsGround, Any], None]
"""Changes a request."""

PROTO: Final = "https://github.com/openconfig/ovgs/blob/main/ovgs.proto"
OURS: Final = "docs/protocol/ovgs.md"


def of_proto(rpc: str, says: str) -> SpecSource:
    """Return the source of a claim in the comment of an RPC."""
    return SpecSource(says, f"openconfig/ovgs ovgs.proto, {rpc}", PROTO)


def of_ours(section: str, says: str) -> SpecSource:
    """Return the source of a claim in our page, such as where the interface leaves a choice."""
    anchor = section.lower().replace(" ", "-")
    return SpecSource(says, f"{OURS}, {section}", f"{OURS}#{anchor}")


@dataclass(frozen=True, slots=True)
class MasaCase:
    """One case.

    ``play`` returns where the claim holds; it raises ``WrongAnswer`` where it does not and
    ``NotJudged`` where this run cannot tell. ``hostile``: it is about a refusal, and proves
    nothing against a service that serves no one. ``changes``: it may leave something behind.
    """

    name: str
    rpc: str
    claim: str
    expected: str
    source: SpecSource
    play: Play
    hostile: bool
    changes: bool = True


def served(deed: Deed, who: Who) -> Play:
    """Return the play of a call that must be served, with all that must come of it."""

    async def play(ground: OvgsGround) -> None:
        ground.caller.account(who)
        made = await deed.prepare(ground)
        answer = await demand_served(ground, who, deed.rpc, deed.request(ground, made))
        await deed.check(ground, made, answer)

    return play


async def demand_served(ground: OvgsGround, who: Who, rpc: str, request: Message) -> Any:
    """Make a call that must be served, and return its answer.

    Raises:
        WrongAnswer: it was refused.
        NotJudged: the service is older than the RPC.
    """
    try:
        return await ground.caller.call(who, rpc, request)
    except CallRefused as refusal:
        if lacks(rpc, refusal):
            raise NotJudged("the service does not have this RPC, which was added later") from None
        raise WrongAnswer(f"{rpc} by {who.value} was refused: {refusal.detail}") from refusal


async def demand_refused(
    ground: OvgsGround, who: Who, rpc: str, request: Message, status: Status
) -> None:
    """Make a call that must be refused; the same one was served before, or is after.

    Raises:
        WrongAnswer: it was served, or refused with another status.
    """
    try:
        await ground.caller.call(who, rpc, request)
    except CallRefused as refusal:
        if refusal.status is not status:
            raise WrongAnswer(f"expected: {status.name}; seen: {refusal.status.name}") from refusal
        return
    raise WrongAnswer(f"{rpc} by {who.value} was served")


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that must be refused, and its twin.

    Args:
        deed: the call that is in order.
        statuses: any of them is right.
        caller: who makes the refused call.
        twin: who makes the one that must be served; the caller, if none is named.
        aim: changes both requests.
        flaw: changes the refused one.
        disturb: changes what is stored before the refused call, and is taken back after it.
        strict: another refusal than ``statuses`` fails; otherwise the interface leaves the
            status open, and another one is not judged.
    """

    deed: Deed
    statuses: tuple[Status, ...]
    caller: Who = Who.ADMIN
    twin: Who | None = None
    aim: Spoil | None = None
    flaw: Spoil | None = None
    disturb: Callable[[OvgsGround, str], Awaitable[None]] | None = None
    strict: bool = True

    async def __call__(self, ground: OvgsGround) -> None:
        """Play it."""
        twin, deed = self.twin or self.caller, self.deed
        for who in (self.caller, twin):
            if who not in (Who.UNKNOWN, Who.NONE):
                ground.caller.account(who)
        made = await deed.prepare(ground)
        good = deed.request(ground, made)
        if self.aim is not None:
            self.aim(ground, good)
        bad = type(good)()
        bad.CopyFrom(good)
        if self.flaw is not None:
            self.flaw(ground, bad)
        before = await ground.look() if made else ground.base
        disturbed = before
        if self.disturb is not None:
            await self.disturb(ground, made)
            disturbed = await ground.look()
        refusal = await self._refusal(ground, bad)
        if deed.changes and await ground.look() != disturbed:
            raise WrongAnswer(f"refused with {refusal.status.name}, and yet something has changed")
        if self.disturb is not None:
            await ground.mend(before)
        await self._twin(ground, twin, good, refusal)
        if refusal.status not in self.statuses:
            wanted = " or ".join(each.name for each in self.statuses)
            if not self.strict:
                raise NotJudged(
                    f"refused with {refusal.status.name}; the interface leaves the status open, "
                    f"ours would be {wanted}"
                )
            raise WrongAnswer(f"expected: {wanted}; seen: {refusal.status.name}")

    async def _refusal(self, ground: OvgsGround, request: Message) -> CallRefused:
        try:
            await ground.caller.call(self.caller, self.deed.rpc, request)
        except CallRefused as refusal:
            return refusal
        raise WrongAnswer("the call was served")

    async def _twin(
        self, ground: OvgsGround, who: Who, request: Message, refusal: CallRefused
    ) -> None:
        try:
            await ground.caller.call(who, self.deed.rpc, request)
        except BootzError as error:
            raise NotJudged(
                f"refused with {refusal.status.name}, but its twin, the same call in order by "
                f"{who.value}, was not served either: {error.detail}"
            ) from error
