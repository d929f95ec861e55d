"""A person enters: by password, or once by a link. Programs and pages come by the same way."""

from collections.abc import Mapping

from fastapi import Response

from bootz.errors import TrustError, Unavailable
from bootz.server.api.auth.accounts import (
    Account,
    begin_session,
    check_password,
    redeem_link,
)
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.context import Door
from bootz.server.store.actor import Actor


class LoginThrottled(Unavailable):
    """Too many refused logins; ``headers`` say when the next is heard."""

    def __init__(self, wait: float) -> None:
        super().__init__("login-throttled", f"try again in {wait:.0f} s", where="login")
        self.headers: Mapping[str, str] = {"Retry-After": f"{int(wait) + 1}"}


def enter(
    door: Door, peer: str, *, name: str = "", password: str = "", link: str = ""
) -> tuple[Account, str]:
    """Return the account that a password or a link opens, and the secret of its new session.

    Raises:
        LoginThrottled: too many were refused, of this account or this address.
        TrustError: ``login-refused``.
    """
    now = door.clock()
    keys = (f"address:{peer}", f"account:{name.strip().casefold()}")
    wait = door.throttle.wait(*keys, monotonic=door.monotonic())
    if wait > 0:
        raise LoginThrottled(wait)
    # Read first: a slow hash must not hold the lock of the inventory.
    account: Account | None = None
    if not link:
        with door.database.read() as connection:
            account = check_password(connection, name, password)
    with door.database.write(Actor(f"user:{name}", peer, "user.login")) as connection:
        if link:
            account = redeem_link(connection, link, now=now)
        if account is None:
            door.throttle.refused(*keys, monotonic=door.monotonic())
            raise TrustError("login-refused", "name, password or link is wrong", where="login")
        secret = begin_session(connection, account, peer, now=now)
    door.throttle.accepted(keys[1])
    return account, secret


def keep_session(response: Response, door: Door, secret: str) -> None:
    """Set the cookie of a session on an answer."""
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        httponly=True,
        samesite="strict",
        secure=bool(door.config.operator.tls),
        path="/",
    )
