"""The port to what is stored; one transaction of a store implements it."""

from collections.abc import Collection, Mapping
from typing import Protocol

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


class Book(Protocol):
    """What the ledger reads and writes, consistent for as long as one decision takes."""

    def has_org(self, org_id: str) -> bool:
        """Tell whether an organisation exists."""

    def has_account(self, user: User) -> bool:
        """Tell whether the directory knows a triple."""

    def path(self, group_id: str) -> tuple[Group, ...]:
        """Return a group with its ancestors, root first; empty when there is no such group."""

    def child_ids(self, group_id: str) -> tuple[str, ...]:
        """Return the groups directly below, sorted."""

    def has_child(self, parent_id: str, description: str) -> bool:
        """Tell whether a group directly below has that description."""

    def roles_of(self, user: User) -> Mapping[str, Role]:
        """Return the roles of a user by the group they sit on."""

    def members(self, group_id: str) -> tuple[Member, ...]:
        """Return the roles that sit on a group, sorted by user."""

    def foreign_members_below(self, group_id: str, org_id: str) -> tuple[Member, ...]:
        """Return roles in the subtree of a group that users of other orgs than ``org_id`` hold."""

    def delegations(self, group_ids: Collection[str]) -> tuple[Delegation, ...]:
        """Return the delegations that sit on the given groups."""

    def component(self, name: ComponentName) -> Component | None:
        """Find a component; the serial number in any case."""

    def components_in(
        self, group: Group, *, after: ComponentName | None = None, limit: int | None = None
    ) -> tuple[Component, ...]:
        """Return the components of a group by (ien, serial number), from beyond ``after``."""

    def certificate(self, cert_id: str) -> DomainCert | None:
        """Find a domain certificate."""

    def certificates_in(self, group_id: str) -> tuple[DomainCert, ...]:
        """Return the certificates registered in a group, sorted by id."""

    def certificates_of(self, certificate: bytes) -> tuple[DomainCert, ...]:
        """Return every registration of one certificate (DER), the latest expiry first."""

    def components_called(self, serial_number: str) -> tuple[Component, ...]:
        """Return the components of all vendors with that serial number, in any case."""

    def add_group(self, group: Group) -> None:
        """Write a new group."""

    def remove_group(self, group_id: str) -> None:
        """Remove a group with the delegations that sit on it."""

    def add_delegation(self, delegation: Delegation) -> None:
        """Write a new delegation."""

    def remove_delegation(self, delegation: Delegation) -> None:
        """Remove a delegation."""

    def add_member(self, member: Member) -> None:
        """Write a new role."""

    def remove_member(self, user: User, group_id: str) -> None:
        """Remove a role."""

    def move_component(self, name: ComponentName, child_group_id: str | None) -> None:
        """Put a component into one child group, or leave it in the root group only."""

    def add_certificate(self, certificate: DomainCert) -> None:
        """Write a new registration."""

    def remove_certificate(self, cert_id: str) -> None:
        """Remove a registration."""
