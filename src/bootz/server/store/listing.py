"""The inventory as lists show it: plain SQL that every engine reads, without SQLAlchemy.

A list is asked for by hand, again and again, and by the shell at every press of Tab. Loading
what changes need would cost more than all else that it does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bootz.model.kinds import BootMode, Release

Execute = Callable[[str, Mapping[str, object]], Iterable[Sequence[Any]]]
"""Runs a statement with named parameters (``:name``) and returns its rows."""

_CHASSIS: Final = """
SELECT vendor.name, chassis.serial, chassis.part_number, chassis.hostname,
    (SELECT COUNT(*) FROM card WHERE card.chassis_id = chassis.id),
    chassis.boot_mode, chassis.release, profile.name
FROM chassis
    JOIN vendor ON vendor.id = chassis.vendor_id
    LEFT JOIN profile ON profile.id = chassis.profile_id
WHERE (:vendor = 0 OR chassis.vendor_id = :vendor)
    AND (:profile = 0 OR chassis.profile_id = :profile)
ORDER BY chassis.id
"""

_NAMES: Final = {
    "vendor": "SELECT name FROM vendor ORDER BY name",
    "profile": "SELECT name FROM profile ORDER BY name",
    "image": "SELECT name, version FROM image ORDER BY name, version",
    "serial": """
SELECT serial FROM chassis WHERE serial <> '' UNION SELECT serial FROM card ORDER BY 1
""",
}


class ListedChassis(NamedTuple):
    """A chassis in a list. ``vendor`` and ``profile`` are names, ``cards`` is their number."""

    vendor: str
    serial_number: str
    part_number: str
    hostname: str
    cards: int
    boot_mode: BootMode
    release: Release | None
    profile: str | None


def listed_chassis(
    execute: Execute, vendor: int | None = None, profile: int | None = None
) -> Iterator[ListedChassis]:
    """Return all chassis, or those of a vendor or with a profile (keys of the database).

    They come in the order of addition.
    """
    for row in execute(_CHASSIS, {"vendor": vendor or 0, "profile": profile or 0}):
        found = ListedChassis(*row)
        yield found._replace(
            boot_mode=BootMode(found.boot_mode),
            release=None if found.release is None else Release(found.release),
        )


def listed_names(execute: Execute, kind: str) -> Iterator[tuple[str, ...]]:
    """Return the names of all vendors, profiles, images (with version), or serial numbers.

    ``kind`` is vendor, profile, image or serial.
    """
    for row in execute(_NAMES[kind], {}):
        yield tuple(row)
