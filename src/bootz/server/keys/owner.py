"""The owner's identity in use: certificate and key loaded, checked, and kept ready.

Source: docs/protocol/pki.md#owner-certificate; docs/protocol/pki.md#signatures (which keys the Go
reference verifies); docs/protocol/pki.md#what-is-built-once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.keystore.clock import check_clock
from bootz.keystore.files import PublicKey
from bootz.keystore.loading import load_signer
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.keystore.signer import BlockingSigner
from bootz.log import get_logger
from bootz.model.artifacts import OwnerCertificate
from bootz.server.keys.owner_files import OwnerFiles
from bootz.server.onboarding.service import OwnerState
from bootz.server.site import Site
from bootz.trust.certificates import AnchorSet, load_certificate, verify_chain
from bootz.trust.keys import describe_key
from bootz.trust.owner import build_owner_certificate, odd_algorithm
from bootz.trust.signature import encode_signature

WARN_BEFORE: Final = timedelta(days=30)

log = get_logger()


class FileOwnerIdentity:
    """Fills the port ``OwnerIdentity``: the CMS form is built once and kept."""

    def __init__(
        self,
        certificate: OwnerCertificate,
        pinned_domain_cert: bytes,
        signer: BlockingSigner,
        warnings: tuple[str, ...],
        *,
        store: str,
    ) -> None:
        self._certificate = certificate
        self._pinned_domain_cert = pinned_domain_cert
        self._signer = signer
        self._store = store
        self.warnings = warnings
        """What an operator should do something about soon."""

    @property
    def store(self) -> str:
        """Where the key is: ``file`` or ``pkcs11``."""
        return self._store

    @property
    def certificate(self) -> OwnerCertificate:
        """The owner certificate in the CMS form that travels."""
        return self._certificate

    @property
    def pinned_domain_cert(self) -> bytes:
        """DER of the pinned domain certificate that vouchers must pin."""
        return self._pinned_domain_cert

    async def sign(self, data: bytes) -> str:
        """Return the base64 response signature over exactly these bytes.

        Raises:
            Unavailable: the key cannot be used now.
        """
        return encode_signature(await self._signer.sign(data))


def load_owner_state(site: Site, now: datetime) -> OwnerState:
    """Load what the owner answers with, and check it.

    Args:
        site: the site.
        now: aware UTC; also the signing time of the owner certificate's CMS.

    Raises:
        Unavailable: ``owner-identity-unusable``, with the cause: a file does not hold, the key
            does not belong to the certificate, the certificate does not lead to the pinned
            domain certificate now, or the token refuses.
    """
    try:
        identity = load_owner_identity(site.owner_files(), now)
        keys = site.keys
        anchor = keys.certificates(keys.read().trust_anchors[0])[0]
    except BootzError as error:
        raise _unusable("owner-identity-unusable", "owner", error) from error
    _warn(identity)
    return OwnerState(identity, anchor)


def load_p256_identity(site: Site, now: datetime) -> FileOwnerIdentity | None:
    """Load the P-256 owner key beside the first one, and check it; None where there is none.

    Raises:
        Unavailable: ``owner-p256-unusable``, with the cause, as ``load_owner_state`` has them, or
            that the key is of another kind.
    """
    try:
        files = site.p256_owner_files()
        if files is None:
            return None
        check_p256(files.certificate)
        identity = load_owner_identity(files, now)
    except BootzError as error:
        raise _unusable("owner-p256-unusable", "owner-p256", error) from error
    _warn(identity)
    return identity


def _unusable(reason: str, where: str, error: BootzError) -> Unavailable:
    return Unavailable(
        reason,
        f"{error} ({error.reason})",
        where=where,
        expected=error.expected,
        seen=error.seen,
    )


def _warn(identity: FileOwnerIdentity) -> None:
    for warning in identity.warnings:
        log.warning("owner-certificate-warning", detail=warning)


def load_owner_identity(files: OwnerFiles, now: datetime) -> FileOwnerIdentity:
    """Load the key, check everything, and build the CMS form.

    Raises:
        BootzError: as ``load_owner_state``, with the cause as reason.
    """
    for certificate in (files.pinned_domain_cert, files.certificate):
        check_clock(load_certificate(certificate), now, where="owner")
    anchors = AnchorSet.from_der([files.pinned_domain_cert])
    chain = verify_chain(files.certificate, files.intermediates, anchors, now=now).chain
    signer = load_signer(files.key, passphrase_file=files.passphrase_file)
    check_key(signer.public_key, files.certificate, where=files.key)
    sealed = build_owner_certificate(
        files.certificate,
        files.intermediates,
        scheme=signer.scheme,
        sign=signer.sign_blocking,
        signing_time=now,
    )
    return FileOwnerIdentity(
        sealed,
        files.pinned_domain_cert,
        signer,
        owner_warnings(chain, now),
        store="pkcs11" if files.key.startswith(PKCS11_SCHEME) else "file",
    )


def check_p256(certificate: bytes) -> None:
    """Check that a certificate (DER) has a P-256 key.

    Raises:
        ConfigError: ``certificate-unfit``.
    """
    key = load_certificate(certificate).public_key()
    if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
        raise ConfigError(
            "certificate-unfit",
            "has a key of another kind; routers that are to get it verify P-256",
            where="P-256 owner certificate",
            expected="P-256",
            seen=describe_key(key),
        )


def check_key(public_key: PublicKey, certificate: bytes, *, where: str) -> None:
    """Check that a key belongs to a certificate (DER).

    Raises:
        ConfigError: ``key-mismatch``.
    """
    if load_certificate(certificate).public_key() != public_key:
        raise ConfigError("key-mismatch", "is not the key of the certificate", where=where)


def owner_warnings(chain: Sequence[bytes], now: datetime) -> tuple[str, ...]:
    """Return what is legal and will cause trouble; ``chain`` is DER from OC to PDC."""
    warnings: list[str] = []
    for der in chain:
        certificate = load_certificate(der)
        left = certificate.not_valid_after_utc - now
        if left <= WARN_BEFORE:
            name = certificate.subject.rfc4514_string()
            warnings.append(f"{name} ends in {max(left.days, 0)} days")
    odd = odd_algorithm(load_certificate(chain[0]))
    if odd:
        warnings.append(odd)
    return tuple(warnings)
