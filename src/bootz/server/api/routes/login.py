"""A person logs in and out: by password, or once by a link."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bootz.errors import TrustError, Unavailable
from bootz.server.api.auth.accounts import (
    Account,
    begin_session,
    check_password,
    end_session,
    redeem_link,
)
from bootz.server.api.auth.principals import (
    SESSION_COOKIE,
    Caller,
    cookie,
    csrf_token,
    peer_of,
)
from bootz.server.api.context import DoorDep
from bootz.server.api.problems import documented, problem_response
from bootz.server.store.actor import Actor

router = APIRouter(tags=["login"])

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
def login(request: Request, response: Response, door: DoorDep, given: Login) -> object:
    """Log in; the answer sets the session's cookie."""
    peer, now = peer_of(request), door.clock()
    keys = (f"address:{peer}", f"account:{given.name.strip().casefold()}")
    wait = door.throttle.wait(*keys, monotonic=door.monotonic())
    if wait > 0:
        error = Unavailable("login-throttled", f"try again in {wait:.0f} s", where="login")
        return problem_response(error, {"Retry-After": f"{int(wait) + 1}"})
    # Read first: a slow hash must not hold the lock of the inventory.
    account: Account | None = None
    if not given.link.get_secret_value():
        with door.database.read() as connection:
            account = check_password(connection, given.name, given.password.get_secret_value())
    with door.database.write(Actor(f"user:{given.name}", peer, "user.login")) as connection:
        if given.link.get_secret_value():
            account = redeem_link(connection, given.link.get_secret_value(), now=now)
        if account is None:
            door.throttle.refused(*keys, monotonic=door.monotonic())
            raise TrustError("login-refused", "name, password or link is wrong", where="login")
        secret = begin_session(connection, account, peer, now=now)
    door.throttle.accepted(keys[1])
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        httponly=True,
        samesite="strict",
        secure=bool(door.config.operator.tls),
        path="/",
    )
    return LoggedIn(name=account.name, role=account.role.value, csrf=csrf_token(secret))


@router.post("/logout", operation_id="logout", responses=documented(), status_code=204)
def logout(
    response: Response,
    door: DoorDep,
    principal: Caller,
    session: Annotated[str | None, Depends(cookie)],
) -> None:
    """End the session; a token is not touched."""
    if session:
        with door.database.write(principal.actor("user.logout")) as connection:
            end_session(connection, session)
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.get("/me", operation_id="me", responses=documented())
def me(principal: Caller) -> Me:
    """Return who calls."""
    return Me(name=principal.name, role=principal.role.value, scope=dict(principal.scope))
