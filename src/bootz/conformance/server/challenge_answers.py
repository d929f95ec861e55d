"""Hostile devices on streams, after the challenge: wrong answers, and messages out of order."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bootz.conformance.server.hostile import INVALID, UNMET
from bootz.conformance.server.hostile_streams import (
    StreamRoom,
    asks,
    attested,
    says,
    stream_rooms,
    tells,
)
from bootz.conformance.server.player import Lie, Player, WrongReply, honestly
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import Play, ServerCase
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import (
    ChallengeAnswer,
    EkAnswer,
    HmacAnswer,
    SignatureAnswer,
    TransportKey,
)
from bootz.wire.streams import Acknowledged

_LATE_S = 11.0
_PARTS = {
    SignatureAnswer: ("signature",),
    HmacAnswer: ("iak_public", "certify_info", "signature"),
    EkAnswer: ("hash",),
}
_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[:-1],
    "surplus": lambda data: data + b"\0",
    "first-bit": lambda data: bytes([data[0] ^ 0x80]) + data[1:],
    "middle-bit": lambda data: _flipped(data, len(data) // 2),
    "last-bit": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
}
_ANSWERS: tuple[ChallengeAnswer, ...] = (
    SignatureAnswer(b"s", b"t"),
    HmacAnswer(b"p", b"i", b"s", b"t"),
    EkAnswer(b"h", b"t"),
)
_KEYS: dict[str, dict[str, Any]] = {
    "suite-unspecified": {"cipher_suite": 0},
    "suite-none": {"cipher_suite": 1},
    "suite-unknown": {"cipher_suite": 99},
    "key-empty": {"public_key": b""},
    "key-31-bytes": {"public_key": bytes(31)},
    "key-33-bytes": {"public_key": bytes(33)},
    "key-of-low-order": {"public_key": bytes(32)},
}


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def challenge_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that lie once they are challenged."""
    for room in stream_rooms():
        yield from _answers(room)
        yield from _orders(room)
        if room.flow.bound:
            yield from _transport_keys(room)


def restart_cases() -> Iterator[ServerCase]:
    """Return the cases that replay, after a restart of the server, what was right before it."""
    for room in stream_rooms():
        for word, report in (("request", False), ("report", True)):
            kept = f"{room.way.name}/{room.lead}/{word}"
            yield ServerCase(
                f"restart/{kept}-answer-replayed",
                INVALID,
                _replays_kept(room, kept, report=report),
                room.way,
                room.lead,
                REQUIREMENTS["restart"],
                prepare=_keeps(room, kept, report=report),
            )


def _kind(name: str) -> type[ChallengeAnswer]:
    if name in {"ek", "ppk"}:
        return HmacAnswer
    return EkAnswer if name == "tpm12" else SignatureAnswer


def _answers(room: StreamRoom) -> Iterator[ServerCase]:
    flow, name = room.flow, room.lead
    for number in range(len(_PARTS[_kind(name)])):
        for word, change in _CHANGES.items():
            lie = Lie(answer=_part(number, change))
            play = asks(flow, name, lie)
            yield room.case(f"answer-{number}-{word}", INVALID, "challenge", play)
    changed = Lie(answer=_part(0, _CHANGES["last-bit"]))
    play = tells(flow, name, changed)
    yield room.case("report-answer-changed", INVALID, "challenge", play)
    yield room.case("answer-replayed", INVALID, "challenge", _replays(room))
    if _kind(name) is HmacAnswer:
        late = Lie(before_answer=lambda: asyncio.sleep(_LATE_S))
        yield room.case("late", "DEADLINE_EXCEEDED", "late", asks(flow, name, late), slow=True)


def _orders(room: StreamRoom) -> Iterator[ServerCase]:
    flow = room.flow
    plays = [
        (f"{word}-{then}", play)
        for word, first in (("request", False), ("report", True))
        for then, play in (
            ("then-request", _early(room, first, False)),
            ("then-report", _early(room, first, True)),
            ("attested-then-request", _again(room, first)),
        )
    ]
    plays += [("answer-first", says(flow, _ANSWERS[0])), ("answer-twice", _answers_twice(room))]
    for answer in _ANSWERS:
        if _kind(room.lead) is type(answer) or (isinstance(answer, EkAnswer) and not flow.bound):
            continue
        plays.append((f"answer-of-another-kind-{type(answer).__name__}", _other_kind(room, answer)))
    for word, play in plays:
        yield room.case(word, UNMET, "order", play)


def _transport_keys(room: StreamRoom) -> Iterator[ServerCase]:
    swapped = Lie(answer=lambda it: _changed(it, "transport_key", _CHANGES["last-bit"]))
    lies = {"transport-key-swapped": swapped}
    for word, change in _KEYS.items():
        lies[word] = Lie(transport_key=_with_key(change))
    if _kind(room.lead) is SignatureAnswer:
        lies["no-nonce-in-key"] = Lie(transport_key=_with_key({"nonce": b""}))
        lies["another-nonce-in-key"] = Lie(transport_key=_with_key({"nonce": bytes(32)}))
    for word, lie in lies.items():
        play = asks(room.flow, room.lead, lie)
        yield room.case(word, INVALID, "transport-key", play)


def _with_key(change: dict[str, Any]) -> Callable[[TransportKey], TransportKey]:
    return lambda honest: replace(honest, **change)


def _part(number: int, change: Callable[[bytes], bytes]) -> Callable[[ChallengeAnswer], Any]:
    return lambda answer: _changed(answer, _PARTS[type(answer)][number], change)


def _changed(answer: Any, part: str, change: Callable[[bytes], bytes]) -> Any:
    return replace(answer, **{part: change(getattr(answer, part))})


def _opening(player: Player, name: str, *, report: bool) -> BootstrapRequest | StatusReport:
    return player.report(name) if report else player.request(name)


async def _answered(player: Player, room: StreamRoom, *, report: bool) -> ChallengeAnswer:
    """Open a stream, be served, and return the answer that won the challenge."""
    honest = player.prover(room.lead)
    opening = _opening(player, room.lead, report=report)
    due = Acknowledged if report else SealedData
    async with player.dialogue(room.flow) as stream:
        answer = await stream.answered(honest, await stream.open_with(honest, opening))
        if not isinstance(await stream.say(answer), due):
            raise WrongReply("the right answer was not served")
    return answer


async def _replay(
    player: Player, room: StreamRoom, answer: ChallengeAnswer, *, report: bool
) -> None:
    """Answer a new challenge with an earlier answer."""
    opening = _opening(player, room.lead, report=report)
    async with player.dialogue(room.flow) as stream:
        with honestly("opening"):
            await stream.open_with(player.prover(room.lead), opening)
        await stream.say(answer)


def _replays(room: StreamRoom) -> Play:
    """The right answer of an earlier stream."""

    async def play(player: Player) -> None:
        with honestly("earlier stream"):
            answer = await _answered(player, room, report=False)
        await _replay(player, room, answer, report=False)

    return play


def _keeps(room: StreamRoom, kept: str, *, report: bool) -> Play:
    async def play(player: Player) -> None:
        player.kept[kept] = await _answered(player, room, report=report)

    return play


def _replays_kept(room: StreamRoom, kept: str, *, report: bool) -> Play:
    """The right answer of a stream before the restart; after it, an honest one is served."""

    async def play(player: Player) -> None:
        with honestly("stream after the restart"):
            await _answered(player, room, report=report)
        await _replay(player, room, player.kept[kept], report=report)

    return play


def _early(room: StreamRoom, first: bool, second: bool) -> Play:
    """A message while the challenge is open."""

    async def play(player: Player) -> None:
        async with player.dialogue(room.flow) as stream:
            with honestly("opening"):
                opening = _opening(player, room.lead, report=first)
                await stream.open_with(player.prover(room.lead), opening)
            await stream.say(_opening(player, room.lead, report=second))

    return play


def _again(room: StreamRoom, first: bool) -> Play:
    """A request where only reports are due."""

    async def play(player: Player) -> None:
        async with player.dialogue(room.flow) as stream:
            await attested(player, stream, room.lead, _opening(player, room.lead, report=first))
            await stream.say(player.request(room.lead))

    return play


def _answers_twice(room: StreamRoom) -> Play:
    async def play(player: Player) -> None:
        honest = player.prover(room.lead)
        async with player.dialogue(room.flow) as stream:
            with honestly("first answer"):
                challenge = await stream.open_with(honest, player.request(room.lead))
                answer = await stream.answered(honest, challenge)
                if not isinstance(await stream.say(answer), SealedData):
                    raise WrongReply("the right answer was not served")
            await stream.say(answer)

    return play


def _other_kind(room: StreamRoom, answer: ChallengeAnswer) -> Play:
    async def play(player: Player) -> None:
        async with player.dialogue(room.flow) as stream:
            with honestly("opening"):
                honest = player.prover(room.lead)
                await stream.open_with(honest, player.request(room.lead))
            await stream.say(answer)

    return play
