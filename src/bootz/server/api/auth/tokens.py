"""Tokens of programs: shown once, kept as SHA-256, with role, labels, end and last use."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import JsonValue
from sqlalchemy import Connection, Row, insert, select, update

from bootz.errors import ConfigError, UnknownChassis
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.audit import note
from bootz.server.operations.labels import checked_labels
from bootz.server.operations.texts import MAX_NAME, checked_text, dump_json, load_object
from bootz.server.store.actor import actor_of
from bootz.server.store.schema import API_TOKEN
from bootz.sql.times import from_optional_text, from_text, to_optional_text, to_text

PREFIX: Final = "bootz_"
"""What every token begins with, so that scanners for leaked secrets know one."""
MAX_SCOPE: Final = 16

_USED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token on record; ``scope`` are labels that a chassis must have for it to be seen."""

    key: int
    name: str
    role: OperatorRole
    scope: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime = field(kw_only=True)
    created_by: str = field(kw_only=True)
    expires_at: datetime | None = field(kw_only=True)
    used_at: datetime | None = field(kw_only=True)
    revoked_at: datetime | None = field(kw_only=True)

    def holds(self, now: datetime) -> bool:
        """Return whether it opens anything at ``now``."""
        ended = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not ended

    def to_document(self) -> dict[str, JsonValue]:
        """Return the token for programs and for the audit; nothing in it is a secret."""

        def told(moment: datetime | None) -> str | None:
            return None if moment is None else moment.isoformat()

        return {
            "id": self.key,
            "name": self.name,
            "role": self.role.value,
            "scope": dict(self.scope),
            "created_at": self.created_at.isoformat(),
            "created_by": self.created_by,
            "expires_at": told(self.expires_at),
            "used_at": told(self.used_at),
            "revoked_at": told(self.revoked_at),
        }


def add_token(
    connection: Connection,
    name: str,
    role: OperatorRole,
    *,
    now: datetime,
    scope: Mapping[str, str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token, and return it with its secret, which is nowhere else.

    Raises:
        ConfigError: ``token-invalid``: the name or scope does not fit, or its end has passed.
    """
    checked = checked_text(
        name, "name", reason="token-invalid", where="token", most=MAX_NAME, least=1
    )
    scope = checked_labels(scope or {}, reason="token-invalid", where="scope")
    if len(scope) > MAX_SCOPE:
        raise ConfigError("token-invalid", f"over {MAX_SCOPE} labels", where="scope")
    if expires_at is not None and expires_at <= now:
        raise ConfigError(
            "token-invalid", "it would have ended already", where="expires_at", seen=str(expires_at)
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    key = connection.execute(
        insert(API_TOKEN)
        .values(
            name=checked,
            digest=_digest(secret),
            role=role.value,
            scope=dump_json(scope),
            created_at=to_text(now),
            created_by=actor_of(connection).name,
            expires_at=to_optional_text(expires_at),
        )
        .returning(API_TOKEN.c.id)
    ).scalar_one()
    token = token_by_key(connection, key)
    note(connection, "token.add", token.name, after=token.to_document())
    return token, secret


def list_tokens(connection: Connection) -> tuple[ApiToken, ...]:
    """Return all tokens, also those that have ended, by id."""
    return tuple(map(_token, connection.execute(select(API_TOKEN).order_by(API_TOKEN.c.id))))


def token_by_key(connection: Connection, key: int) -> ApiToken:
    """Return a token by its id.

    Raises:
        UnknownChassis: ``token-not-found``.
    """
    row = connection.execute(select(API_TOKEN).where(API_TOKEN.c.id == key)).first()
    if row is None:
        raise UnknownChassis("token-not-found", f"there is no token {key}", where="token")
    return _token(row)


def revoke_token(connection: Connection, key: int, *, now: datetime) -> ApiToken:
    """End a token at once; it stays on record. Again, nothing changes.

    Raises:
        UnknownChassis: ``token-not-found``.
    """
    before = token_by_key(connection, key)
    if before.revoked_at is not None:
        return before
    ended = update(API_TOKEN).where(API_TOKEN.c.id == key).values(revoked_at=to_text(now))
    connection.execute(ended)
    after = token_by_key(connection, key)
    note(
        connection,
        "token.revoke",
        after.name,
        before=before.to_document(),
        after=after.to_document(),
    )
    return after


def find_token(connection: Connection, secret: str, *, now: datetime) -> ApiToken | None:
    """Return the token of this secret, None where it does not hold at ``now``."""
    if not secret.startswith(PREFIX):
        return None
    found = select(API_TOKEN).where(API_TOKEN.c.digest == _digest(secret))
    row = connection.execute(found).first()
    token = None if row is None else _token(row)
    return token if token is not None and token.holds(now) else None


def token_is_due(token: ApiToken, *, now: datetime) -> bool:
    """Return whether the use of a token is worth writing down: once a minute."""
    # A use that is later than now is of a clock that was set back.
    return token.used_at is None or not now - _USED_EVERY <= token.used_at <= now


def touch_token(connection: Connection, token: ApiToken, *, now: datetime) -> None:
    """Write down that a token was used."""
    used = update(API_TOKEN).where(API_TOKEN.c.id == token.key).values(used_at=to_text(now))
    connection.execute(used)


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        key=row.id,
        name=row.name,
        role=OperatorRole(row.role),
        scope=cast("dict[str, str]", load_object(row.scope)),
        created_at=from_text(row.created_at),
        created_by=row.created_by,
        expires_at=from_optional_text(row.expires_at),
        used_at=from_optional_text(row.used_at),
        revoked_at=from_optional_text(row.revoked_at),
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
