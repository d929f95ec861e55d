"""What came of a case of any suite: the one form that tables, JUnit and HTML are written from.

A case is passed, failed, or not judged. Not judged is a case whose outcome proves nothing: a
refusal by a server that does not serve the well-behaved device beside it either, or a call that
it does not offer. It counts neither for nor against, and fails only a strict run.

Source: docs/conformance.md#passed-failed-not-judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Judgement(Enum):
    """What a case has shown."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class SpecSource:
    """What the specification says of a claim, and where a reader opens it.

    ``says`` is in our words; ``document`` names it (``RFC 8366 section 5``); ``url`` opens it.
    """

    says: str
    document: str
    url: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that a suite sent: ``where`` is its path or step, ``data`` its bytes.

    ``cut_from`` is the length of the whole message where ``data`` is only its beginning.
    """

    where: str
    data: bytes = field(repr=False)
    cut_from: int = 0

    @property
    def size(self) -> int:
        """The length of the message in bytes."""
        return self.cut_from or len(self.data)


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """One case as judged.

    Attributes:
        group: what it belongs to: a dialect and flow, a chassis.
        name: its name in that group.
        judgement: what it has shown.
        seconds: how long it took.
        claim: what a sound subject does, in one sentence.
        expected: the answer that the claim asks for.
        came: the answer that came.
        why: what is wrong, or why nothing can be judged; empty where it passed.
        notes: what else is worth reading, also where it passed.
        sent: the messages, in order.
        source: where the claim comes from.
        broken: it failed because it could not be played to its end.
    """

    group: str
    name: str
    judgement: Judgement
    seconds: float = 0.0
    claim: str = ""
    expected: str = ""
    came: str = ""
    why: str = ""
    notes: str = ""
    sent: tuple[SentMessage, ...] = ()
    source: SpecSource | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that was tried, and its cases; two subjects of a report have the same cases."""

    name: str
    cases: Sequence[JudgedCase]


def count(cases: Sequence[JudgedCase], judgement: Judgement) -> int:
    """Return how many cases were judged so."""
    return sum(case.judgement is judgement for case in cases)


def succeeded(cases: Sequence[JudgedCase], *, strict: bool) -> bool:
    """Return whether a run is good: something passed, nothing failed, and, where ``strict``,
    everything was judged.
    """
    return (
        count(cases, Judgement.PASSED) > 0
        and not count(cases, Judgement.FAILED)
        and not (strict and count(cases, Judgement.NOT_JUDGED))
    )


def tally(cases: Sequence[JudgedCase]) -> str:
    """Return the last line of a run: ``12 of 15 cases passed, 1 failed, 2 not judged``."""
    others = [
        f"{number} {judgement.value}"
        for judgement in (Judgement.FAILED, Judgement.NOT_JUDGED)
        if (number := count(cases, judgement))
    ]
    return ", ".join([f"{count(cases, Judgement.PASSED)} of {len(cases)} cases passed", *others])
