"""Certificates in DER, and everything that is read out of one."""

from datetime import UTC, datetime

from bootz.errors import BootzError
from bootz.trust.certificate_form import (
    authority_key_identifier,
    extension_value,
    is_issuer,
    issuer_and_serial,
    issuer_key,
    key_algorithm,
    load_certificate,
    subject_key_identifier,
    validity_tags,
)
from bootz.trust.certificates import AnchorSet, verify_chain
from bootz.trust.idevid import challenge_hash, idevid_serial_number

_NOW = datetime(2026, 5, 5, tzinfo=UTC)


def enter(data: bytes) -> None:
    certificate = load_certificate(data)
    issuer_and_serial(data)
    validity_tags(data)
    key_algorithm(data)
    subject_key_identifier(certificate)
    authority_key_identifier(data)
    extension_value(data, "2.5.29.19")
    is_issuer(data)
    issuer_key(data)
    for legacy in (False, True):
        for judge in (
            lambda: idevid_serial_number(certificate),
            lambda: challenge_hash(data),
            lambda: verify_chain(data, (), AnchorSet.from_der([data], legacy=legacy), now=_NOW),  # noqa: B023
        ):
            try:
                judge()
            except BootzError:
                continue
