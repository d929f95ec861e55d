"""Ownership vouchers: CMS around JSON or XML."""

from datetime import UTC, datetime
from functools import cache

from fuzz.corpus import material

from bootz.errors import BootzError
from bootz.trust.certificates import AnchorSet
from bootz.trust.vendor import VendorCAs
from bootz.trust.voucher import claimed_signer, parse_unverified_voucher, verify_voucher

_NOW = datetime(2026, 5, 5, tzinfo=UTC)


@cache
def _anchors() -> VendorCAs:
    return VendorCAs(AnchorSet.from_der([material("ca.der")]))


def enter(data: bytes) -> None:
    for read in (
        claimed_signer,
        lambda cms: verify_voucher(cms, _anchors(), now=_NOW),
        lambda cms: verify_voucher(cms, _anchors(), now=None),
    ):
        try:
            read(data)
        except BootzError:
            continue
    parse_unverified_voucher(data)
