"""Reasons of the benchmark."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "bench-server-failed",
        Fault.UNAVAILABLE,
        "The server to be measured did not start, or ended unexpectedly.",
        "Run the benchmark again with --keep DIR and read the end of DIR/serve.log.",
    ),
    Reason(
        "bench-onboarding-failed",
        Fault.INTERNAL,
        "A router of the benchmark was not onboarded, so nothing was measured.",
        "Run the benchmark again with --keep DIR and read the end of DIR/serve.log.",
    ),
    Reason(
        "bench-too-slow",
        Fault.PRECONDITION,
        "An onboarding costs more CPU time than the given limit.",
        "Compare with docs/performance.md, on an otherwise idle machine.",
    ),
    Reason(
        "bench-plan-invalid",
        Fault.CONFIGURATION,
        "The benchmark cannot be run with these numbers.",
        "Correct the named option.",
    ),
)
