"""The URI that names a key in a token, without its PIN.

Source: RFC 7512 section 2, of which the parts that choose one private key are read.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from bootz.errors import ConfigError

SCHEME: Final = "pkcs11:"

_MAX_URI: Final = 2048
_PATH: Final = frozenset({"token", "serial", "object", "id", "type"})
_QUERY: Final = frozenset({"module-path", "pin-source"})
_VALUE: Final = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/?]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Which key of which token, and the file with the PIN.

    At least one of ``label`` and ``key_id`` is given; ``serial`` tells tokens of one label apart.
    """

    library: Path
    token: str
    pin_file: Path
    label: str | None = None
    key_id: bytes | None = None
    serial: str | None = None


def parse_key_uri(uri: str) -> TokenKey:
    """Read ``pkcs11:token=T;object=O?module-path=/M.so&pin-source=file:/PIN``.

    Raises:
        ConfigError: ``pkcs11-uri-invalid``; never quotes what was given, which may hold a PIN.
    """
    if not uri.startswith(SCHEME) or len(uri) > _MAX_URI:
        raise _invalid("is not a pkcs11: URI")
    path_text, _, query_text = uri.removeprefix(SCHEME).partition("?")
    path = _attributes(path_text, ";", _PATH)
    query = _attributes(query_text, "&", _QUERY)
    if path.get("type", b"private") != b"private":
        raise _invalid("type is not private")
    if not path.get("token"):
        raise _invalid("token is missing")
    if not path.get("object") and not path.get("id"):
        raise _invalid("object and id are both missing")
    label = _text(path, "object")
    return TokenKey(
        library=_absolute(query, "module-path"),
        token=_text(path, "token"),
        pin_file=_absolute(query, "pin-source"),
        label=label or None,
        key_id=path.get("id") or None,
        serial=_text(path, "serial") or None,
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise _invalid("the PIN itself must not be in it (pin-value)")
        if not equals or name not in known:
            raise _invalid(f"has an attribute other than {', '.join(sorted(known))}")
        if name in found:
            raise _invalid(f"{name} appears twice")
        if not _VALUE.fullmatch(value):
            raise _invalid(f"{name} has a character that must be percent-encoded")
        found[name] = unquote_to_bytes(value)
    return found


def _text(attributes: dict[str, bytes], name: str) -> str:
    try:
        text = attributes.get(name, b"").decode()
    except UnicodeDecodeError as error:
        raise _invalid(f"{name} is not UTF-8") from error
    if "\x00" in text:
        raise _invalid(f"{name} holds a zero byte")
    return text


def _absolute(attributes: dict[str, bytes], name: str) -> Path:
    text = _text(attributes, name)
    if name == "pin-source":
        text = text.removeprefix("file:")
        text = text.removeprefix("//") if text.startswith("///") else text
    if not text.startswith("/"):
        raise _invalid(f"{name} is missing or not an absolute path")
    return Path(text)


def _invalid(detail: str) -> ConfigError:
    return ConfigError("pkcs11-uri-invalid", detail, where="PKCS#11 URI")
