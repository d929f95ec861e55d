"""What would change, in words a person can read; secrets and long texts by name only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pydantic import JsonValue

from bootz.errors import KeyPath

Document = Mapping[str, JsonValue]


class Action(Enum):
    """What an import does with an entry."""

    ADD = "add"
    UPDATE = "update"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What becomes of one entry; ``changes`` are words for each key that changes."""

    section: str
    name: str
    action: Action
    changes: tuple[str, ...] = ()


_MAX_SHOWN: Final = 60

_OPEN: Final = frozenset(
    {
        *("name", "aliases", "ien", "description", "vendor", "serial_number", "part_number"),
        *("hostname", "modular", "boot_mode", "release", "streaming", "profile", "slot", "kind"),
        *("skip_idevid_serial_check", "voucher_delivery", "dynamic_config", "mac", "client_id"),
        *("image", "version", "url", "sha256", "smus", "patches", "image_hash_algorithm"),
        *("image_hash_format", "ztp_server_line", "boot_config", "duid", "ipv4", "ipv6"),
        *("gateway", "uris", "redirect_shape", "owner_key"),
    }
)
"""Keys whose values are no secrets; of all others only that they change is told."""


_GROUPS: Final = frozenset({"variables"})
_INNER: Final = frozenset({"overrides", "dhcp", "settings", "tpm"})
"""Keys under which each key of its own is told."""


def differences(before: Document, after: Document, path: str = "") -> Iterator[str]:
    """Return words for each key in which two documents differ."""
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        place = f"{path}{key}"
        if key == "cards":
            yield from _cards(old, new)
        elif key in _GROUPS:
            yield from _named(old, new, place)
        elif key == "labels":
            yield from _labels(_mapping(old), _mapping(new))
        elif key in _INNER:
            yield from differences(_mapping(old), _mapping(new), f"{place}.")
        elif key in _OPEN and _is_short(old) and _is_short(new):
            yield f"{place}: {_shown(old)} → {_shown(new)}"
        else:
            yield f"{place}: {_word(old, new)}"


def differing(before: Document, after: Document) -> Iterator[KeyPath]:
    """Return the keys of the second document where the first says another thing."""
    for key, new in after.items():
        old = before.get(key)
        if key == "cards" and isinstance(new, list):
            known = _by_serial(old)
            for index, card in enumerate(new):
                if isinstance(card, Mapping):
                    was = known.get(str(card.get("serial_number", "")).casefold(), {})
                    yield from (("cards", index, *path) for path in differing(was, card))
        elif isinstance(new, Mapping):
            yield from ((key, *path) for path in differing(_mapping(old), new))
        elif old != new:
            yield (key,)


def _named(old: JsonValue, new: JsonValue, place: str) -> Iterator[str]:
    """Of variables, only that they change: any may be a secret."""
    before, after = _mapping(old), _mapping(new)
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            yield f"{place}.{_shown(name)}: {_word(before.get(name), after.get(name))}"


def _labels(before: Document, after: Document) -> Iterator[str]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"labels.{name}: {_shown(old)} → {_shown(new)}"


def _mapping(value: JsonValue) -> Document:
    return value if isinstance(value, Mapping) else {}


def _cards(old: JsonValue, new: JsonValue) -> Iterator[str]:
    before, after = _by_serial(old), _by_serial(new)
    for folded in [*before, *(folded for folded in after if folded not in before)]:
        one, other = before.get(folded), after.get(folded)
        serial = (one or other or {}).get("serial_number")
        if one is None or other is None:
            yield f"card {serial}: {'added' if one is None else 'removed'}"
        elif one != other:
            yield from differences(one, other, f"card {serial}.")


def _by_serial(cards: JsonValue) -> dict[str, Document]:
    if not isinstance(cards, list):
        return {}
    return {
        str(card.get("serial_number", "")).casefold(): card
        for card in cards
        if isinstance(card, Mapping)
    }


def _is_short(value: JsonValue) -> bool:
    return not isinstance(value, Mapping) and len(str(value)) <= _MAX_SHOWN


def _shown(value: JsonValue) -> str:
    if value is None or value == "":
        return "-"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # A terminal must not take orders from a file.
    return text if text.isprintable() else repr(text)


def _word(old: JsonValue, new: JsonValue) -> str:
    if old in (None, ""):
        return "set"
    return "removed" if new in (None, "") else "changed"
