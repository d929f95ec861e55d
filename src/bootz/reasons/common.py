"""Reasons that belong to no single subject."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "internal",
        Fault.INTERNAL,
        "The program failed unexpectedly.",
        "Find the same time in the log and report the defect with that line.",
    ),
    Reason(
        "usage",
        Fault.CONFIGURATION,
        "A command was called with wrong arguments.",
        "Run it with --help and correct the named argument.",
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
        "Give another path, or move away what is there.",
    ),
)
