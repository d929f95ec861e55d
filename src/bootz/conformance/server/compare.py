"""Two servers side by side: the cases in which they differ."""

from collections.abc import Sequence
from dataclasses import dataclass

from bootz.conformance.server.suite import ServerVerdict


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that went differently at the second server than at the first."""

    first: ServerVerdict
    second: ServerVerdict

    def as_row(self) -> dict[str, object]:
        """Return the row of a table."""
        return {
            "case": self.first.case.name,
            "expected": self.first.case.expected,
            "first": self.first.judgement.value,
            "second": self.second.judgement.value,
            "first_seen": _seen(self.first),
            "second_seen": _seen(self.second),
            "claim": self.first.judged.claim,
        }


def compared(first: Sequence[ServerVerdict], second: Sequence[ServerVerdict]) -> list[Difference]:
    """Return the differences between two runs of the same cases.

    They differ in what was judged, or in the status that a refusal has; not in its words, which
    each server chooses.
    """
    return [
        Difference(one, other)
        for one, other in zip(first, second, strict=True)
        if (one.judgement, one.status) != (other.judgement, other.status)
    ]


def _seen(verdict: ServerVerdict) -> str:
    return verdict.judged.why or verdict.judged.came
