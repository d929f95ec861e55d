"""Whether a pinned domain certificate is revoked, by the lists in a folder.

Source: RFC 8366 section 7.3 recommends the check before signing; RFC 5280 section 5 (CRLs);
docs/protocol/ovgs.md#issuing.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from bootz.errors import TrustError
from bootz.masa.ledger.errors import LedgerError
from bootz.trust.certificate_form import UNREADABLE
from bootz.trust.certificates import load_certificate, parse_certificates

_MAX_FILE: Final = 64 << 20
_STRONG: Final = (SHA256, SHA384, SHA512)
_BAD: Final = (*UNREADABLE, InvalidSignature)


class RevocationLists:
    """CRLs (``*.crl``) and those who sign them (``*.pem``, ``*.crt``); DER or PEM.

    Args:
        folder: read for every check, so that a new list counts at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, certificate: bytes, now: datetime) -> None:
        """Check that a list says that a certificate (DER) is not revoked; blocking.

        A self-signed certificate is on no list.

        Raises:
            LedgerError: it is revoked (``ovgs-cert-revoked``), or no list of its issuer is there
                and in date (``ovgs-revocation-unknown``).
        """
        wanted = load_certificate(certificate)
        if wanted.issuer == wanted.subject:
            return
        known = False
        for issuer in self._issuers(wanted):
            for listed in self._lists(issuer, now):
                known = True
                if listed.get_revoked_certificate_by_serial_number(wanted.serial_number):
                    raise LedgerError(
                        "ovgs-cert-revoked",
                        "is on its issuer's revocation list",
                        where="domain certificate",
                    )
        if not known:
            raise LedgerError(
                "ovgs-revocation-unknown",
                "there is no current revocation list of its issuer",
                where="domain certificate",
            )

    def _issuers(self, certificate: x509.Certificate) -> Iterator[x509.Certificate]:
        for data in self._files("*.pem", "*.crt"):
            try:
                found = [load_certificate(der) for der in parse_certificates(data)]
            except TrustError:
                continue
            for issuer in found:
                try:
                    certificate.verify_directly_issued_by(issuer)
                except _BAD:
                    continue
                yield issuer

    def _lists(
        self, issuer: x509.Certificate, now: datetime
    ) -> Iterator[x509.CertificateRevocationList]:
        """Yield the lists that an issuer signed and that are in date."""
        for data in self._files("*.crl"):
            try:
                pem = data.lstrip().startswith(b"-----BEGIN")
                listed = x509.load_pem_x509_crl(data) if pem else x509.load_der_x509_crl(data)
                signed = (
                    listed.issuer == issuer.subject
                    and isinstance(listed.signature_hash_algorithm, _STRONG)
                    and listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
                )
            except _BAD:
                continue
            ends = listed.next_update_utc
            # A list without an end would count for ever.
            if signed and ends is not None and listed.last_update_utc <= now < ends:
                yield listed

    def _files(self, *patterns: str) -> Iterator[bytes]:
        for pattern in patterns:
            for path in sorted(self._folder.glob(pattern)):
                try:
                    with path.open("rb") as file:
                        data = file.read(_MAX_FILE + 1)
                except OSError:
                    continue
                if len(data) <= _MAX_FILE:
                    yield data
