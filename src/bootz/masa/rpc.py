"""The RPCs of ``ovgs.v1``: a message in, a decision of the ledger, a message out.

Source: docs/protocol/ovgs.md#errors; openconfig/ovgs ``ovgs.proto``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from bootz.masa.ledger import (
    arguments,
    certificates,
    components,
    delegations,
    groups,
    roles,
    vouchers,
)
from bootz.masa.ledger.nouns import AccountType, Component, ComponentName, Requester, Role
from bootz.masa.service import MasaService
from bootz.masa.tpm import ek_public_key
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import read_instant, write_instant

_PAGE: Final = 500
"""Components that GetComponents reads at a time, so that a big group stays out of memory."""

MAX_ANSWER_BYTES: Final = 4 << 20
"""What gRPC clients accept in one message unless they are told otherwise."""

_TPM_BYTES: Final = 1 << 20
"""Kept free in an answer for what travels beside the vouchers."""

_ROLES: Final = {
    Role.SUPPORT: pb.USER_ROLE_SUPPORT,
    Role.ADMIN: pb.USER_ROLE_ADMIN,
    Role.ASSIGNER: pb.USER_ROLE_ASSIGNER,
    Role.REQUESTOR: pb.USER_ROLE_REQUESTOR,
}
_ACCOUNT_TYPES: Final = {
    AccountType.USER: pb.ACCOUNT_TYPE_USER,
    AccountType.SERVICE_ACCOUNT: pb.ACCOUNT_TYPE_SERVICE_ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Unary:
    """A method with one answer."""

    request: type[Message]
    call: Callable[[MasaService, Requester, Any], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Issuing:
    """A method that issues vouchers; its call also takes the caller's key, None without one."""

    request: type[Message]
    call: Callable[[MasaService, Requester, Any, str | None], Awaitable[Message]]


def _name(component: pb.Component) -> ComponentName:
    return ComponentName(component.ien, component.serial_number)


def _optional_name(request: Message, component: pb.Component) -> ComponentName | None:
    return _name(component) if request.HasField("component") else None


async def _create_group(
    service: MasaService, caller: Requester, request: pb.CreateGroupRequest
) -> Message:
    group = await service.change(
        caller,
        lambda access: groups.create_group(
            access, request.parent, request.description, new_id=service.new_id("group")
        ),
    )
    return pb.CreateGroupResponse(group_id=group.group_id)


async def _delete_group(
    service: MasaService, caller: Requester, request: pb.DeleteGroupRequest
) -> Message:
    await service.change(caller, lambda access: groups.delete_group(access, request.group_id))
    return pb.DeleteGroupResponse()


async def _get_group(
    service: MasaService, caller: Requester, request: pb.GetGroupRequest
) -> Message:
    view = await service.look(caller, lambda access: groups.show_group(access, request.group_id))
    return pb.GetGroupResponse(
        group_id=view.group.group_id,
        cert_ids=view.cert_ids,
        components=[
            pb.Component(ien=name.ien, serial_number=name.serial_number) for name in view.components
        ],
        users=[
            pb.User(
                username=member.user.username,
                user_type=_ACCOUNT_TYPES[member.user.account_type],
                org_id=member.user.org_id,
                user_role=_ROLES[member.role],
            )
            for member in view.members
        ],
        child_group_ids=view.child_ids,
        description=view.group.description,
        delegated_orgs={
            org: pb.GroupList(group_ids=sources) for org, sources in view.delegated_orgs.items()
        },
    )


async def _add_delegation(
    service: MasaService, caller: Requester, request: pb.AddGroupDelegatedOrgRequest
) -> Message:
    await service.change(
        caller,
        lambda access: delegations.add_delegation(access, request.group_id, request.org_id),
    )
    return pb.AddGroupDelegatedOrgResponse()


async def _remove_delegation(
    service: MasaService, caller: Requester, request: pb.RemoveGroupDelegatedOrgRequest
) -> Message:
    await service.change(
        caller,
        lambda access: delegations.remove_delegation(access, request.group_id, request.org_id),
    )
    return pb.RemoveGroupDelegatedOrgResponse()


async def _add_role(
    service: MasaService, caller: Requester, request: pb.AddUserRoleRequest
) -> Message:
    user = arguments.user(request.username, request.user_type, request.org_id)
    await service.change(
        caller,
        lambda access: roles.add_role(access, user, request.group_id, request.user_role),
    )
    return pb.AddUserRoleResponse()


async def _remove_role(
    service: MasaService, caller: Requester, request: pb.RemoveUserRoleRequest
) -> Message:
    user = arguments.user(request.username, request.user_type, request.org_id)
    await service.change(caller, lambda access: roles.remove_role(access, user, request.group_id))
    return pb.RemoveUserRoleResponse()


async def _get_role(
    service: MasaService, caller: Requester, request: pb.GetUserRoleRequest
) -> Message:
    user = arguments.user(request.username, request.user_type, request.org_id)
    held = await service.look(caller, lambda access: roles.show_roles(access, user))
    return pb.GetUserRoleResponse(
        groups={group_id: _ROLES[role] for group_id, role in held.items()}
    )


async def _create_cert(
    service: MasaService, caller: Requester, request: pb.CreateDomainCertRequest
) -> Message:
    expires_at = (
        read_instant("expiry_time", request.expiry_time)
        if request.HasField("expiry_time")
        else None
    )
    made = await service.change(
        caller,
        lambda access: certificates.create_certificate(
            access,
            request.group_id,
            request.certificate_der,
            revocation_checks=request.revocation_checks,
            expires_at=expires_at,
            new_id=service.new_id("cert"),
            now=service.clock(),
        ),
    )
    return pb.CreateDomainCertResponse(cert_id=made.cert_id)


async def _get_cert(
    service: MasaService, caller: Requester, request: pb.GetDomainCertRequest
) -> Message:
    found = await service.look(
        caller, lambda access: certificates.show_certificate(access, request.cert_id)
    )
    return pb.GetDomainCertResponse(
        cert_id=found.cert_id,
        group_id=found.group_id,
        certificate_der=found.certificate,
        revocation_checks=found.revocation_checks,
        expiry_time=write_instant(found.expires_at),
    )


async def _delete_cert(
    service: MasaService, caller: Requester, request: pb.DeleteDomainCertRequest
) -> Message:
    await service.change(
        caller, lambda access: certificates.delete_certificate(access, request.cert_id)
    )
    return pb.DeleteDomainCertResponse()


async def _add_serial(
    service: MasaService, caller: Requester, request: pb.AddSerialRequest
) -> Message:
    name = _optional_name(request, request.component)
    await service.change(
        caller, lambda access: components.add_serial(access, name, request.group_id)
    )
    return pb.AddSerialResponse()


async def _remove_serial(
    service: MasaService, caller: Requester, request: pb.RemoveSerialRequest
) -> Message:
    name = _optional_name(request, request.component)
    await service.change(
        caller, lambda access: components.remove_serial(access, name, request.group_id)
    )
    return pb.RemoveSerialResponse()


async def _get_serial(
    service: MasaService, caller: Requester, request: pb.GetSerialRequest
) -> Message:
    name = _optional_name(request, request.component)
    found = await service.look(caller, lambda access: components.show_serial(access, name))
    return _serial(found)


async def _get_serials(
    service: MasaService, caller: Requester, request: pb.GetSerialsRequest
) -> Message:
    names = [_name(component) for component in request.components]
    found = await service.look(caller, lambda access: components.show_serials(access, names))
    return pb.GetSerialsResponse(serials=[_serial(component) for component in found])


async def _get_voucher(
    service: MasaService,
    caller: Requester,
    request: pb.GetOwnershipVoucherRequest,
    key: str | None,
) -> Message:
    name = _optional_name(request, request.component)
    many = await _vouchers(service, caller, request, [name], key)
    return many.ownership_vouchers[0]


async def _get_vouchers(
    service: MasaService,
    caller: Requester,
    request: pb.GetOwnershipVouchersRequest,
    key: str | None,
) -> Message:
    names = [_name(each) for each in request.component]
    return await _vouchers(service, caller, request, names, key)


async def _vouchers(
    service: MasaService,
    caller: Requester,
    request: pb.GetOwnershipVoucherRequest | pb.GetOwnershipVouchersRequest,
    names: list[ComponentName] | list[ComponentName | None],
    key: str | None,
) -> pb.GetOwnershipVouchersResponse:
    lifetime = read_instant("lifetime", request.lifetime) if request.HasField("lifetime") else None
    issued = await service.issue(
        caller,
        lambda access: vouchers.order_vouchers(
            access, names, request.cert_id, lifetime, now=service.clock()
        ),
        max_bytes=MAX_ANSWER_BYTES - _TPM_BYTES,
        key=key,
    )
    return pb.GetOwnershipVouchersResponse(
        ownership_vouchers=[
            pb.GetOwnershipVoucherResponse(
                voucher_cms=voucher.cms,
                public_key_der=ek_public_key(voucher.order.component.tpm),
                tpm_info=_tpm_info(voucher.order.component),
            )
            for voucher in issued
        ]
    )


async def get_components(
    service: MasaService, caller: Requester, request: pb.GetComponentsRequest
) -> AsyncIterator[pb.GetComponentsResponse]:
    """Yield every component directly in a group, by (ien, serial number), read in pages."""
    after: ComponentName | None = None
    while True:
        last = after
        page = await service.look(
            caller,
            lambda access, last=last: components.components_page(  # type: ignore[misc]
                access, request.group_id, after=last, limit=_PAGE
            ),
        )
        for found in page:
            yield pb.GetComponentsResponse(
                component=pb.Component(ien=found.name.ien, serial_number=found.name.serial_number),
                serial=_serial(found),
            )
        if len(page) < _PAGE:
            return
        after = page[-1].name


def _serial(component: Component) -> pb.GetSerialResponse:
    return pb.GetSerialResponse(
        public_key_der=ek_public_key(component.tpm),
        group_ids=component.group_ids,
        mac_addr=component.mac_address,
        model=component.model,
        tpm_info=_tpm_info(component),
    )


def _tpm_info(component: Component) -> pb.TpmInfo | None:
    tpm = component.tpm
    if not (tpm.endorsement_key or tpm.ek_certificate or tpm.platform_primary_key):
        return None
    # A field of the oneof that is None stays unset.
    return pb.TpmInfo(
        endorsement_key=tpm.endorsement_key,
        ek_certificate=tpm.ek_certificate,
        platform_primary_key=tpm.platform_primary_key,
    )


UNARY: Final = {
    "CreateGroup": Unary(pb.CreateGroupRequest, _create_group),
    "DeleteGroup": Unary(pb.DeleteGroupRequest, _delete_group),
    "GetGroup": Unary(pb.GetGroupRequest, _get_group),
    "AddGroupDelegatedOrg": Unary(pb.AddGroupDelegatedOrgRequest, _add_delegation),
    "RemoveGroupDelegatedOrg": Unary(pb.RemoveGroupDelegatedOrgRequest, _remove_delegation),
    "AddUserRole": Unary(pb.AddUserRoleRequest, _add_role),
    "RemoveUserRole": Unary(pb.RemoveUserRoleRequest, _remove_role),
    "GetUserRole": Unary(pb.GetUserRoleRequest, _get_role),
    "AddSerial": Unary(pb.AddSerialRequest, _add_serial),
    "RemoveSerial": Unary(pb.RemoveSerialRequest, _remove_serial),
    "GetSerial": Unary(pb.GetSerialRequest, _get_serial),
    "GetSerials": Unary(pb.GetSerialsRequest, _get_serials),
    "CreateDomainCert": Unary(pb.CreateDomainCertRequest, _create_cert),
    "GetDomainCert": Unary(pb.GetDomainCertRequest, _get_cert),
    "DeleteDomainCert": Unary(pb.DeleteDomainCertRequest, _delete_cert),
}
"""The methods with one answer that issue nothing; GetComponents is the one that streams."""

ISSUING: Final = {
    "GetOwnershipVoucher": Issuing(pb.GetOwnershipVoucherRequest, _get_voucher),
    "GetOwnershipVouchers": Issuing(pb.GetOwnershipVouchersRequest, _get_vouchers),
}
"""The methods that issue vouchers."""
