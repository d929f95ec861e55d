"""Reasons that belong to no single subject."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "internal",
        Fault.INTERNAL,
        "The program failed in a way it did not foresee.",
        "Look for the same instant in the log and report the defect with that line.",
    ),
    Reason(
        "usage",
        Fault.CONFIGURATION,
        "A command was called with words that do not fit.",
        "Call it again with --help and correct the named argument.",
    ),
    Reason(
        "file-unreadable",
        Fault.UNAVAILABLE,
        "A file that was named cannot be read.",
        "Check that the file exists and that this user may read it.",
    ),
    Reason(
        "file-exists",
        Fault.CONFLICT,
        "A file or folder is already there and would be overwritten.",
        "Name another place, or move away what is there.",
    ),
)
