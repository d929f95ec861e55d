"""Finds who calls, and refuses who may not: the one gate before every route."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from bootz.errors import PolicyError, TrustError
from bootz.server.api.auth.accounts import find_session, session_is_due, touch_session
from bootz.server.api.auth.roles import NEEDED, SCOPED, OperatorRole
from bootz.server.api.auth.tokens import find_token, token_is_due, touch_token
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.problems import documented

SESSION_COOKIE: Final = "bootz_session"
CSRF_HEADER: Final = "X-Bootz-CSRF"

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(
    scheme_name="token", description="A token of `bootz token add`.", auto_error=False
)
cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="session",
    description=f"A session of a person; changes also need the header {CSRF_HEADER}.",
    auto_error=False,
)


def csrf_token(secret: str) -> str:
    """Return what a page of a session sends back with each change.

    It is made of the session's secret, which a foreign page can neither read nor guess.
    """
    return hmac.new(secret.encode(), b"bootz csrf", hashlib.sha256).hexdigest()


def caller(
    request: Request,
    door: DoorDep,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    session: Annotated[str | None, Depends(cookie)],
) -> Principal:
    """Return who calls.

    Raises:
        TrustError: ``login-needed``: neither a token nor a session that holds.
        PolicyError: ``csrf-refused``: a change by a session, not shown to come from our page.
    """
    peer = peer_of(request)
    principal = None
    if token is not None:
        principal = token_principal(door, token.credentials, peer)
    elif session:
        principal = session_principal(door, session, peer)
        if principal is not None and request.method not in _SAFE:
            _check_origin(request, session)
    if principal is None:
        raise login_needed()
    return principal


def login_needed() -> TrustError:
    """Return the refusal of a caller that no one knows."""
    return TrustError("login-needed", "no token and no session that holds", where="login")


def credentials_hold(door: Door, authorization: str, session: str) -> bool:
    """Return whether a header with a token, or else a session, opens anything.

    Asking is no use of them: an idle session ends all the same.
    """
    scheme, _, token = authorization.partition(" ")
    now = door.clock()
    with door.database.read() as connection:
        if authorization:
            token_holds = find_token(connection, token.strip(), now=now) is not None
            return token_holds and scheme.lower() == "bearer"
        return bool(session) and find_session(connection, session, now=now) is not None


Caller = Annotated[Principal, Depends(caller)]


def peer_of(request: Request) -> str:
    """Return the caller's address."""
    return "unknown" if request.client is None else request.client.host


def check_role(principal: Principal, verb: str) -> None:
    """Refuse a verb that the role does not include.

    Raises:
        PolicyError: ``role-insufficient``.
    """
    needed = NEEDED[verb]
    if not principal.role.may(needed):
        raise PolicyError(
            "role-insufficient",
            f"{verb} needs another role",
            where="role",
            expected=needed.value,
            seen=principal.role.value,
        )


def check_whole_site(principal: Principal, detail: str) -> None:
    """Refuse a token that may see only some chassis.

    Raises:
        PolicyError: ``scope-exceeded``.
    """
    if principal.scope:
        raise PolicyError(
            "scope-exceeded",
            detail,
            where="scope",
            expected="a token without a scope",
            seen=", ".join(f"{key}={value}" for key, value in principal.scope.items()),
        )


def sees_secrets(principal: Principal) -> bool:
    """Return whether secrets are shown to this caller as they are."""
    return principal.role.may(NEEDED["secret.read"])


def needs(verb: str) -> Callable[[Principal], Principal]:
    """Return a dependency that yields the caller if its role includes a verb."""
    if verb not in NEEDED:
        raise RuntimeError(f"{verb} is not in the table of roles")

    def allowed(principal: Caller) -> Principal:
        check_role(principal, verb)
        if verb not in SCOPED:
            check_whole_site(principal, f"{verb} is not about certain chassis alone")
        return principal

    return allowed


def operation(verb: str, *statuses: int) -> dict[str, Any]:
    """Return what a route says of itself: its verb, who may call it, how it may fail."""
    needed: OperatorRole = NEEDED[verb]
    return {
        "operation_id": verb.replace(".", "_"),
        "responses": documented(*statuses),
        "openapi_extra": {"x-bootz-verb": verb, "x-bootz-role": needed.value},
    }


def token_principal(door: Door, secret: str, peer: str) -> Principal | None:
    """Return the program that a token is of, None where it does not hold; its use is noted."""
    now = door.clock()
    with door.database.read() as connection:
        token = find_token(connection, secret, now=now)
    if token is None:
        return None
    if token_is_due(token, now=now):
        with door.database.write() as connection:
            touch_token(connection, token, now=now)
    return Principal(f"token:{token.name}", token.role, peer, token.scope)


def session_principal(door: Door, secret: str, peer: str) -> Principal | None:
    """Return the person whose session this is, None where it has ended; its use is noted."""
    now = door.clock()
    with door.database.read() as connection:
        session = find_session(connection, secret, now=now)
        due = session is not None and session_is_due(connection, session, now=now)
    if session is None:
        return None
    if due:
        with door.database.write() as connection:
            touch_session(connection, session, now=now)
    return Principal(f"user:{session.account.name}", session.account.role, peer)


def _check_origin(request: Request, session: str) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_token(session).encode()):
        raise PolicyError(
            "csrf-refused",
            f"the header {CSRF_HEADER} is missing or wrong",
            where=CSRF_HEADER,
        )
