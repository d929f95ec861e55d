"""The two steps of a login by a provider, as a part of the door."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Cookie, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from bootz.config.operator import OidcSettings
from bootz.errors import ConfigError, ConflictError, PolicyError
from bootz.keystore.protected import read_protected
from bootz.server.api.auth.accounts import (
    Account,
    add_account,
    begin_session,
    find_account,
    find_subject,
    set_account,
)
from bootz.server.api.auth.entering import keep_session
from bootz.server.api.auth.principals import peer_of
from bootz.server.api.context import Door
from bootz.server.api.oidc.logins import LIFE_S, OidcLogins, Person
from bootz.server.api.oidc.provider import Provider
from bootz.server.store.actor import Actor

_COOKIE: Final = "bootz_oidc"
_PATH: Final = "/api/v1/login/oidc"

# A redirect would still be the provider's wish, and the session's cookie not be sent with it.
_ENTERED: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=/"><title>Bootz</title></head>
<body><p>You are logged in. <a href="/">Go on</a></p></body></html>
"""


def oidc_part(settings: OidcSettings, root: Path) -> Callable[[FastAPI, Door], None]:
    """Return the part of the door that logs people in by a provider.

    Raises:
        ConfigError: the secret or the CAs cannot be read.
    """
    secret = None
    if settings.client_secret_file is not None:
        file = root / settings.client_secret_file
        secret = read_protected(file).decode("utf-8", "replace").strip()
    tls = ssl.create_default_context()
    if settings.ca is not None:
        try:
            tls.load_verify_locations(cafile=root / settings.ca)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "site-config-invalid",
                f"the CAs cannot be read: {error}",
                where="operator.oidc.ca",
            ) from error

    def part(app: FastAPI, door: Door) -> None:
        provider = Provider(
            settings.issuer, settings.client_id, secret, tls=tls, monotonic=door.monotonic
        )
        logins = OidcLogins(provider, settings, door.monotonic)
        app.routes.extend(_router(door, logins).routes)

    return part


def _router(door: Door, logins: OidcLogins) -> APIRouter:
    router = APIRouter()
    secure = bool(door.config.operator.tls)

    @router.get(_PATH, include_in_schema=False)
    async def begin() -> Response:
        """Send a browser to the provider."""
        url, browser = await logins.begin()
        answer = RedirectResponse(url, status_code=303)
        # Lax: it comes back by a link of the provider's.
        answer.set_cookie(
            _COOKIE,
            browser,
            max_age=int(LIFE_S),
            httponly=True,
            samesite="lax",
            secure=secure,
            path=_PATH,
        )
        return answer

    @router.get(f"{_PATH}/callback", include_in_schema=False)
    async def callback(
        request: Request, browser: Annotated[str, Cookie(alias=_COOKIE, max_length=128)] = ""
    ) -> Response:
        """Take a browser back from the provider, and let its person in."""
        person = await logins.end(dict(request.query_params), browser, door.clock())
        secret = await run_in_threadpool(_enter, door, person, peer_of(request))
        answer = HTMLResponse(_ENTERED)
        answer.delete_cookie(_COOKIE, path=_PATH)
        keep_session(answer, door, secret)
        return answer

    return router


def _enter(door: Door, person: Person, peer: str) -> str:
    """Return the secret of a new session of a person, whose account is made at the first login."""
    now = door.clock()
    with door.database.write(Actor(f"user:{person.name}", peer, "user.login")) as connection:
        account = _account_of(connection, person, door)
        if not account.enabled:
            raise PolicyError(
                "oidc-account-refused", "the account is disabled", where="user", seen=account.name
            )
        if account.role is not person.role:
            account = set_account(connection, account.name, role=person.role)
        return begin_session(connection, account, peer, now=now)


def _account_of(connection: Connection, person: Person, door: Door) -> Account:
    account = find_subject(connection, person.subject)
    if account is not None:
        return account
    try:
        return add_account(
            connection, person.name, person.role, now=door.clock(), subject=person.subject
        )
    except ConflictError as error:
        # Never taken over by name: at the provider a name may change hands.
        raise PolicyError(
            "oidc-account-refused",
            "an account of that name is another's",
            where="user",
            seen=find_account(connection, person.name).name,
        ) from error
