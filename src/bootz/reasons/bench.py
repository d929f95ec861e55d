"""Reasons of the benchmark."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "bench-server-failed",
        Fault.UNAVAILABLE,
        "The server that was to be measured did not start, or ended by itself.",
        "Run the benchmark again with --keep DIR and read the end of DIR/serve.log.",
    ),
    Reason(
        "bench-onboarding-failed",
        Fault.INTERNAL,
        "A router of the benchmark was not onboarded, so that nothing was measured.",
        "Run the benchmark again with --keep DIR and read the end of DIR/serve.log.",
    ),
    Reason(
        "bench-too-slow",
        Fault.PRECONDITION,
        "An onboarding cost more than the bound that was given.",
        "Compare with docs/performance.md, on a machine that does nothing else.",
    ),
    Reason(
        "bench-plan-invalid",
        Fault.CONFIGURATION,
        "The benchmark cannot be run with these numbers.",
        "Correct the named option.",
    ),
)
