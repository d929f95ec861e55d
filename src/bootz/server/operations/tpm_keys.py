"""The verb on TPM keys: store what the manufacturer's records say of one card."""

from dataclasses import fields, replace

from sqlalchemy import Connection

from bootz.errors import UnknownChassis
from bootz.model.chassis import fold_serial
from bootz.model.identity import TpmRecord
from bootz.server.operations.chassis import find_chassis, set_chassis
from bootz.server.operations.chassis_record import ChassisRecord


def store_tpm_keys(
    connection: Connection, serial: str, tpm: TpmRecord, vendor: str | None = None
) -> ChassisRecord:
    """Put keys of a card's TPM on record, found by the card's serial number; return its chassis.

    What ``tpm`` does not have stays as it is on record.

    Raises:
        ConfigError: ``chassis-invalid``; a key cannot be read.
        ConflictError: several vendors have such a card, and ``vendor`` is None.
        UnknownChassis: no chassis has it, or only as its own serial number.
    """
    record = find_chassis(connection, serial, vendor)
    wanted = fold_serial(serial)
    if all(fold_serial(card.serial_number) != wanted for card in record.cards):
        raise UnknownChassis(
            "chassis-not-found", f"{serial!r} is a chassis with slots, not a card", where="card"
        )
    given = {
        each.name: value for each in fields(tpm) if (value := getattr(tpm, each.name)) is not None
    }
    cards = tuple(
        replace(card, tpm=replace(card.tpm, **given))
        if fold_serial(card.serial_number) == wanted
        else card
        for card in record.cards
    )
    return set_chassis(connection, serial, replace(record, cards=cards), record.vendor)
