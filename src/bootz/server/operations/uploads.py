"""Uploads of images that are under way: what becomes of each, who sends it, and until when."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bootz.errors import ConflictError, UnknownChassis
from bootz.server.operations.image_kinds import ImageKind
from bootz.server.operations.images import ImageRecord, add_image
from bootz.server.operations.texts import dump_json, load_object
from bootz.server.store.schema import IMAGE_UPLOAD
from bootz.sql.times import from_text, to_text

KEPT_FOR: Final = timedelta(hours=24)
"""An upload of which nothing has come for so long is dropped."""
MAX_UPLOADS: Final = 32
"""Uploads under way at once."""

_UNKNOWN: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class ImageUpload:
    """An upload under way. ``size`` in bytes; ``sha256`` empty: any digest is right."""

    key: str
    principal: str
    kind: ImageKind
    name: str
    version: str
    file_name: str
    size: int
    sha256: str
    used_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it is dropped, unless more of it comes."""
        return self.used_at + KEPT_FOR

    def record(self, sha256: str, now: datetime) -> ImageRecord:
        """Return what is put on record once it is whole."""
        return ImageRecord(
            self.name, self.version, self.kind, self.file_name, self.size, sha256, now
        )


def begin_upload(connection: Connection, wanted: ImageUpload, *, now: datetime) -> ImageUpload:
    """Put an upload on record and return it with its key; nothing of it has come yet.

    Raises:
        ConfigError: something does not fit.
        ConflictError: ``image-exists``, or ``uploads-too-many``.
    """
    # A trial, so that what cannot be recorded is told before gigabytes are sent.
    trial = connection.begin_nested()
    add_image(connection, wanted.record(wanted.sha256 or _UNKNOWN, now))
    trial.rollback()
    count = connection.scalar(select(func.count()).select_from(IMAGE_UPLOAD)) or 0
    if count >= MAX_UPLOADS:
        raise ConflictError(
            "uploads-too-many",
            f"{count} uploads are under way",
            where="images",
            expected=f"at most {MAX_UPLOADS}",
            seen=str(count),
        )
    made = replace(wanted, key=secrets.token_hex(16), used_at=now)
    told: Mapping[str, JsonValue] = {
        "kind": made.kind.value,
        "name": made.name,
        "version": made.version,
        "file_name": made.file_name,
    }
    connection.execute(
        insert(IMAGE_UPLOAD).values(
            id=made.key,
            principal=made.principal,
            wanted=dump_json(dict(told)),
            size=made.size,
            sha256=made.sha256,
            begun_at=to_text(now),
            used_at=to_text(now),
        )
    )
    return made


def find_upload(connection: Connection, key: str, principal: str) -> ImageUpload:
    """Return an upload that this caller has begun.

    Raises:
        UnknownChassis: ``upload-not-found``: there is none, or it is another's.
    """
    row = connection.execute(
        select(IMAGE_UPLOAD).where(IMAGE_UPLOAD.c.id == key, IMAGE_UPLOAD.c.principal == principal)
    ).first()
    if row is None:
        raise UnknownChassis("upload-not-found", "there is no such upload", where="upload")
    wanted = load_object(row.wanted)
    return ImageUpload(
        key=row.id,
        principal=row.principal,
        kind=ImageKind(wanted["kind"]),
        name=str(wanted["name"]),
        version=str(wanted["version"]),
        file_name=str(wanted["file_name"]),
        size=row.size,
        sha256=row.sha256,
        used_at=from_text(row.used_at),
    )


def touch_upload(connection: Connection, key: str, *, now: datetime) -> None:
    """Note that more of an upload has come."""
    connection.execute(
        update(IMAGE_UPLOAD).where(IMAGE_UPLOAD.c.id == key).values(used_at=to_text(now))
    )


def end_upload(connection: Connection, key: str) -> None:
    """Take an upload off the record."""
    connection.execute(delete(IMAGE_UPLOAD).where(IMAGE_UPLOAD.c.id == key))


def drop_ended(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Take those off the record of which nothing has come for long; return their keys."""
    used = IMAGE_UPLOAD.c.used_at
    # The clock may have been set back: what is ahead by less counts as just used.
    ended = or_(used < to_text(now - KEPT_FOR), used > to_text(now + KEPT_FOR))
    keys = tuple(connection.scalars(select(IMAGE_UPLOAD.c.id).where(ended)))
    connection.execute(delete(IMAGE_UPLOAD).where(ended))
    return keys
