"""Version 3: what was answered under a caller's key, so that the same call is answered the same."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, LargeBinary, String

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _upgrade(op: "Operations") -> None:
    op.create_table(
        "answered",
        Column("request", String(64), primary_key=True),
        Column("at", String(27), nullable=False, index=True),
        Column("cms", LargeBinary, nullable=False),
    )


STEP: Final = Step(3, "vouchers answered under a caller's key", _upgrade)
