"""The columns of a table of chassis, and what people call them."""

import re
from difflib import get_close_matches
from typing import Final

from bootz.server.importing.places import GROUPS, LABEL
from bootz.server.operations.chassis_record import PLAIN_FIELDS
from bootz.server.operations.labels import fold_key

CHASSIS_COLUMNS: Final = ("vendor", "serial_number", *PLAIN_FIELDS)
CARD_COLUMNS: Final = (
    "card_serial_number",
    "card_part_number",
    "card_slot",
    "card_kind",
    "card_mac",
    "card_client_id",
    "card_duid",
)
DHCP_COLUMNS: Final = ("dhcp_ipv4", "dhcp_ipv6", "dhcp_gateway")
COLUMNS: Final = CHASSIS_COLUMNS + CARD_COLUMNS + DHCP_COLUMNS

MAX_COLUMNS: Final = 1024

FREE: Final = tuple(GROUPS)
"""How columns begin whose cells are texts of the operator's own."""

_OTHER_NAMES: Final = {
    **dict.fromkeys(("manufacturer", "make", "maker"), "vendor"),
    **dict.fromkeys(("serial", "sn", "s/n", "serial_no", "chassis_serial"), "serial_number"),
    **dict.fromkeys(("name", "host", "router", "device", "device_name"), "hostname"),
    **dict.fromkeys(("pid", "model", "part", "pn", "part_no"), "part_number"),
    **dict.fromkeys(("mac", "mac_address", "mgmt_mac"), "card_mac"),
    **dict.fromkeys(("ip", "ipv4", "address", "ip_address", "mgmt_ip"), "dhcp_ipv4"),
    **dict.fromkeys(("ipv6", "ipv6_address"), "dhcp_ipv6"),
    **dict.fromkeys(("gateway", "gw"), "dhcp_gateway"),
    **dict.fromkeys(("slot",), "card_slot"),
    **dict.fromkeys(("client_id",), "card_client_id"),
    **dict.fromkeys(("duid",), "card_duid"),
    **{name: f"{LABEL}{name}" for name in ("site", "rack", "batch", "room", "region", "pop")},
}
"""What people call our columns: enough to ask whether they mean them, not to take them for them."""


def column_of(title: str) -> str:
    """Return the column that a title names, in whatever case; empty if it names none."""
    prefix, colon, name = title.partition(":")
    for start in FREE:
        if colon and f"{prefix.strip().casefold()}:" == start and name.strip():
            return f"{start}{fold_key(name) if start == LABEL else name.strip()}"
    folded = _folded(title)
    return folded if folded in _KNOWN else ""


_KNOWN: Final = frozenset(COLUMNS)


def _folded(title: str) -> str:
    return re.sub(r"[\s_-]+", "_", title.strip().casefold())


def meant_column(title: str) -> str:
    """Return the column that an unknown title may stand for; empty if none is like it."""
    folded = _folded(title[:64])
    if meant := _OTHER_NAMES.get(folded):
        return meant
    close = get_close_matches(folded, COLUMNS, n=1, cutoff=0.6)
    return close[0] if close else ""
