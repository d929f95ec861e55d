"""A person logs in and out: by password, or once by a link."""

from typing import Annotated, Final, Literal

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Connection

from bootz.server.api.auth.accounts import end_session
from bootz.server.api.auth.entering import enter, keep_session
from bootz.server.api.auth.principals import (
    SESSION_COOKIE,
    Caller,
    cookie,
    csrf_token,
    peer_of,
)
from bootz.server.api.context import DoorDep
from bootz.server.api.problems import documented
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep

router = api_router(tag="login")

_STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Login(BaseModel):
    """A name with its password, or a one-time link's secret."""

    model_config = _STRICT

    name: str = Field("", max_length=128)
    password: SecretStr = Field(SecretStr(""), max_length=1024)
    link: SecretStr = Field(SecretStr(""), max_length=128)


class LoggedIn(BaseModel):
    """Who is logged in; ``csrf`` goes back in a header with each change."""

    name: str
    role: Literal["viewer", "operator", "security", "admin"]
    csrf: str


class Me(BaseModel):
    """Who calls, as the API knows it."""

    name: str
    role: Literal["viewer", "operator", "security", "admin"]
    scope: dict[str, str]


@router.post("/login", operation_id="login", responses=documented(), response_model=LoggedIn)
def login(request: Request, response: Response, door: DoorDep, given: Login) -> LoggedIn:
    """Log in; the answer sets the session's cookie."""
    account, secret = enter(
        door,
        peer_of(request),
        name=given.name,
        password=given.password.get_secret_value(),
        link=given.link.get_secret_value(),
    )
    keep_session(response, door, secret)
    return LoggedIn(name=account.name, role=account.role.value, csrf=csrf_token(secret))


@router.post(
    "/logout",
    operation_id="logout",
    responses=documented(),
    status_code=204,
    response_class=Response,
)
def logout(
    principal: Caller, change: ChangeDep, session: Annotated[str | None, Depends(cookie)]
) -> Response:
    """End the session; a token is not touched."""

    def work(connection: Connection) -> Answer:
        if session:
            end_session(connection, session)
        return Answer(status=204)

    response = change.run(principal, "user.logout", work)
    if not change.dry_run:
        response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/me", operation_id="me", responses=documented())
def me(principal: Caller) -> Me:
    """Return who calls."""
    return Me(name=principal.name, role=principal.role.value, scope=dict(principal.scope))
