"""Version 7: one function for each part of the tables that changed since version 6."""

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
    text,
)

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _sent_data(op: "Operations") -> None:
    """Keep what each chassis was last sent."""
    op.create_table(
        "sent_data",
        Column(
            "chassis_id",
            BigInteger().with_variant(Integer(), "sqlite"),
            ForeignKey("chassis.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        Column("since", String(27), nullable=False),
        Column("dialect", Text, nullable=False),
        Column("reached_at", Text, nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("content", LargeBinary, nullable=True),
    )


def _voucher_fetch(op: "Operations") -> None:
    """Let the operator's door ask the server for vouchers."""
    op.create_table(
        "voucher_fetch",
        Column(
            "id",
            BigInteger().with_variant(Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        Column("asked_at", String(27), nullable=False),
        Column("asked_by", Text, nullable=False),
        Column("vendor", Text, nullable=False),
        Column("label", Text, nullable=False),
        Column("serials", Text, nullable=False),
        Column("state", String(8), nullable=False),
        Column("begun_at", String(27), nullable=True),
        Column("ended_at", String(27), nullable=True),
        Column("cards", Integer, nullable=False),
        Column("stored", Integer, nullable=False),
        Column("reason", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("faults", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_voucher_fetch_state", "voucher_fetch", ["state"])


def _servers(op: "Operations") -> None:
    """Let servers of one database know of each other."""
    op.create_table(
        "server",
        Column("name", String(32), primary_key=True),
        Column("host", Text, nullable=False),
        Column("folder", Text, nullable=False),
        Column("pid", Integer, nullable=False),
        Column("version", Text, nullable=False),
        Column("schema", Integer, nullable=False),
        Column("agreed", String(64), nullable=False),
        Column("listens", Text, nullable=False),
        Column("started_at", String(27), nullable=False),
        Column("seen_at", String(27), nullable=False),
        Column("connections", Integer, nullable=False),
        Column("leads", Boolean, nullable=False),
    )


def _held(op: "Operations") -> None:
    """Find the chassis that are on hold without a look at all others."""
    held = text("hold_since IS NOT NULL")
    op.create_index(
        "ix_chassis_hold_since",
        "chassis",
        ["hold_since"],
        sqlite_where=held,
        postgresql_where=held,
    )


_PARTS: "Final[tuple[Callable[[Operations], None], ...]]" = (
    _sent_data,
    _voucher_fetch,
    _servers,
    _held,
)


def _upgrade(op: "Operations") -> None:
    for part in _PARTS:
        part(op)


STEP: Final = Step(
    7,
    "what was last sent, and what an operator asks of the server",
    _upgrade,
    # New tables, and an index.
    runs_with=6,
)
