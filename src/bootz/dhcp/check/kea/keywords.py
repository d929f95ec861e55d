"""The keywords that Kea knows at each place, with the type of their value.

Those of all releases from 2.2 to 3.2: what one of them knows is told as wrong by none. Types: s
text, i integer, b boolean, f number, l list, m object.
Source: Kea Administrator Reference Manual, "DHCPv4 Server Configuration", "DHCPv6 ...".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bootz.protocol.dhcp_offer import Family

_DDNS: Final = {
    "b": "ddns-override-client-update ddns-override-no-update ddns-send-updates "
    "ddns-update-on-renew ddns-use-conflict-resolution",
    "f": "ddns-ttl-percent",
    "i": "ddns-ttl ddns-ttl-max ddns-ttl-min",
    "s": "ddns-conflict-resolution-mode ddns-generated-prefix ddns-qualifying-suffix "
    "ddns-replace-client-name hostname-char-replacement hostname-char-set",
}
_TOLD: Final = {"m": "user-context", "s": "comment"}
_NETWORK: Final = {
    "b": "calculate-tee-times reservations-global reservations-in-subnet "
    "reservations-out-of-pool store-extended-info",
    "f": "adaptive-lease-time-threshold cache-threshold t1-percent t2-percent",
    "i": "cache-max-age max-valid-lifetime min-valid-lifetime rebind-timer renew-timer "
    "valid-lifetime",
    "l": "option-data",
    "s": "allocator reservation-mode",
}
_NETWORK4: Final = {
    "b": "authoritative match-client-id",
    "i": "offer-lifetime",
    "s": "boot-file-name next-server server-hostname",
}
_NETWORK6: Final = {
    "i": "max-preferred-lifetime min-preferred-lifetime preferred-lifetime",
    "s": "pd-allocator",
}
_CLASSES: Final = {
    "l": "client-classes evaluate-additional-classes require-client-classes",
    "s": "client-class",
}
_LINK: Final = {"m": "relay", "s": "interface"}
_LINK6: Final = {"b": "rapid-commit", "s": "interface-id"}

_BOTH: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "global": (
        _NETWORK,
        _DDNS,
        _TOLD,
        {
            "b": "early-global-reservations-lookup ip-reservations-unique "
            "reservations-lookup-first",
            "i": "decline-probation-period dhcp4o6-port parked-packet-limit "
            "statistic-default-sample-age statistic-default-sample-count",
            "l": "client-classes control-sockets hooks-libraries host-reservation-identifiers "
            "hosts-databases loggers option-def reservations shared-networks",
            "m": "compatibility config-control control-socket dhcp-ddns dhcp-queue-control "
            "expired-leases-processing hosts-database interfaces-config lease-database "
            "multi-threading sanity-checks",
            "s": "server-tag",
        },
    ),
    "subnet": (
        _NETWORK,
        _DDNS,
        _TOLD,
        _CLASSES,
        _LINK,
        {"i": "id", "l": "pools reservations", "s": "subnet"},
    ),
    "shared-network": (_NETWORK, _DDNS, _TOLD, _CLASSES, _LINK, {"s": "name"}),
    "pool": (_DDNS, _TOLD, _CLASSES, {"i": "pool-id", "l": "option-data", "s": "pool"}),
    "reservation": (
        _TOLD,
        {"l": "client-classes option-data", "s": "duid flex-id hostname hw-address"},
    ),
    "class": (
        _TOLD,
        {
            "b": "only-if-required only-in-additional-list",
            "i": "max-valid-lifetime min-valid-lifetime valid-lifetime",
            "l": "option-data",
            "s": "name template-test test",
        },
    ),
    "option-data": (
        _TOLD,
        {
            "b": "always-send csv-format never-send",
            "i": "code",
            "l": "client-classes",
            "s": "data name space",
        },
    ),
    "option-def": (
        _TOLD,
        {"b": "array", "i": "code", "s": "encapsulate name record-types space type"},
    ),
    "interfaces-config": (
        _TOLD,
        {
            "b": "re-detect service-sockets-require-all",
            "i": "service-sockets-max-retries service-sockets-retry-wait-time",
            "l": "interfaces",
        },
    ),
}
_FOUR: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "global": (_NETWORK4, {"b": "echo-client-id stash-agent-options", "l": "subnet4"}),
    "subnet": (_NETWORK4, {"s": "4o6-interface 4o6-interface-id 4o6-subnet"}),
    "shared-network": (_NETWORK4, {"l": "subnet4"}),
    "reservation": (
        {"s": "boot-file-name circuit-id client-id ip-address next-server server-hostname"},
    ),
    "class": (_NETWORK4, {"l": "option-def"}),
    "interfaces-config": ({"s": "dhcp-socket-type outbound-interface"},),
}
_SIX: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "global": (
        _NETWORK6,
        {
            "b": "allow-address-registration",
            "l": "mac-sources relay-supplied-options subnet6",
            "m": "server-id",
            "s": "data-directory",
        },
    ),
    "subnet": (_NETWORK6, _LINK6, {"l": "pd-pools"}),
    "shared-network": (_NETWORK6, _LINK6, {"l": "subnet6"}),
    "reservation": ({"l": "excluded-prefixes ip-addresses prefixes"},),
    "class": (_NETWORK6,),
}


def _merged(family: Family) -> Mapping[str, Mapping[str, str]]:
    own = _FOUR if family is Family.IPV4 else _SIX
    return {
        place: {
            word: kind
            for part in (*parts, *own.get(place, ()))
            for kind, words in part.items()
            for word in words.split()
        }
        for place, parts in _BOTH.items()
    }


KEYWORDS: Final = MappingProxyType({family: _merged(family) for family in Family})
"""For each family and place the keywords with their types."""

TYPES: Final[Mapping[str, tuple[type, ...]]] = MappingProxyType(
    {"s": (str,), "i": (int,), "b": (bool,), "f": (float, int), "l": (list,), "m": (dict,)}
)
