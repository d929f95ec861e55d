"""What a person can do about a reason, here on the board: links and buttons that can do it.

The words of the next action are the reason's; this table only says on which page it is done.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from bootz.server.board.newsroom import Tile
from bootz.server.board.view import url
from bootz.server.board.visitor import Visitor
from bootz.server.operations.chassis_state import ChassisState


class Repair(NamedTuple):
    """A link, or a button that posts a form: ``path`` of a page, ``fields`` of the form."""

    word: str
    icon: str
    path: str
    posts: bool = False
    fields: Mapping[str, str] = MappingProxyType({})


_VOUCHERS: Final = ("Vouchers", "voucher", "/vouchers", "voucher.list")
_STRANGERS: Final = ("Strangers", "stranger", "/strangers", "stranger.list")
_KEYS: Final = ("Keys", "key", "/keys", "keys.list")
_PROFILES: Final = ("Profiles", "profile", "/profiles", "profile.list")
_PLACES: Final[Mapping[str, tuple[str, str, str, str]]] = MappingProxyType(
    {
        "voucher-missing": _VOUCHERS,
        "voucher-expired": _VOUCHERS,
        "idevid-serial-foreign": _STRANGERS,
        "chassis-serial-contradicts": _STRANGERS,
        "cards-unknown": ("Replacements", "replace", "/replacements", "replacement.list"),
        "image-not-found": ("Images", "disc", "/images", "image.list"),
        "idevid-untrusted": _KEYS,
        "oc-expired": _KEYS,
        "oc-not-under-pdc": _KEYS,
        "template-failed": _PROFILES,
        "template-too-costly": _PROFILES,
        "rendered-invalid": _PROFILES,
        "dynamic-config-refused": _PROFILES,
    }
)
"""Reason: the word, icon and path of the page on which it is repaired, and the verb it needs."""


def repairs_of(tile: Tile, visitor: Visitor) -> Sequence[Repair]:
    """Return what this visitor can do about a router that waits for a person."""
    device = f"/devices/{tile.key}"
    found = [Repair("Open", "device", url(device))]
    place = _PLACES.get(tile.router.standing.reason)
    if place is not None and visitor.may(place[3]):
        word, icon, path, _ = place
        found.append(Repair(word, icon, url(path, q=tile.router.serial_number)))
    if visitor.may("chassis.check"):
        found.append(Repair("Preflight", "preflight", url(device, tab="preflight")))
    keys = MappingProxyType({"id": str(tile.key)})
    if tile.state is ChassisState.ON_HOLD:
        if visitor.may("chassis.release"):
            found.append(Repair("Release", "release", "/devices/release", posts=True, fields=keys))
    elif visitor.may("chassis.hold"):
        found.append(Repair("Hold", "hold", "/devices/hold", posts=True, fields=keys))
    return found
