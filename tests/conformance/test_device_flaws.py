"""A suite that cannot fail is worth nothing: each flaw of a router fails the case it is for."""

from __future__ import annotations

import pytest
from conformance.broken import FLAWS
from conformance.lab import Lab

FOUND = [
    ("takes any configuration", "bootz-1.1", "status-sequence"),
    ("takes any configuration", "bootz-1.2/openconfig", "report"),
    ("takes any configuration", "bootz-1.2/vendor", "error-count"),
    ("applies nothing", "bootz-1.3", "running-configuration"),
    ("forgets after power off", "bootz-1.3", "reboot-quiet"),
    ("never upgrades", "bootz-2.1", "os-version"),
    ("never upgrades", "bootz-2.1", "image-download"),
    ("takes any image", "bootz-2.2", "os-version"),
    ("repeats its nonce", "bootz-3.2/malformed", "fresh-nonce"),
    ("trusts anybody", "bootz-3.2/malformed", "status-sequence"),
    ("trusts anybody", "bootz-3.2/missing", "report"),
    ("trusts anybody", "bootz-3.3/signer", "running-configuration"),
    ("trusts anybody", "bootz-3.3/serial", "running-configuration"),
    ("trusts anybody", "bootz-3.3/signature", "running-configuration"),
    ("ignores the nonce", "bootz-3.3/nonce", "running-configuration"),
    ("miscalculates", "bootz-3.4", "checksum"),
    ("never reports", "bootz-3.4", "report"),
    ("asks for anybody", "bootz-3.4", "request-proven"),
    ("speaks another dialect", "bootz-3.4", "request-dialect"),
    ("takes any image", "bootz-4.2", "status-sequence"),
    ("takes any image", "bootz-4.3/refused", "report"),
    ("takes any image", "bootz-4.3/not-found", "os-version"),
    ("takes any image", "bootz-4.4", "os-version"),
    ("counts no errors", "bootz-4.4", "error-count"),
    ("names no status", "bootz-4.4", "status-sequence"),
    ("reports success only", "bootz-4.4", "report"),
    ("reports success only", "bootz-5.1", "report"),
    ("forgets certz", "bootz-5.2", "certz-profiles"),
    ("ignores certz", "bootz-5.3", "status-sequence"),
    ("ignores authz", "bootz-5.4", "status-sequence"),
]


@pytest.mark.parametrize(("flaw", "case", "check"), FOUND)
def test_a_flaw_is_found(lab: Lab, flaw: str, case: str, check: str) -> None:
    verdict = lab.play_broken(flaw, case)
    assert not verdict.passed
    assert check in {each.name for each in verdict.checks if each.outcome.value == "failed"}


def test_every_flaw_has_a_case_that_finds_it() -> None:
    assert {flaw for flaw, _, _ in FOUND} == set(FLAWS)
