"""The wall: all routers in one look, for a screen that no one touches.

It is opened with a viewer's token, which is kept in a cookie of this page alone. Nothing on it
can be pressed, and nothing scrolls; it flashes when a router fails or gets stuck, and only then.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from bootz.errors import PolicyError, TrustError
from bootz.server.api.auth.principals import SESSION_COOKIE, peer_of, token_principal
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.board.live import Broadcast, LastMark, Mark, answer_with, ended, stream
from bootz.server.board.newsroom import Newsroom
from bootz.server.board.view import open_form, page, url
from bootz.server.board.visitor import (
    PREFIX,
    FormDep,
    anyone,
    check_open_form,
    still_holds,
    text_of,
)
from bootz.server.board.words import BESIDE, FUNNEL

router = APIRouter(prefix="/wall")

WALL_COOKIE: Final = "bootz_wall"
_COLUMNS: Final = ((25, 5), (64, 8), (144, 12), (400, 20), (900, 30), (1600, 40))
_DENSE_FROM: Final = 400
_MOST: Final = 60
_YEAR_S: Final = 365 * 86400


@router.get("")
def wall(request: Request, door: DoorDep) -> Response:
    """Show all routers; without a token or a session, ask for one."""
    visitor = anyone(request, door)
    if watching(request, door) is None:
        return open_form(visitor, "wall_enter.html", problem=None)
    newsroom: Newsroom = request.app.state.newsroom
    glance = newsroom.look()
    count = len(glance.tiles)
    columns = next((wide for most, wide in _COLUMNS if count <= most), _MOST)
    return page(
        visitor,
        "wall.html",
        glance=glance,
        tiles=glance.ordered(),
        funnel=FUNNEL,
        beside=BESIDE,
        columns=columns,
        dense=count > _DENSE_FROM,
    )


@router.post("")
def enter(request: Request, door: DoorDep, form: FormDep) -> Response:
    """Open the wall with a token; it must be a viewer's, and see the whole site."""
    visitor = anyone(request, door)
    check_open_form(visitor, form)
    secret = text_of(form, "token", 256)
    found = token_principal(door, secret, peer_of(request))
    problem = _refusal(found)
    if problem is not None:
        return open_form(
            visitor, "wall_enter.html", status=403, address=url("/wall"), problem=problem
        )
    answer = RedirectResponse(url("/wall"), status_code=303)
    answer.set_cookie(
        WALL_COOKIE,
        secret,
        max_age=_YEAR_S,
        path=f"{PREFIX}/wall",
        httponly=True,
        samesite="strict",
        secure=bool(door.config.operator.tls),
    )
    return answer


Watches = Principal | None


def watching(request: Request, door: DoorDep) -> Watches:
    """Return who looks at the wall: a token, or a person; None for no one."""
    return _program(request, door) or anyone(request, door).person


@router.get("/live")
async def live(
    request: Request,
    door: DoorDep,
    watches: Annotated[Watches, Depends(watching)],
    after: Mark = "",
    last_event_id: LastMark = None,
) -> StreamingResponse:
    """Follow all routers; the page is told to ask again where token and session have ended."""
    if watches is None:
        return answer_with(ended())

    def holds() -> bool:
        session = request.cookies.get(SESSION_COOKIE, "")
        return _program(request, door) is not None or still_holds(door, session)

    broadcast: Broadcast = request.app.state.broadcast
    return answer_with(stream(request, broadcast, last_event_id or after, holds, wall=True))


def _program(request: Request, door: Door) -> Principal | None:
    secret = request.cookies.get(WALL_COOKIE, "")
    found = token_principal(door, secret, peer_of(request)) if secret else None
    return found if _refusal(found) is None else None


def _refusal(found: Principal | None) -> TrustError | PolicyError | None:
    if found is None:
        return TrustError("login-refused", "the token does not hold", where="token")
    if found.role is not OperatorRole.VIEWER:
        return PolicyError(
            "role-insufficient",
            "a screen on a wall needs a token that can only read",
            where="role",
            expected=OperatorRole.VIEWER.value,
            seen=found.role.value,
        )
    if found.scope:
        return PolicyError(
            "scope-exceeded",
            "the wall shows all routers",
            where="scope",
            expected="a token without a scope",
        )
    return None
