"""``bootz conformance``: black-box suites against any server, router or voucher service."""

from __future__ import annotations

from bootz.cli.base import noun

command = noun(
    "conformance",
    "Black-box test suites for servers, routers and voucher services.",
    elsewhere={
        suite: f"bootz.cli.conformance.{suite}:command" for suite in ("device", "masa", "server")
    },
)
