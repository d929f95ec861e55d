"""What came of it: rows for a table or a program, and the cases for reports."""

from collections.abc import Sequence

from bootz.conformance.device.run import CaseVerdict
from bootz.conformance.verdict import JudgedCase, Judgement
from bootz.model.checks import Check, Outcome


def verdict_row(verdict: CaseVerdict) -> dict[str, object]:
    """Return the row of one case."""
    checks = verdict.checks
    return {
        "case": verdict.case.id,
        "title": verdict.case.title,
        "dialect": verdict.dialect,
        "flow": verdict.case.flow,
        "result": "passed" if verdict.passed else "failed",
        "passed": sum(check.outcome is Outcome.PASSED for check in checks),
        "skipped": sum(check.outcome is Outcome.SKIPPED for check in checks),
        "failed": sum(check.outcome is Outcome.FAILED for check in checks),
        "seconds": verdict.seconds,
        "why": why(verdict),
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


def why(verdict: CaseVerdict) -> str:
    """Return on one line why a case failed; empty where it passed."""
    words = [_words(check) for check in verdict.checks if check.outcome is Outcome.FAILED]
    if verdict.error:
        words.insert(0, verdict.error)
    return "; ".join(words)


def _words(check: Check) -> str:
    return f"{check.name}: expected {check.expected}, seen {check.seen or '-'}"


def judged_cases(verdicts: Sequence[CaseVerdict]) -> list[JudgedCase]:
    """Return the verdicts in the form that reports are written from."""
    return [
        JudgedCase(
            f"{each.case.flow}.{each.dialect}",
            f"{each.case.id} {each.case.title}",
            Judgement.PASSED if each.passed else Judgement.FAILED,
            each.seconds,
            why=why(each),
            notes="\n".join(f"{check.outcome.value}: {check.name}" for check in each.checks),
            broken=bool(each.error),
        )
        for each in verdicts
    ]
