"""The words for kinds of chassis and cards, and for what an operator chooses for them."""

from enum import Enum


class BootMode(Enum):
    """Whether a chassis checks ownership (Bootz ``BootMode``)."""

    SECURE = "secure"
    INSECURE = "insecure"


class CardStatus(Enum):
    """Bootz ``ControlCardState.ControlCardStatus``."""

    UNSPECIFIED = 0
    NOT_INITIALIZED = 1
    INITIALIZED = 2


class CardKind(Enum):
    """What a card is for; both kinds carry an identity of their own."""

    CONTROL = "control"
    LINE = "line"


class Release(Enum):
    """Which release of the interface a chassis runs, by the name of its dialect.

    On the path that two dialects share it decides what is written.
    """

    V0_1_0 = "v0.1.0"
    NOVEMBER_2023 = "2023-11"
    V0_3 = "v0.3"
    CURRENT = "current"


class IdevidSerial(Enum):
    """Whose serial number the IDevIDs of a manufacturer have, in a chassis with slots."""

    CARD = "card"
    CHASSIS = "chassis"
    EITHER = "either"


class VoucherDelivery(Enum):
    """How several vouchers travel (workflow S7)."""

    SINGLE = "single"
    BUNDLE = "bundle"
    AUTO = "auto"


class DynamicConfigPolicy(Enum):
    """What becomes of dynamic configuration for a device that does not know the fields."""

    MERGE = "merge"
    REFUSE = "refuse"
