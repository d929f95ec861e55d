"""One claim on a stream and the challenge that proves it; no I/O, no clock, no dice.

The checks on record, certificate, cards and vouchers are those of ``BootstrapSession``; a
challenge and its answer replace TLS. Source: docs/protocol/tpm.md.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from bootz.errors import OrderError, PolicyError, TrustError, WireError
from bootz.model.bootstrap import BootstrapRequest, StatusReport
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
from bootz.model.chassis import ChassisDescriptor, ProvenChassis
from bootz.model.identity import Identity, IdentityKind, TpmKeyType, TpmRecord, TpmVersion
from bootz.protocol.server import BootstrapSession
from bootz.protocol.steps import (
    MissingRecord,
    PresentedCertificate,
    Stage,
    known,
    named_serial,
)
from bootz.trust.certificates import fingerprint, load_certificate, parse_identity_certificate
from bootz.trust.hpke import check_recipient
from bootz.trust.signature import verify_raw
from bootz.trust.tpm import tpm12, tpm20
from bootz.trust.tpm.tpm20 import HmacKey, UnusableKey
from bootz.wire.flows import StreamFlow
from bootz.wire.streams import decode_transport_key

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


@dataclass(frozen=True, slots=True)
class _HmacSecret:
    key: HmacKey


@dataclass(frozen=True, slots=True)
class _EkSecret:
    key: bytes = field(repr=False)


_Issued: TypeAlias = _Nonce | _HmacSecret | _EkSecret


class StreamSession(BootstrapSession):
    """One claim on a stream, from the first message to what is to be sent.

    Call in this order: ``begin`` or ``begin_report``, ``resolve``, ``admit``, ``challenge``,
    ``sent``, ``judge``; then for a request ``recipient`` (V1), ``select``, ``plan_vouchers``.
    """

    def __init__(self, flow: StreamFlow) -> None:
        super().__init__()
        self._flow = flow
        self._identity: Identity | None = None
        self._issued: _Issued | None = None
        self._sent_at: float | None = None
        self._evidence = ""
        self._transport_key: TransportKey | None = None

    @property
    def presented(self) -> PresentedCertificate | None:
        """The certificate in the identity, None where the device has none."""
        return self._certificate

    @property
    def challenged(self) -> bool:
        """Whether a challenge waits for its answer."""
        return self._stage is Stage.CHALLENGED

    def begin(self, request: BootstrapRequest) -> str:
        """Take a request with its identity; return the serial number to look up.

        Raises:
            WireError: no identity of a kind that this call knows, no digest of an AIK.
            TrustError: the certificate in it cannot be read.
        """
        self._enter(Stage.OPEN, Stage.CLAIMED)
        self._request = request
        identity = request.identity
        if identity is None or identity.kind not in self._flow.identities:
            self._fail(
                "identity",
                WireError(
                    "stream-identity-missing",
                    "the stream began without an identity that this call supports",
                    where="identity",
                    expected=", ".join(sorted(kind.value for kind in self._flow.identities)),
                    seen="none" if identity is None else identity.kind.value,
                ),
            )
        self._identity = identity
        if identity.kind is IdentityKind.IDEVID:
            self._take_certificate(identity.idevid_cert)
        elif identity.kind is IdentityKind.TPM12_EK:
            digest = request.aik_pub_digest or b""
            if len(digest) != tpm12.DIGEST_BYTES:
                self._fail(
                    "identity",
                    WireError(
                        "aik-digest-malformed",
                        "a TPM 1.2 needs the SHA-1 digest of its AIK",
                        where="aik_pub_digest",
                        expected=f"{tpm12.DIGEST_BYTES} bytes",
                        seen=f"{len(digest)} bytes",
                    ),
                )
        self._pass("identity", seen=identity.kind.value)
        return request.active.serial_number

    def begin_report(self, report: StatusReport) -> str:
        """Take a report that opens a stream; it claims what a request of its first card would.

        Raises:
            WireError: as ``begin``.
            TrustError: as ``begin``.
        """
        descriptor = ChassisDescriptor("", "", "")
        return self.begin(
            BootstrapRequest(
                descriptor,
                report.states[0],
                identity=report.identity,
                aik_pub_digest=report.aik_pub_digest,
            )
        )

    def _take_certificate(self, text: str) -> None:
        try:
            leaf, intermediates = parse_identity_certificate(text)
        except TrustError as error:
            self._fail("identity", error)
        self._certificate = PresentedCertificate(leaf, intermediates)
        self._idevid_serial = named_serial(load_certificate(leaf))

    def admit(self) -> None:
        """Refuse a chassis that may not use streams.

        Raises:
            PolicyError: ``streaming-not-allowed``.
        """
        self._enter(Stage.RESOLVED, Stage.ADMITTED)
        if not known(self._chassis).streaming:
            self._fail(
                "streaming",
                PolicyError(
                    "streaming-not-allowed",
                    "the chassis may not use streams",
                    where="chassis",
                    expected="unary calls",
                    seen=self._flow.method,
                ),
            )
        self._pass("streaming", seen=self._flow.method)

    def challenge(self, fresh: bytes, *, now: datetime) -> Challenge:
        """Return the challenge for the identity; whatever does not depend on its answer is checked.

        Args:
            fresh: ``FRESH_BYTES`` random bytes, used for nothing else ever.
            now: aware UTC.

        Raises:
            UnprovenPeer: the IDevID does not chain to a CA of the manufacturer.
            ForeignChassis: the IDevID is of a device that is not a card of this chassis.
            MissingRecord: no key of the TPM is on record.
            UnusableKey: the key in the inventory cannot be used for encryption.
        """
        self._enter(Stage.ADMITTED, Stage.CHALLENGED)
        kind = known(self._identity).kind
        if kind is IdentityKind.IDEVID:
            self._evidence = self._check_certificate(now)
            nonce = fresh[:NONCE_BYTES]
            if not self._flow.bound:
                nonce = base64.b64encode(nonce)
            self._issued = _Nonce(nonce)
            return NonceChallenge(nonce)
        key_type, spki = self._choose_key(kind)
        try:
            if kind is IdentityKind.TPM12_EK:
                return self._challenge_tpm12(spki, fresh)
            return self._challenge_tpm20(key_type, spki, fresh)
        except UnusableKey as error:
            self._fail("tpm-key", error)

    def _challenge_tpm20(self, key_type: TpmKeyType, spki: bytes, fresh: bytes) -> HmacChallenge:
        size = tpm20.SECRET_BYTES
        key = HmacKey(fresh[:size], fresh[size : 2 * size])
        wrapped = tpm20.wrap_key(key, tpm20.parent_key(spki), seed=fresh[2 * size : 3 * size])
        self._issued = _HmacSecret(key)
        return HmacChallenge(key_type, wrapped.public, wrapped.duplicate, wrapped.seed)

    def _challenge_tpm12(self, spki: bytes, fresh: bytes) -> EkChallenge:
        key = fresh[: tpm12.KEY_BYTES]
        digest = known(known(self._request).aik_pub_digest)
        blob = tpm12.encrypt_contents(
            tpm12.build_contents(key, digest), tpm12.endorsement_key(spki)
        )
        self._issued = _EkSecret(key)
        return EkChallenge(blob)

    def _choose_key(self, kind: IdentityKind) -> tuple[TpmKeyType, bytes]:
        """Return the key on record that the challenge is encrypted to, and what it is called."""
        chassis = known(self._chassis)
        serial = known(self._request).active.serial_number
        tpm = known(chassis.card(serial)).tpm
        wanted = TpmVersion.TPM12 if kind is IdentityKind.TPM12_EK else TpmVersion.TPM20
        keys = _keys(tpm) if tpm.version in (None, wanted) else {}
        chosen = next((each for each in _PREFERENCES[kind] if each in keys), None)
        if chosen is None:
            self._fail(
                "tpm-key",
                MissingRecord(
                    "tpm-key-missing",
                    f"there is no TPM {wanted.value} key in the inventory for card {serial!r}",
                    where="control_card_state.serial_number",
                    expected=" or ".join(each.name for each in _PREFERENCES[kind]),
                    seen="none" if tpm.version is None else f"TPM {tpm.version.value}",
                ),
            )
        evidence = f"{chosen.name} {fingerprint(keys[chosen])}"
        self._pass("tpm-key", kind.value, evidence)
        self._evidence = evidence
        return chosen, keys[chosen]

    def sent(self, at: float) -> None:
        """Say when the challenge had been sent, in seconds of a monotonic clock."""
        self._sent_at = at

    def judge(self, answer: ChallengeAnswer, *, at: float, now: datetime) -> ProvenChassis:
        """Judge the answer to the challenge; only a right one proves anything.

        Args:
            answer: of whatever kind.
            at: when it arrived, on the clock of ``sent``.
            now: aware UTC.

        Raises:
            OrderError: of another kind than the challenge, or too late.
            PeerError: wrong; the reason says which check failed.
        """
        self._enter(Stage.CHALLENGED, Stage.PROVEN)
        match known(self._issued), answer:
            case _Nonce(nonce), SignatureAnswer():
                self._judge_signature(nonce, answer)
            case _HmacSecret(key), HmacAnswer():
                self._judge_hmac(key, answer, at)
            case _EkSecret(secret), EkAnswer():
                self._judge_hash(secret, answer)
            case _:
                self._fail(
                    "challenge",
                    OrderError(
                        "challenge-kind-mismatch",
                        "the answer has another type than the challenge",
                        where="challenge answer",
                        expected=known(self._identity).kind.value,
                        seen=type(answer).__name__,
                    ),
                )
        self._issued = None
        self._pass("challenge", seen=self._evidence)
        chassis = known(self._chassis)
        serial = self._idevid_serial
        if self._certificate is None:
            asked = known(self._request).active.serial_number
            serial = known(chassis.card(asked)).serial_number
        return self._prove(self._evidence, serial, now)

    def _judge_signature(self, nonce: bytes, answer: SignatureAnswer) -> None:
        leaf = load_certificate(known(self._certificate).leaf)
        signed = answer.transport_key if self._flow.bound else nonce
        try:
            verify_raw(leaf.public_key(), answer.signature, signed)
        except TrustError as error:
            self._fail(
                "challenge",
                TrustError(
                    "challenge-signature-invalid",
                    "the signature was not made by the IDevID over the challenge",
                    where="signature",
                    expected=error.expected,
                ),
            )
        key = self._read_transport_key(answer.transport_key)
        if key is not None and not hmac.compare_digest(key.nonce, nonce):
            self._fail(
                "challenge",
                TrustError(
                    "challenge-nonce-mismatch",
                    "the transport key does not contain the nonce of this challenge",
                    where="serialized_transport_key.nonce",
                    expected="the nonce of the challenge",
                    seen="another" if key.nonce else "none",
                ),
            )

    def _judge_hmac(self, key: HmacKey, answer: HmacAnswer, at: float) -> None:
        age = at - known(self._sent_at)
        if age > HMAC_SECONDS:
            self._fail(
                "challenge",
                OrderError(
                    "challenge-late",
                    "the answer arrived too late",
                    where="challenge answer",
                    expected=f"within {HMAC_SECONDS:g} s",
                    seen=f"after {age:.1f} s",
                ),
            )
        try:
            tpm20.verify_hmac_answer(key, answer, bound=self._flow.bound)
        except TrustError as error:
            self._fail("challenge", error)
        self._read_transport_key(answer.transport_key)

    def _judge_hash(self, secret: bytes, answer: EkAnswer) -> None:
        try:
            tpm12.verify_answer(secret, answer.hash, answer.transport_key)
        except TrustError as error:
            self._fail("challenge", error)
        self._read_transport_key(answer.transport_key)

    def _read_transport_key(self, data: bytes) -> TransportKey | None:
        """Read the key after what was proven over its bytes; None in a flow that has none."""
        if not self._flow.bound:
            return None
        try:
            self._transport_key = decode_transport_key(data)
        except WireError as error:
            self._fail("transport-key", error)
        return self._transport_key

    def recipient(self) -> bytes | None:
        """Return the key that data are encrypted for; None in a flow that encrypts nothing.

        A report needs no such key, so it is checked only before data are sent.

        Raises:
            WireError: for another cipher suite, or of another length.
        """
        if not self._flow.bound:
            return None
        key = known(self._transport_key)
        if key.cipher_suite != HPKE_SUITE:
            self._fail(
                "transport-key",
                WireError(
                    "transport-key-unusable",
                    "the transport key is for another cipher suite",
                    where="serialized_transport_key.cipher_suite",
                    expected=str(HPKE_SUITE),
                    seen=str(key.cipher_suite),
                ),
            )
        try:
            check_recipient(key.public_key)
        except TrustError as error:
            self._fail("transport-key", error)
        self._pass("transport-key", seen=f"suite {key.cipher_suite}")
        return key.public_key


def _keys(tpm: TpmRecord) -> dict[TpmKeyType, bytes]:
    on_record = {
        TpmKeyType.EK: tpm.ek,
        TpmKeyType.PPK: tpm.ppk,
        TpmKeyType.UNSPECIFIED: tpm.key,
    }
    return {key_type: key for key_type, key in on_record.items() if key is not None}
