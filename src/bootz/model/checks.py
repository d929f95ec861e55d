"""The outcome of one check of the security chain, with its evidence.

Both sides keep these: the server's journal and the router's state tell a person what was
expected and what was seen. No field ever holds a secret.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

STRICT_FORM: Final = "idevid-strict-form"
"""The check that a vendor's setting ``legacy`` leaves out: shown loudly wherever an attempt is."""

STRANGER: Final = "stranger-identity"
"""What a caller without a record has proven by its certificate alone; seen is the vendor's name."""


class Outcome(Enum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check by name, in the order in which it was made."""

    name: str
    outcome: Outcome
    expected: str = ""
    seen: str = ""
