"""Secrets in documents: shown as fingerprints, by which a change can be seen and nothing guessed.

A fingerprint is an HMAC under a key of the site, so that no one without the database can try
passwords against it; the key protects nothing else and may be lost.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, insert, select

from bootz.server.operations.texts import dump_json
from bootz.server.store.schema import SITE_SECRET

SECRET_KEYS: Final = frozenset(
    {
        "boot_password_hash",
        "bootloader_config",
        "certificates",
        "credentials",
        "certz_profiles",
        "token_file",
        "password",
        "password_hash",
        "secret",
    }
)
"""Keys whose values never leave by the operator's door for who may not see secrets."""

_TEXT_KEYS: Final = frozenset(
    {
        "dynamic_oc_config",
        "dynamic_vendor_config",
        "metadata",
        "oc_config",
        "pre-configuration-script",
        "script",
        "vendor_config",
    }
)
"""Keys of configurations, of which only the secrets in them are hidden."""

_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|secret|community|credential|private.?key|token|psk|hash$", re.IGNORECASE
)
"""Names of variables whose values are taken for secrets."""

_KEY_BLOCK: Final = r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
_CRYPT: Final = r"\$(?:[1-9]|2[abxy]|y|argon2(?:id|i|d)|sha512|sha1)\$[^\s\"'<>,;]+"
_WORDS: Final = (
    r"secret|password|passwd|passphrase|community|pre-shared-key|authentication-key|"
    r"encrypted-password|plain-text-password|key-string|md5-key|shared-secret"
)
_AFTER_WORD: Final = (
    rf"(?<![\w-])(?:[\w:-]*[\"]?(?:{_WORDS})|(?:password|secret)-hash(?:ed)?)[\"]?(?:\s*[:=]\s*|\s+)"
    r"(?:(?:[0-9]{1,2}|encrypted|clear|sha512|ascii-text|hexadecimal|ro|rw)\s+)?"
)
_IN_TEXT: Final = re.compile(
    rf"(?P<whole>{_KEY_BLOCK}|{_CRYPT})"
    rf"|(?P<word>{_AFTER_WORD})(?P<value>\"[^\"\n]+\"|[^\s\"'{{}},;]+)",
    re.IGNORECASE,
)
"""Secrets in a configuration: private keys, hashes, and what follows a word for a secret."""

_IN_URL: Final = re.compile(
    r"(?P<user>(?:^(?![\w+.-]+://)|//)[^:/?#@\s]*:)(?P<password>\S+)(?=@)"
    r"|(?P<name>[?&][\w.-]*(?:passw|passphrase|secret|token|pin-value|credential)[\w.-]*=)"
    r"(?P<value>[^&#\s]+)",
    re.IGNORECASE,
)
"""Secrets in a URL: a password before the host, and values of its query that are called so."""

_TOKEN: Final = re.compile(r"hidden:[0-9a-f]{16}")
_HIDDEN: Final = "hidden"
_NAME: Final = "fingerprint"

Fingerprint = Callable[[JsonValue], str]
"""Returns a short text that is the same for the same value, and only then."""


def fingerprinter(connection: Connection) -> Fingerprint:
    """Return the fingerprint of this site; its key is made in the first writing transaction.

    Before that, values are shown as ``hidden`` alone.
    """
    key = connection.scalar(select(SITE_SECRET.c.value).where(SITE_SECRET.c.name == _NAME))
    return _fingerprint_with(key)


def hidden(_value: JsonValue) -> str:
    """Stand for a secret where the site's fingerprint cannot be had."""
    return _HIDDEN


def has_fingerprint_key(connection: Connection) -> bool:
    """Return whether the key of this site's fingerprints was made."""
    found = select(SITE_SECRET.c.name).where(SITE_SECRET.c.name == _NAME)
    return connection.scalar(found) is not None


def make_fingerprinter(connection: Connection) -> Fingerprint:
    """Return the fingerprint of this site, and make its key where there is none yet."""
    key = connection.scalar(select(SITE_SECRET.c.value).where(SITE_SECRET.c.name == _NAME))
    if key is None:
        key = secrets.token_bytes(32)
        connection.execute(insert(SITE_SECRET).values(name=_NAME, value=key))
    return _fingerprint_with(key)


def masked(
    value: JsonValue, fingerprint: Fingerprint, *, key: str = "", variable: bool = False
) -> JsonValue:
    """Return a document with every secret in it replaced by its fingerprint.

    Args:
        value: the document, or a part of it.
        fingerprint: the site's.
        key: under which the part is.
        variable: the part is a variable, or one in another.
    """
    match value:
        case dict():
            below = variable or key == "variables"
            return {
                name: fingerprint(item)
                if item and (name in SECRET_KEYS or (below and _SECRET_NAME.search(name)))
                else masked(
                    item, fingerprint, key=key if key == "metadata" else name, variable=below
                )
                for name, item in value.items()
            }
        case list():
            return [masked(item, fingerprint, key=key, variable=variable) for item in value]
        case str() if key in _TEXT_KEYS or variable:
            return masked_text(value, fingerprint)
    return value


def masked_object(
    document: Mapping[str, JsonValue], fingerprint: Fingerprint
) -> dict[str, JsonValue]:
    """Return ``masked`` of an object."""
    found = masked(dict(document), fingerprint)
    return found if isinstance(found, dict) else {}


def masked_text(text: str, fingerprint: Fingerprint) -> str:
    """Return a configuration with the secrets in it replaced by their fingerprints."""

    def hide(found: re.Match[str]) -> str:
        if found["whole"] is not None:
            return fingerprint(found["whole"])
        if found["value"].startswith(("{{", "{%")) or _TOKEN.fullmatch(found["value"]):
            return found[0]
        return f"{found['word']}{fingerprint(found['value'])}"

    return _IN_TEXT.sub(hide, text)


def masked_urls(value: JsonValue, fingerprint: Fingerprint) -> JsonValue:
    """Return a document with the passwords in its URLs replaced by their fingerprints."""
    match value:
        case dict():
            return {name: masked_urls(item, fingerprint) for name, item in value.items()}
        case list():
            return [masked_urls(item, fingerprint) for item in value]
        case str():
            return _IN_URL.sub(
                lambda found: (
                    f"{found['user'] or found['name']}"
                    f"{fingerprint(found['password'] or found['value'])}"
                ),
                value,
            )
    return value


def restored(before: JsonValue, seen: JsonValue, given: JsonValue, hide: Fingerprint) -> JsonValue:
    """Return what was given, with each fingerprint that was sent back as the secret it hides.

    A fingerprint counts only where it was shown: elsewhere the secret could come to light.

    Args:
        before: the document on record.
        seen: what was shown of it.
        given: what was sent.
        hide: the site's fingerprint.
    """
    match given:
        case str():
            if given == seen:
                return before
            if isinstance(before, str) and isinstance(seen, str):
                return _restored_text(before, given, hide)
        case dict() if isinstance(before, dict) and isinstance(seen, dict):
            return {
                name: restored(before.get(name), seen.get(name), item, hide)
                for name, item in given.items()
            }
        case list() if isinstance(before, list) and isinstance(seen, list):
            return _restored_list(before, seen, given, hide)
    return given


def hidden_places(value: JsonValue | object, path: str = "", key: str = "") -> Iterator[str]:
    """Return the places in a document at which a fingerprint is in the place of a secret."""
    match value:
        case Mapping():
            for name, item in value.items():
                yield from hidden_places(item, f"{path}.{name}".lstrip("."), str(name))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from hidden_places(item, f"{path}[{index}]", key)
        case str() if _TOKEN.search(value) or (value == _HIDDEN and key in SECRET_KEYS):
            yield path


def _restored_list(
    before: list[JsonValue], seen: list[JsonValue], given: list[JsonValue], hide: Fingerprint
) -> list[JsonValue]:
    """Return the rows of a list: one that is as it was shown, or stands at the same place."""
    shown = {dump_json(item): old for old, item in zip(before, seen, strict=True)}
    return [
        shown[text]
        if (text := dump_json(item)) in shown
        else restored(before[index], seen[index], item, hide)
        if index < len(before)
        else item
        for index, item in enumerate(given)
    ]


def _restored_text(before: str, given: str, hide: Fingerprint) -> str:
    known: dict[str, str] = {}

    def note(value: JsonValue) -> str:
        token = hide(value)
        known[token] = str(value)
        return token

    masked_text(before, note)
    found = _TOKEN.sub(lambda token: known.get(token[0], token[0]), given)
    # Put where nothing would hide it again, a secret would be shown.
    return found if masked_text(found, hide) == masked_text(given, hide) else given


def _fingerprint_with(key: bytes | None) -> Fingerprint:
    if key is None:
        return hidden

    def fingerprint(value: JsonValue) -> str:
        digest = hmac.new(key, dump_json(value).encode(), hashlib.sha256).hexdigest()
        return f"{_HIDDEN}:{digest[:16]}"

    return fingerprint
