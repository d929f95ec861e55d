"""What every conversation is made of: steps in order, each leaving its checks behind.

A stage is left only when its step has succeeded. A step that fails is the last one: from then on
every call is a RuntimeError, as is a call out of order. Both are defects of the caller, never of
a peer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

from bootz.errors import BootzError
from bootz.model.checks import Check, Outcome

_T = TypeVar("_T")
_P = ParamSpec("_P")
_S = TypeVar("_S", bound="Steps")


class Stage(Enum):
    """How far a conversation has come; the owner's side and the router's each use some of these."""

    OPEN = "open"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    ADMITTED = "admitted"
    CHALLENGED = "challenged"
    SENT = "challenge sent"
    PROVEN = "proven"
    SELECTED = "selected"
    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"


class CheckLog:
    """The checks of one conversation, in the order in which they were made."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check so far, the failed one last."""
        return tuple(self._checks)

    def passed(self, name: str, expected: str = "", seen: str = "") -> None:
        """Note a check that holds."""
        self._checks.append(Check(name, Outcome.PASSED, expected, seen))

    def skipped(self, name: str, why: str, expected: str = "") -> None:
        """Note a check that was not made, and why."""
        self._checks.append(Check(name, Outcome.SKIPPED, expected, why))

    def refuse(self, name: str, error: BootzError) -> NoReturn:
        """Note a check that failed, and raise its error."""
        self._checks.append(Check(name, Outcome.FAILED, error.expected, self._seen(error)))
        raise error

    @contextmanager
    def checking(self, name: str) -> Iterator[None]:
        """Note whatever is refused inside as a failure of this check."""
        try:
            yield
        except BootzError as error:
            self.refuse(name, error)

    def _seen(self, error: BootzError) -> str:
        return error.seen


class Steps:
    """One conversation: where it is, and what was checked on the way there."""

    def __init__(self, log: CheckLog | None = None) -> None:
        self._stage = Stage.OPEN
        self._log = log or CheckLog()

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check so far, in order, the failed one last."""
        return self._log.checks

    def _begin(self, before: Stage) -> None:
        if self._stage is not before:
            raise RuntimeError(f"step out of order: at {self._stage.value}")
        # Until the step has succeeded; whatever it raises, the conversation stays here.
        self._stage = Stage.REFUSED

    def _end(self, after: Stage) -> None:
        self._stage = after


def step(
    before: Stage, after: Stage
) -> Callable[[Callable[Concatenate[_S, _P], _T]], Callable[Concatenate[_S, _P], _T]]:
    """Make a method a step: legal at ``before`` alone, and at ``after`` once it has succeeded."""

    def mark(method: Callable[Concatenate[_S, _P], _T]) -> Callable[Concatenate[_S, _P], _T]:
        @wraps(method)
        def taken(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
            self._begin(before)
            result = method(self, *args, **kwargs)
            self._end(after)
            return result

        return taken

    return mark


def known(value: _T | None) -> _T:
    """Narrow what the stage guarantees; the stages, not the peer, decide."""
    if value is None:
        raise RuntimeError("step out of order: no earlier result")
    return value
