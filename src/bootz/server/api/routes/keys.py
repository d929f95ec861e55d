"""The site's certificates and the vendors' CAs, each with its end; keys are never here."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routing import api_router
from bootz.server.operations.site_certificates import SiteCertificate, published
from bootz.server.operations.vendors import list_vendors
from bootz.trust.certificates import fingerprint, load_certificate, pem_from_der
from bootz.trust.keys import describe_key

router = api_router("/keys", tag="keys")

_WITH_VENDOR: Final = "with the vendor"


class KeyView(BaseModel):
    """A certificate, and where the private key to it is."""

    role: str = Field(
        description="pinned-domain, owner, trust-anchor, tls; vendor-idevid-ca, vendor-voucher-ca."
    )
    name: str = Field(description="As in `bootz keys show`; of a vendor, its name.")
    state: str
    kind: str = Field(description="The kind of its key.")
    subject: str
    not_before: AwareDatetime
    not_after: AwareDatetime
    days_left: int = Field(description="Negative when it has ended.")
    key_is: str = Field(description="Where the private key is, in words.")
    sha256: str
    pem: str = Field(description="The certificate, and those above it.")


@router.get("", **operation("keys.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("keys.list"))],
    paging: PagingDep,
) -> Page[KeyView]:
    """List certificates: those of the site first, then the vendors' CAs."""
    now = door.clock()
    with door.database.read() as connection:
        found = [*(_own(each, now) for each in published(connection)), *_vendors(connection, now)]
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), page)


def _own(each: SiteCertificate, now: datetime) -> KeyView:
    return _view(each.role.value, each.name, each.state, each.key_is, each.chain, now)


def _vendors(connection: Connection, now: datetime) -> Iterator[KeyView]:
    for vendor in list_vendors(connection):
        for role, certificates in (
            ("vendor-idevid-ca", vendor.idevid_ca),
            ("vendor-voucher-ca", vendor.voucher_ca),
        ):
            for der in certificates:
                yield _view(role, vendor.name, "in force", _WITH_VENDOR, (der,), now)


def _view(
    role: str, name: str, state: str, key_is: str, chain: tuple[bytes, ...], now: datetime
) -> KeyView:
    certificate = load_certificate(chain[0])
    return KeyView(
        role=role,
        name=name,
        state=state,
        kind=describe_key(certificate.public_key()),
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        days_left=(certificate.not_valid_after_utc - now) // timedelta(days=1),
        key_is=key_is,
        sha256=fingerprint(chain[0]),
        pem=pem_from_der(chain).decode("ascii"),
    )
