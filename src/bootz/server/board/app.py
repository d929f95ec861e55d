"""The pages as a part of the door's application: routes, errors as pages, a login on the way."""

from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from bootz.errors import BootzError, UnknownChassis, WireError
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.context import Door, Principal
from bootz.server.api.problems import problem_of
from bootz.server.board import assets, live
from bootz.server.board.live import Broadcast
from bootz.server.board.newsroom import Newsroom
from bootz.server.board.pages import PAGES
from bootz.server.board.pages.home import home
from bootz.server.board.results import Results
from bootz.server.board.view import compile_templates, page, url
from bootz.server.board.visitor import PREFIX, LoginNeeded, Visitor, anyone, still_holds

log = structlog.get_logger()

_ROUTERS: Final = (assets.router, live.router, *PAGES)


def install(app: FastAPI, door: Door) -> None:
    """Add the board to a door's application: its pages are below ``/board/``."""
    board = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        routes=[route for router in _ROUTERS for route in router.routes],
    )
    board.state.door = door
    board.state.newsroom = Newsroom(door)
    board.state.broadcast = Broadcast(board.state.newsroom, app.state.bell)
    board.state.results = Results()
    _install_errors(board, door)
    app.mount(PREFIX, board)
    # What takes long the first time; without it the first page after a start waits.
    app.state.warm += [
        board.state.newsroom.look,
        compile_templates,
        lambda: _draw_home(board, door),
    ]

    @app.get("/", include_in_schema=False)
    def root() -> Response:
        """Lead a browser to the board."""
        return RedirectResponse(f"{PREFIX}/", status_code=303)


def _draw_home(board: FastAPI, door: Door) -> None:
    """Look up a session and draw the home page, for one who may only look.

    So that the statements of the database are compiled, and what is read at its first use is read.
    """
    still_holds(door, "")
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{PREFIX}/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"accept-encoding", b"gzip")],
        "app": board,
    }
    home(Visitor(door, Request(scope), "", Principal("user:", OperatorRole.VIEWER, "")))


def _install_errors(board: FastAPI, door: Door) -> None:
    def told(request: Request, error: BootzError) -> Response:
        problem = problem_of(error)
        back = getattr(request.state, "to", f"{PREFIX}/")
        return page(
            anyone(request, door),
            "error.html",
            status=problem.status,
            headers=getattr(error, "headers", None),
            heading="There is no such page" if problem.status == 404 else "This was not done",
            problem=problem,
            back=back,
            address=back,
        )

    def bootz_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, BootzError):
            raise TypeError(type(error).__name__)
        return told(request, error)

    def login_needed(request: Request, error: Exception) -> Response:
        if not isinstance(error, LoginNeeded):
            raise TypeError(type(error).__name__)
        login = url("/login", to=error.to)
        if request.headers.get("hx-request"):
            # A part of a page was asked for: the whole page goes to the login.
            return Response(status_code=401, headers={"HX-Redirect": login})
        return RedirectResponse(login, status_code=303)

    def invalid(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise TypeError(type(error).__name__)
        names = ", ".join(str(fault["loc"][-1]) for fault in error.errors()[:5])
        return told(request, WireError("request-invalid", "does not fit", where=names))

    def http_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise TypeError(type(error).__name__)
        if error.status_code == 405:
            return told(
                request, WireError("method-not-allowed", "a form does not go there", where="method")
            )
        if error.status_code == 404:
            missing = UnknownChassis("route-not-found", "the board has no such page", where="path")
            return told(request, missing)
        return told(request, WireError("request-invalid", error.detail, where="body"))

    def broken(request: Request, _error: Exception) -> Response:
        # A defect of ours: the log has the place, the page nothing of it.
        return page(Visitor(door, request, ""), "broken.html", status=500)

    board.add_exception_handler(Exception, broken)
    board.add_exception_handler(BootzError, bootz_error)
    board.add_exception_handler(LoginNeeded, login_needed)
    board.add_exception_handler(RequestValidationError, invalid)
    board.add_exception_handler(HTTPException, http_error)
