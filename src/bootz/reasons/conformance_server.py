"""Reasons of the suite for servers."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "conformance-case-unknown",
        Fault.CONFIGURATION,
        "No case of the suite has a name like that.",
        "See the names: `bootz conformance server --list`, or `bootz conformance device --list`.",
    ),
    Reason(
        "conformance-material-damaged",
        Fault.CONFIGURATION,
        "The folder with the devices of the suite is not of its form.",
        "Make it again: name a new folder with --material and --pinned-domain-cert.",
    ),
)
