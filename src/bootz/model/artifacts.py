"""The signed things: voucher, owner certificate, and the sealed answer.

Certificates inside are DER; times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Assertion(Enum):
    """How a manufacturer established ownership (RFC 8366 section 5.3)."""

    VERIFIED = "verified"
    LOGGED = "logged"
    PROXIMITY = "proximity"


@dataclass(frozen=True, slots=True)
class VoucherContent:
    """The leaves of a voucher (RFC 8366, module ``ietf-voucher``).

    ``pinned_domain_cert`` is one DER certificate; ``expires_on`` None means unlimited.
    """

    serial_number: str
    assertion: Assertion
    pinned_domain_cert: bytes
    created_on: datetime | None = None
    expires_on: datetime | None = None
    idevid_issuer: bytes | None = None
    revocation_checks: bool | None = None
    last_renewal_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnershipVoucher:
    """A voucher that a manufacturer signed, verified; ``raw`` is the CMS it came in.

    ``signer`` and ``anchor`` are DER; ``encoding`` is ``json`` or ``xml``; ``warnings`` name
    every quirk that was tolerated.
    """

    raw: bytes = field(repr=False)
    content: VoucherContent
    signer: bytes = field(repr=False)
    anchor: bytes = field(repr=False)
    signing_time: datetime | None
    encoding: str = "json"
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredVouchers:
    """The vouchers that an owner has for some cards, by serial number without regard to case.

    ``valid`` are the vouchers (CMS in DER) that pin this owner and have not ended. Of a card that
    has none, ``ended`` says when its last one ended; ``pinning_other`` has only vouchers that
    pin another certificate.
    """

    valid: Mapping[str, bytes] = field(repr=False)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    pinning_other: frozenset[str] = frozenset()

    def seen_of(self, serial: str) -> str:
        """Say what there is in place of a valid voucher; ``serial`` as the keys."""
        if serial in self.ended:
            return f"one that ended at {self.ended[serial].isoformat()}"
        if serial in self.pinning_other:
            return "only vouchers that pin another certificate than this owner's"
        return "none"


@dataclass(frozen=True, slots=True)
class OwnerCertificate:
    """An owner certificate with the intermediates that lead to the pinned domain certificate.

    ``cms`` is the SignedData it travels in; the others are DER.
    """

    cms: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class SealedData:
    """Signed bootstrapping data as it travels: the exact signed bytes and what vouches for them.

    ``signature`` is base64 text; the three are empty when a chassis in insecure mode asked
    without a nonce. On a stream that encrypts, ``payload`` is the ciphertext for
    ``encapsulated_key``, and ``plaintext`` what it decrypts to for the one that can (else None).
    """

    payload: bytes = field(repr=False)
    signature: str = field(default="", repr=False)
    ownership_voucher: bytes = field(default=b"", repr=False)
    owner_certificate: bytes = field(default=b"", repr=False)
    encapsulated_key: bytes = field(default=b"", repr=False)
    plaintext: bytes | None = field(default=None, repr=False)

    @property
    def content(self) -> bytes | None:
        """The bootstrapping data themselves; None where they are encrypted and not opened."""
        return self.plaintext if self.encapsulated_key else self.payload
