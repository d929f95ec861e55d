"""A person comes in, goes out, and chooses the colours."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Response

from bootz.errors import BootzError
from bootz.server.api.auth.accounts import end_session
from bootz.server.api.auth.entering import enter, keep_session
from bootz.server.api.auth.principals import SESSION_COOKIE, peer_of
from bootz.server.api.problems import status_of
from bootz.server.board.view import THEME_COOKIE, THEMES, go, open_form, url
from bootz.server.board.visitor import (
    FORM_COOKIE,
    PREFIX,
    FormDep,
    LoginNeeded,
    Visitor,
    anyone,
    check_open_form,
    safe_path,
    text_of,
)

router = APIRouter()

_Anyone = Annotated[Visitor, Depends(anyone)]
_YEAR_S = 365 * 86400


@router.get("/login")
def show(
    visitor: _Anyone,
    to: Annotated[str, Query(max_length=2048)] = "",
    link: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Ask for name and password, or for a click where the address has a one-time link.

    A link is not used up by looking at it: programs look at addresses before people do.
    """
    if visitor.person is not None and not link:
        return go(safe_path(to))
    return _form(visitor, to=safe_path(to), link=link)


@router.post("/login")
def enter_(visitor: _Anyone, form: FormDep) -> Response:
    """Log in, with a new session whatever cookie came along."""
    door, request = visitor.door, visitor.request
    to, name, link = safe_path(form.get("to")), text_of(form, "name", 128), text_of(form, "link")
    try:
        # The form is proven by its own cookie, also where someone is logged in already.
        check_open_form(visitor, form)
        password = form.get("password", "")
        _, secret = enter(
            door,
            peer_of(request),
            name=name,
            password=password[:1024] if isinstance(password, str) else "",
            link=link,
        )
    except BootzError as error:
        # A page that is older than its cookie: it is shown again, with one that holds.
        return _form(visitor, to=to, name=name, problem=error)
    old = request.cookies.get(SESSION_COOKIE)
    if old:
        with door.database.write() as connection:
            end_session(connection, old)
    answer = go(to)
    keep_session(answer, door, secret)
    answer.delete_cookie(FORM_COOKIE, path=PREFIX)
    return answer


@router.post("/logout")
def leave(visitor: _Anyone, form: FormDep) -> Response:
    """End the session."""
    if visitor.person is not None:
        visitor.check_csrf(form.get("csrf"))
        with visitor.door.database.write(visitor.principal.actor("user.logout")) as connection:
            end_session(connection, visitor.secret)
    answer = go(f"{PREFIX}/login")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.post("/theme")
def theme(visitor: _Anyone, form: FormDep) -> Response:
    """Choose light or dark, or what the browser prefers."""
    if visitor.person is None:
        raise LoginNeeded(visitor.request)
    visitor.check_csrf(form.get("csrf"))
    wanted = text_of(form, "theme", 16)
    answer = go(form.get("to"))
    if wanted in THEMES:
        answer.set_cookie(
            THEME_COOKIE, wanted, max_age=_YEAR_S, path=PREFIX, httponly=True, samesite="strict"
        )
    return answer


def _form(
    visitor: Visitor,
    *,
    to: str,
    link: str = "",
    name: str = "",
    problem: BootzError | None = None,
) -> Response:
    oidc = visitor.door.config.operator.oidc
    return open_form(
        visitor,
        "login.html",
        status=200 if problem is None else status_of(problem),
        headers=getattr(problem, "headers", None),
        address=url("/login", to=to, link=link),
        to=to,
        link=link,
        name=name,
        problem=problem,
        oidc="" if oidc is None else urlsplit(oidc.issuer).hostname,
    )
