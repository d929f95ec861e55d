"""A router built with ``legacy`` judges vouchers as a server does for a vendor marked so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from device.world import FakeServer, World, boot, options, play
from pki import Pair
from trust.world import at, constraints, forge, usage

from bootz.device.onboarding import BootResult
from bootz.model.checks import Outcome


@pytest.mark.parametrize("legacy", [False, True])
def test_a_chain_that_needs_legacy_is_taken_by_routers_built_for_it(
    tmp_path: Path, legacy: bool
) -> None:
    async def story() -> None:
        world = World(tmp_path)
        now = datetime.now(UTC)
        early = at(now + timedelta(days=1), generalized=True)
        vendor = forge(
            "vendor CA", world.vendor.key, extensions=(constraints(), usage(certify=True))
        )
        signer = forge("signer", world.signer.key, vendor, end=early)
        world.vendor = Pair(world.vendor.key, x509.load_der_x509_certificate(vendor.der))
        world.signer = Pair(world.signer.key, x509.load_der_x509_certificate(signer.der))
        hardware = world.manufacture(legacy=legacy)
        async with FakeServer(world) as server:
            result, state, _ = await boot(hardware, replace(options(server.uri), max_attempts=1))
        if not legacy:
            assert (result, state.reason) == (BootResult.FAILED, "ov-untrusted-signer")
            assert "certificate-needs-legacy" in state.checks[-1].seen + state.message
            return
        assert result is BootResult.ONBOARDED
        (told,) = [check for check in state.checks if check.outcome is Outcome.SKIPPED]
        assert told.name == "voucher"
        assert told.seen.startswith("LEGACY")
        assert "GeneralizedTime" in told.seen

    play(story)
