"""The algorithms of CMS by object identifier: digests, and signatures with their parameters.

What is in no table is refused: SHA-1, MD5, DSA, Ed25519. Source: RFC 5754
sections 2 and 3; RFC 4056 section 2; docs/protocol/pki.md#cms.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bootz.trust.asn1 import (
    INTEGER,
    NULL,
    SEQUENCE,
    Asn1Error,
    Element,
    encode,
    encode_oid,
    encode_sequence,
)
from bootz.trust.keys import PublicKey
from bootz.trust.signature import Hash, SignatureScheme

HASHES: Final[dict[str, Hash]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}

_HASH_OIDS: Final = {algorithm.name: oid for oid, algorithm in HASHES.items()}

RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
RSA_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"

_RSA_WITH: Final = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}

_ECDSA_WITH: Final[dict[str, Hash]] = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}

_NULL: Final = encode(NULL, b"")

_SCHEMES: Final = {
    SignatureScheme.RSA_PKCS1_SHA256: encode_sequence(encode_oid("1.2.840.113549.1.1.11"), _NULL),
    SignatureScheme.ECDSA_SHA256: encode_sequence(encode_oid("1.2.840.10045.4.3.2")),
    SignatureScheme.ECDSA_SHA384: encode_sequence(encode_oid("1.2.840.10045.4.3.3")),
    SignatureScheme.ECDSA_SHA512: encode_sequence(encode_oid("1.2.840.10045.4.3.4")),
}


class UnsupportedError(ValueError):
    """An algorithm that is refused, or does not fit the key; does not leave the room."""


@dataclass(frozen=True, slots=True)
class AlgorithmIdentifier:
    """An algorithm by dotted OID, with its parameters; None where absent or NULL."""

    oid: str
    parameters: Element | None


def read_algorithm(element: Element) -> AlgorithmIdentifier:
    """Return an AlgorithmIdentifier.

    Raises:
        Asn1Error: not of the form.
    """
    reader = element.expect(SEQUENCE).children()
    oid = reader.take_any().oid()
    parameters = tuple(reader.rest())
    if len(parameters) > 1:
        raise Asn1Error("an algorithm with too many parameters")
    if not parameters or parameters[0].raw == _NULL:
        return AlgorithmIdentifier(oid, None)
    return AlgorithmIdentifier(oid, parameters[0])


def write_digest(algorithm: Hash) -> bytes:
    """Return the AlgorithmIdentifier of a digest, parameters absent (RFC 5754 section 2)."""
    return encode_sequence(encode_oid(_HASH_OIDS[algorithm.name]))


def write_signature(scheme: SignatureScheme) -> bytes:
    """Return the AlgorithmIdentifier of a signature."""
    return _SCHEMES[scheme]


def digest(algorithm: Hash, data: bytes) -> bytes:
    """Return the digest of some bytes."""
    return hashlib.new(algorithm.name, data).digest()


def find_hash(algorithm: AlgorithmIdentifier) -> Hash:
    """Return the hash function that an AlgorithmIdentifier names.

    Raises:
        UnsupportedError: another one, or one with parameters.
    """
    found = HASHES.get(algorithm.oid)
    if found is None or algorithm.parameters is not None:
        raise UnsupportedError(f"digest algorithm {algorithm.oid}")
    return found


def verifies(
    key: PublicKey,
    algorithm: AlgorithmIdentifier,
    hash_used: Hash,
    signature: bytes,
    data: bytes,
) -> bool:
    """Tell whether a signature of a CMS verifies.

    Args:
        key: of the signer's certificate.
        algorithm: as the SignerInfo names it.
        hash_used: the SignerInfo's digest algorithm; an RSA signature must name the same.
        signature: raw.
        data: what was signed.

    Raises:
        UnsupportedError: the algorithm is refused, or not of this kind of key.
    """
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, _rsa_padding(algorithm, hash_used), hash_used)
        else:
            curve_hash = _ECDSA_WITH.get(algorithm.oid)
            if curve_hash is None or algorithm.parameters is not None:
                raise UnsupportedError(f"signature algorithm {algorithm.oid} of a curve key")
            key.verify(signature, data, ec.ECDSA(curve_hash))
    except UnsupportedError:
        raise
    except (InvalidSignature, ValueError):
        return False
    return True


def _rsa_padding(algorithm: AlgorithmIdentifier, hash_used: Hash) -> padding.PKCS1v15 | padding.PSS:
    if algorithm.oid == RSA_PSS:
        if not _pss_fits(algorithm.parameters, hash_used):
            raise UnsupportedError("RSA-PSS with other parameters than its own hash and length")
        return padding.PSS(padding.MGF1(hash_used), hash_used.digest_size)
    named = _RSA_WITH.get(algorithm.oid, hash_used.name)
    known = algorithm.oid == RSA_ENCRYPTION or algorithm.oid in _RSA_WITH
    if not known or algorithm.parameters is not None or named != hash_used.name:
        raise UnsupportedError(f"signature algorithm {algorithm.oid} of an RSA key")
    return padding.PKCS1v15()


def _pss_fits(parameters: Element | None, hash_used: Hash) -> bool:
    """Tell whether hash, MGF1 hash and salt length all are those of the hash."""
    if parameters is None:
        return False
    try:
        reader = parameters.expect(SEQUENCE).children()
        hashed = read_algorithm(_explicit(reader.take(0xA0)))
        mask = _explicit(reader.take(0xA1)).expect(SEQUENCE).children()
        mask_oid = mask.take_any().oid()
        mask_hash = read_algorithm(mask.take(SEQUENCE))
        mask.end()
        salt = _explicit(reader.take(0xA2)).expect(INTEGER).integer()
        trailer = reader.take_if(0xA3)
        reader.end()
        return (
            mask_oid == _MGF1
            and find_hash(hashed) is find_hash(mask_hash) is hash_used
            and salt == hash_used.digest_size
            and (trailer is None or _explicit(trailer).integer() == 1)
        )
    except (Asn1Error, UnsupportedError):
        return False


def _explicit(element: Element) -> Element:
    reader = element.children()
    inner = reader.take_any()
    reader.end()
    return inner
