"""The challenges of a stream: how each is made, and how its answer is judged.

Every challenge can be answered by one key alone, and its secret is used once. Source:
docs/protocol/owner.md#a-request, step 4.
"""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Final

from bootz.errors import OrderError, TrustError, WireError
from bootz.model.challenge import (
    HPKE_SUITE,
    Challenge,
    ChallengeAnswer,
    EkAnswer,
    EkChallenge,
    HmacAnswer,
    HmacChallenge,
    NonceChallenge,
    SignatureAnswer,
    TransportKey,
)
from bootz.model.identity import IdentityKind, TpmKeyType, TpmRecord, TpmVersion
from bootz.protocol.idevid import ClaimedCertificate
from bootz.protocol.refusals import MissingRecord
from bootz.protocol.steps import CheckLog
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.hpke import check_recipient
from bootz.trust.signature import verify_raw
from bootz.trust.tpm import tpm12, tpm20
from bootz.trust.tpm.tpm20 import HmacKey, UnusableKey
from bootz.wire.transport_key import decode_transport_key

HMAC_SECONDS: Final = 10.0
"""How old an HMAC challenge may be when it is answered.

Source: docs/protocol/tpm.md#tpm-20-the-servers-checks.
"""

NONCE_BYTES: Final = 32

FRESH_BYTES: Final = 3 * tpm20.SECRET_BYTES
"""Random bytes that a challenge takes at most."""

_PREFERENCES: Final = {
    IdentityKind.TPM20_EK: (TpmKeyType.EK, TpmKeyType.PPK, TpmKeyType.UNSPECIFIED),
    IdentityKind.TPM20_PPK: (TpmKeyType.PPK, TpmKeyType.EK, TpmKeyType.UNSPECIFIED),
    IdentityKind.EK_OR_PPK: (TpmKeyType.PPK, TpmKeyType.EK, TpmKeyType.UNSPECIFIED),
    # A TPM 1.2 never uses a PPK.
    IdentityKind.TPM12_EK: (TpmKeyType.EK, TpmKeyType.UNSPECIFIED),
}
"""Of the keys on record the one that the identity names; else what there is."""


@dataclass(frozen=True, slots=True)
class _Nonce:
    nonce: bytes = field(repr=False)
    certificate: ClaimedCertificate


@dataclass(frozen=True, slots=True)
class _HmacSecret:
    key: HmacKey


@dataclass(frozen=True, slots=True)
class _EkSecret:
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """A challenge that was made, with what only this side knows of it.

    ``key`` names the one key that can answer it, as evidence; ``kind`` is the identity's.
    """

    kind: IdentityKind
    key: str
    challenge: Challenge
    secret: _Nonce | _HmacSecret | _EkSecret = field(repr=False)


@dataclass(frozen=True, slots=True)
class TpmKey:
    """The key on record (DER SubjectPublicKeyInfo) that a challenge is encrypted to."""

    kind: IdentityKind
    key_type: TpmKeyType
    spki: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """How it is named as evidence."""
        return f"{self.key_type.name} {fingerprint(self.spki)}"


def issue_nonce(
    certificate: ClaimedCertificate, evidence: str, fresh: bytes, *, bound: bool
) -> Issued:
    """Return a challenge for the holder of a certificate's key: something fresh to sign."""
    nonce = fresh[:NONCE_BYTES] if bound else base64.b64encode(fresh[:NONCE_BYTES])
    secret = _Nonce(nonce, certificate)
    return Issued(IdentityKind.IDEVID, evidence, NonceChallenge(nonce), secret)


def choose_key(log: CheckLog, kind: IdentityKind, serial_number: str, tpm: TpmRecord) -> TpmKey:
    """Return the key on record that the card's challenge is encrypted to.

    It never comes from the request: anyone could name a key of their own there.

    Raises:
        MissingRecord: ``tpm-key-missing``.
    """
    wanted = TpmVersion.TPM12 if kind is IdentityKind.TPM12_EK else TpmVersion.TPM20
    keys = _keys(tpm) if tpm.version in (None, wanted) else {}
    chosen = next((each for each in _PREFERENCES[kind] if each in keys), None)
    if chosen is None:
        log.refuse(
            "tpm-key",
            MissingRecord(
                "tpm-key-missing",
                f"there is no TPM {wanted.value} key in the inventory for card {serial_number!r}",
                where="control_card_state.serial_number",
                expected=" or ".join(each.name for each in _PREFERENCES[kind]),
                seen="none" if tpm.version is None else f"TPM {tpm.version.value}",
            ),
        )
    key = TpmKey(kind, chosen, keys[chosen])
    log.passed("tpm-key", kind.value, key.name)
    return key


def issue_for_key(log: CheckLog, key: TpmKey, aik_digest: bytes | None, fresh: bytes) -> Issued:
    """Return a challenge that only the TPM with a key can open.

    Raises:
        UnusableKey: nothing can be encrypted to the key on record.
    """
    try:
        if key.kind is IdentityKind.TPM12_EK:
            return _issue_tpm12(key, aik_digest or b"", fresh)
        return _issue_tpm20(key, fresh)
    except UnusableKey as error:
        log.refuse("tpm-key", error)


def _issue_tpm20(key: TpmKey, fresh: bytes) -> Issued:
    size = tpm20.SECRET_BYTES
    secret = HmacKey(fresh[:size], fresh[size : 2 * size])
    parent = tpm20.parent_key(key.spki)
    wrapped = tpm20.wrap_key(secret, parent, seed=fresh[2 * size : 3 * size])
    challenge = HmacChallenge(key.key_type, wrapped.public, wrapped.duplicate, wrapped.seed)
    return Issued(key.kind, key.name, challenge, _HmacSecret(secret))


def _issue_tpm12(key: TpmKey, aik_digest: bytes, fresh: bytes) -> Issued:
    secret = fresh[: tpm12.KEY_BYTES]
    contents = tpm12.build_contents(secret, aik_digest)
    blob = tpm12.encrypt_contents(contents, tpm12.endorsement_key(key.spki))
    return Issued(key.kind, key.name, EkChallenge(blob), _EkSecret(secret))


def judge_answer(
    log: CheckLog, issued: Issued, answer: ChallengeAnswer, *, bound: bool, age: float
) -> TransportKey | None:
    """Judge the answer to a challenge; return its transport key (None in a flow without one).

    Args:
        log: takes the checks.
        issued: the challenge.
        answer: of whatever kind.
        bound: whether the flow binds answers to a transport key.
        age: of the challenge, in seconds.

    Raises:
        OrderError: of another kind than the challenge, or too late.
        PeerError: wrong; the reason says which check failed.
    """
    match issued.secret, answer:
        case _Nonce() as secret, SignatureAnswer():
            key = _judge_signature(log, secret, answer, bound=bound)
        case _HmacSecret(hmac_key), HmacAnswer():
            _check_age(log, age)
            with log.checking("challenge"):
                tpm20.verify_hmac_answer(hmac_key, answer, bound=bound)
            key = _read_transport_key(log, answer.transport_key, bound=bound)
        case _EkSecret(ek_key), EkAnswer():
            with log.checking("challenge"):
                tpm12.verify_answer(ek_key, answer.hash, answer.transport_key)
            key = _read_transport_key(log, answer.transport_key, bound=bound)
        case _:
            log.refuse(
                "challenge",
                OrderError(
                    "challenge-kind-mismatch",
                    "the answer has another type than the challenge",
                    where="challenge answer",
                    expected=issued.kind.value,
                    seen=type(answer).__name__,
                ),
            )
    log.passed("challenge", seen=issued.key)
    return key


def _judge_signature(
    log: CheckLog, secret: _Nonce, answer: SignatureAnswer, *, bound: bool
) -> TransportKey | None:
    signed = answer.transport_key if bound else secret.nonce
    leaf = load_certificate(secret.certificate.leaf)
    try:
        verify_raw(leaf.public_key(), answer.signature, signed)
    except TrustError as error:
        log.refuse(
            "challenge",
            TrustError(
                "challenge-signature-invalid",
                "the signature was not made by the IDevID over the challenge",
                where="signature",
                expected=error.expected,
            ),
        )
    key = _read_transport_key(log, answer.transport_key, bound=bound)
    if key is not None and not hmac.compare_digest(key.nonce, secret.nonce):
        log.refuse(
            "challenge",
            TrustError(
                "challenge-nonce-mismatch",
                "the transport key does not contain the nonce of this challenge",
                where="serialized_transport_key.nonce",
                expected="the nonce of the challenge",
                seen="another" if key.nonce else "none",
            ),
        )
    return key


def _check_age(log: CheckLog, age: float) -> None:
    if age > HMAC_SECONDS:
        log.refuse(
            "challenge",
            OrderError(
                "challenge-late",
                "the answer arrived too late",
                where="challenge answer",
                expected=f"within {HMAC_SECONDS:g} s",
                seen=f"after {age:.1f} s",
            ),
        )


def _read_transport_key(log: CheckLog, data: bytes, *, bound: bool) -> TransportKey | None:
    """Read the key after what was proven over its bytes; None in a flow that has none."""
    if not bound:
        return None
    with log.checking("transport-key"):
        return decode_transport_key(data)


def check_transport_key(log: CheckLog, key: TransportKey) -> bytes:
    """Return the public key (32 raw bytes of X25519) that data are encrypted for.

    Raises:
        WireError: it is for another cipher suite.
        TrustError: nothing can be encrypted for it.
    """
    if key.cipher_suite != HPKE_SUITE:
        log.refuse(
            "transport-key",
            WireError(
                "transport-key-unusable",
                "the transport key is for another cipher suite",
                where="serialized_transport_key.cipher_suite",
                expected=str(HPKE_SUITE),
                seen=str(key.cipher_suite),
            ),
        )
    with log.checking("transport-key"):
        check_recipient(key.public_key)
    log.passed("transport-key", seen=f"suite {key.cipher_suite}")
    return key.public_key


def _keys(tpm: TpmRecord) -> dict[TpmKeyType, bytes]:
    on_record = {
        TpmKeyType.EK: tpm.ek,
        TpmKeyType.PPK: tpm.ppk,
        TpmKeyType.UNSPECIFIED: tpm.key,
    }
    return {key_type: key for key_type, key in on_record.items() if key is not None}
