"""Signatures: which algorithm belongs to which key, and how raw ones are made and verified.

The hash follows the key, never what its certificate was signed with.
SHA-1 verifies nowhere. Source: docs/protocol/pki.md#signatures.
"""

import base64
import binascii
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from bootz.errors import TrustError
from bootz.trust.certificate_form import load_certificate
from bootz.trust.keys import PrivateKey, PublicKey, describe_key, is_strong

MAX_SIGNATURE_TEXT: Final = 8192
"""Characters of base64; a signature of RSA-16384 has 2732."""

Hash: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
Sign: TypeAlias = Callable[[bytes], bytes]
"""Takes what is to be signed, whole; returns a raw signature (ECDSA: DER of r and s)."""


class SignatureError(TrustError):
    """A signature does not hold, or a key cannot make one."""


class SignatureScheme(Enum):
    """The algorithms that sign here: padding or curve family, and hash."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA384 = "ecdsa-sha384"
    ECDSA_SHA512 = "ecdsa-sha512"

    @property
    def hash(self) -> Hash:
        """The hash function of the scheme."""
        return _HASHES[self]


_HASHES: Final[dict[SignatureScheme, Hash]] = {
    SignatureScheme.RSA_PKCS1_SHA256: hashes.SHA256(),
    SignatureScheme.ECDSA_SHA256: hashes.SHA256(),
    SignatureScheme.ECDSA_SHA384: hashes.SHA384(),
    SignatureScheme.ECDSA_SHA512: hashes.SHA512(),
}

_CURVES: Final = {
    "secp256r1": SignatureScheme.ECDSA_SHA256,
    "secp384r1": SignatureScheme.ECDSA_SHA384,
    "secp521r1": SignatureScheme.ECDSA_SHA512,
}

_FALLBACKS: Final = (hashes.SHA256(), hashes.SHA384())
"""What peers use that follow the hash of their issuer."""


def scheme_for(public_key: object) -> SignatureScheme:
    """Return the scheme that is natural for a key: RSA with SHA-256, a curve with its own hash.

    Raises:
        SignatureError: RSA below 2048 bits, another curve, another kind of key.
    """
    return _natural_scheme(strong_key(public_key))


def _natural_scheme(key: PublicKey) -> SignatureScheme:
    if isinstance(key, rsa.RSAPublicKey):
        return SignatureScheme.RSA_PKCS1_SHA256
    return _CURVES[key.curve.name]


def strong_key(public_key: object) -> PublicKey:
    """Return the key, narrowed to a kind and size that counts.

    Raises:
        SignatureError: it does not count.
    """
    if isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and is_strong(
        public_key
    ):
        return public_key
    raise SignatureError(
        "key-unsupported",
        "the key is of an unsupported type or size",
        expected="RSA of 2048 bits or more, P-256, P-384, P-521",
        seen=describe_key(public_key),
    )


def sign_with(private_key: PrivateKey) -> Sign:
    """Return a function that signs with the key's natural scheme.

    Raises:
        SignatureError: the key is of a kind or size that does not count.
    """
    algorithm = scheme_for(private_key.public_key()).hash
    if isinstance(private_key, rsa.RSAPrivateKey):
        rsa_key = private_key
        return lambda data: rsa_key.sign(data, padding.PKCS1v15(), algorithm)
    curve_key = private_key
    return lambda data: curve_key.sign(data, ec.ECDSA(algorithm))


def sign_hashed(private_key: PrivateKey) -> Callable[[bytes, HashAlgorithm], bytes]:
    """Return a function that signs with a hash of the caller's choice, as a challenge demands.

    RSA: PKCS #1 v1.5; ECDSA: DER of r and s.
    """
    if isinstance(private_key, rsa.RSAPrivateKey):
        rsa_key = private_key
        return lambda data, algorithm: rsa_key.sign(data, padding.PKCS1v15(), algorithm)
    curve_key = private_key
    return lambda data, algorithm: curve_key.sign(data, ec.ECDSA(algorithm))


def verify_raw(public_key: object, signature: bytes, data: bytes) -> None:
    """Verify a raw signature with the key's own hash, then SHA-256, then SHA-384.

    Raises:
        SignatureError: none of them fits, or the key does not count.
    """
    key = strong_key(public_key)
    natural = _natural_scheme(key).hash
    others = [each for each in _FALLBACKS if each.name != natural.name]
    if not any(holds(key, signature, data, each) for each in (natural, *others)):
        raise SignatureError(
            "sig-invalid",
            "the signature does not verify over the received bytes",
            expected=f"a signature by this {describe_key(key)} key",
        )


def holds(key: PublicKey, signature: bytes, data: bytes, algorithm: Hash) -> bool:
    """Tell whether a signature (RSA: PKCS #1 v1.5) verifies with this hash."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        else:
            key.verify(signature, data, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):
        return False
    return True


def encode_signature(signature: bytes) -> str:
    """Return the text form of a raw signature: padded base64 on one line."""
    return base64.b64encode(signature).decode("ascii")


def decode_signature(text: str) -> bytes:
    """Return the raw signature of its text form; blanks around it are ignored.

    Raises:
        SignatureError: empty, too long, or not base64.
    """
    stripped = text.strip(" \t\r\n\v\f")
    try:
        if len(stripped) > MAX_SIGNATURE_TEXT:
            raise ValueError("too long")
        signature = base64.b64decode(stripped, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError(
            "sig-malformed", "the signature is not base64", expected="padded base64"
        ) from error
    if not signature:
        raise SignatureError("sig-malformed", "the signature is empty", expected="padded base64")
    return signature


def verify_response_signature(certificate_der: bytes, signature_text: str, data: bytes) -> None:
    """Verify the signature over bootstrapping data, over the very bytes that came.

    Args:
        certificate_der: the owner certificate.
        signature_text: base64, as in ``response_signature``.
        data: the signed bytes as received.

    Raises:
        SignatureError: ``sig-malformed`` or ``sig-invalid``.
        CertificateError: the certificate cannot be read.

    Source: Bootz ``GetBootstrapDataResponse.response_signature``; docs/protocol/pki.md#signatures.
    """
    signature = decode_signature(signature_text)
    verify_raw(load_certificate(certificate_der).public_key(), signature, data)
