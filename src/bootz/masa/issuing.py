"""Making vouchers: the content that the ledger allowed, signed by the manufacturer's key.

Source: RFC 8366 section 5; docs/protocol/vouchers.md#the-cms-around-it;
docs/protocol/ovgs.md#issuing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from bootz.errors import BootzError, PeerError
from bootz.keystore.signer import Signer
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.vouchers import VoucherOrder
from bootz.trust.voucher import issue_voucher

_SIGN_TIMEOUT_S: Final = 30.0
"""Seconds that one signature may take; also frees the thread when the loop has stopped."""


@dataclass(frozen=True, slots=True)
class VoucherKey:
    """A key that signs vouchers, with its certificate and those above it, to the root (DER)."""

    signer: Signer = field(repr=False)
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    """A voucher as it leaves: the order, when it was made, and its CMS (DER)."""

    order: VoucherOrder
    created_on: datetime
    cms: bytes = field(repr=False)


def check_size(size: int, max_bytes: int | None) -> None:
    """Refuse vouchers that are too many for one answer.

    Raises:
        LedgerError: ``ovgs-request-too-large``.
    """
    if max_bytes is not None and size > max_bytes:
        raise LedgerError(
            "ovgs-request-too-large",
            "so many vouchers do not fit into one answer",
            expected=f"at most {max_bytes} bytes",
        )


class VoucherIssuer:
    """Signs vouchers with the key of each component's IEN.

    Args:
        keys: the key of every IEN that is served.
        clock: the time now, aware UTC.
        encoding: the name of the eContentType.
    """

    def __init__(
        self,
        keys: Mapping[str, VoucherKey],
        *,
        clock: Callable[[], datetime],
        encoding: Literal["anima-json", "pkcs7-data"] = "anima-json",
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._encoding = encoding
        # Threads of its own: a signer may use the loop's, and both would wait for each other.
        self._workers = ThreadPoolExecutor(2, "voucher-issuer")

    def certificate_of(self, order: VoucherOrder) -> bytes:
        """Return the certificate (DER) of the key that would sign; empty where there is none."""
        key = self._keys.get(order.component.name.ien)
        return b"" if key is None else key.certificate

    async def issue(
        self, orders: Sequence[VoucherOrder], *, max_bytes: int | None
    ) -> tuple[IssuedVoucher, ...]:
        """Make a voucher for each order, in their order; together of ``max_bytes`` at most.

        Raises:
            LedgerError: the signing key did not work, or the vouchers are too many for one call.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._issue_all, orders, loop, max_bytes)

    def _issue_all(
        self,
        orders: Sequence[VoucherOrder],
        loop: asyncio.AbstractEventLoop,
        max_bytes: int | None,
    ) -> tuple[IssuedVoucher, ...]:
        issued: list[IssuedVoucher] = []
        size = 0
        for order in orders:
            made = self._issue(order, loop)
            size += len(made.cms)
            check_size(size, max_bytes)
            issued.append(made)
        return tuple(issued)

    def _issue(self, order: VoucherOrder, loop: asyncio.AbstractEventLoop) -> IssuedVoucher:
        key = self._keys.get(order.component.name.ien)
        if key is None:
            raise LedgerError("masa-signer-failed", "no key is configured for this IEN")

        def sign(data: bytes) -> bytes:
            return asyncio.run_coroutine_threadsafe(key.signer.sign(data), loop).result(
                _SIGN_TIMEOUT_S
            )

        now = self._clock()
        try:
            cms = issue_voucher(
                order.content(now),
                signer_certificate=key.certificate,
                chain=key.chain,
                scheme=key.signer.scheme,
                sign=sign,
                now=now,
                econtent_type=self._encoding,
            )
        except PeerError:
            raise
        except (BootzError, TimeoutError) as error:
            # What a token or key file says may name paths, which are no caller's business.
            raise LedgerError("masa-signer-failed", "the signing key did not work") from error
        return IssuedVoucher(order, now, cms)
