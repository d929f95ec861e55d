"""Version 2: the log of issues keeps the issuer and the last renewal date of a voucher."""

from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, LargeBinary, String

from bootz.sql.upgrade import Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _upgrade(op: "Operations") -> None:
    op.add_column("issue", Column("idevid_issuer", LargeBinary, nullable=True))
    op.add_column("issue", Column("last_renewal_date", String(27), nullable=True))


STEP: Final = Step(2, "issuer and last renewal date in the log of issues", _upgrade)
