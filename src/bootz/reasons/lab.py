"""Reasons of the lab, and of processes that play a party."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "process-failed",
        Fault.UNAVAILABLE,
        "A process of the lab has failed or did not start.",
        "Read its last output above; with --keep DIR the lab keeps every log.",
    ),
    Reason(
        "lab-plan-invalid",
        Fault.CONFIGURATION,
        "The lab cannot be set up with these options.",
        "Correct the named option.",
    ),
)
