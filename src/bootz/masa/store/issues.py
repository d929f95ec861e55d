"""The append-only log of vouchers issued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from bootz.masa.ledger.nouns import ComponentName, User
from bootz.masa.store.rows import user_of
from bootz.masa.store.schema import ISSUE
from bootz.model.chassis import fold_serial
from bootz.sql.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """Who got a voucher for which component, pinning what, until when. Digests are hex."""

    at: datetime
    user: User
    component: ComponentName
    cert_id: str
    pinned_sha256: str
    expires_on: datetime | None
    voucher_sha256: str
    idevid_issuer: bytes | None = None
    last_renewal_date: datetime | None = None


class IssueLog:
    """The log over one transaction; it can grow and be read, nothing else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, records: Sequence[IssueRecord]) -> None:
        """Write records in their order."""
        rows = [
            {
                "at": to_text(record.at),
                "username": record.user.username,
                "account_type": record.user.account_type.value,
                "caller_org": record.user.org_id,
                "ien": record.component.ien,
                "serial": record.component.serial_number,
                "serial_folded": fold_serial(record.component.serial_number),
                "cert_id": record.cert_id,
                "pinned_sha256": record.pinned_sha256,
                "expires_on": _text(record.expires_on),
                "voucher_sha256": record.voucher_sha256,
                "idevid_issuer": record.idevid_issuer,
                "last_renewal_date": _text(record.last_renewal_date),
            }
            for record in records
        ]
        if rows:
            self._connection.execute(insert(ISSUE), rows)

    def latest(
        self, *, serial_number: str | None = None, limit: int = 100
    ) -> tuple[IssueRecord, ...]:
        """Return the latest records, newest first."""
        statement = select(ISSUE, ISSUE.c.caller_org.label("org_id")).order_by(ISSUE.c.id.desc())
        if serial_number is not None:
            statement = statement.where(ISSUE.c.serial_folded == fold_serial(serial_number))
        rows = self._connection.execute(statement.limit(limit)).mappings()
        return tuple(
            IssueRecord(
                at=from_text(row["at"]),
                user=user_of(row),
                component=ComponentName(row["ien"], row["serial"]),
                cert_id=row["cert_id"],
                pinned_sha256=row["pinned_sha256"],
                expires_on=_time(row["expires_on"]),
                voucher_sha256=row["voucher_sha256"],
                idevid_issuer=row["idevid_issuer"],
                last_renewal_date=_time(row["last_renewal_date"]),
            )
            for row in rows
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _time(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
