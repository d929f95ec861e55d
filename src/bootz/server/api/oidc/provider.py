"""The provider, as it describes itself: its endpoints, its keys, and its answers.

Source: OpenID Connect Discovery 1.0, section 4; RFC 6749 section 4.1.3; RFC 7636 section 4.5.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
from joserfc.jwk import KeySet

from bootz.errors import TrustError, Unavailable
from bootz.server.api.oidc.tokens import signing_keys

_TIMEOUT_S: Final = 10.0
_MAX_BODY: Final = 1 << 20
_FRESH_S: Final = 3600.0
"""Seconds for which the provider's description and keys are kept."""
_AGAIN_S: Final = 30.0
"""Seconds after which keys are read again for a token that names another one."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked what; ``userinfo`` is empty where it has none."""

    authorization: str
    token: str
    jwks: str
    userinfo: str


class Provider:
    """One provider. Belongs to one event loop.

    Args:
        issuer: its name, an https URL.
        client_id: ours with it.
        client_secret: ours with it; None for a client that has none and relies on PKCE.
        tls: for connections to it.
        monotonic: seconds that only ever rise.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        *,
        tls: ssl.SSLContext,
        monotonic: Callable[[], float],
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._client_secret = client_secret
        self._tls = tls
        self._monotonic = monotonic
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._reading = asyncio.Lock()

    async def endpoints(self) -> Endpoints:
        """Return where the provider is asked what.

        Raises:
            TrustError: ``oidc-provider-invalid``.
            Unavailable: ``oidc-provider-unreachable``.
        """
        async with self._reading:
            if self._endpoints is None or self._aged(self._endpoints[0]) > _FRESH_S:
                well_known = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                document = await self._get(well_known)
                self._endpoints = self._monotonic(), self._read(document)
            return self._endpoints[1]

    async def keys(self, *, newer: bool = False) -> KeySet:
        """Return the provider's keys; ``newer``: a token names one that is not among them.

        Raises:
            TrustError: ``oidc-provider-invalid``.
            Unavailable: ``oidc-provider-unreachable``.
        """
        endpoints = await self.endpoints()
        async with self._reading:
            fresh = _AGAIN_S if newer else _FRESH_S
            if self._keys is None or self._aged(self._keys[0]) > fresh:
                keys = signing_keys(await self._get(endpoints.jwks))
                self._keys = self._monotonic(), keys
            return self._keys[1]

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """Return what the provider gives for a code.

        Raises:
            TrustError: ``oidc-login-refused``: it gives nothing for it.
            Unavailable: ``oidc-provider-unreachable``.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if self._client_secret is None:
            form["client_id"] = self.client_id
        else:
            pair = f"{quote(self.client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        endpoints = await self.endpoints()
        status, document = await self._ask("POST", endpoints.token, headers=headers, data=form)
        if status != 200:
            raise TrustError(
                "oidc-login-refused",
                "the provider gives no token for the code",
                where="token_endpoint",
                expected="200",
                seen=f"{status} {str(document.get('error', ''))[:80]}",
            )
        return document

    async def user_info(self, access_token: str) -> Mapping[str, Any]:
        """Return what the provider says of the holder of a token; nothing where it has no such.

        Raises:
            Unavailable: ``oidc-provider-unreachable``.
        """
        endpoints = await self.endpoints()
        if not endpoints.userinfo:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        status, document = await self._ask("GET", endpoints.userinfo, headers=headers)
        return document if status == 200 else {}

    def _aged(self, since: float) -> float:
        return self._monotonic() - since

    def _read(self, document: Mapping[str, Any]) -> Endpoints:
        if document.get("issuer") != self.issuer:
            raise TrustError(
                "oidc-provider-invalid",
                "it describes another issuer",
                where="issuer",
                expected=self.issuer,
                seen=str(document.get("issuer"))[:200],
            )
        return Endpoints(
            self._endpoint(document, "authorization_endpoint"),
            self._endpoint(document, "token_endpoint"),
            self._endpoint(document, "jwks_uri"),
            self._endpoint(document, "userinfo_endpoint", needed=False),
        )

    def _endpoint(self, document: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
        url = document.get(name, "")
        # As well protected as the issuer itself.
        same = isinstance(url, str) and urlsplit(url).scheme == urlsplit(self.issuer).scheme
        if same or (not url and not needed):
            return str(url)
        raise TrustError(
            "oidc-provider-invalid",
            "its description does not have it, or not by https",
            where=name,
            seen=str(url)[:200],
        )

    async def _get(self, url: str) -> Mapping[str, Any]:
        status, document = await self._ask("GET", url)
        if status != 200:
            raise Unavailable(
                "oidc-provider-unreachable", f"it answered {status}", where=url, seen=str(status)
            )
        return document

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, Mapping[str, Any]]:
        connector = aiohttp.TCPConnector(ssl=self._tls, force_close=True)
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S),
                aiohttp.ClientSession(connector=connector, trust_env=False) as session,
                session.request(method, url, allow_redirects=False, **options) as answer,
            ):
                body = await answer.content.read(_MAX_BODY + 1)
                while len(body) <= _MAX_BODY and (more := await answer.content.read(_MAX_BODY)):
                    body += more
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(
                "oidc-provider-unreachable",
                f"it cannot be asked ({type(error).__name__})",
                where=urlsplit(url).netloc,
            ) from error
        try:
            document = json.loads(body) if len(body) <= _MAX_BODY else None
        except (ValueError, RecursionError):
            document = None
        return status, document if isinstance(document, dict) else {}
