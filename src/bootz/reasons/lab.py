"""Reasons of the lab, and of processes that play a party."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "process-failed",
        Fault.UNAVAILABLE,
        "A process that plays a party has failed or did not come up.",
        "Read its last words above; the lab keeps every log with --keep DIR.",
    ),
    Reason(
        "lab-plan-invalid",
        Fault.CONFIGURATION,
        "The lab cannot be set up with these words.",
        "Correct the named option.",
    ),
)
