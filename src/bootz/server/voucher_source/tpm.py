"""What a manufacturer says of a card's TPM, read and put on record.

Source: docs/protocol/ovgs.md#the-client (9); openconfig/ovgs ``ovgs.proto``.
"""

from datetime import datetime

from sqlalchemy import Connection

from bootz.errors import TrustError
from bootz.model.chassis import fold_serial
from bootz.model.identity import NO_TPM, TpmRecord, TpmVersion
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.tpm_keys import store_tpm_keys
from bootz.server.operations.tpm_record import normal_tpm, read_tpm_key
from bootz.server.voucher_source.client import TpmAnswer
from bootz.trust.certificates import AnchorSet, verify_chain


def read_tpm(
    answer: TpmAnswer, *, ek_roots: AnchorSet | None, now: datetime, where: str
) -> TpmRecord:
    """Return the keys of an answer.

    Args:
        answer: what came.
        ek_roots: who may certify EKs; None: the manufacturer's word is enough.
        now: aware UTC.
        where: names the card in errors.

    Raises:
        ConfigError: something is not a key or certificate.
        TrustError: ``tpm-ek-untrusted``.
    """
    ek = answer.endorsement_key or answer.deprecated_key
    ppk = answer.platform_primary_key
    certificate = answer.ek_certificate or None
    if certificate is not None and ek_roots is not None:
        try:
            verify_chain(certificate, (), ek_roots, now=now)
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
