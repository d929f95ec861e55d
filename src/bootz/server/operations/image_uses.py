"""Which profiles and chassis name which images, so that none of those is removed."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from bootz.errors import UnknownChassis
from bootz.server.operations.profile_document import Content
from bootz.server.store.schema import IMAGE, IMAGE_USE

ImageKeys = Mapping[tuple[str, str, str], int]
"""The database's keys of all images, by kind, name and version."""

_ALL: Final = select(IMAGE.c.id, IMAGE.c.kind, IMAGE.c.name, IMAGE.c.version)
_FORGET_PROFILE: Final = delete(IMAGE_USE).where(IMAGE_USE.c.profile_id == bindparam("key"))
_FORGET_CHASSIS: Final = delete(IMAGE_USE).where(IMAGE_USE.c.chassis_id == bindparam("key"))


def image_keys(connection: Connection) -> ImageKeys:
    """Return the keys of all images."""
    return {(row.kind, row.name, row.version): row.id for row in connection.execute(_ALL)}


def used_images(content: Content, keys: ImageKeys, *, where: str) -> tuple[int, ...]:
    """Return the keys of the images that a content names.

    Raises:
        UnknownChassis: ``image-not-found``; names all that are not on record.
    """
    found: list[int] = []
    missing: list[str] = []
    for kind, ref in content.image_refs():
        key = keys.get((kind, ref.name, ref.version))
        if key is None:
            missing.append(f"{kind} {ref.name} {ref.version}")
        else:
            found.append(key)
    if missing:
        raise UnknownChassis(
            "image-not-found", f"not in the inventory: {', '.join(missing)}", where=where
        )
    return tuple(dict.fromkeys(found))


def keep_profile_uses(connection: Connection, key: int, images: Iterable[int]) -> None:
    """Replace what is known of a profile's images."""
    connection.execute(_FORGET_PROFILE, {"key": key})
    _insert(connection, [{"image_id": image, "profile_id": key} for image in images])


def keep_chassis_uses(connection: Connection, uses: Mapping[int, Iterable[int]]) -> None:
    """Replace what is known of the images of chassis, by the database's keys of both."""
    if not uses:
        return
    connection.execute(_FORGET_CHASSIS, [{"key": key} for key in uses])
    add_chassis_uses(connection, [(key, image) for key, found in uses.items() for image in found])


def add_chassis_uses(connection: Connection, uses: Iterable[tuple[int, int]]) -> None:
    """Add pairs of chassis and image."""
    _insert(connection, [{"image_id": image, "chassis_id": key} for key, image in uses])


def _insert(connection: Connection, rows: list[dict[str, int]]) -> None:
    if rows:
        connection.execute(insert(IMAGE_USE), rows)
