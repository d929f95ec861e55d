"""Why a chain was refused: the library says yes or no, a person wants the row.

Nothing is decided here. The path by names is walked once more, from the leaf up, and the first
flaw on it is named; what fits no row keeps the library's own words.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from bootz.trust.certificate_form import CertificateError, check_named_curve, extension
from bootz.trust.keys import describe_key, is_strong

_MAX_DEPTH: Final = 9

_STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def name_flaw(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
    words: str,
) -> CertificateError:
    """Return the error for a chain that the library refused with these ``words``."""
    path = _path(leaf, intermediates, anchors)
    if path is None:
        return CertificateError(
            "certificate-untrusted",
            "no chain leads to a trust anchor",
            where=_name(leaf),
            expected="an issuer among the trust anchors or intermediates",
            seen=leaf.issuer.rfc4514_string()[:200],
        )
    for depth, certificate in enumerate(path):
        flaw = _own_flaw(certificate, depth, now)
        if flaw is not None:
            return flaw
    if any(_named_otherwise(*pair) for pair in itertools.pairwise(path)):
        return _flaw(
            "certificate-refused", "the issuer's name is spelt in another string type", leaf
        )
    if "path length" in words or "chain construction exceeds max depth" in words:
        return _flaw("certificate-path-length", "a CA allows fewer CAs below it", leaf)
    if "critical extension" in words:
        return _flaw("certificate-critical-extension", "an unknown critical extension", leaf)
    detail = " ".join(words.split())[:200]
    return _flaw("certificate-refused", f"a rule of RFC 5280 is broken: {detail}", leaf)


def _path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
) -> list[x509.Certificate] | None:
    """Return the shortest path by names and signatures; None if it ends before an anchor."""
    paths = [[leaf]]
    seen = {leaf}
    for _ in range(_MAX_DEPTH):
        longer: list[list[x509.Certificate]] = []
        for path in paths:
            if path[-1] in anchors:
                return path
            for issuer in (*anchors, *intermediates):
                if issuer not in seen and _issued(path[-1], issuer):
                    seen.add(issuer)
                    longer.append([*path, issuer])
        paths = longer
    return None


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    if _named_otherwise(certificate, issuer) or not _strongly_signed(certificate):
        # The signature is not judged: name or algorithm is the flaw, not the issuer.
        return True
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return isinstance(certificate.signature_algorithm_parameters, padding.PSS)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _named_otherwise(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether equal names are spelt in other string types, which makes them others."""
    return certificate.issuer.public_bytes() != issuer.subject.public_bytes()


def _own_flaw(certificate: x509.Certificate, depth: int, now: datetime) -> CertificateError | None:
    if now > certificate.not_valid_after_utc:
        return _flaw(
            "certificate-expired",
            "the certificate has expired",
            certificate,
            expected=f"valid at {now.isoformat()}",
            seen=f"until {certificate.not_valid_after_utc.isoformat()}",
        )
    if now < certificate.not_valid_before_utc:
        return _flaw(
            "certificate-not-yet-valid",
            "the certificate is not valid yet",
            certificate,
            expected=f"valid at {now.isoformat()}",
            seen=f"from {certificate.not_valid_before_utc.isoformat()}",
        )
    if certificate.version is not x509.Version.v3:
        return _flaw("certificate-version", "the certificate is not X.509 version 3", certificate)
    if not is_strong(certificate.public_key()):
        return _flaw(
            "certificate-weak-key",
            "the certificate's key is of an unsupported type or size",
            certificate,
            expected="RSA of 2048 bits or more, P-256, P-384, P-521",
            seen=describe_key(certificate.public_key()),
        )
    try:
        check_named_curve(certificate.public_bytes(Encoding.DER))
    except CertificateError as error:
        return error
    if not _strongly_signed(certificate):
        return _flaw(
            "certificate-weak-signature",
            "the certificate is signed with an unsupported algorithm",
            certificate,
            expected="RSA or ECDSA with SHA-256, SHA-384, SHA-512",
            seen=certificate.signature_algorithm_oid.dotted_string,
        )
    if depth > 0 and not _is_ca(certificate):
        return _flaw("certificate-not-a-ca", "the issuer is not a CA", certificate)
    return None


def _strongly_signed(certificate: x509.Certificate) -> bool:
    try:
        return isinstance(certificate.signature_hash_algorithm, _STRONG_HASHES)
    except (UnsupportedAlgorithm, ValueError):
        return False


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    usage = extension(certificate, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        return False
    return usage is None or usage.key_cert_sign


def _flaw(
    reason: str,
    detail: str,
    certificate: x509.Certificate,
    *,
    expected: str = "",
    seen: str = "",
) -> CertificateError:
    return CertificateError(reason, detail, where=_name(certificate), expected=expected, seen=seen)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:200] or "certificate without subject"
