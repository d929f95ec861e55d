"""Turns a template and what it shows into an answer: one environment, one frame, one way."""

import gzip
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlencode

from fastapi import Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from bootz.server.board.assets import asset
from bootz.server.board.visitor import FORM_COOKIE, PREFIX, Visitor, here, safe_path
from bootz.server.board.words import STATES
from bootz.server.operations.chassis_state import ChassisState

FLASH_COOKIE: Final = "bootz_done"
"""What the last form did, told once on the next page."""
THEME_COOKIE: Final = "bootz_theme"
THEMES: Final = ("auto", "light", "dark")

_GZIP_FROM: Final = 1024
_MAX_FLASH: Final = 300


class NavItem(NamedTuple):
    """A page in the list at the side; ``verb`` is what the role must include."""

    path: str
    word: str
    icon: str
    verb: str


class NavGroup(NamedTuple):
    """Pages that stand together."""

    word: str
    items: tuple[NavItem, ...]


NAV: Final = (
    NavGroup(
        "Tonight",
        (
            NavItem("/", "Home", "home", "status.show"),
            NavItem("/devices", "Devices", "devices", "chassis.list"),
            NavItem("/strangers", "Strangers", "stranger", "stranger.list"),
            NavItem("/replacements", "Replacements", "replace", "replacement.list"),
            NavItem("/report", "Shift report", "report", "status.show"),
            NavItem("/wall", "Wall", "wall", "status.show"),
        ),
    ),
    NavGroup(
        "On record",
        (
            NavItem("/import", "Import", "import", "import.run"),
            NavItem("/sources", "Sources", "import", "source.list"),
            NavItem("/vouchers", "Vouchers", "voucher", "voucher.list"),
            NavItem("/keys", "Keys", "key", "keys.list"),
            NavItem("/images", "Images", "disc", "image.list"),
            NavItem("/profiles", "Profiles", "profile", "profile.list"),
        ),
    ),
    NavGroup(
        "The door",
        (
            NavItem("/users", "Users", "user", "user.list"),
            NavItem("/tokens", "Tokens", "token", "token.list"),
            NavItem("/webhooks", "Webhooks", "webhook", "webhook.list"),
            NavItem("/audit", "Audit", "audit", "audit.list"),
        ),
    ),
)
"""The pages, in the order in which they are listed."""


def moment(at: datetime | None, short: bool = False) -> Markup:
    """Return a time as an element that a script turns into local time; UTC without.

    ``short``: hours and minutes alone.
    """
    if at is None:
        return Markup('<span class="muted">never</span>')
    text = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    kind = Markup(" data-short") if short else ""
    return Markup('<time datetime="{}" title="{} UTC"{}>{} UTC</time>').format(
        at.isoformat().replace("+00:00", "Z"), text, kind, text[11 if short else 5 : 16]
    )


def words(text: object) -> Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = str(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def span(seconds: float | timedelta | None) -> str:
    """Return a length of time in words: ``12 s``, ``4 min``, ``2 h 5 min``, ``3 d``."""
    if seconds is None:
        return "–"
    whole = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    if abs(whole) < 60:
        return f"{whole} s"
    if abs(whole) < 3600:
        return f"{whole // 60} min"
    if abs(whole) < 86400:
        return f"{whole // 3600} h {whole // 60 % 60} min"
    return f"{whole // 86400} d"


def size(octets: int) -> str:
    """Return a number of bytes in words: ``2.0 MiB``."""
    value = float(octets)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def url(path: str, **query: object) -> str:
    """Return the address of a page, with the values of its query that are not empty."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(each)) for each in values if each not in (None, "")]
    return f"{PREFIX}{path}" + (f"?{urlencode(pairs)}" if pairs else "")


def segment(text: str) -> str:
    """Return a text as one step of a path."""
    return quote(text, safe="")


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bootz.server.board"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=moment, words=words, span=span, size=size, pretty=_pretty, segment=segment
    )
    environment.globals.update(
        asset=asset, url=url, STATES=STATES, ChassisState=ChassisState, NAV=NAV, THEMES=THEMES
    )
    return environment


_ENVIRONMENT: Final = _environment()


def compile_templates() -> None:
    """Compile every template, which the first page that shows it would do."""
    for name in _ENVIRONMENT.list_templates():
        _ENVIRONMENT.get_template(name)


def fragment(template: str, **values: Any) -> str:
    """Return a part of a page as text."""
    return _ENVIRONMENT.get_template(template).render(values)


def page(
    visitor: Visitor,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    address: str = "",
    **values: Any,
) -> Response:
    """Return a whole page for this visitor; compressed where the browser can read that.

    ``address`` is of the page that a refused form came from.
    """
    request = visitor.request
    told = request.cookies.get(FLASH_COOKIE, "")
    theme = request.cookies.get(THEME_COOKIE, "")
    text = fragment(
        template,
        visitor=visitor,
        site=visitor.door.config.organization,
        theme=theme if theme in THEMES else "auto",
        here=here(request),
        path=request.url.path.removeprefix(PREFIX) or "/",
        flash=unquote(told)[:_MAX_FLASH] if visitor.person is not None else "",
        now=visitor.door.clock(),
        # Where an answer to a form stands for: with script, reload and back lead there.
        address=address if request.method == "POST" else "",
        **values,
    )
    answer = html(visitor, text, status=status, headers=headers)
    if told and visitor.person is not None:
        answer.delete_cookie(FLASH_COOKIE, path=PREFIX)
    return answer


def open_form(
    visitor: Visitor,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    address: str = "",
    **values: Any,
) -> Response:
    """Return a page with a form for who is not logged in, and the cookie that proves it."""
    secret = secrets.token_urlsafe(32)
    shown = Visitor(visitor.door, visitor.request, secret)
    answer = page(shown, template, status=status, headers=headers, address=address, **values)
    answer.set_cookie(
        FORM_COOKIE,
        secret,
        path=PREFIX,
        httponly=True,
        samesite="strict",
        secure=bool(visitor.door.config.operator.tls),
    )
    return answer


def html(
    visitor: Visitor,
    text: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return text of a page as an answer."""
    content = text.encode()
    named = {"Vary": "Accept-Encoding, Cookie", **(headers or {})}
    accepted = visitor.request.headers.get("accept-encoding", "")
    if len(content) >= _GZIP_FROM and "gzip" in accepted:
        content = gzip.compress(content, 5, mtime=0)
        named["Content-Encoding"] = "gzip"
    return Response(content, status, headers=named, media_type="text/html")


def go(path: object, done: str = "") -> Response:
    """Send the browser on after a form, with a sentence of what was done."""
    answer = RedirectResponse(safe_path(path), status_code=303)
    if done:
        answer.set_cookie(
            FLASH_COOKIE,
            quote(done[:_MAX_FLASH]),
            max_age=60,
            path=PREFIX,
            httponly=True,
            samesite="strict",
        )
    return answer
