"""Keys: the certificates of the site and the vendors' CAs, with their end; never a key itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection

from bootz.server.board.view import page
from bootz.server.board.visitor import Visitor, visiting
from bootz.server.operations.site_certificates import published
from bootz.server.operations.vendors import list_vendors
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.keys import describe_key

router = APIRouter(prefix="/keys")


class ShownCertificate(NamedTuple):
    """A certificate in a row; ``key_is`` says in words where its key is."""

    role: str
    name: str
    state: str
    key_is: str
    subject: str
    kind: str
    ends: datetime
    days_left: int
    sha256: str


@router.get("")
def keys(visitor: Annotated[Visitor, Depends(visiting("keys.list"))]) -> Response:
    """Show certificates, those that end first on top of each part."""
    now = visitor.door.clock()
    with visitor.door.database.read() as connection:
        site = [
            _shown(each.role.value, each.name, each.state, each.key_is, each.chain[0], now)
            for each in published(connection)
        ]
        vendors = list(_vendors(connection, now))
    return page(visitor, "keys.html", site_certificates=site, vendors=vendors)


def _vendors(connection: Connection, now: datetime) -> Iterator[ShownCertificate]:
    for vendor in list_vendors(connection):
        for role, certificates in (
            ("CA of IDevIDs", vendor.idevid_ca),
            ("CA of vouchers", vendor.voucher_ca),
        ):
            for der in certificates:
                yield _shown(role, vendor.name, "trusted", "with the vendor", der, now)


def _shown(
    role: str, name: str, state: str, key_is: str, der: bytes, now: datetime
) -> ShownCertificate:
    certificate = load_certificate(der)
    ends = certificate.not_valid_after_utc
    return ShownCertificate(
        role,
        name,
        state,
        key_is,
        certificate.subject.rfc4514_string(),
        describe_key(certificate.public_key()),
        ends,
        (ends - now) // timedelta(days=1),
        fingerprint(der),
    )
