"""Reasons of network namespaces."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "namespaces-not-permitted",
        Fault.UNAVAILABLE,
        "This user may not create network namespaces and links on this machine.",
        "Run as root with iproute2 installed, or as any user in namespaces of your own: "
        "`unshare -rnm sh -c 'mount -t tmpfs tmpfs /run; exec bash'`; or run the lab without DHCP.",
    ),
)
