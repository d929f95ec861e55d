"""TPM keys as the factory recorded them: read strictly once, answered as SubjectPublicKeyInfo.

Source: docs/protocol/ovgs.md#model; docs/protocol/ovgs.md#the-client (9).
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from bootz.errors import ConfigError, TrustError
from bootz.masa.ledger.nouns import TpmData
from bootz.trust.certificate_form import UNREADABLE
from bootz.trust.tpm.ek_certificate import read_ek_certificates


def ek_public_key(tpm: TpmData) -> bytes:
    """Return the EK's public key (DER SubjectPublicKeyInfo), empty where none is known."""
    if tpm.endorsement_key:
        return tpm.endorsement_key
    if tpm.ek_certificate:
        try:
            certificate = read_ek_certificates(tpm.ek_certificate)[0]
            key = x509.load_der_x509_certificate(certificate).public_key()
        except (TrustError, *UNREADABLE):
            # EK certificates may name key types that only TPMs know; the certificate itself goes.
            return b""
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b""


def read_public_key(field: str, data: bytes) -> bytes:
    """Return a public key as DER SubjectPublicKeyInfo; PEM, DER and PKCS#1 are read.

    Raises:
        ConfigError: it is none of these.
    """
    try:
        pem = data.lstrip().startswith(b"-----BEGIN")
        key = load_pem_public_key(data) if pem else load_der_public_key(data)
    except UNREADABLE as error:
        raise ConfigError("masa-record-invalid", "is not a public key", where=field) from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_ek_certificate(field: str, data: bytes) -> bytes:
    """Return an EK's certificate as DER, from PEM or DER; DER may be padded as in an NV index.

    The CAs that come with it stay behind it: an owner may have the vendor's root alone.

    Raises:
        ConfigError: it is not a certificate.
    """
    try:
        return b"".join(read_ek_certificates(data))
    except TrustError as error:
        raise ConfigError("masa-record-invalid", error.detail, where=field) from error
