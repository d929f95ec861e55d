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
    "ztp clean",
    "ztp secure-mode enable",
    "reload location all",
)
"""Without configuration and records of an earlier Bootz, and then restarted."""

AGAIN: Final = ("ztp initiate",)
"""Where it does not retry by itself."""

REBOOT: Final = ("reload location all",)


def typed(commands: Sequence[str]) -> str:
    """Return commands as they appear on the console, one a line."""
    modes = {"commit replace": "(config)", "end": "(config)"}
    notes = {"commit replace": "   (answer: yes)"}
    return "\n".join(
        f"    {PROMPT.replace('#', modes.get(each, '') + '#')} {each}{notes.get(each, '')}"
        for each in commands
    )
