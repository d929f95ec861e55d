"""Roles of users: given, taken, shown.

Source: docs/protocol/ovgs.md#users-and-roles; docs/protocol/ovgs.md#delegation.
"""

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access, covers
from bootz.masa.ledger.errors import LedgerError, denied, invalid, missing
from bootz.masa.ledger.nouns import Group, Member, Role, User


def add_role(access: Access, user: User, group_id: str, role_number: int) -> None:
    """Give a user a role on a group.

    Raises:
        LedgerError: as the table row of AddUserRole says.
    """
    arguments.text("group_id", group_id)
    role = _grantable(role_number)
    path = access.path(group_id)
    _require_grant(access, path[-1], user, role)
    if not access.is_delegated(path[-1]) and user.org_id != path[-1].org_id:
        delegations = access.book.delegations([group.group_id for group in path])
        if not covers(delegations, path, user.org_id):
            raise denied(group_id, f"the group is not delegated to {user.org_id}")
    if not access.book.has_account(user):
        raise LedgerError("ovgs-user-unknown", "there is no such account", where=str(user))
    if group_id in access.book.roles_of(user):
        raise LedgerError("ovgs-member-exists", "has a role on this group", where=str(user))
    access.book.add_member(Member(user, group_id, role))


def remove_role(access: Access, user: User, group_id: str) -> None:
    """Take the role that sits on this very group from a user.

    Raises:
        LedgerError: as the table row of RemoveUserRole says.
    """
    arguments.text("group_id", group_id)
    group = access.path(group_id)[-1]
    held = access.book.roles_of(user).get(group_id)
    _require_grant(access, group, user, held or Role.REQUESTOR)
    if held is None:
        raise LedgerError("ovgs-member-unknown", "has no role on this group", where=str(user))
    access.book.remove_member(user, group_id)


def show_roles(access: Access, user: User) -> dict[str, Role]:
    """Return a user's own roles in those groups where the caller has a role.

    Raises:
        LedgerError: the directory does not know the user.
    """
    if not access.book.has_account(user):
        raise LedgerError("ovgs-user-unknown", "there is no such account", where=str(user))
    caller = access.caller
    shown: dict[str, Role] = {}
    for group_id, role in access.book.roles_of(user).items():
        org_id = access.path(group_id)[-1].org_id
        stranger = user.org_id != caller.user.org_id and org_id != caller.user.org_id
        if access.role_on(group_id) is not None and (caller.support or not stranger):
            shown[group_id] = role
    return shown


def _grantable(number: int) -> Role:
    if number == 0:
        raise missing("user_role")
    # SUPPORT is the manufacturer's to give, never a customer's.
    if number not in (Role.ADMIN, Role.ASSIGNER, Role.REQUESTOR):
        raise invalid("user_role", f"role {number} cannot be given")
    return Role(number)


def _require_grant(access: Access, group: Group, user: User, role: Role) -> None:
    own_role = access.role_on(group.group_id)
    # The power to hand out a role is ADMIN's; ASSIGNER's only where the manufacturer says so.
    enough = own_role is not None and own_role.reaches(Role.ADMIN)
    if own_role is Role.ASSIGNER and access.rules.assigner_may_grant:
        enough = role in (Role.ASSIGNER, Role.REQUESTOR)
    if not enough:
        raise denied(group.group_id)
    if access.is_delegated(group) and user.org_id != access.caller.user.org_id:
        raise denied(group.group_id, "a delegated caller acts for users of its own org only")
