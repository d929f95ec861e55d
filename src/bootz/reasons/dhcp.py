"""Reasons of DHCP: the redirect option, configurations, leases."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "redirect-unwritable",
        Fault.CONFIGURATION,
        "The redirect option cannot carry these URIs.",
        "Give between 1 and 16 bootz URIs, short enough for the option.",
    ),
    Reason(
        "dhcp-malformed",
        Fault.MALFORMED,
        "A DHCP message is cut, or is none.",
        "Look at who sends it; a server or relay on this link is broken, or somebody attacks.",
    ),
    Reason(
        "dhcp-unwritable",
        Fault.CONFIGURATION,
        "A DHCP message or option cannot carry what was configured.",
        "Hand out fewer or shorter URIs.",
    ),
    Reason(
        "dhcp-interface",
        Fault.UNAVAILABLE,
        "DHCP cannot be spoken on this interface.",
        "Name an interface that exists (`ip link`), and run as root or with CAP_NET_RAW, "
        "CAP_NET_ADMIN and CAP_NET_BIND_SERVICE.",
    ),
    Reason(
        "dhcp-no-answer",
        Fault.DEADLINE,
        "No DHCP server answered.",
        "Check that a server or relay is on this link and knows this router: its MAC address, "
        "its client-id or DUID. `bootz dhcp probe` shows who answers.",
    ),
    Reason(
        "dhcp-refused",
        Fault.PRECONDITION,
        "The DHCP server took its offer back, or has no address for this router.",
        "Look at the server's reservation for this router; another card may hold the lease still.",
    ),
    Reason(
        "dhcp-no-redirect",
        Fault.PRECONDITION,
        "The lease has no bootstrap server: no option 143 (DHCPv6: 136).",
        "Add the option to the router's reservation: `bootz dhcp render` writes it.",
    ),
    Reason(
        "dhcp-bad-redirect",
        Fault.MALFORMED,
        "The lease's option 143 (DHCPv6: 136) names no usable bootstrap server.",
        "Write the option as `bootz dhcp render` does; `bootz dhcp probe` shows the bytes.",
    ),
    Reason(
        "dhcp-multiple-name-servers",
        Fault.PRECONDITION,
        "The lease has more than one name-server, with which the router applies no configuration.",
        "Hand this router exactly one name-server; `bootz dhcp check` finds where they stand.",
    ),
    Reason(
        "dhcp-name-unresolved",
        Fault.UNAVAILABLE,
        "The bootstrap server's name has no address.",
        "Hand out a name-server that knows the name, or a URI with an address.",
    ),
    Reason(
        "dhcp-plan-invalid",
        Fault.CONFIGURATION,
        "The inventory's DHCP data would kill a turn-up.",
        "Correct the named chassis (`bootz chassis set`) or subnet (dhcp in bootz.yaml).",
    ),
)
