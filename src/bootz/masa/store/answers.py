"""What was answered under a caller's key: the same call gets the same voucher, for a while."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from bootz.masa.store.schema import ANSWERED
from bootz.sql.times import from_text, to_text

KEPT: Final = timedelta(days=1)
"""How long an answer is repeated; a caller that was down for longer gets a new voucher."""


@dataclass(frozen=True, slots=True)
class AnsweredVoucher:
    """A voucher (CMS) that was answered, and when it was made."""

    at: datetime
    cms: bytes = field(repr=False)


class Answers:
    """The answers over one transaction. Requests are named by a digest (hex)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, requests: Collection[str], now: datetime) -> dict[str, AnsweredVoucher]:
        """Return what was answered to these requests and is kept."""
        rows = self._connection.execute(
            select(ANSWERED).where(
                ANSWERED.c.request.in_(requests), ANSWERED.c.at > to_text(now - KEPT)
            )
        ).mappings()
        return {row["request"]: AnsweredVoucher(from_text(row["at"]), row["cms"]) for row in rows}

    def keep(self, answers: Mapping[str, AnsweredVoucher], now: datetime) -> None:
        """Keep answers, and forget those that are too old."""
        self._connection.execute(delete(ANSWERED).where(ANSWERED.c.at <= to_text(now - KEPT)))
        if answers:
            self._connection.execute(
                insert(ANSWERED),
                [
                    {"request": request, "at": to_text(answer.at), "cms": answer.cms}
                    for request, answer in answers.items()
                ],
            )
