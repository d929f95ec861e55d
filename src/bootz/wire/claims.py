"""What requests and reports share: card states, identities, digests."""

from collections.abc import Iterable
from typing import Final, assert_never, cast

from bootz.errors import WireError
from bootz.model.bootstrap import CardState
from bootz.model.chassis import CardStatus, fold_serial
from bootz.model.identity import Identity, IdentityKind
from bootz.wire import bounds
from bootz.wire.generated import bootz_pb2 as pb

_STATUSES: Final = {status.value: status for status in CardStatus}


def read_state(message: pb.ControlCardState, where: str) -> CardState:
    """Return a card's state.

    Raises:
        WireError: a text too long, or a status that the interface does not have.
    """
    serial = bounds.checked_text(message.serial_number, f"{where}.serial_number")
    status = _STATUSES.get(message.status)
    if status is None:
        raise WireError(
            "field-malformed",
            "not a status of a card",
            where=f"{where}.status",
            seen=str(message.status),
        )
    return CardState(serial, status)


def write_state(state: CardState) -> pb.ControlCardState:
    """Return the message of a card's state."""
    status = cast("pb.ControlCardState.ControlCardStatus", state.status.value)
    return pb.ControlCardState(serial_number=state.serial_number, status=status)


def check_serials(serials: Iterable[str], where: str) -> None:
    """Refuse a list of cards that has one without a serial number, or one twice.

    Raises:
        WireError: it has. Two spellings that differ in case alone are one card.
    """
    seen: set[str] = set()
    for number, serial in enumerate(serials):
        folded = fold_serial(serial)
        if not folded:
            raise WireError(
                "card-serial-missing", "no serial number", where=f"{where}[{number}].serial_number"
            )
        if folded in seen:
            raise WireError(
                "card-repeated",
                "this card is listed twice",
                where=f"{where}[{number}].serial_number",
                seen=serial,
            )
        seen.add(folded)


def read_identity(message: pb.Identity) -> Identity | None:
    """Return the identity, None where none of the kinds is set (drafts had others).

    Raises:
        WireError: a certificate or key over its bound.
    """
    match message.WhichOneof("type"):
        case "idevid_cert":
            text = bounds.checked_text(
                message.idevid_cert, "identity.idevid_cert", bounds.MAX_IDEVID_CERT
            )
            return Identity(IdentityKind.IDEVID, idevid_cert=text)
        case "ek_ppk_pub":
            return Identity(IdentityKind.EK_OR_PPK)
        case "tpm20_ek_pub":
            return _key(IdentityKind.TPM20_EK, message.tpm20_ek_pub, "identity.tpm20_ek_pub")
        case "tpm20_ppk_pub":
            return _key(IdentityKind.TPM20_PPK, message.tpm20_ppk_pub, "identity.tpm20_ppk_pub")
        case "tpm12_ek_pub":
            return _key(IdentityKind.TPM12_EK, message.tpm12_ek_pub, "identity.tpm12_ek_pub")
        case None:
            return None
        case other:
            assert_never(other)


def _key(kind: IdentityKind, public_key: bytes, where: str) -> Identity:
    bounds.check_length(len(public_key), where, bounds.MAX_PUBLIC_KEY, "bytes")
    return Identity(kind, public_key=public_key)


def write_identity(identity: Identity) -> pb.Identity:
    """Return the message of an identity."""
    match identity.kind:
        case IdentityKind.IDEVID:
            return pb.Identity(idevid_cert=identity.idevid_cert)
        case IdentityKind.EK_OR_PPK:
            return pb.Identity(ek_ppk_pub=True)
        case IdentityKind.TPM20_EK:
            return pb.Identity(tpm20_ek_pub=identity.public_key)
        case IdentityKind.TPM20_PPK:
            return pb.Identity(tpm20_ppk_pub=identity.public_key)
        case IdentityKind.TPM12_EK:
            return pb.Identity(tpm12_ek_pub=identity.public_key)
        case other:
            assert_never(other)


def read_digest(digest: bytes) -> bytes | None:
    """Return the digest of an AIK, None where the field is absent.

    Raises:
        WireError: longer than any digest.
    """
    bounds.check_length(len(digest), "aik_pub_digest", bounds.MAX_DIGEST, "bytes")
    return digest or None
