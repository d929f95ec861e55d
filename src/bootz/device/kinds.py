"""The words for what is done to a router and what it is made of."""

from enum import Enum


class Power(Enum):
    """What a hand does with the switch of a slot."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"


class TpmKind(Enum):
    """What a TPM is made of."""

    SOFT = "soft"
    SWTPM = "swtpm"
