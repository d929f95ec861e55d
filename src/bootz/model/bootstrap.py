"""Requests, bootstrapping data and reports, free of any dialect's spelling.

gNSI artifacts are kept in the JSON form of their protobuf messages (proto3 JSON mapping,
original field names), because no check of ours looks inside them; ``wire`` turns them into
messages and refuses what does not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bootz.model.chassis import CardStatus, ChassisDescriptor
from bootz.model.identity import Identity

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CardState:
    """A card's state as a device tells it (Bootz ``ControlCardState``)."""

    serial_number: str
    status: CardStatus


@dataclass(frozen=True, slots=True)
class BootstrapRequest:
    """A request for bootstrapping data (Bootz ``GetBootstrapDataRequest``).

    ``active`` is the card that asks. ``nonce`` None: the device does not check ownership.
    """

    descriptor: ChassisDescriptor
    active: CardState
    nonce: str | None = field(default=None, repr=False)
    identity: Identity | None = None
    aik_pub_digest: bytes | None = None


class ReportedStatus(Enum):
    """Bootz ``ReportStatusRequest.BootstrapStatus``."""

    UNSPECIFIED = 0
    SUCCESS = 1
    FAILURE = 2
    INITIATED = 3


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Progress that a device reports (Bootz ``ReportStatusRequest``). ``v0.1.0`` has no states."""

    status: ReportedStatus
    message: str = ""
    states: tuple[CardState, ...] = ()
    identity: Identity | None = None
    aik_pub_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class SoftwareImage:
    """An image to install. ``sha256`` is 64 lower-case hex digits, without separators.

    ``algorithm`` and ``hash_text`` are what stood on the wire when this was decoded; a sender
    leaves them empty and lets the dialect spell them.
    """

    name: str
    version: str
    url: str
    sha256: str
    algorithm: str = ""
    hash_text: str = ""


@dataclass(frozen=True, slots=True)
class BootConfig:
    """The boot configuration (Bootz ``BootConfig``); an empty one is valid, None is "missing"."""

    metadata: JsonObject = field(default_factory=dict, repr=False)
    vendor_config: bytes = field(default=b"", repr=False)
    oc_config: bytes = field(default=b"", repr=False)
    bootloader_config: JsonObject = field(default_factory=dict, repr=False)
    dynamic_vendor_config: bytes = field(default=b"", repr=False)
    dynamic_oc_config: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CertzProfile:
    """One TLS profile for the device; ``certz`` is a ``gnsi.certz.v1.UploadRequest`` in JSON form.

    ``primary`` marks the one that dialects with room for a single profile get.
    """

    ssl_profile_id: str
    certz: JsonObject = field(repr=False)
    primary: bool = False


@dataclass(frozen=True, slots=True)
class BootstrapData:
    """What one card gets (Bootz ``BootstrapDataResponse``).

    ``serial_number`` is spelt as the device spelt it; ``server_trust_cert`` is DER (the wire
    carries base64). ``credentials`` is Bootz ``Credentials`` in JSON form, ``pathz`` and
    ``authz`` the gNSI ``UploadRequest`` in JSON form; None leaves the field out.
    """

    serial_number: str
    server_trust_cert: bytes = field(repr=False)
    image: SoftwareImage | None = None
    boot_password_hash: str = field(default="", repr=False)
    boot_config: BootConfig | None = None
    credentials: JsonObject | None = field(default=None, repr=False)
    pathz: JsonObject | None = field(default=None, repr=False)
    authz: JsonObject | None = field(default=None, repr=False)
    certz_profiles: tuple[CertzProfile, ...] | None = field(default=None, repr=False)
