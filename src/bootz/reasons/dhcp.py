"""Reasons of DHCP: the redirect option, configurations, leases."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "redirect-unwritable",
        Fault.CONFIGURATION,
        "The redirect option cannot carry these URIs.",
        "Give between 1 and 16 bootz URIs, short enough for the option.",
    ),
)
