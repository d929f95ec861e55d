"""Requests for bootstrapping data (Bootz ``GetBootstrapDataRequest``)."""

import re
from typing import Final

from bootz.errors import WireError
from bootz.model.bootstrap import BootstrapRequest
from bootz.model.chassis import ChassisDescriptor, ClaimedCard, fold_serial
from bootz.wire import bounds
from bootz.wire.claims import (
    check_serials,
    read_digest,
    read_identity,
    read_state,
    write_identity,
    write_state,
)
from bootz.wire.dialects import Dialect
from bootz.wire.generated import bootz_pb2 as pb

_CARDS: Final = "chassis_descriptor.control_cards"
_INT32: Final = re.compile(r"[0-9]{1,9}")


def decode_bootstrap_request(data: bytes, dialect: Dialect) -> BootstrapRequest:
    """Read a request.

    Raises:
        WireError: not well-formed or not within bounds (docs/protocol/wire.md#bounds-of-a-request).
    """
    return read_request(bounds.parse(pb.GetBootstrapDataRequest, data), dialect)


def encode_bootstrap_request(request: BootstrapRequest, dialect: Dialect) -> bytes:
    """Write a request with the fields that the dialect has."""
    return write_request(request, dialect).SerializeToString(deterministic=True)


def read_request(message: pb.GetBootstrapDataRequest, dialect: Dialect) -> BootstrapRequest:
    """Return the request that a message holds; raises as ``decode_bootstrap_request`` does."""
    described = message.chassis_descriptor
    bounds.check_count(len(described.control_cards), _CARDS)
    descriptor = ChassisDescriptor(
        bounds.checked_text(described.manufacturer, "chassis_descriptor.manufacturer"),
        bounds.checked_text(described.part_number, "chassis_descriptor.part_number"),
        bounds.checked_text(described.serial_number, "chassis_descriptor.serial_number"),
        tuple(
            _read_card(card, f"{_CARDS}[{number}]", dialect)
            for number, card in enumerate(described.control_cards)
        ),
    )
    active = read_state(message.control_card_state, "control_card_state")
    asking = fold_serial(active.serial_number)
    if not asking:
        raise WireError(
            "active-card-missing", "no serial number", where="control_card_state.serial_number"
        )
    check_serials((card.serial_number for card in descriptor.control_cards), _CARDS)
    if not descriptor.control_cards and fold_serial(descriptor.serial_number) != asking:
        raise WireError(
            "fixed-chassis-serial",
            "no card is listed, and this is not the serial number of the active card",
            where="chassis_descriptor.serial_number",
            expected=active.serial_number,
            seen=descriptor.serial_number or "none",
        )
    bounds.check_length(len(message.nonce), "nonce", bounds.MAX_NONCE, "characters")
    request = BootstrapRequest(descriptor, active, message.nonce or None)
    if not dialect.identity:
        return request
    return BootstrapRequest(
        descriptor,
        active,
        message.nonce or None,
        read_identity(message.identity) if message.HasField("identity") else None,
        read_digest(message.aik_pub_digest),
    )


def write_request(request: BootstrapRequest, dialect: Dialect) -> pb.GetBootstrapDataRequest:
    """Return the message of a request."""
    descriptor = request.descriptor
    message = pb.GetBootstrapDataRequest(
        chassis_descriptor=pb.ChassisDescriptor(
            manufacturer=descriptor.manufacturer,
            part_number=descriptor.part_number,
            serial_number=descriptor.serial_number,
            control_cards=[_write_card(card, dialect) for card in descriptor.control_cards],
        ),
        control_card_state=write_state(request.active),
        nonce=request.nonce or "",
    )
    if dialect.identity:
        if request.identity is not None:
            message.identity.CopyFrom(write_identity(request.identity))
        message.aik_pub_digest = request.aik_pub_digest or b""
    return message


def _read_card(card: pb.ControlCard, where: str, dialect: Dialect) -> ClaimedCard:
    slot = bounds.checked_text(card.slot_id, f"{where}.slot_id") if dialect.slot_id else ""
    if not slot and card.slot:
        # Read in every dialect: the path cannot tell v0.3, which may send only the number. On
        # the wire 0 is the same as absent.
        slot = str(card.slot)
    return ClaimedCard(
        bounds.checked_text(card.serial_number, f"{where}.serial_number"),
        bounds.checked_text(card.part_number, f"{where}.part_number"),
        slot,
    )


def _write_card(card: ClaimedCard, dialect: Dialect) -> pb.ControlCard:
    message = pb.ControlCard(part_number=card.part_number, serial_number=card.serial_number)
    if dialect.slot_number and _INT32.fullmatch(card.slot):
        message.slot = int(card.slot)
    if dialect.slot_id:
        message.slot_id = card.slot
    return message
