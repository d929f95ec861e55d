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
        "Name an interface that exists and is up (`ip link`), and run as root or with CAP_NET_RAW, "
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
        "The inventory's DHCP data would make a turn-up fail.",
        "Correct the named chassis (`bootz chassis set`) or subnet (dhcp in bootz.yaml).",
    ),
    Reason(
        "kea-unreachable",
        Fault.UNAVAILABLE,
        "Kea's control channel does not answer.",
        "Check the path or URL (dhcp.kea4, dhcp.kea6 in bootz.yaml, or --kea), that Kea has a "
        "control-socket there, and that this user may open it.",
    ),
    Reason(
        "kea-answer",
        Fault.MALFORMED,
        "What answers on the control channel is not Kea.",
        "Check the path or URL of the control channel.",
    ),
    Reason(
        "kea-unfit",
        Fault.CONFIGURATION,
        "Kea's configuration has no place for the routers; nothing was changed.",
        "Correct what is named in Kea's configuration, or in the inventory, and sync again.",
    ),
    Reason(
        "kea-conflict",
        Fault.CONFLICT,
        "Kea's configuration holds something of another's in the way; nothing was changed.",
        "Remove or move the named reservation, or sync again if it was changed meanwhile.",
    ),
    Reason(
        "kea-failed",
        Fault.PRECONDITION,
        "Kea did not take the configuration that it had tested.",
        "Look at Kea's log, and at once whether it still serves: a good config-set or "
        "config-reload revives it.",
    ),
    Reason(
        "dhcp-config-unreadable",
        Fault.CONFIGURATION,
        "The DHCP server's configuration cannot be read.",
        "Correct the named line, or say of which server it is: --form.",
    ),
)
