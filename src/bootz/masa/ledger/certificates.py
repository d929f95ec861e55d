"""Domain certificates: registered in a group, shown, removed.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#components-and-certificates.
"""

from datetime import datetime

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError, unknown_certificate
from bootz.masa.ledger.nouns import DomainCert, Role


def create_certificate(
    access: Access,
    group_id: str,
    certificate: bytes,
    *,
    revocation_checks: bool,
    expires_at: datetime | None,
    new_id: str,
    now: datetime,
) -> DomainCert:
    """Register a certificate that vouchers of this group may pin.

    Raises:
        LedgerError: as the table row of CreateDomainCert says.
    """
    arguments.text("group_id", group_id)
    until = arguments.future("expiry_time", expires_at, now)
    arguments.domain_certificate(certificate, until, now)
    access.path(group_id)
    access.require(group_id, Role.ASSIGNER)
    made = DomainCert(new_id, group_id, certificate, revocation_checks, until)
    for other in access.book.certificates_in(group_id):
        same = (other.certificate, other.revocation_checks, other.expires_at)
        if same == (certificate, revocation_checks, until):
            raise LedgerError("ovgs-cert-exists", "it is registered already", where=group_id)
    access.book.add_certificate(made)
    return made


def show_certificate(access: Access, cert_id: str, least: Role = Role.REQUESTOR) -> DomainCert:
    """Return a registration that the caller can reach.

    Raises:
        LedgerError: no such registration, or no role in its group.
    """
    found = access.book.certificate(cert_id)
    if found is None:
        raise unknown_certificate(cert_id)
    access.require(found.group_id, least)
    return found


def delete_certificate(access: Access, cert_id: str) -> None:
    """Remove a registration; vouchers that were issued stay as they are.

    Raises:
        LedgerError: no such registration, or no ASSIGNER role in its group.
    """
    show_certificate(access, cert_id, Role.ASSIGNER)
    access.book.remove_certificate(cert_id)
