"""Images, SMUs and patches on record; the files themselves are the depot's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bootz.errors import ConfigError, ConflictError, UnknownChassis
from bootz.server.operations.audit import note
from bootz.server.operations.image_kinds import ImageKind as ImageKind
from bootz.server.operations.texts import MAX_NAME, STRICT, checked_text, parse_model
from bootz.server.store.revision import raise_revision
from bootz.server.store.schema import CHASSIS, IMAGE, IMAGE_USE, PROFILE
from bootz.sql.times import from_text, to_text

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAMED_USERS: Final = 5


class _ImageDocument(BaseModel):
    model_config = STRICT

    kind: ImageKind = ImageKind.IMAGE
    name: str
    version: str
    file_name: str
    size: Annotated[int, Field(ge=0)]
    sha256: str
    added_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A file that routers install. ``size`` in bytes; ``sha256`` 64 lower-case hex digits."""

    name: str
    version: str
    kind: ImageKind
    file_name: str
    size: int
    sha256: str
    added_at: datetime
    key: int = field(default=0, compare=False)

    @property
    def full_name(self) -> str:
        """Kind, name and version."""
        return f"{self.kind.value} {self.name} {self.version}"

    def to_document(self) -> dict[str, JsonValue]:
        """Return what ``from_document`` reads."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "version": self.version,
            "file_name": self.file_name,
            "size": self.size,
            "sha256": self.sha256,
            "added_at": self.added_at.isoformat(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Read an image of an import.

        Raises:
            ConfigError: ``image-invalid``; names every key that does not fit.
        """
        parsed = parse_model(_ImageDocument, document, reason="image-invalid", where=where)
        return cls(
            name=parsed.name,
            version=parsed.version,
            kind=parsed.kind,
            file_name=parsed.file_name,
            size=parsed.size,
            sha256=parsed.sha256,
            added_at=parsed.added_at,
        )


def add_image(connection: Connection, record: ImageRecord) -> ImageRecord:
    """Put an image on record.

    Raises:
        ConfigError: something does not fit.
        ConflictError: this kind, name and version is in the inventory already.
    """
    checked = _checked(record)
    if _find(connection, checked.kind, checked.name, checked.version) is not None:
        raise ConflictError(
            "image-exists",
            f"{checked.kind.value} {checked.name} {checked.version} is in the inventory already",
            where="image",
        )
    statement = insert(IMAGE).values(
        kind=checked.kind.value,
        name=checked.name,
        version=checked.version,
        file_name=checked.file_name,
        size=checked.size,
        sha256=checked.sha256,
        added_at=to_text(checked.added_at),
    )
    key: int = connection.execute(statement.returning(IMAGE.c.id)).scalar_one()
    raise_revision(connection, shared=True)
    note(connection, "image.add", checked.full_name, after=checked.to_document())
    return replace(checked, key=key)


def replace_image(
    connection: Connection, record: ImageRecord, *, size: int, sha256: str, now: datetime
) -> ImageRecord:
    """Record other content for an image, also while profiles and chassis name it.

    Raises:
        ConfigError: size or digest does not fit.
        UnknownChassis: no such image.
    """
    before = find_image(connection, record.kind, record.name, record.version)
    after = _checked(replace(before, size=size, sha256=sha256, added_at=now))
    connection.execute(
        update(IMAGE)
        .where(IMAGE.c.id == before.key)
        .values(size=size, sha256=sha256, added_at=to_text(now))
    )
    raise_revision(connection, shared=True)
    note(
        connection,
        "image.replace",
        after.full_name,
        before=before.to_document(),
        after=after.to_document(),
    )
    return after


def remove_image(connection: Connection, kind: ImageKind, name: str, version: str) -> ImageRecord:
    """Take an image off the record, and return it.

    Raises:
        ConflictError: profiles or chassis name it.
        UnknownChassis: no such image.
    """
    record = find_image(connection, kind, name, version)
    if users := _users(connection, record.key):
        raise ConflictError("image-in-use", f"named by {users}", where=f"{name} {version}")
    connection.execute(delete(IMAGE).where(IMAGE.c.id == record.key))
    raise_revision(connection, shared=True)
    note(connection, "image.remove", record.full_name, before=record.to_document())
    return record


def find_image(connection: Connection, kind: ImageKind, name: str, version: str) -> ImageRecord:
    """Return an image by kind, name and version.

    Raises:
        UnknownChassis: no such image.
    """
    record = _find(connection, kind, name, version)
    if record is None:
        raise UnknownChassis(
            "image-not-found", f"there is no {kind.value} {name} {version}", where="image"
        )
    return record


def find_file(connection: Connection, sha256: str, file_name: str) -> ImageRecord | None:
    """Return an image that is served as this file, None if there is none."""
    row = connection.execute(
        select(IMAGE).where(IMAGE.c.sha256 == sha256, IMAGE.c.file_name == file_name).limit(1)
    ).first()
    return None if row is None else _record(row)


def list_images(connection: Connection) -> tuple[ImageRecord, ...]:
    """Return all images by kind, name and version."""
    order = select(IMAGE).order_by(IMAGE.c.kind, IMAGE.c.name, IMAGE.c.version)
    return tuple(_record(row) for row in connection.execute(order))


def _checked(record: ImageRecord) -> ImageRecord:
    def text(value: str, name: str) -> str:
        return checked_text(
            value, name, reason="image-invalid", where="image", most=MAX_NAME, least=1
        )

    file_name = record.file_name
    if (
        not 0 < len(file_name.encode(errors="replace")) <= 255
        or not file_name.isprintable()
        or file_name in {".", ".."}
        or {"/", "\\"}.intersection(file_name)
    ):
        raise ConfigError("image-invalid", "file_name is not the name of a file", where="image")
    if not _SHA256.fullmatch(record.sha256):
        raise ConfigError("image-invalid", "sha256 is not 64 lower-case hex digits", where="image")
    if record.size < 0:
        raise ConfigError("image-invalid", "size is negative", where="image")
    return replace(record, name=text(record.name, "name"), version=text(record.version, "version"))


def _find(connection: Connection, kind: ImageKind, name: str, version: str) -> ImageRecord | None:
    row = connection.execute(
        select(IMAGE).where(
            IMAGE.c.kind == kind.value,
            IMAGE.c.name == name.strip(),
            IMAGE.c.version == version.strip(),
        )
    ).first()
    return None if row is None else _record(row)


def _users(connection: Connection, key: int) -> str:
    """Return who uses an image, a few by name; empty if nothing does."""
    named = select(PROFILE.c.name.label("profile"), CHASSIS.c.serial.label("chassis")).select_from(
        IMAGE_USE.outerjoin(PROFILE, PROFILE.c.id == IMAGE_USE.c.profile_id).outerjoin(
            CHASSIS, CHASSIS.c.id == IMAGE_USE.c.chassis_id
        )
    )
    rows = connection.execute(
        named.where(IMAGE_USE.c.image_id == key).order_by(IMAGE_USE.c.id).limit(_NAMED_USERS)
    ).all()
    if not rows:
        return ""
    words = [f"profile {row.profile}" if row.profile else f"chassis {row.chassis}" for row in rows]
    count = select(func.count()).select_from(IMAGE_USE).where(IMAGE_USE.c.image_id == key)
    further = (connection.scalar(count) or 0) - len(rows)
    return ", ".join(words) + (f" and {further} more" if further > 0 else "")


def _record(row: Row[Any]) -> ImageRecord:
    return ImageRecord(
        name=row.name,
        version=row.version,
        kind=ImageKind(row.kind),
        file_name=row.file_name,
        size=row.size,
        sha256=row.sha256,
        added_at=from_text(row.added_at),
        key=row.id,
    )
