"""The Jinja2 environment of all templates: sandboxed, strict about names, bounded in cost.

Templates are the operator's, who may have copied them from anywhere: they reach nothing but
their context, cannot change it, give the same text each time, and cannot eat the server.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextvars import ContextVar
from typing import Any, Final

from jinja2 import StrictUndefined, Template, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_STEPS: Final = 200_000
"""Rounds of loops and calls of one rendering."""

MAX_OUTPUT: Final = 4 * 1024 * 1024
"""Characters of an output, and of any text made on the way."""

MAX_WIDTH: Final = 4096
"""Characters that a text may be padded to."""

_CHARACTERS_PER_STEP: Final = 4096

_WIDTHS: Final = re.compile(r"[0-9]{5,}|\*")


class TooCostlyError(Exception):
    """A template went over a bound; says which one."""


class _Budget:
    """What one rendering may still do."""

    def __init__(self) -> None:
        self.steps = MAX_STEPS

    def charge(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooCostlyError(f"takes over {MAX_STEPS} steps")


_budget: ContextVar[_Budget] = ContextVar("budget")


class _Bounding(NodeTransformer):
    """Puts a meter into what a template could repeat without calling anything."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 -- jinja2's name
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_metered", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "_joined", [], [], None, None, lineno=node.lineno)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Compiles templates; ``render_bounded`` runs one."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals["range"] = _metered_range
        del self.globals["lipsum"]
        # The same question gets the same answer.
        del self.filters["random"]
        self.filters["_metered"] = _metered
        self.filters["_joined"] = _joined
        for name, check in _FILTER_CHECKS.items():
            self.filters[name] = _checked(check, self.filters[name])

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Bounding().visit(super()._parse(source, name, filename))
        return parsed

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer an object's own key to a method of that name (a variable called ``items``)."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse, beside what the sandbox refuses, the text methods that ``format`` covers."""
        if isinstance(obj, str) and attr in {"format", "format_map"}:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result could be huge."""
        match operator:
            case "+" if isinstance(left, Sized) and isinstance(right, Sized):
                _made(len(left) + len(right))
            case "*":
                for text, times in ((left, right), (right, left)):
                    if isinstance(text, Sized) and isinstance(times, int):
                        _made(len(text) * max(times, 0))
                _check_number(left, right)
            case "**":
                if not (_is_small(left) and _is_small(right) and abs(right) <= 64):
                    raise TooCostlyError("computes too high a power")
            case "%" if isinstance(left, str):
                _check_widths(left)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call, and count the call."""
        _budget.get().charge()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            check = _METHOD_CHECKS.get(getattr(obj, "__name__", ""))
            if check is not None:
                check(owner, *args, **kwargs)
        return super().call(context, obj, *args, **kwargs)

    def render_bounded(self, template: Template, values: Mapping[str, object]) -> str:
        """Return a template's output.

        Raises:
            TooCostlyError: it goes over a bound.
            Exception: whatever the template provokes.
        """
        token = _budget.set(_Budget())
        try:
            pieces: list[str] = []
            length = 0
            for piece in template.generate(values):
                length += len(piece)
                if length > MAX_OUTPUT:
                    raise TooCostlyError(f"gives over {MAX_OUTPUT} characters")
                pieces.append(piece)
            return "".join(pieces)
        finally:
            _budget.reset(token)


def _metered(items: Iterable[Any]) -> Iterable[Any]:
    budget = _budget.get()
    if isinstance(items, Sequence | Mapping | set | frozenset):
        # Charged at once, so that the loop itself stays as it is.
        budget.charge(len(items))
        return items
    return _metered_rounds(items, budget)


def _metered_rounds(items: Iterable[Any], budget: _Budget) -> Iterator[Any]:
    for item in items:
        budget.charge()
        yield item


def _metered_range(*args: int) -> range:
    made = range(*args)
    _budget.get().charge(len(made))
    return made


def _joined(parts: Sequence[Any]) -> str:
    texts = [str(part) for part in parts]
    _made(sum(len(text) for text in texts))
    return "".join(texts)


def _made(length: int) -> None:
    """Count a text or list of that length, which copying makes costly."""
    if length > MAX_OUTPUT:
        raise TooCostlyError(f"gives over {MAX_OUTPUT} characters")
    _budget.get().charge(length // _CHARACTERS_PER_STEP)


def _is_small(number: object) -> bool:
    return isinstance(number, int | float) and abs(number) < 1 << 64


def _check_number(left: object, right: object) -> None:
    if (
        isinstance(left, int)
        and isinstance(right, int)
        and not (_is_small(left) and _is_small(right))
    ):
        raise TooCostlyError("calculates with too large a number")


def _check_widths(form: object, *_args: object, **_kwargs: object) -> None:
    if _WIDTHS.search(str(form)):
        raise TooCostlyError("pads a text too far")


def _check_padding(_text: object, *args: object, **kwargs: object) -> None:
    for width in (*args, *kwargs.values()):
        if isinstance(width, int) and abs(width) > MAX_WIDTH:
            raise TooCostlyError("pads a text too far")


def _check_indent(text: object, *args: object, **kwargs: object) -> None:
    for width in (*args, *kwargs.values()):
        size = len(width) if isinstance(width, str) else width
        if isinstance(size, int):
            _made(len(str(text)) + abs(size) * (str(text).count("\n") + 1))


def _check_replace(text: object, old: object = "", new: object = "", *_args: object) -> None:
    times = str(text).count(str(old))
    _made(len(str(text)) + times * len(str(new)))


def _check_join(items: object, glue: object = "", *_args: object, **_kwargs: object) -> None:
    if isinstance(items, Sized):
        _made(len(items) * len(str(glue)))
    elif len(str(glue)) > MAX_WIDTH:
        raise TooCostlyError("joins with too long a text")


def _check_join_method(glue: object, items: object = ()) -> None:
    _check_join(items, glue)


_FILTER_CHECKS: Final[Mapping[str, Callable[..., None]]] = {
    "format": _check_widths,
    "center": _check_padding,
    "indent": _check_indent,
    "replace": _check_replace,
    "join": _check_join,
}
_METHOD_CHECKS: Final[Mapping[str, Callable[..., None]]] = {
    "center": _check_padding,
    "ljust": _check_padding,
    "rjust": _check_padding,
    "zfill": _check_padding,
    "expandtabs": _check_padding,
    "replace": _check_replace,
    "join": _check_join_method,
}


def _checked(check: Callable[..., None], call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that checks its cost first, and takes what the other one takes."""
    passed = getattr(call, "jinja_pass_arg", None)

    def checked(*args: Any, **kwargs: Any) -> Any:
        check(*(args if passed is None else args[1:]), **kwargs)
        return call(*args, **kwargs)

    if passed is not None:
        checked.jinja_pass_arg = passed  # type: ignore[attr-defined]
    return checked
