"""Judging what a service answers, a voucher among it.

Source: RFC 8366 section 5; docs/protocol/ovgs.md#issuing.
"""

from datetime import datetime, timedelta

from bootz.conformance.masa.ground import OvgsGround
from bootz.errors import BootzError
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.model.chassis import fold_serial
from bootz.trust.voucher import (
    RouterCard,
    claimed_signer,
    parse_unverified_voucher,
    verify_for_router,
)

_SKEW = timedelta(minutes=5)


class WrongAnswer(Exception):
    """The service answered, and the answer is not right."""


def holds(claim: str, seen: object, *, truth: bool) -> None:
    """Demand something of an answer.

    Raises:
        WrongAnswer: it is not so.
    """
    if not truth:
        raise WrongAnswer(f"expected: {claim}; seen: {seen}")


def equals(claim: str, wanted: object, seen: object) -> None:
    """Demand that an answer has a value.

    Raises:
        WrongAnswer: it has another.
    """
    if wanted != seen:
        raise WrongAnswer(f"expected: {claim}, {wanted!r}; seen: {seen!r}")


def check_voucher(
    ground: OvgsGround,
    cms: bytes,
    *,
    number: int,
    ends: datetime | None,
    pinned: bytes | None = None,
    revocation_checks: bool = False,
) -> VoucherContent:
    """Judge a voucher for one of the components, and return its content.

    Args:
        ground: with the component, the certificates, and the anchors if there are any.
        cms: DER.
        number: of the component.
        ends: what ``expires-on`` must say; None for no end.
        pinned: the certificate that it must pin, if another than the registered one.
        revocation_checks: the flag of the registration.

    Raises:
        WrongAnswer: something is not as it must be.
    """
    now = ground.clock()
    try:
        content = parse_unverified_voucher(cms)
        if ground.customer.anchors is None:
            claimed_signer(cms)
        else:
            card = RouterCard(content.serial_number, ground.customer.anchors, None)
            verify_for_router(cms, card, frozenset(Assertion), now=now)
    except BootzError as error:
        raise WrongAnswer(f"the voucher does not hold: {error}") from error
    serial = ground.component(number).serial_number
    equals("serial-number", fold_serial(serial), fold_serial(content.serial_number))
    equals("assertion", Assertion.VERIFIED, content.assertion)
    equals("expires-on", ends, content.expires_on)
    equals("domain-cert-revocation-checks", revocation_checks, content.revocation_checks)
    holds(
        "pinned-domain-cert is the registered certificate",
        f"{len(content.pinned_domain_cert)} other bytes",
        truth=content.pinned_domain_cert == (pinned or ground.pins.registered),
    )
    made = content.created_on
    holds(
        "created-on is now",
        made,
        truth=made is not None and abs(made - now) < _SKEW,
    )
    return content
