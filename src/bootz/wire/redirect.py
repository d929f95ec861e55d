"""The redirect option of DHCP, both ways: options 143 (v4) and 136 (v6) carry bootz URIs.

Only the payload is here: a list of (16-bit big-endian length, URI) without count or padding. In
v4 the caller joins all instances of the option first (RFC 3396). Two other shapes are in the
field and are read with a warning: bare text, and 8-bit lengths.
Source: RFC 8572 section 8.3; docs/protocol/dhcp.md#shapes; docs/protocol/dhcp.md#the-uri.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from bootz.errors import ConfigError, WireError
from bootz.wire.uri import MAX_URI_CHARACTERS, BootzUri, parse_bootz_uri

MAX_PAYLOAD = 8192
"""Octets of a payload that is looked at; a longer one is dropped whole."""

MAX_URIS = 16

_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
_NEXT_IN_TEXT = re.compile(rb"(?<=[, ])(?=[A-Za-z][A-Za-z0-9+.-]*://)")
"""Where a text goes on with another URI; a comma elsewhere is a part of a URI."""


class RedirectShape(Enum):
    """How the list is written."""

    RFC8572 = "rfc8572"
    U8 = "u8"
    TEXT = "text"
    EMPTY = "empty"


class RedirectFlaw(Enum):
    """Why an entry, or the option, does not count (docs/protocol/dhcp.md#malformed-lists)."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    ZERO_LENGTH = "zero-length"
    NOT_ASCII = "not-ascii"
    BAD_CHAR = "bad-char"
    WRONG_SCHEME = "wrong-scheme"
    BAD_HOST = "bad-host"
    BAD_PORT = "bad-port"
    USERINFO = "userinfo"
    FRAGMENT = "fragment"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"
    DUPLICATE = "duplicate"
    SHAPE = "shape"
    """Strict reading only: the list is not written as RFC 8572 has it."""


@dataclass(frozen=True, slots=True)
class IgnoredEntry:
    """An entry that was skipped; ``position`` counts from 1, 0 is the option as a whole."""

    position: int
    flaw: RedirectFlaw
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a redirect option says. ``uris`` are in the order in which they are to be tried.

    Without a URI the option counts as absent. A shape other than RFC8572 deserves a warning.
    """

    shape: RedirectShape
    uris: tuple[BootzUri, ...] = ()
    ignored: tuple[IgnoredEntry, ...] = ()


def decode_redirect(payload: bytes, *, strict: bool = False) -> Redirect:
    """Read a payload; whatever it holds, the answer is a Redirect and never an error.

    ``strict`` takes the list of RFC 8572 alone, and only if it ends exactly: some real devices do.
    """
    if not payload:
        return Redirect(RedirectShape.EMPTY, (), (IgnoredEntry(0, RedirectFlaw.EMPTY),))
    if len(payload) > MAX_PAYLOAD:
        return Redirect(
            RedirectShape.RFC8572, (), (IgnoredEntry(0, RedirectFlaw.TOO_LONG, "the option"),)
        )
    shape, entries, exact = _shape(payload)
    if strict and shape is not RedirectShape.RFC8572:
        return Redirect(shape, (), (IgnoredEntry(0, RedirectFlaw.SHAPE, shape.value),))
    if strict and not exact:
        return Redirect(shape, (), (IgnoredEntry(0, RedirectFlaw.TRUNCATED),))
    uris, ignored = _read_entries(entries)
    if not exact:
        ignored.append(IgnoredEntry(len(entries) + 1, RedirectFlaw.TRUNCATED))
    return Redirect(shape, tuple(uris), tuple(ignored))


def encode_redirect(
    uris: Sequence[BootzUri], shape: RedirectShape = RedirectShape.RFC8572
) -> bytes:
    """Write a payload.

    Raises:
        ConfigError: ``redirect-unwritable``: no URI, too many or too long for the shape.
    """
    texts = [str(uri).encode("ascii") for uri in uris]
    if not texts or len(texts) > MAX_URIS:
        raise _unwritable(f"{len(texts)} URIs", f"1 to {MAX_URIS}")
    longest = max(map(len, texts))
    match shape:
        case RedirectShape.RFC8572:
            limit, parts = MAX_URI_CHARACTERS, [len(t).to_bytes(2, "big") + t for t in texts]
        case RedirectShape.U8:
            limit, parts = 255, [bytes([min(len(t), 255)]) + t for t in texts]
        case RedirectShape.TEXT:
            limit, parts = MAX_URI_CHARACTERS, [b",".join(texts)]
            if any(_NEXT_IN_TEXT.search(text) for text in texts):
                raise _unwritable("a URI with another one after a comma", "one URI each")
        case RedirectShape.EMPTY:
            raise _unwritable("an empty list", "a shape that carries URIs")
    if longest > limit:
        raise _unwritable(f"a URI of {longest} octets", f"at most {limit}")
    payload = b"".join(parts)
    if len(payload) > MAX_PAYLOAD:
        raise _unwritable(f"{len(payload)} octets", f"at most {MAX_PAYLOAD}")
    return payload


def _unwritable(seen: str, expected: str) -> ConfigError:
    return ConfigError(
        "redirect-unwritable",
        f"the redirect option cannot carry {seen}",
        where="redirect option",
        expected=expected,
        seen=seen,
    )


def _walk(payload: bytes, width: int) -> tuple[list[bytes], bool]:
    entries: list[bytes] = []
    at = 0
    while at + width <= len(payload):
        length = int.from_bytes(payload[at : at + width], "big")
        end = at + width + length
        if end > len(payload):
            return entries, False
        entries.append(payload[at + width : end])
        at = end
    return entries, at == len(payload)


def _shape(payload: bytes) -> tuple[RedirectShape, list[bytes], bool]:
    """Tell the shapes apart: framed lists begin below 0x20, text begins with a letter."""
    framed, exact = _walk(payload, 2)
    if exact or any(_SCHEME.match(entry) for entry in framed):
        return RedirectShape.RFC8572, framed, exact
    short, short_exact = _walk(payload, 1)
    # Without the test of the scheme a text of exactly 99 octets would pass as one short entry,
    # because its first letter is 98.
    if short_exact and all(entry[:8].lower() == b"bootz://" for entry in short):
        return RedirectShape.U8, short, True
    if _SCHEME.match(payload):
        text = payload.rstrip(b"\x00 \t\r\n")
        *before, last = _NEXT_IN_TEXT.split(text)
        return RedirectShape.TEXT, [*map(_without_separator, before), last], True
    return RedirectShape.RFC8572, framed, False


def _without_separator(entry: bytes) -> bytes:
    # One comma at most: a URI may end with one of its own.
    return entry.rstrip(b" ").removesuffix(b",").rstrip(b" ")


def _read_entries(entries: Sequence[bytes]) -> tuple[list[BootzUri], list[IgnoredEntry]]:
    uris: list[BootzUri] = []
    ignored: list[IgnoredEntry] = []
    for position, result in enumerate(_judged(entries), start=1):
        if isinstance(result, RedirectFlaw):
            ignored.append(IgnoredEntry(position, result))
        elif result in uris:
            ignored.append(IgnoredEntry(position, RedirectFlaw.DUPLICATE, str(result)))
        elif len(uris) == MAX_URIS:
            ignored.append(IgnoredEntry(position, RedirectFlaw.TOO_MANY, str(result)))
        else:
            uris.append(result)
    return uris, ignored


def _judged(entries: Sequence[bytes]) -> Iterator[BootzUri | RedirectFlaw]:
    for entry in entries:
        if not entry:
            yield RedirectFlaw.ZERO_LENGTH
            continue
        try:
            yield parse_bootz_uri(entry.decode("ascii"))
        except UnicodeDecodeError:
            yield RedirectFlaw.NOT_ASCII
        except WireError as error:
            yield RedirectFlaw(error.reason.removeprefix("uri-"))
