"""Delegation of a group to another organisation.

Source: docs/protocol/ovgs.md#delegation.
"""

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access, covers
from bootz.masa.ledger.errors import LedgerError, denied
from bootz.masa.ledger.nouns import ANY_ORG, Delegation, Group


def add_delegation(access: Access, group_id: str, org_id: str) -> None:
    """Let users of an org get roles in a group and below.

    Raises:
        LedgerError: as the table row of AddGroupDelegatedOrg says.
    """
    path, delegation = _judge(access, group_id, org_id)
    if delegation in access.book.delegations([path[-1].group_id]):
        raise LedgerError(
            "ovgs-delegation-exists", f"{org_id} is in the group's list already", where=group_id
        )
    access.book.add_delegation(delegation)


def remove_delegation(access: Access, group_id: str, org_id: str) -> None:
    """Take back a delegation of this very group that no role depends on.

    Raises:
        LedgerError: as the table row of RemoveGroupDelegatedOrg says.
    """
    path, delegation = _judge(access, group_id, org_id)
    group = path[-1]
    if delegation not in access.book.delegations([group_id]):
        raise LedgerError(
            "ovgs-delegation-unknown", f"{org_id} is not in the group's own list", where=group_id
        )
    for member in access.book.foreign_members_below(group_id, group.org_id):
        if org_id not in (ANY_ORG, member.user.org_id):
            continue
        member_path = access.path(member.group_id)
        on_path = access.book.delegations([each.group_id for each in member_path])
        if not covers(
            (each for each in on_path if each != delegation), member_path, member.user.org_id
        ):
            raise LedgerError(
                "ovgs-delegation-in-use", f"{member.user} holds a role below", where=group_id
            )
    access.book.remove_delegation(delegation)


def _judge(access: Access, group_id: str, org_id: str) -> tuple[tuple[Group, ...], Delegation]:
    arguments.text("group_id", group_id)
    arguments.text("org_id", org_id)
    path = access.path(group_id)
    if org_id != ANY_ORG and not access.book.has_org(org_id):
        raise LedgerError("ovgs-org-unknown", "there is no such organisation", where=org_id)
    if not access.holds_admin_directly(path[0]):
        raise denied(group_id, "only an ADMIN of the owner on the root group may delegate")
    if org_id == path[0].org_id:
        raise LedgerError("ovgs-own-org", "the group is its own", where=org_id)
    return path, Delegation(group_id, org_id)
