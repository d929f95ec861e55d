"""Reasons of DHCP: the redirect option, configurations, leases."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "redirect-unwritable",
        Fault.CONFIGURATION,
        "Option 143 (DHCPv6: 136) cannot carry these URIs.",
        "Give between 1 and 16 bootz URIs, short enough for the option.",
    ),
    Reason(
        "dhcp-malformed",
        Fault.MALFORMED,
        "A DHCP message is truncated or malformed.",
        "Find its sender: a DHCP server or relay on this link is faulty, or it is an attack.",
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
        "DHCP cannot be used on this interface.",
        "Use an interface that exists and is up (`ip link`), and run as root or with CAP_NET_RAW, "
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
        "The DHCP server withdrew its offer, or has no address for this router.",
        "Check the server's reservation for this router; another card may still have the lease.",
    ),
    Reason(
        "dhcp-no-redirect",
        Fault.PRECONDITION,
        "The lease has no bootstrap server: option 143 (DHCPv6: 136) is missing.",
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
        "The lease has more than one name-server, so the router does not apply it.",
        "Hand out exactly one name-server; `bootz dhcp check` finds where they are configured.",
    ),
    Reason(
        "dhcp-name-unresolved",
        Fault.UNAVAILABLE,
        "The host name of the bootstrap server cannot be resolved.",
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
        "The answer on the control channel is not one of Kea.",
        "Check the path or URL of the control channel.",
    ),
    Reason(
        "kea-unfit",
        Fault.CONFIGURATION,
        "Kea's configuration cannot take the reservations; nothing was changed.",
        "Correct what the detail names, in Kea's configuration or the inventory, and sync again.",
    ),
    Reason(
        "kea-conflict",
        Fault.CONFLICT,
        "A reservation of another owner in Kea's configuration is in the way; nothing was changed.",
        "Remove or move the named reservation; if Kea was changed during the sync, run it again.",
    ),
    Reason(
        "kea-failed",
        Fault.PRECONDITION,
        "Kea refused a configuration that it had accepted in its test.",
        "Check at once whether Kea still answers clients, and read its log: a valid config-set or "
        "config-reload makes it answer again.",
    ),
    Reason(
        "dhcp-config-unreadable",
        Fault.CONFIGURATION,
        "The DHCP server's configuration cannot be read.",
        "Correct the named line, or give the type of server: --form.",
    ),
)
