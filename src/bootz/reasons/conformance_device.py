"""Reasons of the conformance suite for routers."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "conformance-adapter",
        Fault.UNAVAILABLE,
        "The adapter of the device under test did not do what it was asked, or not in time.",
        "Run the adapter by hand with that request (docs/conformance.md), and mend it.",
    ),
    Reason(
        "conformance-adapter-cannot",
        Fault.UNIMPLEMENTED,
        "The adapter says that it cannot do what the case needs.",
        "Choose other cases with --case, or teach it to the adapter (docs/conformance.md).",
    ),
    Reason(
        "conformance-material",
        Fault.CONFIGURATION,
        "What the suite was given is not enough to play the case, or does not fit together.",
        "Give the vouchers, the signer or the owner's keys that are named (docs/conformance.md).",
    ),
    Reason(
        "conformance-scripted",
        Fault.NOT_FOUND,
        "The suite refuses this request because the case says so.",
        "None; the case is about how the device takes it.",
    ),
)
