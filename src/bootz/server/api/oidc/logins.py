"""A login on its way to the provider and back: begun in one browser, ended there, once.

Source: RFC 6749 section 10.12 (state); RFC 7636 section 4 (PKCE); RFC 9207 section 2 (iss).
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from bootz.config.operator import OidcSettings
from bootz.errors import PolicyError, TrustError
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.oidc.provider import Provider
from bootz.server.api.oidc.tokens import (
    Expected,
    Holder,
    UnknownSigningKey,
    groups_of,
    verified_token,
)

LIFE_S: Final = 600.0
"""Seconds that a person has at the provider."""
_MOST: Final = 1000
"""Logins on their way; the oldest go."""


@dataclass(frozen=True, slots=True)
class _Begun:
    browser: str
    nonce: str
    verifier: str
    at: float


@dataclass(frozen=True, slots=True)
class Person:
    """Who has proven to be whom: ``subject`` is issuer and sub, which never change hands."""

    subject: str
    name: str
    role: OperatorRole


class OidcLogins:
    """Begins and ends logins by one provider.

    Args:
        provider: whom to ask.
        settings: the site's.
        monotonic: seconds that only ever rise.
    """

    def __init__(
        self, provider: Provider, settings: OidcSettings, monotonic: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._monotonic = monotonic
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._redirect_uri = f"{settings.base_url}/api/v1/login/oidc/callback"

    async def begin(self) -> tuple[str, str]:
        """Return where the browser goes, and what it keeps in a cookie until it comes back.

        Raises:
            TrustError: ``oidc-provider-invalid``.
            Unavailable: ``oidc-provider-unreachable``.
        """
        endpoints = await self._provider.endpoints()
        state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
        self._begun[state] = _Begun(_digest(browser), nonce, verifier, self._monotonic())
        while len(self._begun) > _MOST:
            self._begun.popitem(last=False)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._provider.client_id,
                "redirect_uri": self._redirect_uri,
                "scope": " ".join(self._settings.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge.decode(),
                "code_challenge_method": "S256",
            }
        )
        mark = "&" if "?" in endpoints.authorization else "?"
        return f"{endpoints.authorization}{mark}{query}", browser

    async def end(self, answer: Mapping[str, str], browser: str, now: datetime) -> Person:
        """Return who has logged in, of what the browser brought back.

        ``answer`` is the query of the callback; ``browser`` the cookie.

        Raises:
            TrustError: it is not a login that was begun here, or the token does not hold.
            PolicyError: ``oidc-no-role``.
            Unavailable: ``oidc-provider-unreachable``.
        """
        begun = self._begun.pop(answer.get("state", ""), None)
        if (
            begun is None
            or self._monotonic() - begun.at > LIFE_S
            or not hmac.compare_digest(begun.browser, _digest(browser))
        ):
            raise TrustError(
                "oidc-login-refused",
                "no such login was begun in this browser, or it is over",
                where="state",
            )
        issuer = answer.get("iss")
        if issuer is not None and issuer != self._provider.issuer:
            raise TrustError(
                "oidc-login-refused",
                "the answer is another provider's",
                where="iss",
                expected=self._provider.issuer,
                seen=issuer[:200],
            )
        if "code" not in answer:
            raise TrustError(
                "oidc-login-refused",
                "the provider refused the login",
                where="error",
                seen=answer.get("error", "")[:80],
            )
        given = await self._provider.redeem(answer["code"], begun.verifier, self._redirect_uri)
        expected = Expected(self._provider.issuer, self._provider.client_id, begun.nonce)
        holder = await self._holder(str(given.get("id_token", "")), expected, now)
        return await self._person(holder, given)

    async def _holder(self, token: str, expected: Expected, now: datetime) -> Holder:
        try:
            return verified_token(token, await self._provider.keys(), expected, now)
        except UnknownSigningKey:
            keys = await self._provider.keys(newer=True)
            return verified_token(token, keys, expected, now)

    async def _person(self, holder: Holder, given: Mapping[str, Any]) -> Person:
        claims = dict(holder.claims)
        groups = groups_of(claims, self._settings.groups_claim)
        if groups is None:
            told = await self._provider.user_info(str(given.get("access_token", "")))
            # Of another subject it would be another person's (OpenID Connect Core 5.3.2).
            if told.get("sub") == holder.subject:
                claims = {**told, **claims}
                groups = groups_of(told, self._settings.groups_claim)
        role = role_of(groups or (), self._settings.roles)
        if role is None:
            raise PolicyError(
                "oidc-no-role",
                "none of the groups has a role here",
                where=self._settings.groups_claim,
                expected=", ".join(sorted(self._settings.roles)),
                seen=", ".join(sorted(groups or ()))[:400],
            )
        name = next(
            (
                told
                for told in (claims.get("preferred_username"), claims.get("email"))
                if isinstance(told, str) and told
            ),
            holder.subject,
        )
        return Person(f"{self._provider.issuer} {holder.subject}", name[:128], role)


def role_of(groups: Iterable[str], roles: Mapping[str, str]) -> OperatorRole | None:
    """Return the highest role that groups have, None where they have none."""
    found = [OperatorRole(roles[group]) for group in groups if group in roles]
    highest: OperatorRole | None = None
    for role in found:
        if highest is None or role.may(highest):
            highest = role
    return highest


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
