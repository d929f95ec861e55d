"""The words that commands and offers share about DHCP."""

from enum import Enum


class Family(Enum):
    """Which DHCP."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class NameServerPolicy(Enum):
    """What becomes of a lease with several name-servers (W3)."""

    FAIL = "fail"
    FIRST = "first"
