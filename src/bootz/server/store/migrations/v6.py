"""Version 6: one function for each part of the tables that changed since version 5."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations
    from sqlalchemy.types import TypeEngine


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


def _sources(op: "Operations") -> None:
    op.create_table(
        "source",
        Column("name", String(40), primary_key=True),
        Column("failed_at", String(27), nullable=True),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("faults", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_chassis",
        Column(
            "chassis_id",
            BigInteger().with_variant(Integer(), "sqlite"),
            ForeignKey("chassis.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        Column("source", String(40), nullable=False),
        Column("device", String(64), nullable=False),
        Column("url", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("said", Text, nullable=False),
        Column("gone", Integer, nullable=False),
        Column("left", Boolean, nullable=False),
        Column("held", Boolean, nullable=False),
        Column("pushed", Text, nullable=False),
        Column("push_after", String(27), nullable=True),
        Column("push_tries", Integer, nullable=False),
        Column("push_reason", Text, nullable=False),
        UniqueConstraint("source", "device"),
        sqlite_with_rowid=False,
    )


def _webhooks(op: "Operations") -> None:
    op.create_table(
        "webhook",
        Column("id", _key(), primary_key=True, autoincrement=True),
        Column("name", Text, nullable=False),
        Column("name_folded", Text, nullable=False, unique=True),
        Column("url", Text, nullable=False),
        Column("events", Text, nullable=False),
        Column("labels", Text, nullable=False),
        Column("secret", LargeBinary, nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("taken", BigInteger, nullable=False),
        Column("delivered", BigInteger, nullable=False),
        Column("delivered_at", String(27), nullable=True),
        Column("created_at", String(27), nullable=False),
        Column("created_by", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhook_delivery",
        Column("id", _key(), primary_key=True, autoincrement=True),
        Column("webhook_id", _key(), ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
        Column("event_id", BigInteger, nullable=False),
        Column("type", String(64), nullable=False),
        Column("lane", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("state", String(8), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("since", String(27), nullable=False),
        Column("next_at", String(27), nullable=False),
        Column("error", Text, nullable=False),
        UniqueConstraint("webhook_id", "event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_webhook_delivery_lane", "webhook_delivery", ["webhook_id", "state", "lane", "id"]
    )


def _key() -> "TypeEngine[int]":
    return BigInteger().with_variant(Integer(), "sqlite")


_PARTS: "Final[tuple[Callable[[Operations], None], ...]]" = (
    _certificates,
    _uploads,
    _strangers,
    _sources,
    _webhooks,
)


def _upgrade(op: "Operations") -> None:
    for part in _PARTS:
        part(op)


STEP: Final = Step(6, "what was added to the operator's door", _upgrade)
