"""Reasons of network namespaces."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "namespaces-not-permitted",
        Fault.UNAVAILABLE,
        "This machine does not let us make network namespaces.",
        "Run as root, or in `unshare -rn`, with iproute2 installed; or do without DHCP.",
    ),
)
