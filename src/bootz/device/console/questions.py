"""What the console asks before it acts, and the answers that it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

UNCOMMITTED: Final = (
    "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:"
)
REPLACE: Final = "Do you wish to proceed? [no]:"
CONFIRM: Final = "[confirm] (y/n):"

UNCHANGED: Final = "nothing was changed"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what each answer does; ``default`` is the answer of a plain Enter."""

    text: str
    answers: Mapping[str, Callable[[], str]]
    default: str

    @property
    def last_line(self) -> str:
        """The line that waits for the answer: the console's prompt."""
        return self.text.splitlines()[-1]

    def chosen(self, line: str) -> Callable[[], str] | None:
        """Return what an answer does, None where it is unclear.

        An answer may be abbreviated, and a pasted one has the question in front of it.
        """
        given = line.strip().removeprefix(self.last_line).strip().casefold() or self.default
        found = [act for answer, act in self.answers.items() if answer.startswith(given)]
        return found[0] if len(found) == 1 else None

    @property
    def choices(self) -> str:
        """The answers, as a sentence lists them."""
        *some, last = self.answers
        return f"{', '.join(some)} or {last}"


def confirmation(asked: str, act: Callable[[], str], *, default: str = "yes") -> Question:
    """Return the question whether to do something, which ``asked`` says."""
    return Question(asked, {"yes": act, "no": lambda: UNCHANGED}, default)
