"""The emulated router passes every case of the acceptance plan; a test for each case id."""

from __future__ import annotations

import pytest
from conformance.lab import Lab

from bootz.conformance.device.cases import CASES, Case, ConsoleUse, Given
from bootz.conformance.device.report import why

UNARY = [case for case in CASES if case.flow == "unary" and case.console is ConsoleUse.NONE]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_emulated_router_passes(lab: Lab, case: Case) -> None:
    verdict = lab.play(case)
    assert verdict.passed, why(verdict, [verdict])
    # Nothing was passed over because the router did not report.
    assert not [check.name for check in verdict.checks if check.outcome.value == "skipped"]


@pytest.mark.parametrize("dialect", ["v0.1.0", "2023-11", "v0.3"])
@pytest.mark.parametrize(
    "given", [Given.IMAGE, Given.CERTZ_BUNDLE, Given.CERTZ_POLICY, Given.VOUCHER_SERIAL]
)
def test_the_emulated_router_passes_in_the_older_dialects(
    lab: Lab, dialect: str, given: Given
) -> None:
    case = next(case for case in UNARY if case.given is given)
    verdict = lab.play(case, dialect)
    assert verdict.passed, why(verdict, [verdict])
