"""What a person types at the console of an IOS XR router for each step of a case; pure.

Source: Cisco IOS XR, Deploy Router Using Bootz; docs/modular.md#the-console.
"""

from collections.abc import Sequence
from typing import Final

PROMPT: Final = "RP/0/RP0/CPU0:ios#"

FACTORY: Final = (
    "configure",
    "commit replace",
    "end",
    "ztp clean noprompt",
    "ztp secure-mode enable",
    "reload location all",
)
"""Without configuration and records of an earlier Bootz, and then restarted."""

AGAIN: Final = ("ztp initiate noprompt",)
"""Where it does not retry by itself."""

REBOOT: Final = ("reload location all",)


_ANSWERS: Final = {"commit replace": "yes", "reload location all": "y"}
"""What the router asks, each on a line of its own, so that the block can be pasted."""


def typed(commands: Sequence[str]) -> str:
    """Return commands as they appear on the console, one a line."""
    modes = {"commit replace": "(config)", "end": "(config)"}
    lines: list[str] = []
    for each in commands:
        lines.append(f"{PROMPT.replace('#', modes.get(each, '') + '#')} {each}")
        lines += [_ANSWERS[each]] if each in _ANSWERS else []
    return "\n".join(f"    {line}" for line in lines)
