"""Tokens of programs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import ApiToken, add_token, list_tokens, revoke_token
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routes.documents import STRICT
from bootz.server.api.writes import Answer, ChangeDep

router = APIRouter(prefix="/tokens", tags=["tokens"])


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
        return Answer(view, 201, kept=False)

    return change.run(principal, "token.add", work)


@router.post("/{key:int}/revoke", response_model=Token, **operation("token.revoke"))
def revoke(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("token.revoke"))],
    change: ChangeDep,
    key: Annotated[int, Path(ge=1, le=2**31, description="The token's id.")],
) -> Response:
    """End a token at once."""

    def work(connection: Connection) -> Answer:
        return Answer(_view(revoke_token(connection, key, now=door.clock())))

    return change.run(principal, "token.revoke", work)
