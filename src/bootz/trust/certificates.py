"""Chains of certificates: who counts as an anchor, and whom the anchors vouch for.

The roles of anchor sets are types of their own, so that a vendor's CAs can never stand where
the owner's belong. Source: RFC 5280 section 6; docs/protocol/pki.md#path-validation.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NewType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from bootz.trust.certificate_form import (
    CertificateError,
    authority_key_identifier,
    check_named_curve,
    fingerprint,
    load_certificate,
    parse_certificates,
    pem_from_der,
    spki_fingerprint,
)
from bootz.trust.flaws import name_flaw
from bootz.trust.idevid import idevid_serial_number, parse_identity_certificate
from bootz.trust.keys import describe_key, is_strong
from bootz.trust.legacy import find_legacy_chain

__all__ = [
    "NEEDS_LEGACY",
    "AnchorSet",
    "CertificateError",
    "PinnedDomain",
    "TrustAnchor",
    "VendorCAs",
    "VerifiedChain",
    "authority_key_identifier",
    "check_named_curve",
    "fingerprint",
    "idevid_serial_number",
    "load_certificate",
    "parse_certificates",
    "parse_identity_certificate",
    "pem_from_der",
    "spki_fingerprint",
    "verify_chain",
]

NEEDS_LEGACY: Final = "certificate-needs-legacy"
"""Reason of a chain that holds but for its form, which a vendor's setting can accept."""

MAX_INTERMEDIATES = 64
"""The library bounds its own work; this bounds what is parsed for it."""


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """Certificates that are trusted without further proof, self-signed or not.

    ``certificates`` is their DER; ``legacy`` takes chains of the forms that ``legacy`` lists.
    Made by ``from_der``; cheap to use, dear to make.
    """

    certificates: tuple[bytes, ...] = field(repr=False)
    _policy: PolicyBuilder = field(repr=False, compare=False)
    legacy: bool = False
    digest: bytes = field(default=b"", repr=False, compare=False)
    """Of ``certificates``, in order, and ``legacy``: two sets with one digest are alike."""

    @classmethod
    def from_der(cls, certificates: Iterable[bytes], *, legacy: bool = False) -> "AnchorSet":
        """Return the set of these DER certificates, in order, each once.

        Raises:
            CertificateError: empty, or one of them cannot be read.
        """
        ders = tuple(dict.fromkeys(certificates))
        if not ders:
            raise CertificateError(
                "certificate-anchors-empty",
                "no trust anchor is given",
                expected="at least one certificate",
                seen="none",
            )
        store = Store([load_certificate(der) for der in ders])
        policy = PolicyBuilder().store(store)
        digest = hashlib.sha256(b"legacy" if legacy else b"strict")
        for der in ders:
            digest.update(hashlib.sha256(der).digest())
        policy = policy.extension_policies(ca_policy=_CAS, ee_policy=_LEAVES)
        return cls(ders, policy, legacy, digest.digest())

    def verify(
        self, leaf: x509.Certificate, intermediates: list[x509.Certificate], now: datetime
    ) -> list[x509.Certificate]:
        """Return the chain from leaf to anchor.

        Raises:
            VerificationError: there is none; ``verify_chain`` says why.
        """
        # A verifier keeps its time for ever, so that each check builds its own.
        verifier = self._policy.time(now).build_client_verifier()
        return verifier.verify(leaf, intermediates).chain


VendorCAs = NewType("VendorCAs", AnchorSet)
"""Anchors of a manufacturer: for its IDevIDs or its vouchers."""

PinnedDomain = NewType("PinnedDomain", AnchorSet)
"""The one certificate that a voucher pins; the owner certificate chains to it."""

TrustAnchor = NewType("TrustAnchor", AnchorSet)
"""What vouches for a bootstrap server's TLS certificate (``server_trust_cert``)."""


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A certificate that an anchor vouches for. ``chain`` is DER, leaf first, anchor last.

    ``tolerated`` says what of its form only a vendor's ``legacy`` setting takes.
    """

    leaf: x509.Certificate = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    anchor: bytes = field(repr=False)
    tolerated: tuple[str, ...] = ()


def _must_sign_certificates(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("keyUsage of a CA lacks keyCertSign")


# IDevIDs and owner certificates have none of what the policy of web servers demands.
# Certificate policies are permitted when critical: no policy is required here.
_CAS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign_certificates)
    .may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
)
_LEAVES = ExtensionPolicy.permit_all().may_be_present(
    x509.CertificatePolicies, Criticality.AGNOSTIC, None
)


def verify_chain(
    leaf: bytes, intermediates: Sequence[bytes], anchors: AnchorSet, *, now: datetime
) -> VerifiedChain:
    """Return the chain by which an anchor vouches for a certificate.

    Args:
        leaf: DER.
        intermediates: DER, in any order; what is not a certificate or leads nowhere is ignored.
        anchors: any of them may end the chain, or be the leaf itself.
        now: aware UTC time at which every certificate of the chain must be valid.

    Raises:
        CertificateError: no chain, or a weak key in the leaf; the reason names the flaw.
    """
    if now.tzinfo is None:
        raise RuntimeError("a time without a time zone")
    certificate = load_certificate(leaf)
    helpers = _readable(intermediates[:MAX_INTERMEDIATES])
    tolerated: tuple[str, ...] = ()
    try:
        found = anchors.verify(certificate, helpers, now)
    except (VerificationError, ValueError) as error:
        trusted = [load_certificate(each) for each in anchors.certificates]
        flaw = name_flaw(certificate, helpers, trusted, now, str(error))
        legacy = None
        if flaw.reason == "certificate-refused":
            legacy = find_legacy_chain(certificate, helpers, trusted, now)
        if legacy is None:
            raise flaw from error
        if not anchors.legacy:
            raise CertificateError(
                NEEDS_LEGACY,
                "; ".join(legacy.tolerated),
                where=flaw.where,
                expected="a form that is accepted without `legacy`",
                seen="; ".join(legacy.tolerated)[:200],
            ) from error
        found, tolerated = list(legacy.chain), legacy.tolerated
    if not is_strong(certificate.public_key()):
        raise CertificateError(
            "certificate-weak-key",
            "the certificate's key is of an unsupported type or size",
            where=certificate.subject.rfc4514_string(),
            expected="RSA of 2048 bits or more, P-256, P-384, P-521",
            seen=describe_key(certificate.public_key()),
        )
    chain = (leaf, *[each.public_bytes(Encoding.DER) for each in found[1:]])
    for der in chain:
        check_named_curve(der)
    return VerifiedChain(certificate, chain, chain[-1], tolerated)


def _readable(ders: Sequence[bytes]) -> list[x509.Certificate]:
    readable = []
    for der in ders:
        try:
            readable.append(load_certificate(der))
        except CertificateError:
            # A bag may hold what is not needed; a needed one is missed by the chain itself.
            continue
    return readable
