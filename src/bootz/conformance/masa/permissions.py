"""The calls that must be refused to whom makes them, and are served to another."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from grpclib.const import Status

from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.deeds import ADMINS, ASSIGNERS, DEEDS
from bootz.conformance.masa.ground import OvgsGround
from bootz.conformance.masa.plays import (
    MasaCase,
    Refused,
    Spoil,
    of_ours,
    of_proto,
)
from bootz.conformance.verdict import SpecSource
from bootz.wire.ovgs import messages as pb

DENIED: Final = (Status.PERMISSION_DENIED,)

_LESSER: Final = (Who.GROUP_ADMIN, Who.ASSIGNER, Who.REQUESTOR, Who.OUTSIDER)
_STRANGERS: Final = (Who.FOREIGN_ADMIN, Who.FOREIGN)


def permission_cases() -> Iterator[MasaCase]:
    """Return the cases: a lesser role, no role, a role elsewhere, another organisation."""
    for rpc, deed in DEEDS.items():
        if rpc == "GetUserRole":
            continue
        refused = [who for who in (*_LESSER, *_STRANGERS) if who not in deed.allowed]
        if deed.allowed == (Who.ADMIN,):
            refused.append(Who.SUPPORT)
        for who in refused:
            yield _case(
                rpc,
                who.value,
                Refused(deed, DENIED, caller=who, twin=Who.ADMIN),
                f"{rpc} is refused to {_WORDS[who]}.",
                of_proto(rpc, f"PERMISSION_DENIED; roles with permission: {_roles(deed.allowed)}"),
            )
    yield from _elsewhere()


_WORDS: Final = {
    Who.GROUP_ADMIN: "an ADMIN whose role is not on the root group",
    Who.ASSIGNER: "an ASSIGNER",
    Who.REQUESTOR: "a REQUESTOR",
    Who.OUTSIDER: "an account of the organisation without a role",
    Who.FOREIGN_ADMIN: "an ADMIN of another organisation",
    Who.FOREIGN: "an account of another organisation",
    Who.SUPPORT: "the manufacturer's SUPPORT",
}


def _roles(allowed: tuple[Who, ...]) -> str:
    if allowed == ADMINS:
        return "ADMIN"
    if allowed == ASSIGNERS:
        return "ADMIN, ASSIGNER"
    return "ADMIN, ASSIGNER, REQUESTOR" if len(allowed) > 1 else "the owner's ADMIN on the root"


def _case(rpc: str, name: str, play: Refused, claim: str, source: SpecSource) -> MasaCase:
    return MasaCase(
        f"denied/{rpc}/{name}",
        rpc,
        claim,
        "PERMISSION_DENIED",
        source,
        play,
        hostile=True,
        changes=play.deed.changes,
    )


def _to(field: str, name: str) -> Spoil:
    """Aim a request at another of the suite's groups, or at a certificate of one."""

    def aim(ground: OvgsGround, request: Any) -> None:
        known = ground.certificates if field == "cert_id" else ground.groups
        setattr(request, field, known[name])

    return aim


def _of(number: int) -> Spoil:
    """Aim a request at another component; of a list at its last entry."""

    def aim(ground: OvgsGround, request: Any) -> None:
        for field in ("component", "components"):
            if not hasattr(request, field):
                continue
            inner = getattr(request, field)
            (inner if hasattr(inner, "DESCRIPTOR") else inner[-1]).CopyFrom(
                ground.component(number)
            )

    return aim


def _foreign_user(ground: OvgsGround, request: Any) -> None:
    for field, value in ground.user(Who.FOREIGN).items():
        setattr(request, field, value)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    rpc: str
    name: str
    caller: Who
    words: str
    source: SpecSource
    aim: Spoil | None = None
    flaw: Spoil | None = None
    disturb: Callable[[OvgsGround, str], Awaitable[None]] | None = None
    twin: Who = Who.ADMIN


async def _admin_of_it(ground: OvgsGround, made: str) -> None:
    await ground.give(Who.OUTSIDER, made, pb.USER_ROLE_ADMIN)


_DOWNWARDS: Final = of_ours(
    "Permissions", "a user has access to the group it belongs to and to all below it"
)
_SOURCE: Final = of_proto(
    "AddSerial", "PERMISSION_DENIED without permission for the source and the destination"
)


def _elsewhere() -> Iterator[MasaCase]:
    """Return the cases of a role that is not where it has to be."""
    rows = (
        *(
            _Elsewhere(
                rpc,
                f"parent-{who.value}",
                who,
                "on the parent of the group where the role is",
                _DOWNWARDS,
                aim=_to(field, "top"),
            )
            for rpc, field, who in (
                ("GetComponents", "group_id", Who.REQUESTOR),
                ("GetGroup", "group_id", Who.REQUESTOR),
                ("GetGroup", "group_id", Who.GROUP_ADMIN),
                ("CreateGroup", "parent", Who.GROUP_ADMIN),
                ("AddUserRole", "group_id", Who.GROUP_ADMIN),
                ("CreateDomainCert", "group_id", Who.ASSIGNER),
                ("GetDomainCert", "cert_id", Who.REQUESTOR),
                ("GetOwnershipVoucher", "cert_id", Who.REQUESTOR),
                ("GetOwnershipVouchers", "cert_id", Who.REQUESTOR),
            )
        ),
        *(
            _Elsewhere(
                rpc,
                f"sibling-{who.value}",
                who,
                "on a group beside the one where the role is",
                _DOWNWARDS,
                aim=_to("group_id", "side"),
            )
            for rpc, who in (
                ("GetComponents", Who.REQUESTOR),
                ("GetGroup", Who.REQUESTOR),
                ("AddUserRole", Who.GROUP_ADMIN),
                ("CreateDomainCert", Who.ASSIGNER),
            )
        ),
        *(
            _Elsewhere(
                rpc,
                f"{name}-component",
                Who.REQUESTOR,
                f"for a component of {words}",
                _DOWNWARDS,
                aim=_of(number),
            )
            for rpc in ("GetSerial", "GetSerials", "GetOwnershipVoucher", "GetOwnershipVouchers")
            for name, words, number in (
                ("root", "the root group alone", 0),
                ("sibling", "a group beside the one where the role is", 3),
            )
        ),
        _Elsewhere(
            "AddSerial",
            "source-root",
            Who.ASSIGNER,
            "of a component that is in the root group alone, with a role below it",
            _SOURCE,
            aim=_of(0),
        ),
        _Elsewhere(
            "AddSerial",
            "source-sibling",
            Who.ASSIGNER,
            "of a component out of a group without a role",
            _SOURCE,
            aim=_of(3),
        ),
        _Elsewhere(
            "AddSerial",
            "destination",
            Who.ASSIGNER,
            "into a group without a role",
            _SOURCE,
            aim=_to("group_id", "side"),
        ),
        _Elsewhere(
            "DeleteGroup",
            "admin-of-it-alone",
            Who.OUTSIDER,
            "to an ADMIN of the group who is none of its parent",
            of_proto("DeleteGroup", "PERMISSION_DENIED without access to the parent group"),
            disturb=_admin_of_it,
        ),
        _Elsewhere(
            "AddUserRole",
            "not-delegated",
            Who.ADMIN,
            "for a user of an organisation that the group is not delegated to",
            of_proto("AddUserRole", "the org of a delegated user is present in delegated_orgs"),
            flaw=_foreign_user,
        ),
        _Elsewhere(
            "AddUserRole",
            "not-delegated-support",
            Who.SUPPORT,
            "by SUPPORT for a user of an organisation that the group is not delegated to",
            of_ours("Delegation", "users of another org get roles only where it is delegated to"),
            flaw=_foreign_user,
        ),
    )
    for row in rows:
        yield _case(
            row.rpc,
            row.name,
            Refused(
                DEEDS[row.rpc],
                DENIED,
                caller=row.caller,
                twin=row.twin,
                aim=row.aim,
                flaw=row.flaw,
                disturb=row.disturb,
            ),
            f"{row.rpc} {row.words} is refused ({row.caller.value}).",
            row.source,
        )
