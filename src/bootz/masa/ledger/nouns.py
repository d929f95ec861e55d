"""The nouns of the ledger: organisations, groups, users, components, domain certificates.

Source: docs/protocol/ovgs.md#model; openconfig/ovgs ``ovgs.proto``. Certificates and keys are DER,
times aware UTC.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

ANY_ORG = "*"
"""The key of a delegation to every organisation."""

ORG_PREFIX = "org-"
"""An organisation's id is this and its name; the id of its root group is the same."""

UNLIMITED = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The lifetime that stands for a voucher without an end (RFC 5280 section 4.1.2.5)."""


class Role(IntEnum):
    """What a user may do in a group and below; a smaller number has more power."""

    SUPPORT = 1
    ADMIN = 2
    ASSIGNER = 3
    REQUESTOR = 4

    def reaches(self, least: "Role") -> bool:
        """Tell whether this role has at least the power of another."""
        return self <= least


class AccountType(IntEnum):
    """A person or a program."""

    USER = 1
    SERVICE_ACCOUNT = 2


@dataclass(frozen=True, slots=True)
class User:
    """Who holds roles: the triple that names an account."""

    username: str
    account_type: AccountType
    org_id: str

    def __str__(self) -> str:
        return f"{self.username} ({self.account_type.name.lower()}) of {self.org_id}"


@dataclass(frozen=True, slots=True)
class Requester:
    """A user whose token was verified; ``support`` marks staff of the manufacturer."""

    user: User
    support: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A node of an organisation's tree; the root group has no parent and the id of the org."""

    group_id: str
    org_id: str
    parent_id: str | None
    description: str

    @property
    def is_root(self) -> bool:
        """True for the group that exists as long as its organisation."""
        return self.parent_id is None


@dataclass(frozen=True, slots=True)
class Member:
    """A role that sits on a group."""

    user: User
    group_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Delegation:
    """Another organisation (or ``ANY_ORG``) whose users may get roles in a group and below."""

    group_id: str
    org_id: str


@dataclass(frozen=True, slots=True)
class ComponentName:
    """How a component is found: vendor's enterprise number and serial number (any case)."""

    ien: str
    serial_number: str

    def __str__(self) -> str:
        return f"{self.ien}:{self.serial_number}"


@dataclass(frozen=True, slots=True)
class TpmData:
    """What the factory knows of a TPM: EK or EK certificate, and the platform primary key."""

    endorsement_key: bytes | None = None
    ek_certificate: bytes | None = None
    platform_primary_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A chassis or card; ``name`` in the inventory's spelling.

    ``child_group_id`` is the one group besides the root that it may be in. ``idevid_issuer`` is
    a DER AuthorityKeyIdentifier.
    """

    name: ComponentName
    org_id: str
    child_group_id: str | None = None
    model: str = ""
    mac_address: str = ""
    tpm: TpmData = field(default=TpmData(), repr=False)
    idevid_issuer: bytes | None = field(default=None, repr=False)

    @property
    def home(self) -> str:
        """The group whose path holds every group through which it can be reached."""
        return self.child_group_id or self.org_id

    @property
    def group_ids(self) -> tuple[str, ...]:
        """All groups it is in."""
        return (self.org_id, self.child_group_id) if self.child_group_id else (self.org_id,)


@dataclass(frozen=True, slots=True)
class DomainCert:
    """A certificate that vouchers may pin, registered in a group until ``expires_at``."""

    cert_id: str
    group_id: str
    certificate: bytes = field(repr=False)
    revocation_checks: bool
    expires_at: datetime
