"""Profiles: what a class of routers gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pydantic import JsonValue
from sqlalchemy import Connection, Row, exists, insert, select, update
from sqlalchemy import delete as delete_from

from bootz.errors import ConfigError, ConflictError, UnknownChassis
from bootz.server.operations.audit import note
from bootz.server.operations.image_uses import image_keys, keep_profile_uses, used_images
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.texts import (
    MAX_NAME,
    MAX_TEXT,
    check_writable,
    checked_text,
    dump_json,
    load_object,
)
from bootz.server.rendering.server_data import check_server_data
from bootz.server.rendering.syntax import check_templates
from bootz.server.store.revision import raise_revision
from bootz.server.store.schema import CHASSIS, PROFILE


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile on record; ``key`` is the database's."""

    name: str
    document: ProfileDocument = field(repr=False)
    description: str = ""
    key: int = field(default=0, compare=False)

    def to_document(self) -> dict[str, JsonValue]:
        """Return what ``from_document`` reads: name, description and the document's keys."""
        document: dict[str, JsonValue] = {"name": self.name}
        if self.description:
            document["description"] = self.description
        return document | self.document.to_json()

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Read a profile of an import.

        Raises:
            ConfigError: names every key that does not fit, never its value.
        """
        rest = dict(document)
        name = rest.pop("name", None)
        description = rest.pop("description", "")
        if not isinstance(name, str) or not isinstance(description, str):
            raise ConfigError("profile-invalid", "name and description must be texts", where=where)
        return cls(name, ProfileDocument.parse(rest, where=where or name), description)


def add_profile(connection: Connection, record: ProfileRecord) -> ProfileRecord:
    """Add a profile.

    Raises:
        ConfigError: something does not fit.
        ConflictError: the name is taken.
        UnknownChassis: it names an image that is not on record.
    """
    added = _put(connection, record, own_key=0)
    note(connection, "profile.add", added.name, after=added.to_document())
    return added


def set_profile(connection: Connection, name: str, record: ProfileRecord) -> ProfileRecord:
    """Replace a profile; it may get another name.

    Raises:
        ConfigError: something does not fit.
        ConflictError: the new name is taken.
        UnknownChassis: no such profile, or it names an image that is not on record.
    """
    before = find_profile(connection, name)
    after = _put(connection, record, own_key=before.key)
    note(
        connection,
        "profile.set",
        before.name,
        before=before.to_document(),
        after=after.to_document(),
    )
    return after


def remove_profile(connection: Connection, name: str) -> ProfileRecord:
    """Take a profile off the record, and return it.

    Raises:
        ConflictError: chassis get it.
        UnknownChassis: no such profile.
    """
    record = find_profile(connection, name)
    if connection.scalar(select(exists().where(CHASSIS.c.profile_id == record.key))):
        raise ConflictError("profile-in-use", "chassis use it", where=record.name)
    connection.execute(delete_from(PROFILE).where(PROFILE.c.id == record.key))
    raise_revision(connection, shared=True)
    note(connection, "profile.remove", record.name, before=record.to_document())
    return record


def find_profile(connection: Connection, name: str) -> ProfileRecord:
    """Return a profile by name, compared without case.

    Raises:
        UnknownChassis: no such profile.
    """
    folded = name.strip().casefold()
    row = connection.execute(select(PROFILE).where(PROFILE.c.name_folded == folded)).first()
    if row is None:
        raise UnknownChassis("profile-not-found", f"there is no profile {name!r}", where="profile")
    return _record(row)


def list_profiles(connection: Connection) -> tuple[ProfileRecord, ...]:
    """Return all profiles by name."""
    rows = connection.execute(select(PROFILE).order_by(PROFILE.c.name_folded))
    return tuple(_record(row) for row in rows)


def _put(connection: Connection, record: ProfileRecord, *, own_key: int) -> ProfileRecord:
    name = checked_text(
        record.name, "name", reason="profile-invalid", where="profile", most=MAX_NAME, least=1
    )
    description = checked_text(
        record.description, "description", reason="profile-invalid", where=name, most=MAX_TEXT
    )
    check_templates(record.document, where=f"profile {name!r}")
    check_server_data(record.document, where=f"profile {name!r}")
    document = record.document.to_json()
    check_writable(document, "document", reason="profile-invalid", where=name)
    folded = name.casefold()
    other = select(PROFILE.c.id).where(PROFILE.c.name_folded == folded, PROFILE.c.id != own_key)
    if connection.scalar(other) is not None:
        raise ConflictError("profile-exists", "the name is already used", where=name)
    images = used_images(record.document, image_keys(connection), where=f"profile {name}")
    values = {
        "name": name,
        "name_folded": folded,
        "description": description,
        "document": dump_json(document),
    }
    if own_key:
        key = own_key
        connection.execute(update(PROFILE).where(PROFILE.c.id == key).values(**values))
    else:
        statement = insert(PROFILE).values(**values).returning(PROFILE.c.id)
        key = connection.execute(statement).scalar_one()
    keep_profile_uses(connection, key, images)
    raise_revision(connection, shared=True)
    return replace(record, name=name, description=description, key=key)


def _record(row: Row[Any]) -> ProfileRecord:
    return ProfileRecord(
        name=row.name,
        document=ProfileDocument.model_validate(load_object(row.document)),
        description=row.description,
        key=row.id,
    )
