"""Reasons of network namespaces."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "namespaces-not-permitted",
        Fault.UNAVAILABLE,
        "This machine does not let us make network namespaces and link them.",
        "Run as root with iproute2 installed, or as anybody in namespaces of your own: "
        "`unshare -rnm sh -c 'mount -t tmpfs tmpfs /run; exec bash'`; or do without DHCP.",
    ),
)
