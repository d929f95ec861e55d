"""Reasons of a site: its folder and its configuration."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "site-missing",
        Fault.CONFIGURATION,
        "The folder is not a site: it has no bootz.yaml.",
        "Create one with `bootz init DIR`, or give its folder with --site DIR or BOOTZ_SITE.",
    ),
    Reason(
        "site-exists",
        Fault.CONFLICT,
        "The folder for the new site is not empty; nothing was changed.",
        "Give a folder that does not exist yet, or an empty one.",
    ),
    Reason(
        "site-config-invalid",
        Fault.CONFIGURATION,
        "bootz.yaml has an unknown key or invalid value.",
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
        "An option was given that needs --from-reference.",
        "Give the reference's configuration with --from-reference FILE.",
    ),
)
