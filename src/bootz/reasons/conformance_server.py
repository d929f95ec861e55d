"""Reasons of the suite for servers."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "conformance-case-unknown",
        Fault.CONFIGURATION,
        "No case of the suite has a name like that.",
        "List the names: `bootz conformance server --list` or `bootz conformance device --list`.",
    ),
    Reason(
        "conformance-material-damaged",
        Fault.CONFIGURATION,
        "The folder with the test devices is damaged, or of another version of this program.",
        "Create a new one: give a new folder with --material and --pinned-domain-cert.",
    ),
    Reason(
        "conformance-restart-failed",
        Fault.UNAVAILABLE,
        "The server under test could not be restarted, or did not answer after it.",
        "Try the command of --restart-command by hand; it returns once the server is started.",
    ),
)
