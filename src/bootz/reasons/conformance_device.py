"""Reasons of the conformance suite for routers."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "conformance-adapter",
        Fault.UNAVAILABLE,
        "The adapter of the device under test did not do what it was asked, or not in time.",
        "Run the adapter by hand with that request (docs/conformance.md), and fix it.",
    ),
    Reason(
        "conformance-adapter-cannot",
        Fault.UNIMPLEMENTED,
        "The adapter says that it cannot do what the case needs.",
        "Choose other cases with --case, or extend the adapter (docs/conformance.md).",
    ),
    Reason(
        "conformance-material",
        Fault.CONFIGURATION,
        "The suite lacks something that the case needs, or the given files do not match.",
        "Give the vouchers, the signer or the owner's keys that are named (docs/conformance.md).",
    ),
    Reason(
        "conformance-scripted",
        Fault.NOT_FOUND,
        "The suite refuses this request because the case says so.",
        "Nothing; the case tests how the device reacts.",
    ),
)
