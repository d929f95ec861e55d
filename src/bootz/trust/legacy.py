"""Chains of a form that the library refuses and that is safe to take, for vendors marked so.

A burnt-in identity cannot be issued again. Four deviations are taken, and nothing else: dates
before 2050 as GeneralizedTime, nameConstraints of directoryNames (checked), RSA-PSS with another
salt, and an issuer's name in another string type. Keys, hashes, dates, rights of CAs and unknown
critical extensions are judged as ever, and the search is bounded. Source: RFC 5280 section 6.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from bootz.trust.asn1 import GENERALIZED_TIME, SEQUENCE, Asn1Error, read_one
from bootz.trust.certificate_form import (
    CertificateError,
    check_named_curve,
    extension,
    extension_value,
    validity_tags,
)
from bootz.trust.keys import is_strong

_MAX_CERTIFICATES: Final = 10
"""Of a chain, with leaf and anchor."""

_MAX_SIGNATURES: Final = 32
"""Checks of one search; a chain needs at most nine."""

_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)
"""Critical extensions that are judged, or that demand nothing of an identity."""


@dataclass(frozen=True, slots=True)
class LegacyChain:
    """A chain from leaf to anchor, and what of its form was tolerated."""

    chain: tuple[x509.Certificate, ...] = field(repr=False)
    tolerated: tuple[str, ...]


def find_legacy_chain(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> LegacyChain | None:
    """Return a chain that holds but for the four deviations; None if there is none.

    A chain without any of them is the library's to judge, and is not returned.
    """
    search = _Search([*anchors, *intermediates], frozenset(anchors))
    for path in search.paths((leaf,)):
        if _holds(path, now) and (tolerated := _deviations(path)):
            return LegacyChain(path, tolerated)
    return None


class _Search:
    """Walks up from a leaf by names and signatures, within bounds."""

    def __init__(
        self, issuers: Sequence[x509.Certificate], anchors: frozenset[x509.Certificate]
    ) -> None:
        self._issuers = issuers
        self._anchors = anchors
        self._left = _MAX_SIGNATURES

    def paths(self, path: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, ...]]:
        if path[-1] in self._anchors:
            yield path
            return
        if len(path) == _MAX_CERTIFICATES:
            return
        for issuer in self._issuers:
            if issuer in path or _canonical(path[-1].issuer) != _canonical(issuer.subject):
                continue
            if self._left == 0:
                return
            self._left -= 1
            if _signed(path[-1], issuer, padding.PSS.AUTO):
                yield from self.paths((*path, issuer))


def _signed(certificate: x509.Certificate, issuer: x509.Certificate, salt: object) -> bool:
    try:
        used = certificate.signature_hash_algorithm
        parameters = certificate.signature_algorithm_parameters
        key = issuer.public_key()
        signature, data = certificate.signature, certificate.tbs_certificate_bytes
        if not isinstance(used, _STRONG):
            return False
        if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PSS):
            key.verify(signature, data, padding.PSS(padding.MGF1(used), salt), used)  # type: ignore[arg-type]
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15):
            key.verify(signature, data, padding.PKCS1v15(), used)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(signature, data, ec.ECDSA(used))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _holds(path: tuple[x509.Certificate, ...], now: datetime) -> bool:
    """Tell whether every certificate of a path has what is demanded of its place."""
    for depth, certificate in enumerate(path):
        if certificate.version is not x509.Version.v3 or not is_strong(certificate.public_key()):
            return False
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return False
        if any(each.critical and each.oid not in _UNDERSTOOD for each in certificate.extensions):
            return False
        try:
            check_named_curve(_der(certificate))
        except CertificateError:
            return False
        if depth > 0 and not (_may_issue(certificate, path[1:depth]) and _allows(path, depth)):
            return False
    return True


def _may_issue(certificate: x509.Certificate, between: Sequence[x509.Certificate]) -> bool:
    """Tell whether a certificate is a CA's that allows the CAs between it and the leaf."""
    constraints = extension(certificate, x509.BasicConstraints)
    usage = extension(certificate, x509.KeyUsage)
    if constraints is None or not constraints.ca or (usage and not usage.key_cert_sign):
        return False
    counted = sum(_canonical(each.issuer) != _canonical(each.subject) for each in between)
    return constraints.path_length is None or counted <= constraints.path_length


def _allows(path: tuple[x509.Certificate, ...], depth: int) -> bool:
    """Tell whether the names below a CA are within its nameConstraints, if it has any."""
    constraints = extension(path[depth], x509.NameConstraints)
    if constraints is None:
        return True
    if not _plain_subtrees(path[depth]):
        return False
    permitted, excluded = constraints.permitted_subtrees or [], constraints.excluded_subtrees or []
    kinds = {type(each) for each in (*permitted, *excluded)}
    allowed = [_canonical(e.value) for e in permitted if isinstance(e, x509.DirectoryName)]
    denied = [_canonical(e.value) for e in excluded if isinstance(e, x509.DirectoryName)]
    for place, below in enumerate(path[:depth]):
        if place > 0 and _canonical(below.issuer) == _canonical(below.subject):
            # RFC 5280 section 6.1.3: a self-issued CA is not held against them.
            continue
        names = extension(below, x509.SubjectAlternativeName) or ()
        if any(type(name) in kinds and not isinstance(name, x509.DirectoryName) for name in names):
            return False
        mail = below.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
        if mail and x509.RFC822Name in kinds:
            return False
        own = [_canonical(below.subject)] if below.subject.rdns else []
        own += [_canonical(each.value) for each in names if isinstance(each, x509.DirectoryName)]
        for name in own:
            if allowed and not any(name[: len(base)] == base for base in allowed):
                return False
            if any(name[: len(base)] == base for base in denied):
                return False
    return True


def _plain_subtrees(certificate: x509.Certificate) -> bool:
    """Tell whether no subtree has a minimum or maximum, which RFC 5280 has no use for."""
    try:
        value = extension_value(_der(certificate), ExtensionOID.NAME_CONSTRAINTS.dotted_string)
        for subtrees in read_one(value or b"", SEQUENCE).children().rest():
            for subtree in subtrees.children().rest():
                if len(list(subtree.children().rest())) != 1:
                    return False
    except Asn1Error:
        return False
    return True


def _deviations(path: tuple[x509.Certificate, ...]) -> tuple[str, ...]:
    """Name what the library refuses in a path that holds otherwise."""
    found: list[str] = []
    for depth, certificate in enumerate(path):
        name = certificate.subject.rfc4514_string()[:120] or "certificate without subject"
        ends = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
        for word, tag, moment in zip(
            ("notBefore", "notAfter"), validity_tags(_der(certificate)), ends, strict=True
        ):
            if tag == GENERALIZED_TIME and moment.year < 2050:
                found.append(f"{word} of {name} is a GeneralizedTime before 2050")
        if depth > 0 and extension(certificate, x509.NameConstraints) is not None:
            found.append(f"{name} has nameConstraints, which were checked here")
        if depth + 1 < len(path):
            issuer = path[depth + 1]
            if not _signed(certificate, issuer, padding.PSS.DIGEST_LENGTH):
                found.append(
                    f"{name} is signed with RSA-PSS and another salt than its digest's length"
                )
            if certificate.issuer.public_bytes() != issuer.subject.public_bytes():
                found.append(f"{name} spells its issuer's name in another string type")
    return tuple(found)


def _canonical(name: x509.Name) -> tuple[frozenset[tuple[str, str | bytes]], ...]:
    """Return a name as RFC 5280 section 7.1 compares it: without case and runs of blanks."""
    return tuple(
        frozenset(
            (
                each.oid.dotted_string,
                " ".join(each.value.split()).casefold()
                if isinstance(each.value, str)
                else each.value,
            )
            for each in rdn
        )
        for rdn in name.rdns
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
