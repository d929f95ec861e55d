"""A manufacturer, an owner with a real site, and chassis that lie on request.

The owner's server is the real one, over real TLS and gRPC on loopback; what a test changes is
what a router, or an enemy, would bring: identities, requests, times of arrival.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpclib.client import Channel, UnaryUnaryMethod

from bootz.cli.site.image_store import site_depot
from bootz.config.site import SiteConfig
from bootz.model.artifacts import Assertion, SealedData, VoucherContent
from bootz.model.bootstrap import BootstrapRequest, CardState, ReportedStatus, StatusReport
from bootz.model.chassis import CardStatus, ChassisDescriptor, ClaimedCard
from bootz.server.app import SiteServer
from bootz.server.creation import create_site
from bootz.server.keys.brought import BroughtKeys
from bootz.server.listening import Bound, Listens
from bootz.server.operations.chassis import ChassisRecord, add_chassis
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import VendorRecord, add_vendor
from bootz.server.operations.vouchers.storing import StoreOutcome, store_voucher
from bootz.server.site import Site, open_site, utc_now
from bootz.server.store.attempts import AttemptRecord, Event, events_of, latest_attempts
from bootz.server.store.database import Database
from bootz.transport.calling import end_channel
from bootz.transport.codec import BytesCodec
from bootz.trust.certificates import AnchorSet, VendorCAs, pem_from_der
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.owner import verify_owner_certificate
from bootz.trust.signature import scheme_for, sign_with, verify_response_signature
from bootz.trust.voucher import issue_voucher, verify_voucher
from bootz.wire.answers import DecodedBootstrapData, decode_answer, decode_bootstrap_data
from bootz.wire.dialects import CURRENT, GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request

LOOPBACK = ("127.0.0.1:0",)
LISTENS = Listens(LOOPBACK, LOOPBACK, LOOPBACK)


@dataclass(frozen=True)
class Device:
    """An identity as a device holds it: a key, its certificate, and what it sends along."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    chain: tuple[bytes, ...] = ()

    def context(self, folder: Path, anchor: bytes | None = None) -> ssl.SSLContext:
        """Return a TLS client with this identity; the server is verified only by an anchor."""
        context = client_tls(anchor)
        path = folder / f"device-{id(self)}.pem"
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(pem_from_der([self.certificate, *self.chain]) + private)
        context.load_cert_chain(path)
        return context


def client_tls(anchor: bytes | None = None) -> ssl.SSLContext:
    """Return a TLS client without an identity."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    if anchor is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=anchor)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class Manufacturer:
    """Makes devices and vouchers, honest or not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._signer_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._issue(CertificateProfile.ROOT_CA, self._name(f"{name} CA"), self._ca_key)
        self._signer = self._issue(
            CertificateProfile.VOUCHER_SIGNER, self._name("vouchers"), self._signer_key
        )

    @property
    def anchors(self) -> VendorCAs:
        return VendorCAs(AnchorSet.from_der([self.ca]))

    def device(
        self,
        serial: str,
        *,
        part: str = "PID-1",
        life: timedelta = timedelta(days=3),
        subject_serial: str | None = None,
    ) -> Device:
        """Make an identity; ``life`` may be negative, ``subject_serial`` anything."""
        key = ec.generate_private_key(ec.SECP256R1())
        named = f"PID:{part} SN:{serial}" if subject_serial is None else subject_serial
        certificate = self._issue(
            CertificateProfile.IDEVID, self._name("router", named), key, life=life
        )
        return Device(key, certificate)

    def device_for(self, serial: str, *usages: str) -> Device:
        """Make an identity with an extendedKeyUsage (dotted OIDs), which none of ours has."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        made = (
            x509.CertificateBuilder()
            .subject_name(self._name("router", f"PID:PID-1 SN:{serial}"))
            .issuer_name(self._name(f"{self.name} CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=3))
            .add_extension(x509.ExtendedKeyUsage(oids), critical=False)
            .sign(self._ca_key, hashes.SHA256())
        )
        return Device(key, made.public_bytes(serialization.Encoding.DER))

    def voucher(self, serial: str, pinned: bytes, *, life: timedelta = timedelta(days=30)) -> bytes:
        now = utc_now()
        return issue_voucher(
            VoucherContent(
                serial,
                Assertion.VERIFIED,
                pinned,
                created_on=now - timedelta(days=1),
                expires_on=now + life,
            ),
            signer_certificate=self._signer,
            chain=(),
            scheme=scheme_for(self._signer_key.public_key()),
            sign=sign_with(self._signer_key),
            now=now,
        )

    @staticmethod
    def _name(common: str, serial: str = "") -> x509.Name:
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
        if serial:
            attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
        return x509.Name(attributes)

    def _issue(
        self,
        profile: CertificateProfile,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        life: timedelta = timedelta(days=300),
    ) -> bytes:
        now = datetime.now(UTC)
        return issue_certificate(
            profile=profile,
            subject=subject,
            public_key=key.public_key(),
            issuer_name=self._name(f"{self.name} CA"),
            issuer_key=self._ca_key,
            serial_number=x509.random_serial_number(),
            not_before=now - timedelta(days=30),
            not_after=now + life,
        )


_made = cache(Manufacturer)


def manufacturer(name: str = "Acme") -> Manufacturer:
    """Return the manufacturer of this name; keys are made once."""
    return _made(name)


def make_site(root: Path, config: SiteConfig | None = None) -> Site:
    """Make a site, as ``bootz init`` does."""
    return create_site(root, config or SiteConfig(), BroughtKeys(), utc_now())


class World:
    """An owner's site in a folder of its own, filled by the operator's verbs."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.root = folder / "site"
        if template is None:
            make_site(self.root)
        else:
            shutil.copytree(template, self.root)
        self.now: Callable[[], datetime] = utc_now
        self.monotonic: Callable[[], float] = time.monotonic
        self.settings: dict[str, object] = {}
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """The operator's own view of the database, beside the server's."""
        if self._database is None:
            self._database = self.site.database()
            weakref.finalize(self, self._database.close)
        return self._database

    @property
    def site(self) -> Site:
        opened = open_site(self.root, clock=lambda: self.now())
        if not self.settings:
            return opened
        return Site(self.root, opened.config.model_copy(update=self.settings), opened.clock)

    @property
    def pinned(self) -> bytes:
        return self.site.pinned_domain_cert()

    def write(self, verb: Callable[..., Any], *args: Any) -> Any:
        """Run a verb in a transaction of its own, as another process would."""
        with self.database.write() as connection:
            return verb(connection, *args)

    def add_vendor(self, maker: Manufacturer, **settings: Any) -> None:
        self.write(add_vendor, VendorRecord(maker.name, idevid_ca=(maker.ca,), **settings))

    def add_profile(self, name: str = "base", **document: object) -> None:
        self.write(add_profile, ProfileRecord(name, ProfileDocument.parse(document)))

    def add_chassis(self, serial: str = "FX1", vendor: str = "Acme", **settings: Any) -> Any:
        return self.write(add_chassis, ChassisRecord(vendor, serial, **settings))

    def add_voucher(
        self, serial: str = "FX1", maker: Manufacturer | None = None, **changes: Any
    ) -> None:
        made = maker or manufacturer()
        voucher = made.voucher(serial, self.pinned, **changes)
        result = self.write(
            lambda connection: store_voucher(
                connection,
                voucher,
                pinned_domain_cert=self.pinned,
                now=utc_now(),
                vendor=made.name,
            )
        )
        assert result.outcome is StoreOutcome.STORED

    def attempts(self) -> tuple[AttemptRecord, ...]:
        """Return what the journal has, newest first."""
        with self.database.read() as connection:
            return latest_attempts(connection)

    def events(self) -> tuple[Event, ...]:
        """Return everything that happened, in order."""
        with self.database.read() as connection:
            return events_of(connection, [each.id for each in latest_attempts(connection)])

    @asynccontextmanager
    async def serving(self, listens: Listens = LISTENS) -> AsyncIterator[Running]:
        """Serve the site in this loop."""
        server = SiteServer(
            self.site, listens=listens, depot=site_depot(), monotonic=lambda: self.monotonic()
        )
        bound = await server.start()
        running = Running(self, server, bound)
        try:
            yield running
        finally:
            await running.stop()


@dataclass
class Running:
    """A served site, and a way to call it."""

    world: World
    server: SiteServer
    bound: Bound
    stopped: bool = field(default=False)

    async def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            await self.server.drain()

    async def call(
        self,
        method: str,
        message: bytes,
        device: Device | None,
        *,
        dialect: Dialect = CURRENT,
        anchor: bytes | None = None,
    ) -> bytes:
        """Make one call over a connection of its own."""
        folder = self.world.folder
        tls = client_tls(anchor) if device is None else device.context(folder, anchor)
        channel = Channel(*self.bound.bootz[0], ssl=tls, codec=BytesCodec())
        try:
            call = UnaryUnaryMethod[bytes, bytes](channel, f"{dialect.path}/{method}", bytes, bytes)
            answer = await call(message)
        finally:
            end_channel(channel)
        assert answer is not None
        return answer

    async def ask(
        self, device: Device | None, wanted: BootstrapRequest, dialect: Dialect = CURRENT
    ) -> SealedData:
        """Ask for bootstrapping data; nothing of the answer is verified."""
        message = encode_bootstrap_request(wanted, dialect)
        answer = await self.call(GET_BOOTSTRAP_DATA, message, device, dialect=dialect)
        return decode_answer(answer, dialect)

    async def report(
        self,
        device: Device | None,
        told: StatusReport,
        dialect: Dialect = CURRENT,
        anchor: bytes | None = None,
    ) -> bytes:
        """Report a status."""
        message = encode_report(told, dialect)
        return await self.call(REPORT_STATUS, message, device, dialect=dialect, anchor=anchor)


def request(
    serial: str = "FX1",
    *,
    cards: Iterable[str] = (),
    nonce: str | None = "bm9uY2U=",
    manufacturer: str = "Acme",
    chassis_serial: str | None = None,
    status: CardStatus = CardStatus.NOT_INITIALIZED,
) -> BootstrapRequest:
    """Return a request as a chassis makes it; fixed without ``cards``."""
    listed = tuple(ClaimedCard(card) for card in cards)
    own = serial if chassis_serial is None and not listed else (chassis_serial or "")
    return BootstrapRequest(
        ChassisDescriptor(manufacturer, "PID-1", own, listed), CardState(serial, status), nonce
    )


def report(*serials: str, status: ReportedStatus = ReportedStatus.SUCCESS) -> StatusReport:
    """Return a report that all these cards are initialized."""
    return StatusReport(
        status, states=tuple(CardState(serial, CardStatus.INITIALIZED) for serial in serials)
    )


def verified(
    sealed: SealedData,
    serial: str,
    nonce: str | None = "bm9uY2U=",
    *,
    dialect: Dialect = CURRENT,
    maker: Manufacturer | None = None,
    content: bytes | None = None,
) -> DecodedBootstrapData:
    """Verify an answer completely, as a router does, and return what it (or ``content``) says."""
    now = utc_now()
    voucher = verify_voucher(sealed.ownership_voucher, (maker or manufacturer()).anchors, now=now)
    assert voucher.content.serial_number == serial
    owner = verify_owner_certificate(sealed.owner_certificate, voucher, now=now)
    verify_response_signature(owner.certificate, sealed.signature, sealed.payload)
    data = decode_bootstrap_data(sealed.payload if content is None else content, dialect)
    assert data.nonce == nonce
    return data


def run(story: Callable[[Running], Any], world: World) -> None:
    """Serve a world and play a story in it; nothing takes longer than a minute."""

    async def play() -> None:
        async with world.serving() as running:
            await asyncio.wait_for(story(running), 60)

    asyncio.run(play())
