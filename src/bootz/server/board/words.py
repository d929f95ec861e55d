"""How the board shows a state: a word, an icon, and a class of the style sheet for its colour.

Source: docs/board.md#states.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from bootz.server.operations.chassis_state import ChassisState


class StateWords(NamedTuple):
    """One state. ``icon`` is a symbol of ``templates/icons.svg``; ``meaning`` a short sentence."""

    word: str
    icon: str
    meaning: str


STATES: Final[Mapping[ChassisState, StateWords]] = MappingProxyType(
    {
        ChassisState.EXPECTED: StateWords("Expected", "expected", "On record, not seen yet."),
        ChassisState.CONNECTED: StateWords("Connected", "connected", "It called, unproven so far."),
        ChassisState.PROVED: StateWords("Identity proved", "proved", "Proved, no data sent yet."),
        ChassisState.SENT: StateWords("Data sent", "sent", "It has its bootstrap data."),
        ChassisState.IMAGE: StateWords("Image loading", "image", "It loads the image."),
        ChassisState.APPLYING: StateWords("Applying", "applying", "It applies what it was sent."),
        ChassisState.READY: StateWords("Ready", "ready", "It has reported SUCCESS."),
        ChassisState.FAILED: StateWords("Failed", "failed", "Refused, or it reported FAILURE."),
        ChassisState.STUCK: StateWords("Stuck", "stuck", "Silent longer than its step may last."),
        ChassisState.ON_HOLD: StateWords("On hold", "hold", "Refused until it is released."),
    }
)
"""All states, in the order of the funnel; behind it those that wait for a person."""

FUNNEL: Final = (
    ChassisState.EXPECTED,
    ChassisState.CONNECTED,
    ChassisState.PROVED,
    ChassisState.SENT,
    ChassisState.IMAGE,
    ChassisState.APPLYING,
    ChassisState.READY,
)
BESIDE: Final = (ChassisState.FAILED, ChassisState.STUCK, ChassisState.ON_HOLD)
NEEDY: Final = frozenset({ChassisState.FAILED, ChassisState.STUCK})
"""States in which a router waits for a person."""
