"""The ledger's book over one transaction."""

from collections.abc import Collection, Mapping
from hashlib import sha256

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    insert,
    select,
    tuple_,
    update,
)

from bootz.masa.ledger.nouns import (
    Component,
    ComponentName,
    Delegation,
    DomainCert,
    Group,
    Member,
    Role,
    User,
)
from bootz.masa.store.rows import component_of, domain_cert_of, group_of, member_of
from bootz.masa.store.schema import (
    ACCOUNT,
    COMPONENT,
    DELEGATION,
    DOMAIN_CERT,
    GROUP,
    MEMBER,
    ORG,
)
from bootz.model.chassis import fold_serial
from bootz.sql.times import to_text


class SqlBook:
    """Implements the ledger's ``Book``; lives as long as the transaction it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def has_org(self, org_id: str) -> bool:
        """Tell whether an organisation exists."""
        return self._any(select(ORG.c.org_id).where(ORG.c.org_id == org_id))

    def has_account(self, user: User) -> bool:
        """Tell whether the directory knows a triple."""
        return self._any(select(ACCOUNT.c.id).where(is_account(user)))

    def path(self, group_id: str) -> tuple[Group, ...]:
        """Return a group with its ancestors, root first; empty when there is no such group."""
        path: list[Group] = []
        wanted: str | None = group_id
        while wanted is not None:
            row = self._connection.execute(select(GROUP).where(GROUP.c.group_id == wanted))
            found = row.mappings().one_or_none()
            if found is None:
                return ()
            path.append(group_of(found))
            wanted = path[-1].parent_id
        return tuple(reversed(path))

    def child_ids(self, group_id: str) -> tuple[str, ...]:
        """Return the groups directly below, sorted."""
        statement = select(GROUP.c.group_id).where(GROUP.c.parent_id == group_id)
        return tuple(self._connection.scalars(statement.order_by(GROUP.c.group_id)))

    def has_child(self, parent_id: str, description: str) -> bool:
        """Tell whether a group directly below has that description."""
        statement = select(GROUP.c.group_id).where(
            GROUP.c.parent_id == parent_id, GROUP.c.description == description
        )
        return self._any(statement)

    def roles_of(self, user: User) -> Mapping[str, Role]:
        """Return the roles of a user by the group they sit on."""
        statement = (
            select(MEMBER.c.group_id, MEMBER.c.role)
            .join(ACCOUNT)
            .where(is_account(user))
            .order_by(MEMBER.c.group_id)
        )
        return {row.group_id: Role(row.role) for row in self._connection.execute(statement)}

    def members(self, group_id: str) -> tuple[Member, ...]:
        """Return the roles that sit on a group, sorted by user."""
        return self._members(MEMBER.c.group_id == group_id)

    def foreign_members_below(self, group_id: str, org_id: str) -> tuple[Member, ...]:
        """Return roles in the subtree of a group that users of other orgs than ``org_id`` hold."""
        tree = select(GROUP.c.group_id).where(GROUP.c.group_id == group_id).cte(recursive=True)
        tree = tree.union_all(select(GROUP.c.group_id).where(GROUP.c.parent_id == tree.c.group_id))
        below = MEMBER.c.group_id.in_(select(tree.c.group_id))
        return self._members(and_(below, ACCOUNT.c.org_id != org_id))

    def delegations(self, group_ids: Collection[str]) -> tuple[Delegation, ...]:
        """Return the delegations that sit on the given groups."""
        statement = (
            select(DELEGATION)
            .where(DELEGATION.c.group_id.in_(group_ids))
            .order_by(DELEGATION.c.org_id)
        )
        rows = self._connection.execute(statement)
        return tuple(Delegation(row.group_id, row.org_id) for row in rows)

    def component(self, name: ComponentName) -> Component | None:
        """Find a component; the serial number in any case."""
        row = self._connection.execute(select(COMPONENT).where(is_component(name)))
        found = row.mappings().one_or_none()
        return None if found is None else component_of(found)

    def components_in(
        self, group: Group, *, after: ComponentName | None = None, limit: int | None = None
    ) -> tuple[Component, ...]:
        """Return the components of a group by (ien, serial number), from beyond ``after``."""
        column = COMPONENT.c.org_id if group.is_root else COMPONENT.c.child_group_id
        statement = select(COMPONENT).where(column == group.group_id)
        if after is not None:
            key = tuple_(COMPONENT.c.ien, COMPONENT.c.serial)
            statement = statement.where(key > tuple_(after.ien, after.serial_number))
        statement = statement.order_by(COMPONENT.c.ien, COMPONENT.c.serial).limit(limit)
        return tuple(component_of(row) for row in self._connection.execute(statement).mappings())

    def certificate(self, cert_id: str) -> DomainCert | None:
        """Find a domain certificate."""
        found = self._certificates(DOMAIN_CERT.c.cert_id == cert_id)
        return found[0] if found else None

    def certificates_in(self, group_id: str) -> tuple[DomainCert, ...]:
        """Return the certificates registered in a group, sorted by id."""
        return self._certificates(DOMAIN_CERT.c.group_id == group_id)

    def certificates_of(self, certificate: bytes) -> tuple[DomainCert, ...]:
        """Return every registration of one certificate (DER), the latest expiry first."""
        found = self._certificates(DOMAIN_CERT.c.sha256 == sha256(certificate).hexdigest())
        return tuple(sorted(found, key=lambda each: each.expires_at, reverse=True))

    def components_called(self, serial_number: str) -> tuple[Component, ...]:
        """Return the components of all vendors with that serial number, in any case."""
        folded = COMPONENT.c.serial_folded == fold_serial(serial_number)
        rows = self._connection.execute(select(COMPONENT).where(folded).order_by(COMPONENT.c.ien))
        return tuple(component_of(row) for row in rows.mappings())

    def add_group(self, group: Group) -> None:
        """Write a new group."""
        self._connection.execute(
            insert(GROUP).values(
                group_id=group.group_id,
                org_id=group.org_id,
                parent_id=group.parent_id,
                description=group.description,
            )
        )

    def remove_group(self, group_id: str) -> None:
        """Remove a group with the delegations that sit on it."""
        self._connection.execute(delete(GROUP).where(GROUP.c.group_id == group_id))

    def add_delegation(self, delegation: Delegation) -> None:
        """Write a new delegation."""
        self._connection.execute(
            insert(DELEGATION).values(group_id=delegation.group_id, org_id=delegation.org_id)
        )

    def remove_delegation(self, delegation: Delegation) -> None:
        """Remove a delegation."""
        self._connection.execute(
            delete(DELEGATION).where(
                DELEGATION.c.group_id == delegation.group_id,
                DELEGATION.c.org_id == delegation.org_id,
            )
        )

    def add_member(self, member: Member) -> None:
        """Write a new role."""
        account = select(ACCOUNT.c.id).where(is_account(member.user)).scalar_subquery()
        self._connection.execute(
            insert(MEMBER).values(
                account_id=account, group_id=member.group_id, role=member.role.value
            )
        )

    def remove_member(self, user: User, group_id: str) -> None:
        """Remove a role."""
        account = select(ACCOUNT.c.id).where(is_account(user)).scalar_subquery()
        self._connection.execute(
            delete(MEMBER).where(MEMBER.c.account_id == account, MEMBER.c.group_id == group_id)
        )

    def move_component(self, name: ComponentName, child_group_id: str | None) -> None:
        """Put a component into one child group, or leave it in the root group only."""
        self._connection.execute(
            update(COMPONENT).where(is_component(name)).values(child_group_id=child_group_id)
        )

    def add_certificate(self, certificate: DomainCert) -> None:
        """Write a new registration."""
        self._connection.execute(
            insert(DOMAIN_CERT).values(
                cert_id=certificate.cert_id,
                group_id=certificate.group_id,
                certificate=certificate.certificate,
                sha256=sha256(certificate.certificate).hexdigest(),
                revocation_checks=certificate.revocation_checks,
                expires_at=to_text(certificate.expires_at),
            )
        )

    def remove_certificate(self, cert_id: str) -> None:
        """Remove a registration."""
        self._connection.execute(delete(DOMAIN_CERT).where(DOMAIN_CERT.c.cert_id == cert_id))

    def _any(self, statement: Select[tuple[str]] | Select[tuple[int]]) -> bool:
        return bool(self._connection.scalar(select(exists(statement))))

    def _members(self, condition: ColumnElement[bool]) -> tuple[Member, ...]:
        statement = (
            select(
                ACCOUNT.c.username,
                ACCOUNT.c.account_type,
                ACCOUNT.c.org_id,
                MEMBER.c.group_id,
                MEMBER.c.role,
            )
            .join_from(MEMBER, ACCOUNT)
            .where(condition)
            .order_by(ACCOUNT.c.org_id, ACCOUNT.c.username, ACCOUNT.c.account_type)
        )
        return tuple(member_of(row) for row in self._connection.execute(statement).mappings())

    def _certificates(self, condition: ColumnElement[bool]) -> tuple[DomainCert, ...]:
        statement = select(DOMAIN_CERT).where(condition).order_by(DOMAIN_CERT.c.cert_id)
        rows = self._connection.execute(statement).mappings()
        return tuple(domain_cert_of(row) for row in rows)


def is_account(user: User) -> ColumnElement[bool]:
    """Return the condition that finds a triple's account."""
    return and_(
        ACCOUNT.c.username == user.username,
        ACCOUNT.c.account_type == user.account_type.value,
        ACCOUNT.c.org_id == user.org_id,
    )


def is_component(name: ComponentName) -> ColumnElement[bool]:
    """Return the condition that finds a component, the serial number in any case."""
    return and_(
        COMPONENT.c.ien == name.ien, COMPONENT.c.serial_folded == fold_serial(name.serial_number)
    )
