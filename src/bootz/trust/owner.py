"""The owner certificate in its CMS: built once by the owner, verified by every router.

Source: RFC 8366 section 5.3; RFC 8572 section 3.2; docs/protocol/pki.md#owner-certificate.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from bootz.errors import TrustError
from bootz.model.artifacts import OwnerCertificate, OwnershipVoucher
from bootz.trust.certificates import (
    AnchorSet,
    CertificateError,
    PinnedDomain,
    verify_chain,
)
from bootz.trust.cms import (
    CmsError,
    VerifiedSigner,
    build_signed_data,
    parse_signed_data,
    verify_signers,
)
from bootz.trust.cms_signer import ID_DATA
from bootz.trust.signature import Sign, SignatureScheme

_SHA256_RSA: Final = SignatureAlgorithmOID.RSA_WITH_SHA256
_SHA384_ECDSA: Final = SignatureAlgorithmOID.ECDSA_WITH_SHA384

_REASONS: Final = {
    "cms-bad-signature": "oc-bad-signature",
    "cms-unsupported": "oc-algorithm-unsupported",
}
_OUT_OF_DATE: Final = frozenset({"certificate-expired", "certificate-not-yet-valid"})
_FIELD: Final = "ownership_certificate"


class OwnerCertificateError(TrustError):
    """The owner certificate is not of the form, or the voucher does not vouch for it."""


def build_owner_certificate(
    certificate: bytes,
    intermediates: Sequence[bytes],
    *,
    scheme: SignatureScheme,
    sign: Sign,
    signing_time: datetime,
) -> OwnerCertificate:
    """Return the owner certificate in its CMS, signed with its own key over empty content.

    The signature proves possession only; freshness comes from the nonce in the signed data, so
    that this is built once and kept.

    Args:
        certificate: DER.
        intermediates: DER, between the certificate and the pinned domain certificate, which
            itself is never sent: the voucher has it.
        scheme: how ``sign`` signs.
        sign: gets the bytes to be signed, whole; its errors pass through.
        signing_time: aware; a router with a dead clock judges the chain at this time.

    Raises:
        CmsError: the certificate cannot be read.
    """
    cms = build_signed_data(
        content=b"",
        content_type=ID_DATA,
        signer_certificate=certificate,
        intermediates=intermediates,
        scheme=scheme,
        sign=sign,
        signing_time=signing_time,
    )
    return OwnerCertificate(cms, certificate, tuple(intermediates))


def verify_owner_certificate(
    cms: bytes, voucher: OwnershipVoucher, *, now: datetime | None
) -> OwnerCertificate:
    """Return the owner certificate that a verified voucher vouches for.

    It is the certificate of the only signer, wherever it is in the bag, and must chain to
    the pinned domain certificate, or be it.

    Args:
        cms: DER of a SignedData without content.
        voucher: from ``verify_voucher``, checked for this card.
        now: aware UTC; None without a trusted clock: judged at the signing time of this CMS,
            else of the voucher, else at its ``created-on``.

    Raises:
        OwnerCertificateError: ``oc-malformed``, ``oc-bad-signature``,
            ``oc-algorithm-unsupported``, ``oc-not-under-pdc``,
            ``oc-expired``, ``oc-revoked``.

    Source: docs/protocol/vouchers.md#validation, step 8.
    """
    signer = _open(cms)
    moment = now or signer.signing_time or voucher.signing_time or voucher.content.created_on
    if moment is None:
        raise OwnerCertificateError(
            "oc-not-under-pdc",
            "the chain cannot be validated without a time: no clock, signing time or created-on",
            where=_FIELD,
        )
    try:
        pinned = PinnedDomain(AnchorSet.from_der([voucher.content.pinned_domain_cert]))
        chain = verify_chain(signer.certificate, signer.others, pinned, now=moment)
    except CertificateError as error:
        late = error.reason in _OUT_OF_DATE
        raise OwnerCertificateError(
            "oc-expired" if late else "oc-not-under-pdc",
            "the owner certificate does not chain to the certificate that the voucher pins",
            where=_FIELD,
            expected="a valid chain to the pinned domain certificate",
            seen=f"{error.reason}: {error}",
        ) from error
    if voucher.content.revocation_checks:
        # No list and no responder is asked, so that fresh status is never to be had.
        raise OwnerCertificateError(
            "oc-revoked",
            "the voucher requires a revocation check, and no revocation status is available",
            where=_FIELD,
            expected="proof that the owner certificate is not revoked",
            seen="none",
        )
    return OwnerCertificate(cms, signer.certificate, chain.chain[1:-1])


def _open(cms: bytes) -> VerifiedSigner:
    if not cms:
        raise OwnerCertificateError(
            "oc-malformed",
            "the answer has no owner certificate",
            where=_FIELD,
            expected="a CMS SignedData",
            seen="none",
        )
    try:
        signed = parse_signed_data(cms)
        if len(signed.signers) != 1:
            raise CmsError(
                "cms-malformed",
                "exactly one signer is expected",
                expected="1",
                seen=str(len(signed.signers)),
            )
        if signed.content_type != ID_DATA or signed.content:
            raise CmsError("cms-malformed", "unexpected content", expected="empty data")
        (signer,) = verify_signers(signed)
    except CmsError as error:
        raise OwnerCertificateError(
            _REASONS.get(error.reason, "oc-malformed"),
            error.detail,
            where=_FIELD,
            expected=error.expected,
            seen=error.seen,
        ) from error
    return signer


def odd_algorithm(certificate: x509.Certificate) -> str:
    """Say why routers that follow the Go reference cannot verify what its key signs; else empty.

    They pick the hash by the algorithm that the issuer signed the certificate with.
    """
    key, signed_with = certificate.public_key(), certificate.signature_algorithm_oid
    if isinstance(key, rsa.RSAPublicKey):
        agreed, name = signed_with == _SHA256_RSA, "RSA"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        name = key.curve.name
        wanted = {"secp256r1": _SHA256_RSA, "secp384r1": _SHA384_ECDSA}.get(name)
        agreed = signed_with == wanted
    else:
        agreed, name = False, type(key).__name__
    if agreed:
        return ""
    return (
        f"the owner certificate has a key of kind {name} and is signed with "
        f"{getattr(signed_with, '_name', signed_with.dotted_string)}: routers that follow the Go "
        "reference cannot verify its signatures; RSA under sha256WithRSAEncryption works with all"
    )
