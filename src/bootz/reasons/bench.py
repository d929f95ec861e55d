"""Reasons of the benchmark."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "bench-server-failed",
        Fault.UNAVAILABLE,
        "The server to be measured did not start, does not answer, or ended unexpectedly.",
        "With --target: see that it listens there, and that --pid is its process. Else run the "
        "benchmark again with --keep DIR, and read the end of the serve.log below DIR.",
    ),
    Reason(
        "bench-onboarding-failed",
        Fault.INTERNAL,
        "A router of the benchmark was not onboarded, so nothing was measured.",
        "Read the server's log: with --keep DIR it is the serve.log below DIR.",
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
        "The benchmark cannot be run like this.",
        "Correct the named option.",
    ),
)
