"""How a card proves who it is on a stream: by its IDevID, or by what its TPM alone can do."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bootz.device.tpm.ports import Tpm12, Tpm20
from bootz.errors import TrustError
from bootz.model.challenge import (
    Challenge,
    ChallengeAnswer,
    EkAnswer,
    EkChallenge,
    HmacAnswer,
    HmacChallenge,
    NonceChallenge,
    SignatureAnswer,
)
from bootz.model.identity import Identity, IdentityKind, TpmKeyType
from bootz.trust.certificates import pem_from_der
from bootz.trust.idevid import challenge_hash
from bootz.trust.tpm.tpm12 import answer_hash, read_session_key
from bootz.trust.tpm.tpm20 import WrappedKey, qualifying_data
from bootz.wire.flows import StreamFlow

SignHashed = Callable[[bytes, HashAlgorithm], bytes]
"""Signs data, whole, with the IDevID key and this hash; may block."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What the first message of a stream says of the identity."""

    identity: Identity
    aik_pub_digest: bytes | None = None


class Prover(Protocol):
    """One card's proof; each ``introduce`` begins another stream."""

    async def introduce(self, flow: StreamFlow) -> Introduction:
        """Return what the first message says.

        Raises:
            BootzError: the TPM does not do its part, or the flow has no such identity.
        """
        ...

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        """Answer a challenge.

        Args:
            challenge: the server's.
            transport_key: the serialised key that the answer vouches for; empty in v0.6.

        Raises:
            BootzError: it is of another kind, or not for this card.
        """
        ...


class IdevidProver:
    """Proves by a signature with the IDevID key, wherever that is."""

    def __init__(self, certificates: Sequence[bytes], sign: SignHashed) -> None:
        self._certificates = tuple(certificates)
        self._sign = sign

    async def introduce(self, flow: StreamFlow) -> Introduction:
        """Return the certificate: base64 of one DER, or a PEM chain, leaf first."""
        if len(self._certificates) == 1:
            text = base64.b64encode(self._certificates[0]).decode()
        else:
            text = pem_from_der(self._certificates).decode()
        return Introduction(Identity(IdentityKind.IDEVID, idevid_cert=text))

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        """Sign the transport key, in v0.6 the nonce's text."""
        if not isinstance(challenge, NonceChallenge):
            raise _unexpected(challenge)
        algorithm = challenge_hash(self._certificates[0])
        signed = transport_key or challenge.nonce
        signature = await asyncio.to_thread(self._sign, signed, algorithm)
        return SignatureAnswer(signature, transport_key)


class Tpm20Prover:
    """Proves by an HMAC key that only this TPM 2.0 can import."""

    def __init__(self, tpm: Tpm20, key_type: TpmKeyType) -> None:
        self._tpm = tpm
        self._key_type = key_type

    async def introduce(self, flow: StreamFlow) -> Introduction:
        """Return the kind of key, and in V1 the key."""
        if not flow.bound:
            return Introduction(Identity(IdentityKind.EK_OR_PPK))
        ppk = self._key_type is TpmKeyType.PPK
        kind = IdentityKind.TPM20_PPK if ppk else IdentityKind.TPM20_EK
        key = await asyncio.to_thread(self._tpm.public_key, self._key_type)
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Introduction(Identity(kind, public_key=spki))

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        """Certify the IAK; the certification is bound to the transport key, where there is one."""
        if not isinstance(challenge, HmacChallenge):
            raise _unexpected(challenge)
        key_type = challenge.key_type
        if key_type is TpmKeyType.UNSPECIFIED:
            key_type = self._key_type
        wrapped = WrappedKey(challenge.public, challenge.duplicate, challenge.seed)
        qualifying = qualifying_data(transport_key) if transport_key else b""
        made = await asyncio.to_thread(self._tpm.certify, key_type, wrapped, qualifying)
        return HmacAnswer(made.iak_public, made.certify_info, made.signature, transport_key)


class Tpm12Prover:
    """Proves by a blob that only this TPM 1.2 can open, and only for the AIK it has made."""

    def __init__(self, tpm: Tpm12) -> None:
        self._tpm = tpm
        self._aik = b""

    async def introduce(self, flow: StreamFlow) -> Introduction:
        """Make an AIK, and return its digest with the EK."""
        if IdentityKind.TPM12_EK not in flow.identities:
            raise TrustError(
                "stream-identity-unfit",
                "this flow does not support a TPM 1.2",
                where="flow",
                seen=flow.name,
            )
        key = await asyncio.to_thread(self._tpm.public_key)
        self._aik, digest = await asyncio.to_thread(self._tpm.make_identity)
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Introduction(Identity(IdentityKind.TPM12_EK, public_key=spki), digest)

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        """Open the blob, and prove its key over the transport key."""
        if not isinstance(challenge, EkChallenge):
            raise _unexpected(challenge)
        opened = await asyncio.to_thread(self._tpm.activate, self._aik, challenge.blob)
        return EkAnswer(answer_hash(read_session_key(opened), transport_key), transport_key)


def _unexpected(challenge: Challenge) -> TrustError:
    return TrustError(
        "challenge-unexpected",
        "the challenge is not for the identity that was announced",
        where="challenge",
        seen=type(challenge).__name__,
    )
