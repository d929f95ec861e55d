"""The kinds of keys."""

from enum import Enum


class KeyKind(Enum):
    """The keys that are made here."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    P256 = "p256"
    P384 = "p384"
