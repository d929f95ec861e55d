"""Whether a voucher may be issued, and what it says.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#issuing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError, invalid
from bootz.masa.ledger.nouns import UNLIMITED, Component, ComponentName, DomainCert, Role
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.certificate_form import issuer_key


@dataclass(frozen=True, slots=True)
class VoucherOrder:
    """A voucher that may be issued; ``expires_on`` None for one without an end.

    ``idevid_issuer`` is of the component on record, else as it was requested; so is
    ``last_renewal_date``, which only means something beside an end.
    """

    component: Component
    certificate: DomainCert
    expires_on: datetime | None
    idevid_issuer: bytes | None = None
    last_renewal_date: datetime | None = None

    def content(self, now: datetime) -> VoucherContent:
        """Return what the voucher says when it is made at ``now``."""
        return VoucherContent(
            serial_number=self.component.name.serial_number,
            assertion=Assertion.VERIFIED,
            pinned_domain_cert=self.certificate.certificate,
            created_on=now,
            expires_on=self.expires_on,
            idevid_issuer=self.idevid_issuer,
            revocation_checks=self.certificate.revocation_checks,
            last_renewal_date=self.last_renewal_date,
        )


def order_vouchers(
    access: Access,
    names: Sequence[ComponentName | None],
    cert_id: str,
    lifetime: datetime | None,
    *,
    now: datetime,
) -> tuple[VoucherOrder, ...]:
    """Judge a request for vouchers, in the order of its entries; all or nothing.

    Raises:
        LedgerError: as the table row of GetOwnershipVoucher says; never NOT_FOUND.
    """
    arguments.batch("component", names)
    return tuple(order_voucher(access, name, cert_id, lifetime, now=now) for name in names)


def order_voucher(
    access: Access,
    name: ComponentName | None,
    cert_id: str,
    lifetime: datetime | None,
    *,
    now: datetime,
) -> VoucherOrder:
    """Judge a request for one voucher.

    Raises:
        LedgerError: as the table row of GetOwnershipVoucher says; never NOT_FOUND.
    """
    wanted = arguments.component_name(name, access.rules)
    arguments.text("cert_id", cert_id)
    until = _whole_seconds("lifetime", lifetime, now)
    component = access.book.component(wanted)
    if component is None:
        raise LedgerError(
            "ovgs-voucher-component-unknown", "there is no such component", where=str(wanted)
        )
    certificate = access.book.certificate(cert_id)
    if certificate is None:
        raise LedgerError(
            "ovgs-voucher-cert-unknown", "there is no such domain certificate", where=cert_id
        )
    access.require_component(component, Role.REQUESTOR)
    access.require(certificate.group_id, Role.REQUESTOR)
    return _order(access, component, certificate, "lifetime", until)


def order_for_certificate(
    access: Access,
    serial_number: str,
    certificate: bytes,
    lifetime: datetime | None,
    *,
    ien: str | None,
    now: datetime,
    idevid_issuer: bytes | None = None,
    last_renewal_date: datetime | None = None,
) -> VoucherOrder:
    """Judge the JSON request, which names a certificate instead of its registration.

    Without a lifetime the voucher lives as long as the registration.

    Raises:
        LedgerError: unknown component or certificate; otherwise as for ``order_voucher``.
    """
    arguments.text("serial-number", serial_number)
    wanted = None if lifetime is None else _whole_seconds("expires-on", lifetime, now)
    component = _component_called(access, serial_number, ien)
    registered = access.book.certificates_of(certificate)
    if not registered:
        raise LedgerError(
            "ovgs-cert-unknown",
            "the certificate is not registered",
            where="pinned-domain-cert",
        )
    access.require_component(component, Role.REQUESTOR)
    reachable = [each for each in registered if access.may(each.group_id, Role.REQUESTOR)]
    if not reachable:
        access.require(registered[0].group_id, Role.REQUESTOR)
    # The latest expiry of the component's own org comes first: it allows the most.
    reachable.sort(key=lambda each: access.path(each.group_id)[0].org_id != component.org_id)
    chosen = reachable[0]
    until = wanted or _whole_seconds("pinned-domain-cert", chosen.expires_at, now)
    order = _order(access, component, chosen, "expires-on", until)
    known = component.idevid_issuer
    both = known is not None and idevid_issuer is not None
    if both and issuer_key(known or b"") != issuer_key(idevid_issuer or b""):
        raise invalid("idevid-issuer", "the component on record has another issuer")
    return replace(
        order,
        idevid_issuer=known or idevid_issuer,
        last_renewal_date=last_renewal_date if order.expires_on is not None else None,
    )


def _component_called(access: Access, serial_number: str, ien: str | None) -> Component:
    served = access.rules.served_iens if ien is None else access.rules.served_iens & {ien}
    found = [
        each for each in access.book.components_called(serial_number) if each.name.ien in served
    ]
    if not found:
        raise LedgerError(
            "ovgs-component-unknown", "there is no such component", where=serial_number
        )
    if len(found) > 1:
        raise invalid(
            "serial-number", "components of several vendors have this serial number; give the IEN"
        )
    return found[0]


def _whole_seconds(field: str, end: datetime | None, now: datetime) -> datetime:
    given = arguments.future(field, end, now)
    # Cut before it is compared again: a voucher must not be expired when it is made.
    return arguments.future(field, given.replace(microsecond=0), now)


def _order(
    access: Access, component: Component, certificate: DomainCert, field: str, until: datetime
) -> VoucherOrder:
    if access.path(certificate.group_id)[0].org_id != component.org_id:
        raise LedgerError(
            "ovgs-other-org",
            "component and domain certificate are of different orgs",
            where=str(component.name),
        )
    if until > certificate.expires_at:
        raise LedgerError(
            "ovgs-lifetime-too-long",
            "goes beyond the expiry of the domain certificate",
            where=field,
        )
    end = None if until == UNLIMITED else until
    return VoucherOrder(component, certificate, end, component.idevid_issuer)
