"""What of an answer is left to check once its owner is known.

Source: docs/protocol/router.md#an-answer, steps 6 to 10.
"""

import hmac
from collections.abc import Mapping, Sequence

from bootz.errors import TrustError, WireError
from bootz.model.artifacts import OwnerCertificate, SealedData
from bootz.model.bootstrap import BootstrapData
from bootz.model.chassis import fold_serial
from bootz.protocol.ownership import DeviceCard
from bootz.protocol.steps import CheckLog
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.signature import verify_response_signature
from bootz.wire.answers import DecodedBootstrapData, decode_bootstrap_data
from bootz.wire.dialects import Dialect


def check_signature(log: CheckLog, owner: OwnerCertificate, sealed: SealedData) -> None:
    """Check that the owner signed exactly the bytes that arrived.

    Raises:
        TrustError: ``sig-malformed``, ``sig-invalid``.
    """
    with log.checking("signature"):
        if not sealed.signature:
            raise TrustError(
                "sig-malformed",
                "the answer is not signed",
                where="response_signature",
                expected="a signature by the owner certificate",
                seen="none",
            )
        verify_response_signature(owner.certificate, sealed.signature, sealed.payload)
    log.passed("signature", seen=fingerprint(owner.certificate))


def decrypted(log: CheckLog, sealed: SealedData) -> bytes:
    """Return the data in the clear; on a stream that encrypts, what they were decrypted to.

    Raises:
        TrustError: ``data-undecryptable``.
    """
    content = sealed.content
    if content is None:
        log.refuse(
            "decryption",
            TrustError(
                "data-undecryptable",
                "the data cannot be decrypted with the key of this stream",
                where="encrypted_serialized_bootstrap_data",
            ),
        )
    if sealed.encapsulated_key:
        log.passed("decryption")
    return content


def read_data(log: CheckLog, content: bytes, dialect: Dialect) -> DecodedBootstrapData:
    """Return what verified bytes say.

    Raises:
        WireError: ``data-malformed``.
    """
    try:
        return decode_bootstrap_data(content, dialect)
    except WireError as error:
        log.refuse(
            "data", WireError("data-malformed", error.detail, where=error.where or "payload")
        )


def check_nonce(log: CheckLog, seen: str, sent: str) -> None:
    """Check that the data answer this request: an earlier answer is otherwise genuine.

    Raises:
        TrustError: ``nonce-mismatch``.
    """
    if not hmac.compare_digest(seen.encode(), sent.encode()):
        log.refuse(
            "nonce",
            TrustError(
                "nonce-mismatch",
                "the answer is not for this request",
                where="nonce",
                expected="the nonce of the request",
                seen="another" if seen else "none",
            ),
        )
    log.passed("nonce")


def sort_data(
    log: CheckLog,
    responses: Sequence[BootstrapData],
    cards: Sequence[DeviceCard],
    *,
    required: str,
) -> Mapping[str, BootstrapData]:
    """Return the data by serial number (as ``fold_serial`` gives it), of at least one card.

    Args:
        log: takes the check.
        responses: what the answer has, of whichever cards.
        cards: those that have verified their owner.
        required: the serial number of the card that there must be data for, empty if any will do.

    Raises:
        WireError: ``data-card-repeated``, ``data-card-missing``.
    """
    data: dict[str, BootstrapData] = {}
    for response in responses:
        serial = fold_serial(response.serial_number)
        if serial in data:
            log.refuse(
                "data",
                WireError(
                    "data-card-repeated",
                    "the answer has data twice for one card",
                    where="responses.serial_num",
                    seen=response.serial_number,
                ),
            )
        data[serial] = response
    served = [card.serial_number for card in cards if fold_serial(card.serial_number) in data]
    if not served or (required and required not in served):
        log.refuse(
            "data",
            WireError(
                "data-card-missing",
                "the answer has no data for the active card",
                where="responses",
                expected=required or ", ".join(card.serial_number for card in cards),
                seen=", ".join(each.serial_number for each in responses) or "none",
            ),
        )
    log.passed("data", seen=", ".join(served))
    return data


def read_anchor(log: CheckLog, data: BootstrapData) -> bytes:
    """Return the anchor (DER) that verifies every later connection.

    Raises:
        TrustError: ``anchor-malformed``.
    """
    try:
        load_certificate(data.server_trust_cert)
    except TrustError as error:
        log.refuse(
            "trust-anchor",
            TrustError("anchor-malformed", error.detail, where="server_trust_cert"),
        )
    log.passed("trust-anchor", seen=fingerprint(data.server_trust_cert))
    return data.server_trust_cert
