"""The well-formed call of each RPC, and what must have come of it.

Everything is about the group ``site`` unless a case aims elsewhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from google.protobuf.message import Message

from bootz.conformance.masa import outcomes
from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.ground import OvgsGround, foreign_or_any
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

ADMINS: Final = (Who.ADMIN, Who.GROUP_ADMIN, Who.SUPPORT)
ASSIGNERS: Final = (*ADMINS, Who.ASSIGNER)
ALL: Final = (*ASSIGNERS, Who.REQUESTOR)
OWNER: Final = (Who.ADMIN,)


@dataclass(frozen=True, slots=True)
class Deed:
    """An RPC with a request that is in order.

    ``prepare`` makes what the request is about and returns its id, empty for nothing; ``check``
    looks at the answer and at what is stored then. ``allowed``: who may make this very call.
    """

    rpc: str
    allowed: tuple[Who, ...]
    request: Callable[[OvgsGround, str], Message]
    check: Callable[[OvgsGround, str, Any], Awaitable[None]]
    prepare: Callable[[OvgsGround], Awaitable[str]]
    changes: bool


async def _nothing(_ground: OvgsGround) -> str:
    return ""


async def _empty_group(ground: OvgsGround) -> str:
    made = await ground.admin(
        "CreateGroup",
        pb.CreateGroupRequest(
            parent=ground.groups["site"], description=ground.description("empty")
        ),
    )
    return str(made.group_id)


async def delegate_site(ground: OvgsGround) -> str:
    """Delegate ``site`` and return its id."""
    await ground.admin(
        "AddGroupDelegatedOrg",
        pb.AddGroupDelegatedOrgRequest(
            group_id=ground.groups["site"], org_id=foreign_or_any(ground)
        ),
    )
    return ground.groups["site"]


async def give_role(ground: OvgsGround) -> str:
    """Give the outsider a role on ``site`` and return its id."""
    await ground.admin("AddUserRole", _role(ground))
    return ground.groups["site"]


async def other_certificate(ground: OvgsGround) -> str:
    """Register another certificate in ``site`` and return its id."""
    made = await ground.admin("CreateDomainCert", ground.registration())
    return str(made.cert_id)


def _role(ground: OvgsGround) -> pb.AddUserRoleRequest:
    return pb.AddUserRoleRequest(
        **ground.user(Who.OUTSIDER),
        group_id=ground.groups["site"],
        user_role=pb.USER_ROLE_REQUESTOR,
    )


def voucher_end(ground: OvgsGround) -> Any:
    """Return a lifetime that is in order."""
    return write_instant(ground.until - timedelta(days=1))


def _deed(
    rpc: str,
    allowed: tuple[Who, ...],
    request: Callable[[OvgsGround, str], Message],
    check: Callable[[OvgsGround, str, Any], Awaitable[None]],
    prepare: Callable[[OvgsGround], Awaitable[str]] = _nothing,
) -> Deed:
    return Deed(rpc, allowed, request, check, prepare, changes=not rpc.startswith("Get"))


_ROWS: Final = (
    _deed(
        "GetComponents",
        ALL,
        lambda g, _: pb.GetComponentsRequest(group_id=g.groups["site"]),
        outcomes.components,
    ),
    _deed(
        "CreateGroup",
        ADMINS,
        lambda g, _: pb.CreateGroupRequest(
            parent=g.groups["site"], description=g.description("new")
        ),
        outcomes.created,
    ),
    _deed(
        "DeleteGroup",
        ADMINS,
        lambda _, made: pb.DeleteGroupRequest(group_id=made),
        outcomes.deleted,
        _empty_group,
    ),
    _deed(
        "GetGroup", ALL, lambda g, _: pb.GetGroupRequest(group_id=g.groups["site"]), outcomes.group
    ),
    _deed(
        "AddGroupDelegatedOrg",
        OWNER,
        lambda g, _: pb.AddGroupDelegatedOrgRequest(
            group_id=g.groups["site"], org_id=foreign_or_any(g)
        ),
        outcomes.delegated,
    ),
    _deed(
        "RemoveGroupDelegatedOrg",
        OWNER,
        lambda g, _: pb.RemoveGroupDelegatedOrgRequest(
            group_id=g.groups["site"], org_id=foreign_or_any(g)
        ),
        outcomes.undelegated,
        delegate_site,
    ),
    _deed("AddUserRole", ADMINS, lambda g, _: _role(g), outcomes.member),
    _deed(
        "RemoveUserRole",
        ADMINS,
        lambda g, _: pb.RemoveUserRoleRequest(**g.user(Who.OUTSIDER), group_id=g.groups["site"]),
        outcomes.no_member,
        give_role,
    ),
    _deed(
        "GetUserRole",
        ALL,
        lambda g, _: pb.GetUserRoleRequest(**g.user(Who.REQUESTOR)),
        outcomes.roles,
    ),
    _deed(
        "AddSerial",
        ASSIGNERS,
        lambda g, _: pb.AddSerialRequest(component=g.component(2), group_id=g.groups["site"]),
        outcomes.moved,
    ),
    _deed(
        "RemoveSerial",
        ASSIGNERS,
        lambda g, _: pb.RemoveSerialRequest(component=g.component(1), group_id=g.groups["site"]),
        outcomes.removed,
    ),
    _deed(
        "GetSerial",
        ALL,
        lambda g, _: pb.GetSerialRequest(component=g.component(1)),
        outcomes.serial,
    ),
    _deed(
        "GetSerials",
        ALL,
        lambda g, _: pb.GetSerialsRequest(components=[g.component(each) for each in (1, 2, 1)]),
        outcomes.serials,
    ),
    _deed("CreateDomainCert", ASSIGNERS, lambda g, _: g.registration(), outcomes.registered),
    _deed(
        "GetDomainCert",
        ALL,
        lambda g, _: pb.GetDomainCertRequest(cert_id=g.certificates["site"]),
        outcomes.certificate,
    ),
    _deed(
        "DeleteDomainCert",
        ASSIGNERS,
        lambda _, made: pb.DeleteDomainCertRequest(cert_id=made),
        outcomes.unregistered,
        other_certificate,
    ),
    _deed(
        "GetOwnershipVoucher",
        ALL,
        lambda g, _: pb.GetOwnershipVoucherRequest(
            component=g.component(1), cert_id=g.certificates["site"], lifetime=voucher_end(g)
        ),
        outcomes.voucher,
    ),
    _deed(
        "GetOwnershipVouchers",
        ALL,
        lambda g, _: pb.GetOwnershipVouchersRequest(
            component=[g.component(each) for each in (1, 2, 1)],
            cert_id=g.certificates["site"],
            lifetime=voucher_end(g),
        ),
        outcomes.vouchers,
    ),
)

DEEDS: Final = {deed.rpc: deed for deed in _ROWS}
"""By RPC."""
