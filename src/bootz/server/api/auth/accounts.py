"""People who may use the door: their accounts, one-time links and sessions.

Secrets (links, sessions) are random texts that are shown once and kept as SHA-256: they have as
much entropy as the digest, so that a slow hash would add nothing.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from bootz.errors import ConflictError, PolicyError, UnknownChassis
from bootz.server.api.auth.passwords import hash_password, password_holds
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.audit import note
from bootz.server.operations.texts import MAX_NAME, checked_text
from bootz.server.store.schema import ACCOUNT, LOGIN_LINK, LOGIN_SESSION
from bootz.sql.times import from_optional_text, from_text, to_text

LINK_LIFE: Final = timedelta(hours=24)
IDLE_END: Final = timedelta(hours=2)
"""A session that is not used for so long has ended."""
ABSOLUTE_END: Final = timedelta(hours=16)
"""However much it is used, a session has ended so long after it began: a shift, and a little."""
CLOCK_STEP: Final = IDLE_END
"""What was made so much later than now was made before the clock was set back: it has ended.

So a step back lets nothing live longer by more than this.
"""
MAX_SESSIONS: Final = 16
"""Sessions of one account; the oldest go."""

_USED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account; ``key`` is the database's."""

    name: str
    role: OperatorRole
    enabled: bool
    created_at: datetime
    last_login: datetime | None
    has_password: bool
    subject: str | None
    key: int

    def to_document(self) -> dict[str, JsonValue]:
        """Return the account for programs and for the audit; nothing in it is a secret."""
        login = self.last_login
        return {
            "name": self.name,
            "role": self.role.value,
            "enabled": self.enabled,
            "has_password": self.has_password,
            "openid_subject": self.subject,
            "created_at": self.created_at.isoformat(),
            "last_login": None if login is None else login.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in."""

    account: Account
    digest: str


def add_account(
    connection: Connection,
    name: str,
    role: OperatorRole,
    *,
    now: datetime,
    password: str | None = None,
    subject: str | None = None,
) -> Account:
    """Make an account; without a password it is entered by a one-time link (``make_link``).

    Raises:
        ConfigError: the name or password does not fit.
        ConflictError: ``account-exists``.
    """
    checked = checked_text(
        name, "name", reason="account-invalid", where="user", most=MAX_NAME, least=1
    )
    if _row(connection, checked) is not None:
        raise ConflictError("account-exists", f"{checked!r} has an account", where="user")
    values = {
        "name": checked,
        "name_folded": checked.casefold(),
        "role": role.value,
        "password": "" if password is None else hash_password(password, checked),
        "subject": subject,
        "enabled": True,
        "created_at": to_text(now),
    }
    connection.execute(insert(ACCOUNT).values(**values))
    account = find_account(connection, checked)
    note(connection, "user.add", checked, after=account.to_document())
    return account


def set_account(
    connection: Connection,
    name: str,
    *,
    role: OperatorRole | None = None,
    enabled: bool | None = None,
    password: str | None = None,
) -> Account:
    """Change what is given; a new role or password, and disabling, end all sessions.

    Raises:
        ConfigError: the password does not fit.
        PolicyError: ``account-last-admin``: no enabled admin would be left.
        UnknownChassis: ``account-not-found``.
    """
    before = find_account(connection, name)
    values: dict[str, Any] = {}
    if role is not None:
        values["role"] = role.value
    if enabled is not None:
        values["enabled"] = enabled
    if password is not None:
        values["password"] = hash_password(password, before.name)
    if values:
        connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == before.key).values(**values))
        end_sessions(connection, before.name)
        _keep_an_admin(connection, before)
    after = find_account(connection, name)
    changed = {**after.to_document(), "password_changed": password is not None}
    note(connection, "user.set", before.name, before=before.to_document(), after=changed)
    return after


def remove_account(connection: Connection, name: str) -> Account:
    """Remove an account with its links and sessions; the audit keeps its name.

    Raises:
        PolicyError: ``account-last-admin``.
        UnknownChassis: ``account-not-found``.
    """
    account = find_account(connection, name)
    connection.execute(delete(ACCOUNT).where(ACCOUNT.c.id == account.key))
    _keep_an_admin(connection, account)
    note(connection, "user.remove", account.name, before=account.to_document())
    return account


def list_accounts(connection: Connection) -> tuple[Account, ...]:
    """Return all accounts by name."""
    rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.name_folded))
    return tuple(map(_account, rows))


def find_account(connection: Connection, name: str) -> Account:
    """Return an account by name, compared without case.

    Raises:
        UnknownChassis: ``account-not-found``.
    """
    row = _row(connection, name)
    if row is None:
        raise UnknownChassis("account-not-found", f"{name!r} has no account", where="user")
    return _account(row)


def find_subject(connection: Connection, subject: str) -> Account | None:
    """Return the account of an OpenID Connect subject (issuer and sub), None without one."""
    row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.subject == subject)).first()
    return None if row is None else _account(row)


def make_link(connection: Connection, name: str, *, now: datetime) -> str:
    """Return a secret by which an account is entered once, within a day; earlier ones end.

    Raises:
        UnknownChassis: ``account-not-found``.
    """
    account = find_account(connection, name)
    secret = secrets.token_urlsafe(32)
    connection.execute(delete(LOGIN_LINK).where(LOGIN_LINK.c.account_id == account.key))
    connection.execute(
        insert(LOGIN_LINK).values(
            digest=_digest(secret), account_id=account.key, expires_at=to_text(now + LINK_LIFE)
        )
    )
    note(connection, "user.link", account.name, after={"expires_at": to_text(now + LINK_LIFE)})
    return secret


def redeem_link(connection: Connection, secret: str, *, now: datetime) -> Account | None:
    """Return whose link this is, and use it up; None where it does not hold."""
    digest = _digest(secret)
    row = connection.execute(
        select(ACCOUNT)
        .join(LOGIN_LINK, LOGIN_LINK.c.account_id == ACCOUNT.c.id)
        .where(LOGIN_LINK.c.digest == digest, LOGIN_LINK.c.expires_at > to_text(now))
        .where(LOGIN_LINK.c.expires_at <= to_text(now + LINK_LIFE + CLOCK_STEP))
        .where(ACCOUNT.c.enabled)
    ).first()
    connection.execute(
        delete(LOGIN_LINK).where(
            or_(LOGIN_LINK.c.digest == digest, LOGIN_LINK.c.expires_at <= to_text(now))
        )
    )
    return None if row is None else _account(row)


def check_password(connection: Connection, name: str, password: str) -> Account | None:
    """Return the account, None where name or password is wrong, or the account disabled.

    Takes a noticeable time on purpose, and the same for a name without an account.
    """
    row = _row(connection, name)
    holds = password_holds("" if row is None else row.password, password)
    if row is None or not holds or not row.enabled:
        return None
    return _account(row)


def begin_session(connection: Connection, account: Account, peer: str, *, now: datetime) -> str:
    """Return the secret of a new session of an account."""
    secret = secrets.token_urlsafe(32)
    at = to_text(now)
    ended = or_(
        LOGIN_SESSION.c.expires_at <= at, LOGIN_SESSION.c.began_at > to_text(now + CLOCK_STEP)
    )
    connection.execute(delete(LOGIN_SESSION).where(ended))
    connection.execute(
        insert(LOGIN_SESSION).values(
            digest=_digest(secret),
            account_id=account.key,
            peer=peer,
            began_at=at,
            used_at=at,
            expires_at=to_text(now + ABSOLUTE_END),
        )
    )
    # This one stays, also where others seem newer because the clock was set back.
    others = (LOGIN_SESSION.c.account_id == account.key, LOGIN_SESSION.c.digest != _digest(secret))
    newest = select(LOGIN_SESSION.c.digest).where(*others).order_by(LOGIN_SESSION.c.began_at.desc())
    surplus = connection.scalars(newest.offset(MAX_SESSIONS - 1)).all()
    connection.execute(delete(LOGIN_SESSION).where(LOGIN_SESSION.c.digest.in_(surplus)))
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account.key).values(last_login=at))
    note(connection, "user.login", account.name, after={"peer": peer})
    return secret


def find_session(connection: Connection, secret: str, *, now: datetime) -> Session | None:
    """Return who is logged in with this secret, None where the session has ended."""
    digest = _digest(secret)
    row = connection.execute(
        select(ACCOUNT, LOGIN_SESSION.c.digest)
        .join(LOGIN_SESSION, LOGIN_SESSION.c.account_id == ACCOUNT.c.id)
        .where(
            LOGIN_SESSION.c.digest == digest,
            LOGIN_SESSION.c.expires_at > to_text(now),
            LOGIN_SESSION.c.began_at <= to_text(now + CLOCK_STEP),
            LOGIN_SESSION.c.used_at > to_text(now - IDLE_END),
            LOGIN_SESSION.c.used_at <= to_text(now + CLOCK_STEP),
            ACCOUNT.c.enabled,
        )
    ).first()
    return None if row is None else Session(_account(row), digest)


def session_is_due(connection: Connection, session: Session, *, now: datetime) -> bool:
    """Return whether the use of a session is worth writing down: once a minute."""
    used = connection.scalar(
        select(LOGIN_SESSION.c.used_at).where(LOGIN_SESSION.c.digest == session.digest)
    )
    # One that is later than now is of a clock that was set back.
    return used is not None and not to_text(now - _USED_EVERY) <= used <= to_text(now)


def touch_session(connection: Connection, session: Session, *, now: datetime) -> None:
    """Write down that a session was used, from which its idle end counts."""
    connection.execute(
        update(LOGIN_SESSION)
        .where(LOGIN_SESSION.c.digest == session.digest)
        .values(used_at=to_text(now))
    )


def end_session(connection: Connection, secret: str) -> None:
    """End one session."""
    connection.execute(delete(LOGIN_SESSION).where(LOGIN_SESSION.c.digest == _digest(secret)))


def end_sessions(connection: Connection, name: str) -> int:
    """End all sessions of an account, and return how many there were.

    Raises:
        UnknownChassis: ``account-not-found``.
    """
    account = find_account(connection, name)
    own = LOGIN_SESSION.c.account_id == account.key
    ended: int = connection.execute(delete(LOGIN_SESSION).where(own)).rowcount
    return ended


def _keep_an_admin(connection: Connection, before: Account) -> None:
    """Refuse a change that takes away the last account that can manage the others."""
    if before.role is not OperatorRole.ADMIN or not before.enabled:
        return
    admins = select(func.count()).where(
        ACCOUNT.c.role == OperatorRole.ADMIN.value, ACCOUNT.c.enabled
    )
    if not connection.scalar(admins):
        raise PolicyError(
            "account-last-admin", "no enabled account with role admin would be left", where="user"
        )


def _row(connection: Connection, name: str) -> Row[Any] | None:
    folded = name.strip().casefold()
    return connection.execute(select(ACCOUNT).where(ACCOUNT.c.name_folded == folded)).first()


def _account(row: Row[Any] | Mapping[str, Any]) -> Account:
    values: Any = row
    return Account(
        name=values.name,
        role=OperatorRole(values.role),
        enabled=bool(values.enabled),
        created_at=from_text(values.created_at),
        last_login=from_optional_text(values.last_login),
        has_password=bool(values.password),
        subject=values.subject,
        key=values.id,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
