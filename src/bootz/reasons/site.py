"""Reasons of a site: its folder and its configuration."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "site-missing",
        Fault.CONFIGURATION,
        "The folder is no site: it has no bootz.yaml.",
        "Make one with `bootz init DIR`, or name it with --site DIR or BOOTZ_SITE.",
    ),
    Reason(
        "site-exists",
        Fault.CONFLICT,
        "There is something at the place where the site would be made; nothing was changed.",
        "Name a folder that does not exist yet, or an empty one.",
    ),
    Reason(
        "site-config-invalid",
        Fault.CONFIGURATION,
        "A key or value of bootz.yaml does not fit.",
        "Correct the named key; the file that `bootz init` writes explains all keys.",
    ),
    Reason(
        "interfaces-unreadable",
        Fault.UNAVAILABLE,
        "The addresses of this machine cannot be listed.",
        "List the addresses that routers use under `advertised` in bootz.yaml.",
    ),
    Reason(
        "reference-argument",
        Fault.CONFIGURATION,
        "An option was given that only goes with --from-reference.",
        "Name the reference's configuration with --from-reference FILE.",
    ),
)
