"""What an ID token must be before its holder is believed; no I/O, no clock.

Source: OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 section 3.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from bootz.errors import TrustError

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures with a key that only the provider has; never none, nor one with a shared secret."""
LEEWAY_S: Final = 60
"""Seconds by which the provider's clock may be wrong."""
_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
_MAX_SUBJECT: Final = 255


class UnknownSigningKey(TrustError):
    """A token names a key that the provider's set does not have (yet)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What this login expects of its token."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is; ``claims`` are all of it."""

    subject: str
    claims: Mapping[str, Any]


def signing_keys(document: Mapping[str, Any]) -> KeySet:
    """Return the provider's keys for signatures out of its JWK set.

    Raises:
        TrustError: ``oidc-provider-invalid``: there is none that can be used.
    """
    found = document.get("keys")
    usable = [
        key
        for key in (found if isinstance(found, list) else [])
        if isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use") != "enc"
    ]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TrustError(
            "oidc-provider-invalid", "its keys cannot be read", where="jwks_uri"
        ) from error


def verified_token(token: str, keys: KeySet, expected: Expected, now: datetime) -> Holder:
    """Return the holder of an ID token, which is verified completely.

    Raises:
        UnknownSigningKey: the key is not in the set; it may be newer.
        TrustError: ``oidc-token-refused``.
    """
    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except InvalidKeyIdError as error:
        raise UnknownSigningKey(
            "oidc-token-refused", "it names a key that the provider does not have", where="kid"
        ) from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TrustError(
            "oidc-token-refused",
            f"its signature or form does not hold ({type(error).__name__})",
            where="id_token",
        ) from error
    _check(claims.get("iss") == expected.issuer, "iss", expected.issuer, claims.get("iss"))
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    holds = isinstance(named, list) and expected.client_id in named
    _check(holds, "aud", expected.client_id, audience)
    party = claims.get("azp")
    alone = party is None and isinstance(named, list) and len(named) == 1
    _check(alone or party == expected.client_id, "azp", expected.client_id, party)
    seconds = now.timestamp()
    ends, issued, begins = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    in_time = ends is not None and ends > seconds - LEEWAY_S
    _check(in_time, "exp", f"after {seconds:.0f}", ends)
    _check(issued is not None and issued < seconds + LEEWAY_S, "iat", f"{seconds:.0f}", issued)
    _check(begins is None or begins < seconds + LEEWAY_S, "nbf", f"{seconds:.0f}", begins)
    nonce = claims.get("nonce")
    same = isinstance(nonce, str) and hmac.compare_digest(nonce.encode(), expected.nonce.encode())
    _check(same, "nonce", "the nonce of this login", "another" if nonce else "none")
    subject = claims.get("sub")
    _check(isinstance(subject, str) and 0 < len(subject) <= _MAX_SUBJECT, "sub", "a text", "")
    return Holder(str(subject), claims)


def groups_of(claims: Mapping[str, Any], claim: str) -> Sequence[str] | None:
    """Return the groups that a claim names, None where there is no such claim."""
    found = claims.get(claim)
    if found is None:
        return None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _check(holds: bool, claim: str, expected: str, seen: object) -> None:
    if not holds:
        raise TrustError(
            "oidc-token-refused",
            f"its {claim} does not hold",
            where=claim,
            expected=expected,
            seen=str(seen)[:200],
        )
