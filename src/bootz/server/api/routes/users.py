"""People who may use the door."""

from typing import Annotated

from fastapi import Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue, SecretStr
from sqlalchemy import Connection

from bootz.server.api.auth.accounts import (
    Account,
    add_account,
    find_account,
    list_accounts,
    make_link,
    remove_account,
    set_account,
)
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routes.documents import STRICT, Removed
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, etag, tagged

router = api_router("/users", tag="users")

_Name = Annotated[str, Path(max_length=128, description="The account's name.")]


class UserView(BaseModel):
    """A person's account."""

    name: str
    role: OperatorRole
    enabled: bool
    has_password: bool
    openid_subject: str | None
    created_at: AwareDatetime
    last_login: AwareDatetime | None


class NewUser(UserView):
    """A new account; without a password it is entered once by ``link``."""

    link: str | None = Field(description="The secret of a one-time link, shown only here.")


class AddUser(BaseModel):
    """An account to make."""

    model_config = STRICT

    name: str = Field(max_length=128)
    role: OperatorRole
    password: SecretStr | None = Field(None, max_length=1024)


class SetUser(BaseModel):
    """What is changed of an account; what is left out stays."""

    model_config = STRICT

    role: OperatorRole | None = None
    enabled: bool | None = None
    password: SecretStr | None = Field(None, max_length=1024)


def _view(account: Account) -> UserView:
    return UserView.model_validate(account.to_document())


def _held_to(account: Account) -> dict[str, JsonValue]:
    """Return what the ETag is of: a login changes nothing that a change could lose."""
    return {key: value for key, value in account.to_document().items() if key != "last_login"}


def _answer(account: Account) -> Answer:
    return tagged(_view(account), _held_to(account))


def _secret(given: SecretStr | None) -> str | None:
    return None if given is None else given.get_secret_value()


@router.get("", **operation("user.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("user.list"))],
    paging: PagingDep,
) -> Page[UserView]:
    """List the accounts by name."""
    with door.database.read() as connection:
        found = list_accounts(connection)
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_view(each) for each in page])


@router.get(
    "/{name}",
    response_model=UserView,
    **{**operation("user.list"), "operation_id": "user_show"},
)
def show(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("user.list"))], name: _Name
) -> Response:
    """Show an account, with its ETag."""
    with door.database.read() as connection:
        account = find_account(connection, name)
    return _answer(account).response()


@router.post("", status_code=201, response_model=NewUser, **operation("user.add", 409, 413, 422))
def add(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("user.add"))],
    change: ChangeDep,
    body: AddUser,
) -> Response:
    """Make an account, with a password or a one-time link."""

    def work(connection: Connection) -> Answer:
        now = door.clock()
        account = add_account(
            connection, body.name, body.role, now=now, password=_secret(body.password)
        )
        link = make_link(connection, account.name, now=now) if body.password is None else None
        view = NewUser.model_validate({**account.to_document(), "link": link})
        return Answer(view, 201, {"ETag": etag(_held_to(account))}, kept=False)

    return change.run(principal, "user.add", work)


@router.patch("/{name}", response_model=UserView, **operation("user.set", 409, 412, 413, 422))
def set_(
    principal: Annotated[Principal, Depends(needs("user.set"))],
    change: ChangeDep,
    name: _Name,
    body: SetUser,
) -> Response:
    """Change an account; a new role or password, and disabling, end its sessions."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(find_account(connection, name)))
        account = set_account(
            connection,
            name,
            role=body.role,
            enabled=body.enabled,
            password=_secret(body.password),
        )
        return _answer(account)

    return change.run(principal, "user.set", work)


@router.delete("/{name}", response_model=Removed, **operation("user.remove", 409, 412))
def remove(
    principal: Annotated[Principal, Depends(needs("user.remove"))],
    change: ChangeDep,
    name: _Name,
) -> Response:
    """Remove an account with its sessions."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(find_account(connection, name)))
        return Answer(Removed(removed=remove_account(connection, name).name))

    return change.run(principal, "user.remove", work)
