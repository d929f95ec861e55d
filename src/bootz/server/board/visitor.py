"""Who looks at a page: the session behind it, what the role may, and the proof of each form.

A form carries a token made of the session's secret (before a login, of a cookie of the form's
own), so that no foreign page can send it. Each page shows it under a new mask, so that nothing
can be told from the length of compressed pages.
"""

import hmac
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData

from bootz.errors import PolicyError, WireError
from bootz.server.api.auth.accounts import find_session
from bootz.server.api.auth.principals import (
    SESSION_COOKIE,
    check_role,
    csrf_token,
    peer_of,
    sees_secrets,
    session_principal,
)
from bootz.server.api.auth.roles import NEEDED
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.writes import MAX_BODY

PREFIX: Final = "/board"
"""Where the pages are."""
FORM_COOKIE: Final = "bootz_form"
"""Proves a form that is shown before a login."""

_MAX_FIELDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person before a page; ``secret`` is the session's, or that of the form's own cookie."""

    door: Door
    request: Request
    secret: str
    person: Principal | None = None

    @property
    def principal(self) -> Principal:
        """Who it is.

        Raises:
            LoginNeeded: no one is logged in.
        """
        if self.person is None:
            raise LoginNeeded(self.request)
        return self.person

    @property
    def name(self) -> str:
        """The account's name."""
        return self.principal.name.removeprefix("user:")

    def may(self, verb: str) -> bool:
        """Return whether the role includes a verb; a button that would fail is not shown."""
        return self.person is not None and self.person.role.may(NEEDED[verb])

    @property
    def verbs(self) -> frozenset[str]:
        """What the role includes."""
        return frozenset(verb for verb in NEEDED if self.may(verb))

    @property
    def sees_secrets(self) -> bool:
        """Whether secrets are shown as they are."""
        return sees_secrets(self.principal)

    def csrf(self) -> str:
        """Return the token of a form, under a new mask."""
        mac = bytes.fromhex(csrf_token(self.secret))
        mask = secrets.token_bytes(len(mac))
        return (mask + bytes(a ^ b for a, b in zip(mask, mac, strict=True))).hex()

    def check_csrf(self, given: object) -> None:
        """Refuse a form that no page of this session has shown.

        Raises:
            PolicyError: ``csrf-refused``.
        """
        mac = bytes.fromhex(csrf_token(self.secret))
        try:
            sent = bytes.fromhex(given if isinstance(given, str) else "")
        except ValueError:
            sent = b""
        half = len(mac)
        seen = bytes(a ^ b for a, b in zip(sent[:half], sent[half:], strict=False))
        if len(sent) != 2 * half or not hmac.compare_digest(seen, mac):
            raise PolicyError(
                "csrf-refused", "the form is not from a page of this session", where="csrf"
            )


class LoginNeeded(Exception):
    """No session, or one that has ended: the visitor is sent to the login and back."""

    def __init__(self, request: Request) -> None:
        super().__init__("login needed")
        self.to = here(request) if request.method == "GET" else f"{PREFIX}/"


def here(request: Request) -> str:
    """Return the path of a request with its query."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def safe_path(text: object) -> str:
    """Return a path of the board to go on to; the home page for whatever is not one."""
    home = f"{PREFIX}/"
    if not isinstance(text, str) or not text.startswith(home) or len(text) > 2048:
        return home
    if "\\" in text or any(ord(letter) < 33 or ord(letter) == 127 for letter in text):
        return home
    parts = urlsplit(text)
    return home if parts.scheme or parts.netloc or ".." in parts.path else text


def _found(request: Request, door: Door) -> Visitor:
    secret = request.cookies.get(SESSION_COOKIE, "")
    person = session_principal(door, secret, peer_of(request)) if secret else None
    if person is None:
        return Visitor(door, request, request.cookies.get(FORM_COOKIE, ""))
    return Visitor(door, request, secret, person)


def anyone(request: Request, door: DoorDep) -> Visitor:
    """Return the visitor, whether logged in or not."""
    return _found(request, door)


def check_open_form(visitor: Visitor, form: FormData) -> None:
    """Refuse a form that is shown to anyone, unless its own cookie came along.

    Raises:
        PolicyError: ``csrf-refused``.
    """
    secret = visitor.request.cookies.get(FORM_COOKIE, "")
    Visitor(visitor.door, visitor.request, secret).check_csrf(form.get("csrf"))


def still_holds(door: Door, secret: str) -> bool:
    """Return whether a session holds; asking is no use of it, so that an idle one ends."""
    with door.database.read() as connection:
        return find_session(connection, secret, now=door.clock()) is not None


def visiting(verb: str) -> Callable[..., Visitor]:
    """Return a dependency that yields the visitor if the role includes a verb.

    Raises:
        LoginNeeded: no one is logged in.
        PolicyError: ``role-insufficient``.
    """
    if verb not in NEEDED:
        raise RuntimeError(f"{verb} is not in the table of roles")

    def allowed(request: Request, door: DoorDep) -> Visitor:
        visitor = _found(request, door)
        check_role(visitor.principal, verb)
        return visitor

    return allowed


async def form_of(request: Request) -> AsyncIterator[FormData]:
    """Yield what a form sent; its files are closed afterwards.

    Raises:
        WireError: it has no form, or too many fields.
    """
    try:
        form = await request.form(max_files=8, max_fields=_MAX_FIELDS, max_part_size=MAX_BODY)
    except Exception as error:
        if isinstance(error, WireError):
            raise
        raise WireError("request-invalid", "the form cannot be read", where="body") from error
    # Where a page of an error leads back to.
    request.state.to = safe_path(form.get("to"))
    try:
        yield form
    finally:
        await form.close()


FormDep = Annotated[FormData, Depends(form_of)]


def changing(verb: str) -> Callable[..., Visitor]:
    """Return a dependency for a form: the role includes the verb, and the form is ours.

    Raises:
        LoginNeeded: no one is logged in.
        PolicyError: ``role-insufficient``, ``csrf-refused``.
    """
    allowed = visiting(verb)

    def checked(request: Request, door: DoorDep, form: FormDep) -> Visitor:
        visitor = allowed(request, door)
        visitor.check_csrf(form.get("csrf"))
        return visitor

    return checked


def text_of(form: FormData, name: str, most: int = 4096) -> str:
    """Return a field's text without the blanks around it, empty where there is none.

    Raises:
        WireError: it is longer than ``most`` characters, or a file.
    """
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise WireError("request-invalid", f"{name} is too long, or a file", where=name)
    return value.strip()


def keys_of(form: FormData, name: str = "id") -> list[int]:
    """Return the ids that a form names.

    Raises:
        WireError: one of them is not an id.
    """
    found: list[int] = []
    for value in form.getlist(name):
        if not isinstance(value, str) or not value.isascii() or not value.isdigit():
            raise WireError("request-invalid", "is not an id", where=name)
        if len(value) > 18:
            raise WireError("request-invalid", "is not an id", where=name)
        found.append(int(value))
    return found
