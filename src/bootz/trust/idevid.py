"""The IDevID: the serial number it proves, and its form inside a stream's request.

Source: IEEE 802.1AR; Bootz ``Identity.idevid_cert``; docs/protocol/pki.md#idevid.
"""

import base64
import binascii
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from bootz.trust.asn1 import OCTET_STRING, SEQUENCE, Asn1Error, read_one
from bootz.trust.certificate_form import CertificateError, load_certificate, parse_pem
from bootz.trust.signature import Hash, scheme_for

MAX_IDENTITY_TEXT: Final = 64 << 10
MAX_IDENTITY_CERTIFICATES: Final = 8

_REFERENCE_HASHES: Final[dict[x509.ObjectIdentifier, Hash]] = {
    SignatureAlgorithmOID.RSA_WITH_SHA256: hashes.SHA256(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: hashes.SHA384(),
}

_HARDWARE_MODULE_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
_MARK: Final = "SN:"
_PLACE: Final = "IDevID serialNumber"


def idevid_serial_number(certificate: x509.Certificate) -> str:
    """Return the serial number that an IDevID proves.

    It is in the last serialNumber attribute of the subject, plain or as
    ``PID:<product> SN:<serial>``. No other field is looked at.

    Raises:
        CertificateError: none, empty, or not to be read in one way only. An empty serial number
            would equal another empty one.
    """
    attributes = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    value = attributes[-1].value if attributes else ""
    if not isinstance(value, str) or value.count(_MARK) > 1 or not value.isprintable():
        raise CertificateError(
            "certificate-serial-ambiguous",
            "the serial number is ambiguous",
            where=_PLACE,
            expected="`PID:... SN:...` or plain",
            seen=repr(value[:80]),
        )
    serial = value.rpartition(_MARK)[2].strip()
    if not serial:
        raise CertificateError(
            "certificate-serial-missing",
            "the subject has no serial number",
            where=_PLACE,
            expected="a serial number in the subject (2.5.4.5)",
            seen=_hardware_serial_number(certificate),
        )
    return serial


def _hardware_serial_number(certificate: x509.Certificate) -> str:
    """Say whether a serial number is in the hardwareModuleName, which proves nothing here.

    Routers and servers of the interface compare the one in the subject alone; which of two
    numbers counts must not be a matter of opinion.

    Source: RFC 4108 section 5 (hardwareModuleName), as IEEE 802.1AR uses it.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for other in names.get_values_for_type(x509.OtherName):
            if other.type_id == _HARDWARE_MODULE_NAME:
                reader = read_one(other.value, SEQUENCE).children()
                reader.take_any()
                number = reader.take(OCTET_STRING).content
                text = number.decode("utf-8", "backslashreplace")[:64]
                return f"none; {text!r} in the hardwareModuleName of the subjectAltName"
    except (x509.ExtensionNotFound, Asn1Error):
        pass
    return "none"


def challenge_hash(certificate: bytes) -> Hash:
    """Return the hash with which an IDevID (DER) signs the answer to a challenge.

    That of the certificate's own signature, where it is one of the two that the Go reference
    takes (it asks for no other); else the one natural for the key.

    Raises:
        CertificateError: the certificate cannot be read.
        SignatureError: the key does not count.
    """
    parsed = load_certificate(certificate)
    demanded = _REFERENCE_HASHES.get(parsed.signature_algorithm_oid)
    return scheme_for(parsed.public_key()).hash if demanded is None else demanded


def parse_identity_certificate(text: str) -> tuple[bytes, tuple[bytes, ...]]:
    """Return leaf and intermediates (DER) of an identity: base64 of one DER, or PEM, leaf first.

    Raises:
        CertificateError: neither of them, over 64 KiB, or more than 8 certificates.
    """
    where = "identity.idevid_cert"
    if len(text) > MAX_IDENTITY_TEXT:
        raise CertificateError(
            "certificate-malformed", "the identity is too long", where=where, expected="64 KiB"
        )
    stripped = text.strip()
    try:
        if stripped.startswith("-----"):
            leaf, *others = parse_pem(stripped)
        else:
            leaf, others = base64.b64decode(stripped, validate=True), []
            load_certificate(leaf)
    except (binascii.Error, ValueError) as error:
        raise CertificateError(
            "certificate-malformed", "neither base64 of one DER nor PEM", where=where
        ) from error
    except CertificateError as error:
        raise CertificateError(error.reason, error.detail, where=where) from error
    if len(others) >= MAX_IDENTITY_CERTIFICATES:
        raise CertificateError(
            "certificate-malformed",
            "the identity has too many certificates",
            where=where,
            expected=f"at most {MAX_IDENTITY_CERTIFICATES}",
            seen=str(1 + len(others)),
        )
    return leaf, tuple(others)
