"""The MASA's conversations, free of transports: authenticate, decide, issue, record."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from uuid import uuid4

from bootz.log import get_logger
from bootz.masa.issuing import IssuedVoucher, VoucherIssuer, check_size
from bootz.masa.ledger.access import Access, Rules
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import Requester, User
from bootz.masa.ledger.vouchers import VoucherOrder
from bootz.masa.revocation import RevocationLists
from bootz.masa.store.answers import AnsweredVoucher, Answers
from bootz.masa.store.book import SqlBook
from bootz.masa.store.database import MasaDatabase
from bootz.masa.store.directory import Directory
from bootz.masa.store.issues import IssueLog, IssueRecord
from bootz.masa.tokens import MAX_TOKEN, digest_of

log = get_logger()

T = TypeVar("T")
Decision = Callable[[Access], T]
"""A function of the ledger with its arguments filled in."""


class MasaService:
    """What both the gRPC and the HTTP side call.

    Args:
        database: where everything is kept.
        issuer: makes the vouchers.
        rules: what the manufacturer decided.
        clock: the time now, aware UTC.
        revocation: asked before a certificate is pinned; None: no check.
    """

    def __init__(
        self,
        database: MasaDatabase,
        issuer: VoucherIssuer,
        *,
        rules: Rules,
        clock: Callable[[], datetime],
        revocation: RevocationLists | None = None,
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._rules = rules
        self.clock = clock
        self._revocation = revocation

    def new_id(self, kind: str) -> str:
        """Return a new id of a kind, opaque to clients."""
        return f"{kind}-{uuid4()}"

    async def authenticate(self, token: str | None) -> Requester:
        """Return whom a bearer token stands for.

        Raises:
            LedgerError: no token, an unknown one, or an expired one.
        """
        if not token:
            raise LedgerError("token-missing", "the call came without a bearer token")
        if len(token) > MAX_TOKEN:
            raise LedgerError("token-unknown", "the token is too long")
        digest = digest_of(token)

        def find() -> Requester:
            with self._database.read() as connection:
                holder = Directory(connection).holder_of(digest)
            if holder is None:
                raise LedgerError("token-unknown", "the token is not known")
            if holder.expires_at is not None and holder.expires_at <= self.clock():
                raise LedgerError("token-expired", f"token {holder.token_id} has expired")
            return holder.caller

        return await asyncio.to_thread(find)

    async def look(self, caller: Requester, decision: Decision[T]) -> T:
        """Run a decision that only reads."""

        def run() -> T:
            with self._database.read() as connection:
                return decision(Access(SqlBook(connection), caller, self._rules))

        return await asyncio.to_thread(run)

    async def change(self, caller: Requester, decision: Decision[T]) -> T:
        """Run a decision that may write; an error leaves everything as it was."""

        def run() -> T:
            with self._database.write() as connection:
                return decision(Access(SqlBook(connection), caller, self._rules))

        return await asyncio.to_thread(run)

    async def issue(
        self,
        caller: Requester,
        decision: Decision[tuple[VoucherOrder, ...]],
        *,
        max_bytes: int | None,
        key: str | None = None,
    ) -> tuple[IssuedVoucher, ...]:
        """Issue what a decision orders; it is in the log before anyone gets it.

        ``max_bytes`` is what the vouchers may have together, None for no bound. ``key`` is the
        caller's name for this request: the same order under the same key gets the voucher that
        it got before, however often it comes.

        Raises:
            LedgerError: as the decision says, or the signing key did not work.
        """
        orders = await self.look(caller, decision)
        if self._revocation is not None:
            for certificate in {order.certificate.certificate for order in orders}:
                await asyncio.to_thread(self._revocation.check, certificate, self.clock())
        if key is not None:
            return await self._issue_once(caller, orders, key, max_bytes)
        issued = await self._issuer.issue(orders, max_bytes=max_bytes)

        def record() -> None:
            with self._database.write() as connection:
                IssueLog(connection).append([_record(caller, voucher) for voucher in issued])

        await asyncio.to_thread(record)
        _tell(caller, issued)
        return issued

    async def _issue_once(
        self, caller: Requester, orders: Sequence[VoucherOrder], key: str, max_bytes: int | None
    ) -> tuple[IssuedVoucher, ...]:
        now = self.clock()
        names = [
            request_name(caller.user, key, order, self._issuer.certificate_of(order))
            for order in orders
        ]

        def find() -> dict[str, AnsweredVoucher]:
            with self._database.read() as connection:
                return Answers(connection).find(names, now)

        known = await asyncio.to_thread(find)
        lacking = {
            name: order for name, order in zip(names, orders, strict=True) if name not in known
        }
        made = await self._issuer.issue(tuple(lacking.values()), max_bytes=max_bytes)
        issued = dict(zip(lacking, made, strict=True))

        def record() -> dict[str, AnsweredVoucher]:
            with self._database.write() as connection:
                answers = Answers(connection)
                # The same call may have come twice at once: who is second here gets the first's.
                before = answers.find(list(issued), now)
                new = {name: each for name, each in issued.items() if name not in before}
                IssueLog(connection).append([_record(caller, each) for each in new.values()])
                kept = {
                    name: AnsweredVoucher(each.created_on, each.cms) for name, each in new.items()
                }
                answers.keep(kept, now)
            for name in before:
                del issued[name]
            return before | kept

        if issued:
            known |= await asyncio.to_thread(record)
        _tell(caller, tuple(issued.values()), repeated=len(names) - len(issued))
        answered = tuple(
            IssuedVoucher(order, known[name].at, known[name].cms)
            for name, order in zip(names, orders, strict=True)
        )
        check_size(sum(len(each.cms) for each in answered), max_bytes)
        return answered


def request_name(user: User, key: str, order: VoucherOrder, signer: bytes) -> str:
    """Return the digest (hex) by which an order under a caller's key is known again.

    Whatever would make another voucher makes another name: the certificate that is pinned, the
    end, and the certificate (DER) of the key that signs.
    """
    pinned = order.certificate
    parts = [
        *(user.username, user.account_type.value, user.org_id, key),
        *(order.component.name.ien, order.component.name.serial_number),
        *(pinned.cert_id, sha256(pinned.certificate).hexdigest(), pinned.revocation_checks),
        order.expires_on and order.expires_on.isoformat(),
        *(order.idevid_issuer and order.idevid_issuer.hex(), sha256(signer).hexdigest()),
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _record(caller: Requester, voucher: IssuedVoucher) -> IssueRecord:
    return IssueRecord(
        at=voucher.created_on,
        user=caller.user,
        component=voucher.order.component.name,
        cert_id=voucher.order.certificate.cert_id,
        pinned_sha256=sha256(voucher.order.certificate.certificate).hexdigest(),
        expires_on=voucher.order.expires_on,
        voucher_sha256=sha256(voucher.cms).hexdigest(),
        idevid_issuer=voucher.order.idevid_issuer,
        last_renewal_date=voucher.order.last_renewal_date,
    )


def _tell(caller: Requester, issued: Sequence[IssuedVoucher], *, repeated: int = 0) -> None:
    log.info(
        "vouchers-issued",
        count=len(issued),
        repeated=repeated,
        user=str(caller.user),
        serial_numbers=[each.order.component.name.serial_number for each in issued[:10]],
    )
