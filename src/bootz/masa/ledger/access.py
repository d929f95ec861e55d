"""What a caller may reach: roles inherited downwards, delegations, and the exact refusals.

Source: docs/protocol/ovgs.md#permissions; docs/protocol/ovgs.md#delegation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bootz.masa.ledger.book import Book
from bootz.masa.ledger.errors import denied, unknown_group
from bootz.masa.ledger.nouns import ANY_ORG, Component, Delegation, Group, Requester, Role


@dataclass(frozen=True, slots=True)
class Rules:
    """What a manufacturer decides: the IENs served, and whether an ASSIGNER may grant."""

    served_iens: frozenset[str]
    assigner_may_grant: bool = False


class Access:
    """A caller's view of a book; made for each call, so that role changes count at once."""

    def __init__(self, book: Book, caller: Requester, rules: Rules) -> None:
        self.book = book
        self.caller = caller
        self.rules = rules
        self._roles = book.roles_of(caller.user)
        self._paths: dict[str, tuple[Group, ...]] = {}

    def path(self, group_id: str) -> tuple[Group, ...]:
        """Return a group with its ancestors, root first.

        Raises:
            LedgerError: there is no such group (``ovgs-group-unknown``).
        """
        path = self._paths.get(group_id)
        if path is None:
            path = self._paths[group_id] = self.book.path(group_id)
        if not path:
            raise unknown_group(group_id)
        return path

    def role_on(self, group_id: str) -> Role | None:
        """Return the most powerful role on a group or any ancestor."""
        if self.caller.support:
            return Role.SUPPORT
        path = self.path(group_id)
        held = [self._roles[group.group_id] for group in path if group.group_id in self._roles]
        return min(held, default=None)

    def may(self, group_id: str, least: Role) -> bool:
        """Tell whether the caller's role on a group has the power of ``least``."""
        role = self.role_on(group_id)
        return role is not None and role.reaches(least)

    def require(self, group_id: str, least: Role) -> None:
        """Demand a role on a group.

        Raises:
            LedgerError: less power than that (``ovgs-permission-denied``).
        """
        if not self.may(group_id, least):
            raise denied(group_id)

    def require_component(self, component: Component, least: Role) -> None:
        """Demand a role through any group of a component.

        Raises:
            LedgerError: less power than that (``ovgs-permission-denied``).
        """
        if not self.may(component.home, least):
            raise denied(str(component.name))

    def holds_admin_directly(self, group: Group) -> bool:
        """Tell whether the caller's ADMIN role sits on that very group and is of its own org.

        Staff of the manufacturer never does: it may not let strangers into a customer's groups.
        """
        own = self.caller.user.org_id == group.org_id and not self.caller.support
        return own and self._roles.get(group.group_id) is Role.ADMIN

    def is_delegated(self, group: Group) -> bool:
        """Tell whether the caller acts in a group of another organisation than its own."""
        return not self.caller.support and self.caller.user.org_id != group.org_id


def covers(delegations: Iterable[Delegation], path: Iterable[Group], org_id: str) -> bool:
    """Tell whether delegations let users of an organisation into the last group of a path."""
    on_path = {group.group_id for group in path}
    return any(
        delegation.group_id in on_path and delegation.org_id in (org_id, ANY_ORG)
        for delegation in delegations
    )
