"""Users and tokens: who may come in, as what; a secret is shown once."""

from datetime import timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from bootz.errors import ConfigError, WireError
from bootz.server.api.auth.accounts import (
    add_account,
    end_sessions,
    list_accounts,
    make_link,
    remove_account,
    set_account,
)
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token, list_tokens, revoke_token
from bootz.server.board.results import results_of
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting

router = APIRouter()

_MAX_DAYS = 3650
MadeKey = Annotated[str, Query(max_length=32)]
_Name = Annotated[str, Path(max_length=128)]


class MadeSecret(NamedTuple):
    """What was made, and its secret, which its page shows for some minutes."""

    name: str
    secret: str


@router.get("/users")
def users(
    visitor: Annotated[Visitor, Depends(visiting("user.list"))], made: MadeKey = ""
) -> Response:
    """List accounts, and the one-time link that was just made."""
    with visitor.door.database.read() as connection:
        found = list_accounts(connection)
    told = results_of(visitor).find(visitor, made, MadeSecret)
    return page(visitor, "users.html", accounts=found, roles=_ROLES, told=told, asked=made)


@router.post("/users/add")
def add_user(visitor: Annotated[Visitor, Depends(changing("user.add"))], form: FormDep) -> Response:
    """Make an account, and show its one-time link for a while."""
    door = visitor.door
    with door.database.write(visitor.principal.actor("user.add")) as connection:
        account = add_account(connection, text_of(form, "name", 128), _role(form), now=door.clock())
        link = make_link(connection, account.name, now=door.clock())
    return _made(visitor, "/users", account.name, _address(visitor.request, link))


@router.post("/users/{name}/link")
def new_link(visitor: Annotated[Visitor, Depends(changing("user.set"))], name: _Name) -> Response:
    """Make another one-time link; earlier ones end."""
    door = visitor.door
    with door.database.write(visitor.principal.actor("user.link")) as connection:
        link = make_link(connection, name, now=door.clock())
    return _made(visitor, "/users", name, _address(visitor.request, link))


@router.post("/users/{name}/set")
def set_user(
    visitor: Annotated[Visitor, Depends(changing("user.set"))], name: _Name, form: FormDep
) -> Response:
    """Change a role, disable, enable, or end all sessions."""
    doing = text_of(form, "do", 16)
    with visitor.door.database.write(visitor.principal.actor("user.set")) as connection:
        match doing:
            case "role":
                set_account(connection, name, role=_role(form))
            case "disable" | "enable":
                set_account(connection, name, enabled=doing == "enable")
            case "end":
                end_sessions(connection, name)
            case _:
                raise WireError("request-invalid", "there is no such change", where="do")
    return go(url("/users"), f"{name} was changed.")


@router.post("/users/{name}/remove")
def remove_user(
    visitor: Annotated[Visitor, Depends(changing("user.remove"))], name: _Name
) -> Response:
    """Remove an account."""
    with visitor.door.database.write(visitor.principal.actor("user.remove")) as connection:
        remove_account(connection, name)
    return go(url("/users"), f"{name} was removed.")


@router.get("/tokens")
def tokens(
    visitor: Annotated[Visitor, Depends(visiting("token.list"))], made: MadeKey = ""
) -> Response:
    """List tokens, and the secret of one that was just made."""
    with visitor.door.database.read() as connection:
        found = list_tokens(connection)
    told = results_of(visitor).find(visitor, made, MadeSecret)
    return page(visitor, "tokens.html", tokens=found, roles=_ROLES, told=told, asked=made)


@router.post("/tokens/add")
def new_token(
    visitor: Annotated[Visitor, Depends(changing("token.add"))], form: FormDep
) -> Response:
    """Make a token, and show its secret for a while."""
    door = visitor.door
    days = text_of(form, "days", 8)
    if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= _MAX_DAYS:
        raise ConfigError(
            "token-invalid", "days do not fit", where="days", expected=f"1 to {_MAX_DAYS}"
        )
    scope = {}
    for text in text_of(form, "scope", 2048).split(","):
        key, equals, value = text.strip().partition("=")
        if key or equals:
            scope[key.strip()] = value.strip()
    with door.database.write(visitor.principal.actor("token.add")) as connection:
        token, secret = add_token(
            connection,
            text_of(form, "name", 128),
            _role(form),
            now=door.clock(),
            scope=scope,
            expires_at=door.clock() + timedelta(days=int(days)),
        )
    return _made(visitor, "/tokens", token.name, secret)


@router.post("/tokens/{key:int}/revoke")
def end_token(
    visitor: Annotated[Visitor, Depends(changing("token.revoke"))],
    key: Annotated[int, Path(ge=1, le=2**62)],
) -> Response:
    """End a token at once."""
    door = visitor.door
    with door.database.write(visitor.principal.actor("token.revoke")) as connection:
        token = revoke_token(connection, key, now=door.clock())
    return go(url("/tokens"), f"{token.name} was revoked.")


def _made(visitor: Visitor, path: str, name: str, secret: str) -> Response:
    key = results_of(visitor).keep(visitor, MadeSecret(name, secret))
    return go(url(path, made=key))


_ROLES = [role.value for role in OperatorRole]


def _role(form: FormDep) -> OperatorRole:
    given = text_of(form, "role", 16)
    if given not in _ROLES:
        raise ConfigError(
            "account-invalid", "there is no such role", where="role", expected=", ".join(_ROLES)
        )
    return OperatorRole(given)


def _address(request: Request, link: str) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{url('/login', link=link)}"
