"""Hostile devices on streams: each row of the error tables, for every flow and identity."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bootz.conformance.server.behaved import PROVERS
from bootz.conformance.server.hostile import DENIED, INVALID, TOO_LARGE, UNKNOWN, UNMET, UNPROVEN
from bootz.conformance.server.player import Lie, Player, dialogue
from bootz.conformance.server.suite import Play, ServerCase
from bootz.device.prover import Introduction
from bootz.model.bootstrap import BootstrapRequest, ReportedStatus, StatusReport
from bootz.model.challenge import (
    ChallengeAnswer,
    EkAnswer,
    HmacAnswer,
    SignatureAnswer,
    TransportKey,
)
from bootz.model.identity import Identity, IdentityKind
from bootz.wire.flows import STREAM_FLOWS, STREAM_V1, StreamFlow

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
_PART_COUNT = {"ek": 3, "ppk": 3, "tpm12": 1}
_ANSWERS: tuple[ChallengeAnswer, ...] = (
    SignatureAnswer(b"s", b"t"),
    HmacAnswer(b"p", b"i", b"s", b"t"),
    EkAnswer(b"h", b"t"),
)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def hostile_stream_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that lie on streams."""
    for flow in STREAM_FLOWS:
        yield from _openings(flow)
        for name in PROVERS[flow]:
            yield from _answers(flow, name)
            yield from _orders(flow, name)
    yield from _transport_keys()


def _openings(flow: StreamFlow) -> Iterator[ServerCase]:
    named = f"hostile/{flow.name}"
    unset = Lie(introduction=lambda _: Introduction(None))  # type: ignore[arg-type]
    unknown = IdentityKind.EK_OR_PPK if flow.bound else IdentityKind.TPM20_EK
    wrong = Lie(introduction=lambda _: Introduction(Identity(unknown, public_key=b"k")))
    text = Identity(IdentityKind.IDEVID, idevid_cert="no certificate")
    no_certificate = Lie(introduction=lambda _: Introduction(text))
    yield from _both(f"{named}/no-identity", INVALID, flow, "p256", unset)
    yield from _both(f"{named}/identity-of-another-release", INVALID, flow, "ek", wrong)
    yield from _both(f"{named}/certificate-malformed", INVALID, flow, "p256", no_certificate)
    yield from _both(f"{named}/unknown-serial", UNKNOWN, flow, "stranger")
    yield from _both(f"{named}/rogue-manufacturer", UNPROVEN, flow, "rogue")
    yield from _both(f"{named}/streaming-not-allowed", "UNIMPLEMENTED", flow, "no-stream")
    yield from _both(f"{named}/no-key-on-record", UNKNOWN, flow, "no-key")
    yield ServerCase(f"{named}/borrowed-serial", DENIED, _borrows(flow, listed=False))
    yield ServerCase(f"{named}/borrowed-serial-own-listed", DENIED, _borrows(flow, listed=True))
    yield ServerCase(f"{named}/report-of-another", DENIED, _foreign_report(flow))
    yield ServerCase(f"{named}/report-unspecified", INVALID, _unspecified(flow))
    yield ServerCase(f"{named}/empty-message", INVALID, _says(flow, b""))
    yield ServerCase(f"{named}/message-of-a-draft", INVALID, _says(flow, b"\x3a\x05draft"))
    yield ServerCase(f"{named}/malformed", INVALID, _says(flow, b"\xff\xff"))
    yield ServerCase(f"{named}/oversized", TOO_LARGE, _says(flow, bytes(2 << 20)))
    if flow.bound:
        for size in (0, 19, 21):
            lie = Lie(introduction=_with_digest(bytes(size)))
            yield from _both(f"{named}/aik-digest-{size}-bytes", INVALID, flow, "tpm12", lie)


def _answers(flow: StreamFlow, name: str) -> Iterator[ServerCase]:
    named = f"hostile/{flow.name}/{name}"
    parts = range(_PART_COUNT.get(name, 1))
    for number in parts:
        for word, change in _CHANGES.items():
            lie = Lie(answer=_part(number, change))
            yield ServerCase(f"{named}/answer-{number}-{word}", INVALID, _asks(flow, name, lie))
    if flow.bound:
        lie = Lie(answer=lambda it: _changed(it, "transport_key", _CHANGES["last-bit"]))
        yield ServerCase(f"{named}/transport-key-swapped", INVALID, _asks(flow, name, lie))
    report = Lie(answer=_part(0, _CHANGES["last-bit"]))
    yield ServerCase(f"{named}/report-answer-changed", INVALID, _tells(flow, name, report))
    yield ServerCase(f"{named}/answer-replayed", INVALID, _replays(flow, name))
    yield ServerCase(f"{named}/no-nonce", UNMET, _asks(flow, name, Lie(), nonce=None))
    if name in {"ek", "ppk"}:
        late = Lie(before_answer=lambda: asyncio.sleep(_LATE_S))
        yield ServerCase(f"{named}/late", "DEADLINE_EXCEEDED", _asks(flow, name, late), slow=True)


def _orders(flow: StreamFlow, name: str) -> Iterator[ServerCase]:
    named = f"hostile/{flow.name}/{name}"
    for word, is_report in (("request", False), ("report", True)):
        yield ServerCase(
            f"{named}/{word}-then-request", UNMET, _early(flow, name, is_report, False)
        )
        yield ServerCase(f"{named}/{word}-then-report", UNMET, _early(flow, name, is_report, True))
        yield ServerCase(
            f"{named}/{word}-attested-then-request", UNMET, _again(flow, name, is_report)
        )
    yield ServerCase(f"{named}/answer-first", UNMET, _says(flow, _ANSWERS[0]))
    yield ServerCase(f"{named}/answer-twice", UNMET, _answers_twice(flow, name))
    for answer in _ANSWERS:
        if _kind(name) is type(answer) or (isinstance(answer, EkAnswer) and not flow.bound):
            continue
        word = type(answer).__name__
        yield ServerCase(
            f"{named}/answer-of-another-kind-{word}", UNMET, _other_kind(flow, name, answer)
        )


def _kind(name: str) -> type[ChallengeAnswer]:
    if name in {"ek", "ppk"}:
        return HmacAnswer
    return EkAnswer if name == "tpm12" else SignatureAnswer


def _transport_keys() -> Iterator[ServerCase]:
    changes: dict[str, dict[str, Any]] = {
        "suite-unspecified": {"cipher_suite": 0},
        "suite-none": {"cipher_suite": 1},
        "suite-unknown": {"cipher_suite": 99},
        "key-empty": {"public_key": b""},
        "key-31-bytes": {"public_key": bytes(31)},
        "key-33-bytes": {"public_key": bytes(33)},
        "key-of-low-order": {"public_key": bytes(32)},
    }
    for name in ("p256", "ek", "tpm12"):
        for word, change in changes.items():
            lie = Lie(transport_key=_with_key(change))
            case = f"hostile/{STREAM_V1.name}/{name}/{word}"
            yield ServerCase(case, INVALID, _asks(STREAM_V1, name, lie))
    for word, nonce in (("no-nonce-in-key", b""), ("another-nonce-in-key", bytes(32))):
        lie = Lie(transport_key=_with_key({"nonce": nonce}))
        case = f"hostile/{STREAM_V1.name}/p256/{word}"
        yield ServerCase(case, INVALID, _asks(STREAM_V1, "p256", lie))


def _with_digest(digest: bytes) -> Callable[[Introduction], Introduction]:
    return lambda honest: replace(honest, aik_pub_digest=digest)


def _with_key(change: dict[str, Any]) -> Callable[[TransportKey], TransportKey]:
    return lambda honest: replace(honest, **change)


def _both(
    case: str, expected: str, flow: StreamFlow, name: str, lie: Lie | None = None
) -> Iterator[ServerCase]:
    """Return the case twice: opening with a request, and with a report."""
    told = lie or Lie()
    yield ServerCase(f"{case}/request", expected, _asks(flow, name, told))
    yield ServerCase(f"{case}/report", expected, _tells(flow, name, told))


def _asks(flow: StreamFlow, name: str, lie: Lie, nonce: str | None = "conformance") -> Play:
    async def play(player: Player) -> None:
        request = player.request(name, nonce=nonce)
        contact = player.stream(name, flow, lie)
        await contact.ask(player.uri, request, anchor=None, on_sent=lambda: None)

    return play


def _tells(flow: StreamFlow, name: str, lie: Lie) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.attest(player.prover(name, lie), player.report(name))

    return play


def _borrows(flow: StreamFlow, *, listed: bool) -> Play:
    """A genuine device that asks in the name of another."""

    async def play(player: Player) -> None:
        own = (player.serial("p256"), player.serial("other")) if listed else ()
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.attest(player.prover("other"), player.request("p256", listed=own))

    return play


def _foreign_report(flow: StreamFlow) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.attest(player.prover("p256"), player.request("p256"))
            await stream.say(player.report("other"))

    return play


def _unspecified(flow: StreamFlow) -> Play:
    async def play(player: Player) -> None:
        report = player.report("p256", status=ReportedStatus.UNSPECIFIED)
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.attest(player.prover("p256"), report)

    return play


def _says(flow: StreamFlow, told: ChallengeAnswer | bytes) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.say(told)

    return play


def _part(number: int, change: Callable[[bytes], bytes]) -> Callable[[ChallengeAnswer], Any]:
    return lambda answer: _changed(answer, _PARTS[type(answer)][number], change)


def _changed(answer: Any, part: str, change: Callable[[bytes], bytes]) -> Any:
    return replace(answer, **{part: change(getattr(answer, part))})


def _replays(flow: StreamFlow, name: str) -> Play:
    """The right answer of an earlier stream."""

    async def play(player: Player) -> None:
        kept: list[ChallengeAnswer] = []
        honest = player.prover(name)
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            challenge = await stream.open_with(honest, player.request(name))
            kept.append(await stream.answered(honest, challenge))
            await stream.say(kept[0])
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.open_with(honest, player.request(name))
            await stream.say(kept[0])

    return play


def _opening(player: Player, name: str, *, report: bool) -> BootstrapRequest | StatusReport:
    return player.report(name) if report else player.request(name)


def _early(flow: StreamFlow, name: str, first: bool, second: bool) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.open_with(player.prover(name), _opening(player, name, report=first))
            await stream.say(_opening(player, name, report=second))

    return play


def _again(flow: StreamFlow, name: str, first: bool) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.attest(player.prover(name), _opening(player, name, report=first))
            await stream.say(player.request(name))

    return play


def _answers_twice(flow: StreamFlow, name: str) -> Play:
    async def play(player: Player) -> None:
        honest = player.prover(name)
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            challenge = await stream.open_with(honest, player.request(name))
            answer = await stream.answered(honest, challenge)
            await stream.say(answer)
            await stream.say(answer)

    return play


def _other_kind(flow: StreamFlow, name: str, answer: ChallengeAnswer) -> Play:
    async def play(player: Player) -> None:
        async with dialogue(player.uri, flow, player.timeouts) as stream:
            await stream.open_with(player.prover(name), player.request(name))
            await stream.say(answer)

    return play
