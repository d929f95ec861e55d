"""Version 6: one function for each part of the tables that changed since version 5."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Text

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _certificates(op: "Operations") -> None:
    """Keep the public side of the site's keys for who may open none."""
    op.create_table(
        "site_certificate",
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("role", String(16), nullable=False),
        Column("name", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("key_is", Text, nullable=False),
        Column("brought", Boolean, nullable=False),
        Column("chain", Text, nullable=False),
    )


def _uploads(op: "Operations") -> None:
    op.create_table(
        "image_upload",
        Column("id", String(32), primary_key=True),
        Column("principal", Text, nullable=False),
        Column("wanted", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("begun_at", String(27), nullable=False),
        Column("used_at", String(27), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_image_upload_used_at", "image_upload", ["used_at"])


def _strangers(op: "Operations") -> None:
    op.create_table(
        "ignored_stranger",
        Column("serial_folded", Text, primary_key=True),
        Column("serial", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("at", String(27), nullable=False),
        sqlite_with_rowid=False,
    )


_PARTS: "Final[tuple[Callable[[Operations], None], ...]]" = (
    _certificates,
    _uploads,
    _strangers,
)


def _upgrade(op: "Operations") -> None:
    for part in _PARTS:
        part(op)


STEP: Final = Step(6, "what was added to the operator's door", _upgrade)
