"""``bootz conformance``: black-box suites against servers and routers, ours or others'."""

from __future__ import annotations

from bootz.cli.base import noun

command = noun(
    "conformance",
    "Black-box test suites for servers and routers.",
    elsewhere={suite: f"bootz.cli.conformance.{suite}:command" for suite in ("device", "server")},
)
