"""Reasons of the suite for voucher services."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "conformance-masa-component",
        Fault.CONFIGURATION,
        "A component is not where the suite for voucher services needs it.",
        "Name four components with --serial that are in the organisation's root group alone.",
    ),
    Reason(
        "conformance-masa-token",
        Fault.CONFIGURATION,
        "A file has no token for the suite for voucher services.",
        "Write the token into the file, on one line.",
    ),
)
