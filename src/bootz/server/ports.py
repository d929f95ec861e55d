"""What the service needs of the world: the ports that stores, keys and voucher sources fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bootz.model.artifacts import OwnerCertificate, StoredVouchers
from bootz.model.bootstrap import StatusReport
from bootz.model.chassis import Chassis, ClaimedCard, ControlCard
from bootz.model.checks import Check
from bootz.trust.vendor import Vendor
from bootz.wire.dialects import Dialect


class Inventory(Protocol):
    """What the operator knows. Reads see the last committed change, also of another process."""

    async def vendors(self) -> tuple[Vendor, ...]:
        """Return all vendors; cheap, because it is asked for on every call."""

    async def chassis_of_serial(self, serial_number: str) -> tuple[Chassis, ...]:
        """Return every chassis, of any manufacturer, with this serial: its own or of a card."""

    async def vouchers(
        self, chassis: Chassis, cards: Sequence[ControlCard], pinned: bytes, now: datetime
    ) -> StoredVouchers:
        """Return the newest stored vouchers that pin ``pinned`` (DER) and have not ended.

        Keys are serial numbers as ``fold_serial`` gives them.
        """


class Renderer(Protocol):
    """Turns what the operator wants for a chassis into bootstrapping data."""

    async def body(
        self,
        chassis: Chassis,
        serials: Sequence[str],
        dialect: Dialect,
        *,
        trust_anchor: bytes,
        reached_at: tuple[str, int],
    ) -> bytes:
        """Return the signed data without its nonce, serialised.

        It holds one BootstrapData per serial number, in that order and spelling.
        ``trust_anchor`` is DER; ``reached_at`` the address and port the request came in on.

        Raises:
            ConfigError: a template fails or gives something invalid.
            PolicyError: dynamic configuration, and the chassis refuses to have it merged.
        """


class OwnerIdentity(Protocol):
    """The owner certificate and the key that signs bootstrapping data."""

    @property
    def certificate(self) -> OwnerCertificate:
        """The owner certificate in the CMS form that travels."""

    @property
    def store(self) -> str:
        """Where the key is: ``file`` or ``pkcs11``."""

    @property
    def pinned_domain_cert(self) -> bytes:
        """DER of the pinned domain certificate that vouchers must pin."""

    async def sign(self, data: bytes) -> str:
        """Return the base64 response signature over exactly these bytes.

        Raises:
            Unavailable: the key cannot be used now.
        """


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as the journal keeps it. ``vendor`` is the proven chassis's, else empty.

    ``rpc`` is ``GetBootstrapData`` or ``ReportStatus`` (or a stream's name); ``reason`` is empty
    when the call was answered. ``dialect`` is that of the path, ``written`` that of the answer.
    ``claimed_*`` come from the request, ``proven_serial`` from the
    proof. ``sent`` holds digests and sizes, never content. ``foreign_cards``
    were listed and are not of the chassis (pending replacements); ``seated`` are the answered
    cards whose slots the device named. ``content`` is what was sent, serialised,
    without its nonce, empty where nothing was; it may hold secrets. ``content_sha256`` is its
    digest in hex. ``reached_at`` is where the router reached the server. ``abandoned``: the
    caller had gone when it was put on record, and got no answer.
    """

    at: datetime
    rpc: str
    dialect: str
    peer: str
    chassis_key: int | None
    claimed_manufacturer: str
    claimed_serial: str
    proven_serial: str
    idevid_fingerprint: str
    checks: tuple[Check, ...]
    reason: str = ""
    detail: str = ""
    nonce_digest: str = ""
    answered_serials: tuple[str, ...] = ()
    foreign_cards: tuple[ClaimedCard, ...] = ()
    seated: tuple[ClaimedCard, ...] = ()
    sent: Mapping[str, str | int] = field(default_factory=dict)
    written: str = ""
    report: StatusReport | None = None
    vendor: str = ""
    content: bytes = field(default=b"", repr=False)
    content_sha256: str = ""
    reached_at: tuple[str, int] = ("", 0)
    abandoned: bool = False


class Journal(Protocol):
    """The record of every attempt of every chassis."""

    async def record(self, call: CallRecord) -> None:
        """Store one call; when this returns it survives a crash of process and machine."""


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return now as aware UTC."""
