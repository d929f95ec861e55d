"""Tokens of programs."""

from typing import Annotated

from fastapi import Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import (
    ApiToken,
    add_token,
    list_tokens,
    revoke_token,
    token_by_key,
)
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, etag, tagged

router = api_router("/tokens", tag="tokens")


class Token(BaseModel):
    """A token on record, without its secret."""

    id: int
    name: str
    role: OperatorRole
    scope: dict[str, str] = Field(description="Labels that a chassis must have to be seen.")
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class NewToken(Token):
    """A new token."""

    secret: str = Field(description="What programs send; shown only here.")


class AddToken(BaseModel):
    """A token to make."""

    model_config = STRICT

    name: str = Field(max_length=128)
    role: OperatorRole
    scope: dict[str, str] = Field({}, max_length=16)
    expires_at: AwareDatetime | None = None


_Key = Annotated[int, Path(ge=1, le=2**31 - 1, description="The token's id.")]


def _held_to(token: ApiToken) -> dict[str, JsonValue]:
    """Return what the ETag is of: its use changes nothing that a change could lose."""
    return {key: value for key, value in token.to_document().items() if key != "used_at"}


def _view(token: ApiToken) -> Token:
    return Token.model_validate(token.to_document())


@router.get("", **operation("token.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("token.list"))],
    paging: PagingDep,
) -> Page[Token]:
    """List all tokens, also those that have ended."""
    with door.database.read() as connection:
        found = list_tokens(connection)
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_view(each) for each in page])


@router.get(
    "/{key:int}",
    response_model=Token,
    **{**operation("token.list"), "operation_id": "token_show"},
)
def show(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("token.list"))], key: _Key
) -> Response:
    """Show a token without its secret, with its ETag."""
    with door.database.read() as connection:
        token = token_by_key(connection, key)
    return tagged(_view(token), _held_to(token)).response()


@router.post("", status_code=201, response_model=NewToken, **operation("token.add", 413, 422))
def add(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("token.add"))],
    change: ChangeDep,
    body: AddToken,
) -> Response:
    """Make a token; its secret is in this answer and nowhere else."""

    def work(connection: Connection) -> Answer:
        token, secret = add_token(
            connection,
            body.name,
            body.role,
            now=door.clock(),
            scope=body.scope,
            expires_at=body.expires_at,
        )
        view = NewToken.model_validate({**token.to_document(), "secret": secret})
        return Answer(view, 201, {"ETag": etag(_held_to(token))}, kept=False)

    return change.run(principal, "token.add", work)


@router.post("/{key:int}/revoke", response_model=Token, **operation("token.revoke"))
def revoke(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("token.revoke"))],
    change: ChangeDep,
    key: _Key,
) -> Response:
    """End a token at once."""

    def work(connection: Connection) -> Answer:
        change.check_match(_held_to(token_by_key(connection, key)))
        token = revoke_token(connection, key, now=door.clock())
        return tagged(_view(token), _held_to(token))

    return change.run(principal, "token.revoke", work)
