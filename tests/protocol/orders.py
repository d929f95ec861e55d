"""Walks of a session in any order of its calls, against a table that says what must come of each.

A call may be honest or forged. What is forged need not be noticed at once: a foreign certificate
is taken by ``claim`` and refused by ``prove_by_certificate``. So a forged call says which step
must refuse it, and for which reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st

from bootz.errors import BootzError
from bootz.model.checks import Outcome


@dataclass(frozen=True)
class Call:
    """One call; ``refused`` maps the step that must refuse it to the reason, empty if honest."""

    step: str
    make: Callable[[Any], Any]
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """A session class: how to make one, its legal order, and calls of every step.

    ``legal`` maps each state to the steps that are legal there, and where they lead when they
    succeed ("" is the start); ``proving`` is the step that makes the peer a proven one.
    """

    new: Callable[[], Any]
    legal: Mapping[str, Mapping[str, str]]
    proving: str
    calls: Sequence[Call]

    def honest(self, step: str) -> Call:
        return next(call for call in self.calls if call.step == step and not call.refused)

    @property
    def steps(self) -> list[str]:
        return list(dict.fromkeys(call.step for call in self.calls))

    def beginnings(self) -> list[list[Call]]:
        """Every honest beginning, the empty one and the complete ones among them."""
        found: list[list[Call]] = []
        waiting: list[tuple[str, list[Call]]] = [("", [])]
        while waiting:
            at, calls = waiting.pop()
            found.append(calls)
            for step, to in self.legal[at].items():
                if to != at:
                    waiting.append((to, [*calls, self.honest(step)]))
        return found

    def walks(self) -> st.SearchStrategy[list[Call]]:
        """Any calls in any order; often after an honest beginning, so that they come far."""
        anything = st.lists(st.sampled_from(self.calls), min_size=1, max_size=12)

        @st.composite
        def walk(draw: st.DrawFn) -> list[Call]:
            calls: list[Call] = []
            at = ""
            for _ in range(draw(st.integers(0, len(self.legal)))):
                if not self.legal[at]:
                    break
                step = draw(st.sampled_from(sorted(self.legal[at])))
                calls.append(self.honest(step))
                at = self.legal[at][step]
            return calls + draw(anything)

        return walk()

    def take(self, calls: Sequence[Call]) -> tuple[Any, bool]:
        """Make the calls, hold each against the table; return the session, and whether it proved.

        Nothing may follow a refusal, and no call out of order may change anything.
        """
        session = self.new()
        at, over, proven = "", False, False
        refusals: dict[str, set[str]] = {}
        for call in calls:
            checks = session.checks
            if over or call.step not in self.legal[at]:
                with pytest.raises(RuntimeError) as defect:
                    call.make(session)
                assert not isinstance(defect.value, BootzError)
                assert session.checks == checks
                continue
            for step, reason in call.refused.items():
                refusals.setdefault(step, set()).add(reason)
            due = refusals.get(call.step)
            if due is None:
                call.make(session)
                assert all(check.outcome is not Outcome.FAILED for check in session.checks)
                at = self.legal[at][call.step]
                proven = proven or call.step == self.proving
            else:
                with pytest.raises(BootzError) as refusal:
                    call.make(session)
                assert refusal.value.reason in due
                assert session.checks[-1].outcome is Outcome.FAILED
                over = True
        return session, proven
