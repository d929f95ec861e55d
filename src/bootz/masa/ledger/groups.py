"""Groups: made, removed, shown.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#delegation.
"""

from dataclasses import dataclass

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import ComponentName, Group, Member, Role


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as a caller may see it; ``delegated_orgs`` maps an org to its sources, root first."""

    group: Group
    cert_ids: tuple[str, ...]
    components: tuple[ComponentName, ...]
    members: tuple[Member, ...]
    child_ids: tuple[str, ...]
    delegated_orgs: dict[str, tuple[str, ...]]


def create_group(access: Access, parent_id: str, description: str, *, new_id: str) -> Group:
    """Make a group below another; needs ADMIN there.

    Raises:
        LedgerError: as the table row of CreateGroup says.
    """
    arguments.text("parent", parent_id)
    arguments.text("description", description)
    parent = access.path(parent_id)[-1]
    access.require(parent_id, Role.ADMIN)
    if access.book.has_child(parent_id, description):
        raise LedgerError(
            "ovgs-group-exists", "there is already a group with this description", where=parent_id
        )
    group = Group(new_id, parent.org_id, parent_id, description)
    access.book.add_group(group)
    return group


def delete_group(access: Access, group_id: str) -> None:
    """Remove an empty group; needs ADMIN on its parent.

    Raises:
        LedgerError: as the table row of DeleteGroup says.
    """
    arguments.text("group_id", group_id)
    group = access.path(group_id)[-1]
    # A root group has no parent: its own ADMIN learns that it cannot go, others nothing.
    access.require(group.parent_id or group_id, Role.ADMIN)
    if group.is_root:
        raise LedgerError("ovgs-root-group", "a root group cannot be deleted", where=group_id)
    left = {
        "certificates": access.book.certificates_in(group_id),
        "users": access.book.members(group_id),
        "components": access.book.components_in(group, limit=1),
        "child groups": access.book.child_ids(group_id),
    }
    remaining = ", ".join(name for name, found in left.items() if found)
    if remaining:
        raise LedgerError("ovgs-group-in-use", f"it still has {remaining}", where=group_id)
    access.book.remove_group(group_id)


def show_group(access: Access, group_id: str) -> GroupView:
    """Return a group; a delegated caller sees only users and delegations of its own org.

    Raises:
        LedgerError: no such group, or no role there.
    """
    path = access.path(group_id)
    access.require(group_id, Role.REQUESTOR)
    group = path[-1]
    members = access.book.members(group_id)
    delegated = delegated_orgs(access, path)
    if access.is_delegated(group):
        own = access.caller.user.org_id
        members = tuple(member for member in members if member.user.org_id == own)
        delegated = {org: sources for org, sources in delegated.items() if org == own}
    return GroupView(
        group=group,
        cert_ids=tuple(cert.cert_id for cert in access.book.certificates_in(group_id)),
        components=tuple(item.name for item in access.book.components_in(group)),
        members=members,
        child_ids=access.book.child_ids(group_id),
        delegated_orgs=delegated,
    )


def delegated_orgs(access: Access, path: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
    """Return which orgs may get roles in the last group of a path, with sources, root first."""
    found = access.book.delegations([group.group_id for group in path])
    sources: dict[str, tuple[str, ...]] = {}
    for group in path:
        for delegation in found:
            if delegation.group_id == group.group_id:
                earlier = sources.get(delegation.org_id, ())
                sources[delegation.org_id] = (*earlier, group.group_id)
    return sources
