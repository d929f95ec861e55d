"""A manufacturer, an owner and an inventory, for tests of store and operations."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pki import Pair, make_pair

from bootz.model.artifacts import Assertion, VoucherContent
from bootz.model.bootstrap import CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus
from bootz.model.checks import Check, Outcome
from bootz.server.operations.vendors import VendorRecord
from bootz.server.ports import CallRecord
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import issue_voucher

NOW = datetime.now(UTC).replace(microsecond=0)
FINGERPRINT = "ab" * 32


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Maker:
    """A manufacturer whose CA signs vouchers' signers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._signer_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._certificate(CertificateProfile.ROOT_CA, f"{name} CA", self._ca_key)

    @property
    def vendor(self) -> VendorRecord:
        return VendorRecord(self.name, idevid_ca=(self.ca,))

    def voucher(
        self,
        serial: str,
        pinned: bytes,
        *,
        created: datetime = NOW,
        expires: datetime | None = None,
        assertion: Assertion = Assertion.VERIFIED,
        signer_ends: datetime = NOW + timedelta(days=400),
    ) -> bytes:
        signer = self._certificate(
            CertificateProfile.VOUCHER_SIGNER,
            f"{self.name} vouchers",
            self._signer_key,
            signer_ends,
        )
        return issue_voucher(
            VoucherContent(serial, assertion, pinned, created_on=created, expires_on=expires),
            signer_certificate=signer,
            chain=(),
            scheme=scheme_for(self._signer_key.public_key()),
            sign=sign_with(self._signer_key),
            now=created,
        )

    def _certificate(
        self,
        profile: CertificateProfile,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        ends: datetime = NOW + timedelta(days=400),
    ) -> bytes:
        return issue_certificate(
            profile=profile,
            subject=named(name),
            public_key=key.public_key(),
            issuer_name=named(f"{self.name} CA"),
            issuer_key=self._ca_key,
            serial_number=x509.random_serial_number(),
            not_before=NOW - timedelta(days=400),
            not_after=ends,
        )


_made = cache(Maker)
_owned = cache(lambda name: make_pair(name, ca=True))


def maker(name: str = "Acme") -> Maker:
    return _made(name)


def owner(name: str = "owner") -> Pair:
    return _owned(name)


def call(serial: str = "FX1", **changes: object) -> CallRecord:
    """A request that was answered; ``changes`` make it another."""
    made = CallRecord(
        at=NOW,
        rpc="GetBootstrapData",
        dialect="current",
        peer="192.0.2.1:4711",
        chassis_key=None,
        claimed_manufacturer="Acme",
        claimed_serial=serial,
        proven_serial=serial,
        idevid_fingerprint=FINGERPRINT,
        checks=(Check("nonce", Outcome.PASSED, "a nonce", "present"),),
        answered_serials=(serial,),
        sent={"payload_sha256": "cd" * 32, "answer_bytes": 77},
    )
    content = changes.get("content")
    if isinstance(content, bytes) and content:
        changes["content_sha256"] = hashlib.sha256(content).hexdigest()
    return replace(made, **changes)


def refusal(serial: str = "FX1", reason: str = "chassis-unknown", **changes: object) -> CallRecord:
    return call(
        serial,
        reason=reason,
        detail="refused",
        proven_serial="",
        answered_serials=(),
        sent={},
        **changes,
    )


def report(
    status: ReportedStatus,
    serial: str = "FX1",
    *,
    message: str = "",
    card: CardStatus = CardStatus.INITIALIZED,
    **changes: object,
) -> CallRecord:
    told = StatusReport(status, message, (CardState(serial, card),))
    return call(serial, rpc="ReportStatus", report=told, answered_serials=(), sent={}, **changes)
