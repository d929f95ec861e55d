"""What the keys of a site are for."""

from enum import Enum


class KeyRole(Enum):
    """What a key is for; the names of the folders."""

    PINNED_DOMAIN = "pinned-domain"
    OWNER = "owner"
    TRUST_ANCHOR = "trust-anchor"
    TLS = "tls"
