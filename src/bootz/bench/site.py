"""A throwaway site: an inventory of any size, and identities and vouchers for those that onboard.

The only module of this room that knows the server, and it uses the operator's verbs alone.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from bootz.bench.client import BenchRouter
from bootz.bench.plan import BenchPlan, IdentityKey, OnProgress
from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind, PrivateKey, generate_key, random_serial
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.model.chassis import Release
from bootz.processes import COMMAND
from bootz.server.operations.chassis import ChassisRecord, add_all_chassis
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import VendorRecord, add_vendor
from bootz.server.operations.vouchers import StoreOutcome, store_voucher
from bootz.server.site import open_site
from bootz.server.store.database import Database
from bootz.trust.certificates import pem_from_der
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import issue_voucher

MANUFACTURER: Final = "Bench Networks"
PART_NUMBER: Final = "BENCH-1"
_PROFILE: Final = "bench"
_BATCH: Final = 10_000
_VALID: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class BenchSite:
    """A site that can be served, and the routers that onboard at it."""

    root: Path
    manufacturer: str
    part_number: str
    vendor_ca: bytes = field(repr=False)
    routers: tuple[BenchRouter, ...]


def build_site(plan: BenchPlan, root: Path, on_progress: OnProgress) -> BenchSite:
    """Make a site in ``root`` with everything that the plan needs.

    Raises:
        ConfigError: the folder is not empty, or the plan does not fit the server.
    """
    on_progress("making a site", 0, 1)
    root.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(  # noqa: S603 -- our own program
        [*COMMAND, "init", str(root)], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if made.returncode:
        words = made.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(
            "bench-plan-invalid", words[0] if words else "bootz init failed", where=str(root)
        )
    on_progress("making a site", 1, 1)
    now = datetime.now(UTC)
    factory = _Factory(plan.identity, now)
    site = open_site(root)
    database = site.database()
    try:
        _add_profile(database, plan)
        with database.write() as connection:
            add_vendor(connection, VendorRecord(MANUFACTURER, idevid_ca=(factory.ca,)))
        _add_chassis(database, plan, on_progress)
        serials = _onboarding_serials(plan)
        _add_vouchers(database, factory, serials, site.pinned_domain_cert(), on_progress)
    finally:
        database.close()
    identities = root / "identities"
    identities.mkdir(mode=0o700)
    routers = tuple(BenchRouter(serial, identities / f"{serial}.pem") for serial in serials)
    for count, router in enumerate(routers, 1):
        router.identity.write_bytes(factory.identity(router.serial_number))
        on_progress("manufacturing routers", count, len(routers))
    return BenchSite(root, MANUFACTURER, PART_NUMBER, factory.ca, routers)


def _serial(number: int) -> str:
    return f"BENCH{number:07d}"


def _onboarding_serials(plan: BenchPlan) -> tuple[str, ...]:
    """Return those that onboard, spread over the whole inventory."""
    return tuple(_serial(index * plan.inventory // plan.routers) for index in range(plan.routers))


def _add_profile(database: Database, plan: BenchPlan) -> None:
    line = " description port of the benchmark\n"
    config = "hostname {{ chassis.serial_number }}\n" + line * (plan.config_bytes // len(line))
    document = ProfileDocument.parse({"vendor_config": config})
    with database.write() as connection:
        add_profile(connection, ProfileRecord(_PROFILE, document))


def _add_chassis(database: Database, plan: BenchPlan, on_progress: OnProgress) -> None:
    release = Release.V0_3 if plan.dialect == "v0.3" else Release.CURRENT
    for first in range(0, plan.inventory, _BATCH):
        numbers = range(first, min(first + _BATCH, plan.inventory))
        with database.write() as connection:
            add_all_chassis(
                connection,
                [
                    ChassisRecord(
                        vendor=MANUFACTURER,
                        serial_number=_serial(number),
                        part_number=PART_NUMBER,
                        hostname=f"bench-{number}",
                        release=release,
                        profile=_PROFILE,
                    )
                    for number in numbers
                ],
            )
        on_progress("filling the inventory", numbers.stop, plan.inventory)


def _add_vouchers(
    database: Database,
    factory: "_Factory",
    serials: Sequence[str],
    pinned_domain_cert: bytes,
    on_progress: OnProgress,
) -> None:
    for first in range(0, len(serials), _BATCH):
        with database.write() as connection:
            for count, serial in enumerate(serials[first : first + _BATCH], first + 1):
                result = store_voucher(
                    connection,
                    factory.voucher(serial, pinned_domain_cert),
                    pinned_domain_cert=pinned_domain_cert,
                    now=factory.now,
                    vendor=MANUFACTURER,
                )
                if result.outcome is not StoreOutcome.STORED:
                    raise RuntimeError(f"a voucher of the benchmark was not stored: {result}")
                on_progress("issuing vouchers", count, len(serials))


class _Factory:
    """A manufacturer with one CA; all its routers share one key: the server pays the same."""

    def __init__(self, identity: IdentityKey, now: datetime) -> None:
        kind = KeyKind.RSA_2048 if identity is IdentityKey.RSA_2048 else KeyKind.P256
        self.now = now
        self._ca_key = generate_key(kind)
        self._ca_name = _name("Bench Networks CA")
        self.ca = self._issue(CertificateProfile.ROOT_CA, self._ca_name, self._ca_key)
        self._router_key = generate_key(kind)
        self._router_pem = self._router_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._signer_key = generate_key(KeyKind.RSA_2048)
        self._signer = self._issue(
            CertificateProfile.VOUCHER_SIGNER, _name("Bench Networks vouchers"), self._signer_key
        )

    def identity(self, serial_number: str) -> bytes:
        """Return an IDevID and its key as PEM."""
        certificate = self._issue(
            CertificateProfile.IDEVID,
            _name("router", f"PID:{PART_NUMBER} SN:{serial_number}"),
            self._router_key,
        )
        return pem_from_der([certificate]) + self._router_pem

    def voucher(self, serial_number: str, pinned_domain_cert: bytes) -> bytes:
        """Return a voucher for a router that pins an owner."""
        return issue_voucher(
            VoucherContent(
                serial_number,
                Assertion.VERIFIED,
                pinned_domain_cert,
                created_on=self.now,
                expires_on=self.now + _VALID,
            ),
            signer_certificate=self._signer,
            chain=(),
            scheme=scheme_for(self._signer_key.public_key()),
            sign=sign_with(self._signer_key),
            now=self.now,
        )

    def _issue(self, profile: CertificateProfile, subject: x509.Name, key: PrivateKey) -> bytes:
        return issue_certificate(
            profile=profile,
            subject=subject,
            public_key=key.public_key(),
            issuer_name=self._ca_name,
            issuer_key=self._ca_key,
            serial_number=random_serial(),
            not_before=self.now - timedelta(hours=1),
            not_after=self.now + _VALID,
        )


def _name(common_name: str, serial_number: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if serial_number:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    return x509.Name(attributes)
