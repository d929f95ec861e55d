"""From rows to the ledger's nouns; the one place that knows both."""

from sqlalchemy import RowMapping

from bootz.masa.ledger.nouns import (
    AccountType,
    Component,
    ComponentName,
    DomainCert,
    Group,
    Member,
    Role,
    TpmData,
    User,
)
from bootz.sql.times import from_text


def group_of(row: RowMapping) -> Group:
    """Return the group of a row."""
    return Group(row["group_id"], row["org_id"], row["parent_id"], row["description"])


def user_of(row: RowMapping) -> User:
    """Return the triple of an account's row."""
    return User(row["username"], AccountType(row["account_type"]), row["org_id"])


def member_of(row: RowMapping) -> Member:
    """Return the role of a row that joins member and account."""
    return Member(user_of(row), row["group_id"], Role(row["role"]))


def component_of(row: RowMapping) -> Component:
    """Return the component of a row."""
    return Component(
        name=ComponentName(row["ien"], row["serial"]),
        org_id=row["org_id"],
        child_group_id=row["child_group_id"],
        model=row["model"],
        mac_address=row["mac_address"],
        tpm=TpmData(row["endorsement_key"], row["ek_certificate"], row["platform_primary_key"]),
        idevid_issuer=row["idevid_issuer"],
    )


def domain_cert_of(row: RowMapping) -> DomainCert:
    """Return the registration of a row."""
    return DomainCert(
        cert_id=row["cert_id"],
        group_id=row["group_id"],
        certificate=row["certificate"],
        revocation_checks=row["revocation_checks"],
        expires_at=from_text(row["expires_at"]),
    )
