"""Version 7: one function for each part of the tables that changed since version 6."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Text

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


_PARTS: "Final[tuple[Callable[[Operations], None], ...]]" = (_sent_data,)


def _upgrade(op: "Operations") -> None:
    for part in _PARTS:
        part(op)


STEP: Final = Step(7, "what was last sent, and what an operator asks of the server", _upgrade)
