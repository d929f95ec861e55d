"""A provider that lies as it is told; in a thread of its own. Honest by default."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwk, jwt

Claims = dict[str, Any]


def made_key(kid: str) -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


@cache
def _usual_key() -> jwk.RSAKey:
    return made_key("one")


@dataclass
class Provider:
    """``lie`` changes the claims, ``sign`` makes the token, ``describe`` the description."""

    keys: list[jwk.RSAKey] = field(default_factory=lambda: [_usual_key()])
    groups: list[str] | None = field(default_factory=lambda: ["netops"])
    subject: str = "ann-at-the-provider"
    lie: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims, jwk.RSAKey], str] | None = None
    describe: Callable[[Claims], Claims] = lambda document: document
    user_info: Claims = field(default_factory=dict)
    issuer: str = ""
    asked: Claims = field(default_factory=dict)
    key_reads: int = 0
    _codes: dict[str, Claims] = field(default_factory=dict)

    def authorize(self, url: str) -> dict[str, str]:
        """Let Ann in at the provider; return the query that her browser brings back."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.issuer
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        self.asked = query
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    async def discovery(self, _request: web.Request) -> web.Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        return web.json_response(self.describe(document))

    async def jwks(self, _request: web.Request) -> web.Response:
        self.key_reads += 1
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer access"
        return web.json_response(self.user_info)

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        query = self._codes.pop(str(form["code"]), None)
        challenge = base64.urlsafe_b64encode(sha256(str(form["code_verifier"]).encode()).digest())
        if query is None or challenge.rstrip(b"=").decode() != query["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        assert form["redirect_uri"] == query["redirect_uri"]
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": query["client_id"],
            "sub": self.subject,
            "nonce": query["nonce"],
            "iat": now,
            "exp": now + 300,
            "preferred_username": "ann",
        }
        if self.groups is not None:
            claims["groups"] = self.groups
        claims = self.lie(claims)
        sign = self.sign or signed
        return web.json_response(
            {"id_token": sign(claims, self.keys[-1]), "access_token": "access"}
        )


def signed(claims: Claims, key: jwk.RSAKey) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unsigned(claims: Claims, key: jwk.RSAKey) -> str:
    """Return a token with ``alg: none``."""
    head = json.dumps({"alg": "none", "kid": key.kid}).encode()
    return f"{_encoded(head)}.{_encoded(json.dumps(claims).encode())}."


def by_public_key(claims: Claims, key: jwk.RSAKey) -> str:
    """Return a token whose HMAC is made with the provider's public key, as if it were a secret."""
    head = json.dumps({"alg": "HS256", "kid": key.kid}).encode()
    told = f"{_encoded(head)}.{_encoded(json.dumps(claims).encode())}"
    mac = hmac.new(key.as_pem(private=False), told.encode(), sha256).digest()
    return f"{told}.{_encoded(mac)}"


@contextmanager
def providing(provider: Provider) -> Iterator[Provider]:
    """Let it listen on loopback."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", provider.discovery)
        app.router.add_get("/jwks", provider.jwks)
        app.router.add_get("/userinfo", provider.userinfo)
        app.router.add_post("/token", provider.token)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await done.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(30)
        loop.close()
