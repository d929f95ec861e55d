"""What a manufacturer says of a card's TPM, read and put on record.

Source: docs/protocol/ovgs.md#the-client (9); openconfig/ovgs ``ovgs.proto``.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bootz.errors import ConfigError, TrustError
from bootz.model.chassis import fold_serial
from bootz.model.identity import NO_TPM, TpmRecord, TpmVersion
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.tpm_keys import store_tpm_keys
from bootz.server.operations.tpm_record import normal_tpm, read_tpm_key
from bootz.server.voucher_source.client import TpmAnswer
from bootz.trust.certificates import AnchorSet, verify_chain
from bootz.trust.tpm.ek_certificate import read_ek_certificates


@dataclass(frozen=True, slots=True)
class EkIssuers:
    """Who may certify EKs: roots that count, and CAs (DER) that lead from an EK to one of them."""

    roots: AnchorSet
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)


def read_tpm(
    answer: TpmAnswer, *, ek_issuers: EkIssuers | None, now: datetime, where: str
) -> TpmRecord:
    """Return the keys of an answer.

    Args:
        answer: what came.
        ek_issuers: who may certify EKs; None: the manufacturer's word is enough.
        now: aware UTC.
        where: names the card in errors.

    Raises:
        ConfigError: something is not a key or certificate.
        TrustError: ``tpm-ek-untrusted``.
    """
    ek = answer.endorsement_key or answer.deprecated_key
    ppk = answer.platform_primary_key
    certificate = None
    if answer.ek_certificate:
        certificate, *behind = _ek_certificates(answer.ek_certificate, where)
    if certificate is not None and ek_issuers is not None:
        try:
            intermediates = (*behind, *ek_issuers.intermediates)
            verify_chain(certificate, intermediates, ek_issuers.roots, now=now)
        except TrustError as error:
            raise TrustError(
                "tpm-ek-untrusted",
                "the EK certificate does not chain to a configured root",
                where=where,
                seen=f"{error.reason}: {error.detail}",
            ) from error
    version = None
    if certificate or ppk:
        version = TpmVersion.TPM20
    elif answer.endorsement_key:
        version = TpmVersion.TPM12
    read = TpmRecord(
        version,
        ek=read_tpm_key(ek, where) if ek else None,
        ppk=read_tpm_key(ppk, where) if ppk else None,
        ek_certificate=certificate,
    )
    return normal_tpm(read, where)


def _ek_certificates(data: bytes, where: str) -> tuple[bytes, ...]:
    try:
        return read_ek_certificates(data)
    except TrustError as error:
        raise ConfigError("chassis-invalid", error.detail, where=where) from error


def keep_tpm(connection: Connection, vendor: str, serial: str, tpm: TpmRecord) -> bool:
    """Put keys on record where they are new; return whether something has changed.

    Raises:
        ConfigError: they contradict what is on record.
        UnknownChassis: the card was removed.
    """
    if tpm == NO_TPM:
        return False
    record = find_chassis(connection, serial, vendor)
    wanted = fold_serial(serial)
    (own,) = (card.tpm for card in record.cards if fold_serial(card.serial_number) == wanted)
    # The family is only deduced from the fields; an operator has seen the card.
    told = TpmRecord(own.version or tpm.version, tpm.ek, tpm.ppk, None, tpm.ek_certificate)
    pairs = (
        (told.version, own.version),
        (told.ek, own.ek),
        (told.ppk, own.ppk),
        (told.ek_certificate, own.ek_certificate),
    )
    if all(new is None or new == old for new, old in pairs):
        return False
    store_tpm_keys(connection, serial, told, vendor)
    return True
