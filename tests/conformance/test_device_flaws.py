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
    ("gives up", "bootz-4.4", "recovery-request"),
    ("takes any configuration", "bootz-6.1.1", "status-sequence"),
    ("never upgrades", "bootz-6.2.1", "os-version"),
    ("trusts anybody", "bootz-6.3.3/signer", "running-configuration"),
    ("takes any image", "bootz-6.4.4", "os-version"),
    ("ignores authz", "bootz-6.5.4", "status-sequence"),
    ("keeps its parameters", "bootz-7.1", "no-dhcp-parameters"),
    ("restores nothing", "bootz-7.2", "configuration-restored"),
    ("gives up", "bootz-7.3", "recovery-request"),
    ("resets half", "bootz-7.4", "configuration-wiped"),
    ("resets half", "bootz-7.5", "configuration-untouched"),
    ("keeps its parameters", "bootz-7.5", "no-dhcp-parameters"),
    ("never reports", "bootz-8.1.1", "report"),
    ("applies nothing", "bootz-8.1.2", "running-configuration"),
    ("sends no AIK digest", "bootz-8.1.3", "request-proven"),
    ("counts no errors", "bootz-8.2.1", "error-count"),
    ("gives up", "bootz-8.2.2", "recovery-request"),
    ("gives up", "bootz-8.3", "recovery-request"),
    ("sends no AIK digest", "bootz-8.4", "request-aik-digest"),
]


@pytest.mark.parametrize(("flaw", "case", "check"), FOUND)
def test_a_flaw_is_found(lab: Lab, flaw: str, case: str, check: str) -> None:
    verdict = lab.play_broken(flaw, case)
    assert not verdict.passed
    assert check in {each.name for each in verdict.checks if each.outcome.value == "failed"}


def test_every_flaw_has_a_case_that_finds_it() -> None:
    assert {flaw for flaw, _, _ in FOUND} == set(FLAWS)
