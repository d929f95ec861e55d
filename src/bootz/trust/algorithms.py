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

_NAMES: Final = {
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.2.4": "SHA-224",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.113549.1.1.4": "RSA with MD5",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.10040.4.3": "DSA with SHA-1",
    "2.16.840.1.101.3.4.3.2": "DSA with SHA-256",
    "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
"""For people; a name here does not mean that it is accepted."""

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
        raise UnsupportedError(f"the digest algorithm is {name_algorithm(algorithm.oid)}")
    return found


def name_algorithm(oid: str) -> str:
    """Return the name of an algorithm that is known, also of one that is refused; else its OID."""
    return _NAMES.get(oid, oid)


def is_pss(algorithm: AlgorithmIdentifier) -> bool:
    """Tell whether a signature is RSASSA-PSS."""
    return algorithm.oid == RSA_PSS


def verifies(
    key: PublicKey,
    algorithm: AlgorithmIdentifier,
    hash_used: Hash,
    signature: bytes,
    data: bytes,
    *,
    key_algorithm: str,
) -> bool:
    """Tell whether a signature of a CMS verifies.

    Args:
        key: of the signer's certificate.
        algorithm: as the SignerInfo names it.
        hash_used: the SignerInfo's digest algorithm; an RSA signature must name the same.
        signature: raw.
        data: what was signed.
        key_algorithm: the OID by which the certificate names the kind of the key.

    Raises:
        UnsupportedError: the algorithm is refused, or not of this kind of key.
    """
    try:
        if isinstance(key, rsa.RSAPublicKey):
            used = _rsa_padding(key, algorithm, hash_used, key_algorithm)
            key.verify(signature, data, used, hash_used)
        else:
            curve_hash = _ECDSA_WITH.get(algorithm.oid)
            if curve_hash is None or algorithm.parameters is not None:
                raise UnsupportedError(
                    f"the signature of an EC key is {name_algorithm(algorithm.oid)}"
                )
            key.verify(signature, data, ec.ECDSA(curve_hash))
    except UnsupportedError:
        raise
    except (InvalidSignature, ValueError):
        return False
    return True


def _rsa_padding(
    key: rsa.RSAPublicKey, algorithm: AlgorithmIdentifier, hash_used: Hash, key_algorithm: str
) -> padding.PKCS1v15 | padding.PSS:
    if is_pss(algorithm):
        salt = _pss_salt(algorithm.parameters, hash_used)
        most = (key.key_size - 1 + 7) // 8 - hash_used.digest_size - 2
        if not 0 <= salt <= most:
            raise UnsupportedError(f"the RSA-PSS salt has {salt} bytes; this key allows {most}")
        return padding.PSS(padding.MGF1(hash_used), salt)
    if key_algorithm == RSA_PSS:
        # RFC 4055 section 1.2: such a key signs nothing else. OpenSSL 3.0 writes it nevertheless.
        raise UnsupportedError(
            f"the CMS says {name_algorithm(algorithm.oid)}, the signer's key is for RSA-PSS alone"
        )
    named = _RSA_WITH.get(algorithm.oid, hash_used.name)
    known = algorithm.oid == RSA_ENCRYPTION or algorithm.oid in _RSA_WITH
    if not known or algorithm.parameters is not None or named != hash_used.name:
        raise UnsupportedError(
            f"the signature of an RSA key is {name_algorithm(algorithm.oid)} over {hash_used.name}"
        )
    return padding.PKCS1v15()


def _pss_salt(parameters: Element | None, hash_used: Hash) -> int:
    """Return the length of the salt, in bytes; hash and MGF1 hash are those of the digest.

    Source: RFC 4055 section 3.1 (RSASSA-PSS-params, whose defaults are SHA-1 and 20).
    """
    salt, hashed, masked = 20, "SHA-1", "SHA-1"
    try:
        if parameters is None:
            raise UnsupportedError("RSA-PSS without parameters")
        reader = parameters.expect(SEQUENCE).children()
        if (found := reader.take_if(0xA0)) is not None:
            hashed = find_hash(read_algorithm(_explicit(found))).name
        if (found := reader.take_if(0xA1)) is not None:
            mask = _explicit(found).expect(SEQUENCE).children()
            if mask.take_any().oid() != _MGF1:
                raise UnsupportedError("RSA-PSS with another mask than MGF1")
            masked = find_hash(read_algorithm(mask.take(SEQUENCE))).name
            mask.end()
        if (found := reader.take_if(0xA2)) is not None:
            salt = _explicit(found).expect(INTEGER).integer()
        if (found := reader.take_if(0xA3)) is not None and _explicit(found).integer() != 1:
            raise UnsupportedError("RSA-PSS with another trailer")
        reader.end()
    except Asn1Error as error:
        raise UnsupportedError(f"RSA-PSS with malformed parameters: {error}") from error
    if (hashed, masked) != (hash_used.name, hash_used.name):
        raise UnsupportedError(
            f"RSA-PSS with {hashed} and MGF1 of {masked} over a digest of {hash_used.name}"
        )
    return salt


def _explicit(element: Element) -> Element:
    reader = element.children()
    inner = reader.take_any()
    reader.end()
    return inner
