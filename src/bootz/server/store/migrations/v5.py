"""Version 5: labels, holds, downloads under way, and the tables of the operator's door."""

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


_FILL_WRITTEN: Final = {
    "sqlite": "UPDATE attempt SET written = coalesce(json_extract(sent, '$.written_as'), '')",
    "postgresql": "UPDATE attempt SET written = coalesce(sent::json->>'written_as', '')",
}


def _upgrade(op: "Operations") -> None:
    op.create_table(
        "chassis_label",
        Column(
            "chassis_id", _key(), ForeignKey("chassis.id", ondelete="CASCADE"), primary_key=True
        ),
        Column("key", String(63), primary_key=True),
        Column("value", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_chassis_label_value", "chassis_label", ["key", "value"])
    op.add_column("chassis", Column("hold_since", String(27), nullable=True))
    op.add_column("chassis", Column("hold_note", Text, nullable=False, server_default=""))
    for name in ("image_position", "image_size"):
        op.add_column("attempt", Column(name, BigInteger, nullable=False, server_default="0"))
    _written(op)
    _audit(op)
    _accounts(op)
    _answers(op)


def _written(op: "Operations") -> None:
    """Give the dialect of an answer a column; it was among the notes of what was sent."""
    op.add_column("attempt", Column("written", Text, nullable=False, server_default=""))
    op.execute(_FILL_WRITTEN[op.get_context().dialect.name])


def _of_chassis() -> ForeignKey:
    return ForeignKey("chassis.id", ondelete="CASCADE")


def _key() -> "TypeEngine[int]":
    return BigInteger().with_variant(Integer(), "sqlite")


def _audit(op: "Operations") -> None:
    texts = ("actor", "origin", "verb", "object", "before", "after", "outcome")
    op.create_table(
        "audit",
        Column("id", _key(), primary_key=True, autoincrement=False),
        Column("at", String(27), nullable=False),
        *(Column(name, Text, nullable=False) for name in texts),
        Column("previous", String(64), nullable=False),
        Column("digest", String(64), nullable=False),
    )
    op.create_index("ix_audit_verb", "audit", ["verb"])
    op.create_index("ix_audit_object", "audit", ["object"])


def _accounts(op: "Operations") -> None:
    op.create_table(
        "account",
        Column("id", _key(), primary_key=True, autoincrement=True),
        Column("name", Text, nullable=False),
        Column("name_folded", Text, nullable=False),
        Column("role", String(16), nullable=False),
        Column("password", Text, nullable=False),
        Column("subject", Text, nullable=True),
        Column("enabled", Boolean, nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("last_login", String(27), nullable=True),
        UniqueConstraint("name_folded"),
        UniqueConstraint("subject"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "login_link",
        Column("digest", String(64), primary_key=True),
        Column("account_id", _key(), ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        Column("expires_at", String(27), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "login_session",
        Column("digest", String(64), primary_key=True),
        Column("account_id", _key(), ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        Column("peer", Text, nullable=False),
        Column("began_at", String(27), nullable=False),
        Column("used_at", String(27), nullable=False),
        Column("expires_at", String(27), nullable=False),
        sqlite_with_rowid=False,
    )
    for table in ("login_link", "login_session"):
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])
    op.create_table(
        "api_token",
        Column("id", _key(), primary_key=True, autoincrement=True),
        Column("name", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("role", String(16), nullable=False),
        Column("scope", Text, nullable=False),
        Column("created_at", String(27), nullable=False),
        Column("created_by", Text, nullable=False),
        *(
            Column(name, String(27), nullable=True)
            for name in ("expires_at", "used_at", "revoked_at")
        ),
        UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )


def _answers(op: "Operations") -> None:
    op.create_table(
        "idempotent_answer",
        Column("principal", Text, primary_key=True),
        Column("key", String(255), primary_key=True),
        Column("request", String(64), nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at", String(27), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotent_answer_at", "idempotent_answer", ["at"])
    op.create_table(
        "site_secret",
        Column("name", String(64), primary_key=True),
        Column("value", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


STEP: Final = Step(
    5, "labels, holds, downloads under way, and the tables of the operator's door", _upgrade
)
