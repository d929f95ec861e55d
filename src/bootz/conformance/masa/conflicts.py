"""Calls that what is stored stands against."""

from collections.abc import Iterator
from typing import Any

from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.deeds import DEEDS, delegate_site, give_role
from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.masa.plays import MasaCase, Refused, Spoil, of_ours, of_proto
from bootz.conformance.masa.spoils import (
    EXISTS,
    NOT_FOUND,
    PRECONDITION,
    aim_at_root,
    refusal_case,
    setting,
)
from bootz.wire.ovgs import messages as pb


def conflict_cases() -> Iterator[MasaCase]:
    """Return the cases."""
    for rpc, name, statuses, play, words, says in (
        (
            "CreateGroup",
            "same-description",
            EXISTS,
            {"flaw": _taken_description},
            "of a description that the parent has already",
            "ALREADY_EXISTS if the parent has a group of that description",
        ),
        (
            "AddGroupDelegatedOrg",
            "twice",
            EXISTS,
            {"disturb": _delegated},
            "of an organisation that is in the list",
            "ALREADY_EXISTS if the organisation is in the list",
        ),
        (
            "AddUserRole",
            "twice",
            EXISTS,
            {"disturb": _given},
            "of a user who has a role in the group",
            "ALREADY_EXISTS if the user is in the group",
        ),
        (
            "AddUserRole",
            "another-role",
            EXISTS,
            {"disturb": _given, "flaw": setting("user_role", pb.USER_ROLE_ASSIGNER)},
            "of another role for a user who has one in the group",
            "ALREADY_EXISTS if the user is in the group, whatever the role",
        ),
        (
            "AddSerial",
            "in-group",
            EXISTS,
            {"flaw": _own_group},
            "into the group that the component is in",
            "ALREADY_EXISTS if the component is a member of the group",
        ),
        (
            "AddSerial",
            "root",
            EXISTS,
            {"flaw": aim_at_root},
            "into the root group, where every component is",
            "ALREADY_EXISTS: a component is in the root group at all times",
        ),
        (
            "CreateDomainCert",
            "twice",
            EXISTS,
            {"disturb": _registered},
            "of a certificate with the flag and the end that are registered in the group",
            "ALREADY_EXISTS if certificate, flag and end are in the group",
        ),
        (
            "RemoveUserRole",
            "no-member",
            NOT_FOUND,
            {"flaw": _group("rack")},
            "of a user who has no role in that very group",
            "NOT_FOUND if the user is not a member of the group",
        ),
        (
            "RemoveSerial",
            "not-there",
            NOT_FOUND,
            {"flaw": _group("side")},
            "from a group that the component is not in",
            "NOT_FOUND if the component is not assigned to the group",
        ),
        *(
            (
                "DeleteGroup",
                f"has-{name}",
                PRECONDITION,
                {"disturb": disturb},
                f"of a group that has {words}",
                "FAILED_PRECONDITION if it has certificates, users, components or children",
            )
            for name, words, disturb in (
                ("child", "a child group", _child_in),
                ("certificate", "a certificate", _certificate_in),
                ("user", "a user", _user_in),
                ("component", "a component", _component_in),
            )
        ),
    ):
        yield refusal_case(
            f"conflict/{rpc}/{name}",
            rpc,
            Refused(DEEDS[rpc], statuses, **play),  # type: ignore[arg-type]
            f"{rpc} {words} is refused.",
            of_proto(rpc, says),
        )
    yield refusal_case(
        "choice/RemoveGroupDelegatedOrg/no-source",
        "RemoveGroupDelegatedOrg",
        Refused(
            DEEDS["RemoveGroupDelegatedOrg"],
            NOT_FOUND,
            flaw=lambda ground, request: setattr(request, "group_id", ground.groups["side"]),
            strict=False,
        ),
        "RemoveGroupDelegatedOrg of an organisation that is not in the group's own list is "
        "refused.",
        of_ours("Delegation", "a delegation that this very group is no source of"),
    )


def _taken_description(ground: OvgsGround, request: Any) -> None:
    request.description = ground.description("rack")


def _own_group(ground: OvgsGround, request: Any) -> None:
    request.group_id = ground.groups["rack"]


def _group(name: str) -> Spoil:
    def spoil(ground: OvgsGround, request: Any) -> None:
        request.group_id = ground.groups[name]

    return spoil


async def _delegated(ground: OvgsGround, _made: str) -> None:
    await delegate_site(ground)


async def _given(ground: OvgsGround, _made: str) -> None:
    await give_role(ground)


async def _registered(ground: OvgsGround, _made: str) -> None:
    await ground.admin("CreateDomainCert", ground.registration())


async def _child_in(ground: OvgsGround, made: str) -> None:
    request = pb.CreateGroupRequest(parent=made, description=ground.description("child"))
    await ground.admin("CreateGroup", request)


async def _certificate_in(ground: OvgsGround, made: str) -> None:
    request = ground.registration()
    request.group_id = made
    await ground.admin("CreateDomainCert", request)


async def _user_in(ground: OvgsGround, made: str) -> None:
    await ground.give(Who.OUTSIDER, made, pb.USER_ROLE_REQUESTOR)


async def _component_in(ground: OvgsGround, made: str) -> None:
    request = pb.AddSerialRequest(component=ground.component(2), group_id=made)
    await ground.admin("AddSerial", request)
