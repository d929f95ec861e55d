"""Delegation of a group to another organisation.

Source: docs/protocol/ovgs.md#delegation.
"""

from collections.abc import Iterator
from typing import Any

from grpclib.const import Status

from bootz.conformance.masa.answers import holds
from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.masa.plays import (
    MasaCase,
    Play,
    demand_refused,
    demand_served,
    of_ours,
    of_proto,
)
from bootz.conformance.verdict import SpecSource
from bootz.wire.ovgs import messages as pb

ANY = "*"


async def _delegate(ground: OvgsGround, name: str, org: str) -> None:
    request = pb.AddGroupDelegatedOrgRequest(group_id=ground.groups[name], org_id=org)
    await demand_served(ground, Who.ADMIN, "AddGroupDelegatedOrg", request)


async def _undelegate(ground: OvgsGround, name: str, org: str) -> None:
    request = pb.RemoveGroupDelegatedOrgRequest(group_id=ground.groups[name], org_id=org)
    await demand_served(ground, Who.ADMIN, "RemoveGroupDelegatedOrg", request)


def _role(ground: OvgsGround, who: Who, name: str, role: Any) -> pb.AddUserRoleRequest:
    return pb.AddUserRoleRequest(**ground.user(who), group_id=ground.groups[name], user_role=role)


def _foreign_role(ground: OvgsGround, name: str, role: Any) -> pb.AddUserRoleRequest:
    return _role(ground, Who.FOREIGN, name, role)


async def _look(ground: OvgsGround, who: Who, name: str) -> Any:
    request = pb.GetGroupRequest(group_id=ground.groups[name])
    return await demand_served(ground, who, "GetGroup", request)


async def _by_name(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    request = _foreign_role(ground, "rack", pb.USER_ROLE_REQUESTOR)
    await demand_refused(ground, Who.ADMIN, "AddUserRole", request, Status.PERMISSION_DENIED)
    await _delegate(ground, "site", org)
    await demand_served(ground, Who.ADMIN, "AddUserRole", request)
    await _look(ground, Who.FOREIGN, "rack")
    beside = pb.GetGroupRequest(group_id=ground.groups["side"])
    await demand_refused(ground, Who.FOREIGN, "GetGroup", beside, Status.PERMISSION_DENIED)


async def _by_star(ground: OvgsGround) -> None:
    await _delegate(ground, "site", ANY)
    request = _foreign_role(ground, "site", pb.USER_ROLE_REQUESTOR)
    await demand_served(ground, Who.ADMIN, "AddUserRole", request)
    await _look(ground, Who.FOREIGN, "site")


async def _restricted_view(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    await _delegate(ground, "site", org)
    await _delegate(ground, "site", ANY)
    await demand_served(
        ground, Who.ADMIN, "AddUserRole", _foreign_role(ground, "site", pb.USER_ROLE_REQUESTOR)
    )
    own = await _look(ground, Who.ADMIN, "site")
    users = {each.org_id for each in own.users}
    holds("the owner sees both organisations", users, truth={org, ground.customer.org_id} == users)
    seen = await _look(ground, Who.FOREIGN, "site")
    users = {each.org_id for each in seen.users}
    holds("users of the caller's organisation alone", users, truth=users == {org})
    orgs = set(seen.delegated_orgs)
    holds("the caller's organisation alone", orgs, truth=orgs == {org})


async def _own_users_only(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    await _delegate(ground, "site", org)
    await demand_served(
        ground, Who.ADMIN, "AddUserRole", _foreign_role(ground, "site", pb.USER_ROLE_ADMIN)
    )
    mine = _role(ground, Who.FOREIGN_ADMIN, "site", pb.USER_ROLE_REQUESTOR)
    await demand_served(ground, Who.FOREIGN, "AddUserRole", mine)
    theirs = _role(ground, Who.OUTSIDER, "site", pb.USER_ROLE_REQUESTOR)
    await demand_refused(ground, Who.FOREIGN, "AddUserRole", theirs, Status.PERMISSION_DENIED)
    removed = pb.RemoveUserRoleRequest(**ground.user(Who.REQUESTOR), group_id=ground.groups["site"])
    await demand_refused(ground, Who.FOREIGN, "RemoveUserRole", removed, Status.PERMISSION_DENIED)


async def _no_further(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    await _delegate(ground, "site", org)
    await demand_served(
        ground, Who.ADMIN, "AddUserRole", _foreign_role(ground, "site", pb.USER_ROLE_ADMIN)
    )
    child = pb.CreateGroupRequest(
        parent=ground.groups["site"], description=ground.description("new")
    )
    await demand_served(ground, Who.FOREIGN, "CreateGroup", child)
    request = pb.AddGroupDelegatedOrgRequest(group_id=ground.groups["site"], org_id=ANY)
    await demand_refused(
        ground, Who.FOREIGN, "AddGroupDelegatedOrg", request, Status.PERMISSION_DENIED
    )
    await demand_served(ground, Who.ADMIN, "AddGroupDelegatedOrg", request)


async def _in_use(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    await _delegate(ground, "site", org)
    await demand_served(
        ground, Who.ADMIN, "AddUserRole", _foreign_role(ground, "rack", pb.USER_ROLE_REQUESTOR)
    )
    request = pb.RemoveGroupDelegatedOrgRequest(group_id=ground.groups["site"], org_id=org)
    await demand_refused(
        ground, Who.ADMIN, "RemoveGroupDelegatedOrg", request, Status.FAILED_PRECONDITION
    )
    removed = pb.RemoveUserRoleRequest(**ground.user(Who.FOREIGN), group_id=ground.groups["rack"])
    await demand_served(ground, Who.ADMIN, "RemoveUserRole", removed)
    await demand_served(ground, Who.ADMIN, "RemoveGroupDelegatedOrg", request)


async def _other_source(ground: OvgsGround) -> None:
    org = ground.foreign_org()
    await _delegate(ground, "top", org)
    # An inherited entry is no obstacle.
    await _delegate(ground, "site", org)
    await demand_served(
        ground, Who.ADMIN, "AddUserRole", _foreign_role(ground, "site", pb.USER_ROLE_REQUESTOR)
    )
    shown = await _look(ground, Who.ADMIN, "rack")
    sources = list(shown.delegated_orgs[org].group_ids)
    wanted = {ground.groups["top"], ground.groups["site"]}
    holds("both sources", sources, truth=set(sources) == wanted)
    await _undelegate(ground, "site", org)
    await _look(ground, Who.FOREIGN, "site")


def delegation_cases() -> Iterator[MasaCase]:
    """Return the cases; those with users of another organisation need one."""
    rows: tuple[tuple[str, str, str, SpecSource, Play], ...] = (
        (
            "by-name",
            "AddUserRole",
            "A user of another organisation gets a role where it is delegated to, and only there.",
            of_proto("AddUserRole", "the org of a delegated user is present in delegated_orgs"),
            _by_name,
        ),
        (
            "by-star",
            "AddUserRole",
            "A group that is delegated to * takes users of any organisation.",
            of_ours("Delegation", "* means any organisation"),
            _by_star,
        ),
        (
            "restricted-view",
            "GetGroup",
            "GetGroup shows a delegated caller users and delegations of its organisation alone.",
            of_proto("GetGroup", "what a delegated caller is shown"),
            _restricted_view,
        ),
        (
            "own-users-only",
            "AddUserRole",
            "A delegated ADMIN adds and removes users of its own organisation alone.",
            of_proto("AddUserRole", "a delegated caller adds users of its own org alone"),
            _own_users_only,
        ),
        (
            "no-further",
            "AddGroupDelegatedOrg",
            "A delegated ADMIN makes groups, and delegates nothing.",
            of_ours("Delegation", "only the owner's ADMIN in the root group"),
            _no_further,
        ),
        (
            "in-use",
            "RemoveGroupDelegatedOrg",
            "A delegation stays while a user below depends on it.",
            of_proto("RemoveGroupDelegatedOrg", "FAILED_PRECONDITION while such users are left"),
            _in_use,
        ),
        (
            "other-source",
            "RemoveGroupDelegatedOrg",
            "A delegation that a group inherits as well can be removed while users are left.",
            of_proto("RemoveGroupDelegatedOrg", "where this group is the only source"),
            _other_source,
        ),
    )
    for name, rpc, claim, source, play in rows:
        yield MasaCase(
            f"rule/delegation/{name}", rpc, claim, "as claimed", source, play, hostile=False
        )
