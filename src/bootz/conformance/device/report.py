"""What came of it: rows for a table or a program, and the cases for reports.

A hostile case counts only beside its twin: the same device, in the same dialect, flow and
identity, has taken a good answer in the same run. A device that never comes, or refuses
everything, has shown nothing.
"""

from collections.abc import Sequence
from typing import Final

from bootz.conformance.device.cases import Case
from bootz.conformance.device.run import CaseVerdict
from bootz.conformance.verdict import JudgedCase, Judgement, SpecSource
from bootz.model.checks import Check, Outcome

_PLAN: Final = "https://github.com/openconfig/featureprofiles"

NO_TWIN: Final = "the device has not taken a good answer in this run, in this dialect and flow"


def judgement(verdict: CaseVerdict, run: Sequence[CaseVerdict]) -> Judgement:
    """Return what a case has shown in a run."""
    served = any(each.served for each in run if _twins(each, verdict))
    if not verdict.case.works and not served:
        return Judgement.NOT_JUDGED
    return Judgement.PASSED if verdict.passed else Judgement.FAILED


def _twins(one: CaseVerdict, other: CaseVerdict) -> bool:
    """Tell whether two plays had the same device in the same dialect, flow and identity."""
    return (one.dialect, one.case.flow, one.case.identity) == (
        other.dialect,
        other.case.flow,
        other.case.identity,
    )


def verdict_row(verdict: CaseVerdict, run: Sequence[CaseVerdict]) -> dict[str, object]:
    """Return the row of one case of a run."""
    checks = verdict.checks
    return {
        "case": verdict.case.id,
        "title": verdict.case.title,
        "dialect": verdict.dialect,
        "flow": verdict.case.flow,
        "result": judgement(verdict, run).value,
        "passed": sum(check.outcome is Outcome.PASSED for check in checks),
        "skipped": sum(check.outcome is Outcome.SKIPPED for check in checks),
        "failed": sum(check.outcome is Outcome.FAILED for check in checks),
        "seconds": verdict.seconds,
        "why": why(verdict, run),
        "checks": [
            {
                "name": check.name,
                "outcome": check.outcome,
                "expected": check.expected,
                "seen": check.seen,
            }
            for check in checks
        ],
    }


def why(verdict: CaseVerdict, run: Sequence[CaseVerdict]) -> str:
    """Return on one line why a case failed or cannot be judged; empty where it passed."""
    words = [_words(check) for check in verdict.checks if check.outcome is Outcome.FAILED]
    if verdict.error:
        words.insert(0, verdict.error)
    if judgement(verdict, run) is Judgement.NOT_JUDGED:
        words.insert(0, NO_TWIN)
    return "; ".join(words)


def _words(check: Check) -> str:
    return f"{check.name}: expected {check.expected}, seen {check.seen or '-'}"


def judged_cases(verdicts: Sequence[CaseVerdict]) -> list[JudgedCase]:
    """Return the verdicts of a run in the form that reports are written from."""
    return [_judged(each, verdicts) for each in verdicts]


def _judged(verdict: CaseVerdict, run: Sequence[CaseVerdict]) -> JudgedCase:
    case, shown = verdict.case, judgement(verdict, run)
    number = case.id.partition("/")[0]
    unlike = [_words(check) for check in verdict.checks if check.seen]
    return JudgedCase(
        f"{case.flow}.{verdict.dialect}",
        f"{case.id} {case.title}",
        shown,
        verdict.seconds,
        claim=_claim(case),
        expected=" or ".join(" ".join(attempt) or "no attempt" for attempt in case.attempts),
        came="; ".join(unlike) or "as expected",
        why=why(verdict, run),
        notes="\n".join(f"{check.outcome.value}: {check.name}" for check in verdict.checks),
        source=SpecSource(case.title, f"the Bootz test plan of featureprofiles, {number}", _PLAN),
        broken=bool(verdict.error) and shown is Judgement.FAILED,
    )


def _claim(case: Case) -> str:
    if case.works:
        return f"Given {case.given.value}, the device comes up and reports it."
    return f"Given {case.given.value}, the device refuses it, and takes a good answer next."
