"""Secrets in documents: shown as fingerprints, by which a change can be seen and nothing guessed.

A fingerprint is an HMAC under a key of the site, so that no one without the database can try
passwords against it; the key protects nothing else and may be lost.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, insert, select

from bootz.server.operations.texts import dump_json
from bootz.server.store.schema import SITE_SECRET

SECRET_KEYS: Final = frozenset(
    {
        "boot_password_hash",
        "bootloader_config",
        "credentials",
        "certz_profiles",
        "token_file",
        "password",
        "password_hash",
        "secret",
    }
)
"""Keys whose values never leave by the operator's door for who may not see secrets."""

_NAME: Final = "fingerprint"

Fingerprint = Callable[[JsonValue], str]
"""Returns a short text that is the same for the same value, and only then."""


def fingerprinter(connection: Connection) -> Fingerprint:
    """Return the fingerprint of this site; its key is made in the first writing transaction.

    Before that, values are shown as ``hidden`` alone.
    """
    key = connection.scalar(select(SITE_SECRET.c.value).where(SITE_SECRET.c.name == _NAME))
    return _fingerprint_with(key)


def make_fingerprinter(connection: Connection) -> Fingerprint:
    """Return the fingerprint of this site, and make its key where there is none yet."""
    key = connection.scalar(select(SITE_SECRET.c.value).where(SITE_SECRET.c.name == _NAME))
    if key is None:
        key = secrets.token_bytes(32)
        connection.execute(insert(SITE_SECRET).values(name=_NAME, value=key))
    return _fingerprint_with(key)


def masked(value: JsonValue, fingerprint: Fingerprint) -> JsonValue:
    """Return a document with every secret in it replaced by its fingerprint."""
    match value:
        case dict():
            return {
                key: fingerprint(item) if key in SECRET_KEYS and item else masked(item, fingerprint)
                for key, item in value.items()
            }
        case list():
            return [masked(item, fingerprint) for item in value]
    return value


def masked_object(
    document: Mapping[str, JsonValue], fingerprint: Fingerprint
) -> dict[str, JsonValue]:
    """Return ``masked`` of an object."""
    found = masked(dict(document), fingerprint)
    return found if isinstance(found, dict) else {}


def _fingerprint_with(key: bytes | None) -> Fingerprint:
    if key is None:
        return lambda _value: "hidden"

    def fingerprint(value: JsonValue) -> str:
        digest = hmac.new(key, dump_json(value).encode(), hashlib.sha256).hexdigest()
        return f"hidden:{digest[:16]}"

    return fingerprint
