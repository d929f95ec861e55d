"""Which public keys count: RSA of 2048 bits or more, P-256, P-384, P-521; nothing else."""

from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, rsa

MIN_RSA_BITS: Final = 2048

STRONG_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def is_strong(public_key: object) -> bool:
    """Tell whether a public key is of a kind and size that counts."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return public_key.key_size >= MIN_RSA_BITS
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return public_key.curve.name in STRONG_CURVES
    return False


def describe_key(public_key: object) -> str:
    """Name kind and size of a key, for a person."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA-{public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return public_key.curve.name
    return type(public_key).__name__.removesuffix("PublicKey")
