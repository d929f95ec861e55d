"""The tables of the MASA. Times are UTC text of fixed width; certificates and keys DER."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

SCHEMA_VERSION: Final = 3
"""Rises with every change of a table."""

METADATA = MetaData()

_TIME = String(27)

META = Table(
    "meta",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("value", Integer, nullable=False),
)

ORG = Table(
    "org",
    METADATA,
    Column("org_id", Text, primary_key=True),
    Column("created_at", _TIME, nullable=False),
)

GROUP = Table(
    "org_group",
    METADATA,
    Column("group_id", Text, primary_key=True),
    Column("org_id", ForeignKey("org.org_id"), nullable=False, index=True),
    Column("parent_id", ForeignKey("org_group.group_id"), nullable=True),
    Column("description", Text, nullable=False),
    UniqueConstraint("parent_id", "description"),
)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("username", Text, nullable=False),
    Column("account_type", Integer, nullable=False),
    Column("org_id", ForeignKey("org.org_id"), nullable=False, index=True),
    Column("support", Boolean, nullable=False),
    UniqueConstraint("username", "account_type", "org_id"),
)

TOKEN = Table(
    "token",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=True),
    # An id names a token in the log for ever.
    sqlite_autoincrement=True,
)

MEMBER = Table(
    "member",
    METADATA,
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", ForeignKey("org_group.group_id"), primary_key=True, index=True),
    Column("role", Integer, nullable=False),
    sqlite_with_rowid=False,
)

DELEGATION = Table(
    "delegation",
    METADATA,
    Column("group_id", ForeignKey("org_group.group_id", ondelete="CASCADE"), primary_key=True),
    Column("org_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

COMPONENT = Table(
    "component",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ien", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("serial_folded", Text, nullable=False),
    Column("org_id", ForeignKey("org.org_id"), nullable=False),
    Column("child_group_id", ForeignKey("org_group.group_id"), nullable=True),
    Column("model", Text, nullable=False),
    Column("mac_address", Text, nullable=False),
    Column("endorsement_key", LargeBinary, nullable=True),
    Column("ek_certificate", LargeBinary, nullable=True),
    Column("platform_primary_key", LargeBinary, nullable=True),
    Column("idevid_issuer", LargeBinary, nullable=True),
    UniqueConstraint("serial_folded", "ien"),
    Index("ix_component_org", "org_id", "ien", "serial"),
    Index("ix_component_group", "child_group_id", "ien", "serial"),
)

DOMAIN_CERT = Table(
    "domain_cert",
    METADATA,
    Column("cert_id", Text, primary_key=True),
    Column("group_id", ForeignKey("org_group.group_id"), nullable=False, index=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("revocation_checks", Boolean, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    UniqueConstraint("group_id", "sha256", "revocation_checks", "expires_at"),
)

ISSUE = Table(
    "issue",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", _TIME, nullable=False),
    Column("username", Text, nullable=False),
    Column("account_type", Integer, nullable=False),
    Column("caller_org", Text, nullable=False),
    Column("ien", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("serial_folded", Text, nullable=False, index=True),
    Column("cert_id", Text, nullable=False),
    Column("pinned_sha256", String(64), nullable=False),
    Column("expires_on", _TIME, nullable=True),
    Column("voucher_sha256", String(64), nullable=False),
    Column("idevid_issuer", LargeBinary, nullable=True),
    Column("last_renewal_date", _TIME, nullable=True),
    sqlite_autoincrement=True,
)


ANSWERED = Table(
    "answered",
    METADATA,
    Column("request", String(64), primary_key=True),
    Column("at", _TIME, nullable=False, index=True),
    Column("cms", LargeBinary, nullable=False),
)


@event.listens_for(ISSUE, "after_create")
def _guard_issues(_table: Table, connection: Connection, **_options: object) -> None:
    # The log is evidence: not even a defect of this program may change it.
    for verb in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER issue_no_{verb.lower()} BEFORE {verb} ON issue "
            "BEGIN SELECT RAISE(ABORT, 'the log of issues is append-only'); END"
        )
