"""The pages of the two orders, against the checks that the code really makes."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType

import pytest
from device.test_session import CURRENT, FORGED, NOW, Manner, session
from docs.test_readme import ROOT
from protocol.orders import Call, Order
from protocol.test_refusal_is_final import ORDERS, lab, router

import bootz
from bootz.errors import BootzError

SOURCE = Path(bootz.__file__).parent

REQUEST = ("owner", "a-request")
REPORT = ("owner", "a-report")
ANSWER = ("router", "an-answer")


@cache
def points(page: str, section: str) -> Mapping[int, str]:
    """Return the numbered points of a section."""
    text = (ROOT / f"docs/protocol/{page}.md").read_text()
    _, _, body = text.partition(f"## {section.replace('-', ' ').capitalize()}\n")
    body = body.partition("\n## ")[0]
    found = re.split(r"^(\d+)\. ", body, flags=re.MULTILINE)[1:]
    return {
        int(n): words.split("\n\n")[0] for n, words in zip(found[::2], found[1::2], strict=True)
    }


def step_of(words: str, where: tuple[str, str]) -> list[int]:
    return [number for number, text in points(*where).items() if f"`{words}`" in text]


def test_the_steps_are_numbered_without_a_gap() -> None:
    for where in (REQUEST, REPORT, ANSWER):
        numbers = list(points(*where))
        assert numbers == list(range(1, len(numbers) + 1))


def in_order(names: Sequence[str], where: tuple[str, str]) -> None:
    at = 1
    for name in names:
        later = [number for number in step_of(name, where) if number >= at]
        assert later, f"{name} has no step at or after {at} in {where}"
        at = later[0]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        *(
            (name, REQUEST)
            for name in ("unary", "v1-idevid", "v0.6-idevid", "v1-tpm20", "v1-tpm12")
        ),
        ("report", REPORT),
        ("report-on-stream", REPORT),
        ("router", ANSWER),
    ],
)
def test_the_checks_are_made_in_the_order_of_the_page(name: str, where: tuple[str, str]) -> None:
    order: Order = router() if name == "router" else ORDERS[name]
    complete: list[Call] = max(order.beginnings(), key=len)
    made, _ = order.take(complete)
    assert len(made.checks) > len(complete) // 2
    in_order([check.name for check in made.checks], where)


def test_every_refusal_of_the_router_is_on_its_page() -> None:
    for lie, check, reason in FORGED:
        manner = Manner()
        lie(lab(), manner)
        asked = session(lab())
        asked.request("n1")
        with pytest.raises(BootzError):
            asked.open(lab().seal("n1", CURRENT, manner), CURRENT, now=NOW)
        in_order([check.name for check in asked.checks], ANSWER)
        # Those of the voucher itself have a page of their own.
        assert set(step_of(check, ANSWER)) & set(step_of(reason, ANSWER)) or (
            check == "voucher" and reason.startswith("ov-")
        )


def refusals(order: Order) -> Iterator[BootzError]:
    """Every forged call in place of the honest one, and the refusal to which it leads."""
    complete = max(order.beginnings(), key=len)
    for call in order.calls:
        steps = [call if honest.step == call.step else honest for honest in complete]
        if call not in steps or not call.refused.keys() & {each.step for each in steps}:
            continue
        session = order.new()
        with pytest.raises(BootzError) as refused:
            for each in steps:
                each.make(session)
        yield refused.value


def read_for(error: BootzError) -> list[CodeType]:
    """Return the functions that someone reads to understand a refusal, the step's first."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = dict.fromkeys(code for code in frames if f"{SOURCE}/" in code.co_filename)
    # What makes a method a step, or what goes on inside a check, is read once for all.
    return [code for code in ours if not code.co_filename.endswith("/protocol/steps.py")]


@pytest.mark.parametrize("name", ["router", *ORDERS])
def test_a_newcomer_understands_a_check_in_200_lines_and_5_hops(name: str) -> None:
    errors = list(refusals(router() if name == "router" else ORDERS[name]))
    assert errors
    for error in errors:
        codes = read_for(error)
        lines = {code.co_name: len(inspect.getsourcelines(code)[0]) for code in codes}
        calls = [code for code in codes if not code.co_flags & inspect.CO_GENERATOR]
        assert sum(lines.values()) <= 200, (error.reason, lines)
        assert len(calls) - 1 <= 5, (error.reason, lines)
