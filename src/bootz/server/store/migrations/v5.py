"""Version 5: labels of chassis, chassis on hold, and how far a download has come."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Text

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _upgrade(op: "Operations") -> None:
    key = BigInteger().with_variant(Integer(), "sqlite")
    op.create_table(
        "chassis_label",
        Column("chassis_id", key, ForeignKey("chassis.id", ondelete="CASCADE"), primary_key=True),
        Column("key", String(63), primary_key=True),
        Column("value", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_chassis_label_value", "chassis_label", ["key", "value"])
    op.add_column("chassis", Column("hold_since", String(27), nullable=True))
    op.add_column("chassis", Column("hold_note", Text, nullable=False, server_default=""))
    for name in ("image_position", "image_size"):
        op.add_column("attempt", Column(name, BigInteger, nullable=False, server_default="0"))


STEP: Final = Step(5, "labels of chassis, chassis on hold, how far a download has come", _upgrade)
