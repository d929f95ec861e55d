"""What goes beyond one call: inheritance, delegation, vouchers, and what a batch does.

A rule that ends in a refusal has the served call before it or after it.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from grpclib.const import Status

from bootz.conformance.masa.answers import check_voucher, holds
from bootz.conformance.masa.caller import NotJudged, Who
from bootz.conformance.masa.deeds import DEEDS
from bootz.conformance.masa.delegation import delegation_cases
from bootz.conformance.masa.ground import OvgsGround, same_serials
from bootz.conformance.masa.plays import (
    MasaCase,
    Play,
    Refused,
    demand_refused,
    demand_served,
    of_ours,
    of_proto,
)
from bootz.conformance.verdict import SpecSource
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

_SUBTREE: Final = of_ours(
    "Permissions", "the same permission across the subtree of the group; the higher one counts"
)
_LIKE_ONE: Final = "it is otherwise the same as the call for one component"


async def _inherited(ground: OvgsGround) -> None:
    rack = pb.GetGroupRequest(group_id=ground.groups["rack"])
    await demand_served(ground, Who.REQUESTOR, "GetGroup", rack)
    voucher = pb.GetOwnershipVoucherRequest(
        component=ground.component(2),
        cert_id=ground.certificates["site"],
        lifetime=write_instant(ground.until),
    )
    answer = await demand_served(ground, Who.REQUESTOR, "GetOwnershipVoucher", voucher)
    # Equality with the end of the registration is in order.
    check_voucher(ground, answer.voucher_cms, number=2, ends=ground.until)


async def _strongest(ground: OvgsGround) -> None:
    await ground.give(Who.GROUP_ADMIN, ground.groups["rack"], pb.USER_ROLE_REQUESTOR)
    request = pb.CreateGroupRequest(
        parent=ground.groups["rack"], description=ground.description("new")
    )
    await demand_served(ground, Who.GROUP_ADMIN, "CreateGroup", request)


async def _next_call(ground: OvgsGround) -> None:
    site = ground.groups["site"]
    look = pb.GetGroupRequest(group_id=site)
    await ground.give(Who.OUTSIDER, site, pb.USER_ROLE_REQUESTOR)
    await demand_served(ground, Who.OUTSIDER, "GetGroup", look)
    taken = pb.RemoveUserRoleRequest(**ground.user(Who.OUTSIDER), group_id=site)
    await ground.admin("RemoveUserRole", taken)
    await demand_refused(ground, Who.OUTSIDER, "GetGroup", look, Status.PERMISSION_DENIED)


async def _role_seen(ground: OvgsGround, who: Who, wanted: dict[str, Any]) -> None:
    request = pb.GetUserRoleRequest(**ground.user(Who.OUTSIDER))
    answer = await demand_served(ground, who, "GetUserRole", request)
    seen = {
        group: role
        for group, role in answer.groups.items()
        if group in ground.groups.values() and group != ground.groups["root"]
    }
    holds(f"{who.value} sees {wanted}", seen, truth=seen == wanted)


async def _roles_in_reach(ground: OvgsGround) -> None:
    side = ground.groups["side"]
    await ground.give(Who.OUTSIDER, side, pb.USER_ROLE_REQUESTOR)
    await _role_seen(ground, Who.ADMIN, {side: pb.USER_ROLE_REQUESTOR})
    await _role_seen(ground, Who.REQUESTOR, {})


async def _no_role_at_all(ground: OvgsGround) -> None:
    request = pb.GetUserRoleRequest(**ground.user(Who.REQUESTOR))
    served = await demand_served(ground, Who.ADMIN, "GetUserRole", request)
    holds("ADMIN sees the role", dict(served.groups), truth=bool(served.groups))
    answer = await demand_served(ground, Who.OUTSIDER, "GetUserRole", request)
    holds("an empty map", dict(answer.groups), truth=not answer.groups)


async def _one_home(ground: OvgsGround) -> None:
    requests = [
        pb.AddSerialRequest(component=ground.component(2), group_id=ground.groups[name])
        for name in ("site", "side", "top", "site", "side")
    ]
    answers = await asyncio.gather(
        *(ground.admin("AddSerial", each) for each in requests), return_exceptions=True
    )
    moved = sum(not isinstance(answer, BaseException) for answer in answers)
    holds("a move is served", f"{moved} of {len(answers)}", truth=moved > 0)
    homes = await ground.homes(2)
    holds("the root group and one other", homes, truth=len(homes) == 2)
    seen = sum(
        any(same_serials([serial], [ground.component(2).serial_number]) for _, serial in components)
        for components in (state.components for state in (await ground.look()).values())
    )
    holds("it is listed in one group", seen, truth=seen == 1)


async def _empty_stream(ground: OvgsGround) -> None:
    await ground.admin(
        "RemoveSerial",
        pb.RemoveSerialRequest(component=ground.component(3), group_id=ground.groups["side"]),
    )
    request = pb.GetComponentsRequest(group_id=ground.groups["side"])
    answers = await demand_served(ground, Who.ADMIN, "GetComponents", request)
    holds("an empty stream", len(answers), truth=not answers)


async def _not_the_childs(ground: OvgsGround) -> None:
    answer = await ground.admin("GetGroup", pb.GetGroupRequest(group_id=ground.groups["top"]))
    serials = [each.serial_number for each in answer.components]
    holds("no component of a child group", serials, truth=not serials)
    certificates = list(answer.cert_ids)
    own = [ground.certificates["top"]]
    holds("its own certificate alone", certificates, truth=certificates == own)


async def _same_pin(ground: OvgsGround) -> None:
    request, ids = ground.registration(), set()
    for name in ("site", "rack"):
        request.group_id = ground.groups[name]
        made = await demand_served(ground, Who.ADMIN, "CreateDomainCert", request)
        ids.add(made.cert_id)
    holds("an id for each registration", ids, truth=len(ids) == 2)


async def _case_of_serial(ground: OvgsGround) -> None:
    component = ground.component(1)
    component.serial_number = component.serial_number.swapcase()
    if component.serial_number == ground.component(1).serial_number:
        raise NotJudged("needs a --serial with a letter in it")
    answer = await ground.admin("GetSerial", pb.GetSerialRequest(component=component))
    seen = list(answer.group_ids)
    holds("the component's groups", seen, truth=ground.groups["site"] in seen)


def _order(ground: OvgsGround, lifetime: Any, cert_id: str) -> pb.GetOwnershipVoucherRequest:
    return pb.GetOwnershipVoucherRequest(
        component=ground.component(1), cert_id=cert_id, lifetime=lifetime
    )


async def _anew(ground: OvgsGround) -> None:
    end = ground.until - timedelta(days=1)
    request = _order(ground, write_instant(end), ground.certificates["site"])
    vouchers = [
        (await demand_served(ground, Who.REQUESTOR, "GetOwnershipVoucher", request)).voucher_cms
        for _ in range(2)
    ]
    for each in vouchers:
        check_voucher(ground, each, number=1, ends=end)
    holds("two different vouchers", "the same twice", truth=vouchers[0] != vouchers[1])


async def _fraction(ground: OvgsGround) -> None:
    end = ground.until - timedelta(days=1)
    lifetime = write_instant(end + timedelta(milliseconds=600))
    request = _order(ground, lifetime, ground.certificates["site"])
    answer = await demand_served(ground, Who.REQUESTOR, "GetOwnershipVoucher", request)
    check_voucher(ground, answer.voucher_cms, number=1, ends=end)


async def _flag(ground: OvgsGround) -> None:
    made = await ground.admin("CreateDomainCert", ground.registration())
    end = ground.until - timedelta(days=1)
    request = _order(ground, write_instant(end), made.cert_id)
    answer = await demand_served(ground, Who.REQUESTOR, "GetOwnershipVoucher", request)
    check_voucher(
        ground,
        answer.voucher_cms,
        number=1,
        ends=end,
        pinned=ground.pins.other,
        revocation_checks=True,
    )


async def _parents_certificate(ground: OvgsGround) -> None:
    end = ground.until - timedelta(days=1)
    request = _order(ground, write_instant(end), ground.certificates["top"])
    answer = await demand_served(ground, Who.ADMIN, "GetOwnershipVoucher", request)
    check_voucher(ground, answer.voucher_cms, number=1, ends=end)


async def _deleted_certificate(ground: OvgsGround) -> None:
    made = await ground.admin("CreateDomainCert", ground.registration())
    end = ground.until - timedelta(days=1)
    request = _order(ground, write_instant(end), made.cert_id)
    await demand_served(ground, Who.REQUESTOR, "GetOwnershipVoucher", request)
    await ground.admin("DeleteDomainCert", pb.DeleteDomainCertRequest(cert_id=made.cert_id))
    await demand_refused(
        ground, Who.REQUESTOR, "GetOwnershipVoucher", request, Status.FAILED_PRECONDITION
    )


def rule_cases() -> Iterator[MasaCase]:
    """Return the cases."""
    rows: tuple[tuple[str, str, str, SpecSource, Play], ...] = (
        (
            "rule/role/inherited",
            "GetGroup",
            "A role on a group holds in the groups below it, for certificates and components too.",
            _SUBTREE,
            _inherited,
        ),
        (
            "rule/role/strongest",
            "CreateGroup",
            "A lesser role on a child group does not weaken the one on its parent.",
            _SUBTREE,
            _strongest,
        ),
        (
            "rule/role/next-call",
            "GetGroup",
            "A role counts from the next call on, and no longer when it is taken away.",
            of_ours("Permissions", "a change of roles takes effect with the next call"),
            _next_call,
        ),
        (
            "rule/role/seen-in-reach",
            "GetUserRole",
            "GetUserRole tells roles only in groups where the caller has one.",
            of_proto("GetUserRole", "only roles in groups that the caller has a role assigned to"),
            _roles_in_reach,
        ),
        (
            "rule/role/none",
            "GetUserRole",
            "GetUserRole answers a caller without a role with an empty map.",
            of_ours("Users and roles", "an empty map without an error where there are none"),
            _no_role_at_all,
        ),
        (
            "rule/component/one-home",
            "AddSerial",
            "Moves at the same time leave a component in one group besides the root group.",
            of_ours("Model", "one group apart from the root group"),
            _one_home,
        ),
        (
            "rule/component/empty-group",
            "GetComponents",
            "GetComponents of an empty group is an empty stream and OK.",
            of_ours("Components and certificates", "GetComponents streams the group's own"),
            _empty_stream,
        ),
        (
            "rule/component/not-the-childs",
            "GetGroup",
            "GetGroup lists what is in the group, and not what is in its children.",
            of_proto("GetGroup", "certificates, components and users of that group"),
            _not_the_childs,
        ),
        (
            "rule/component/case",
            "GetSerial",
            "A component is found without regard to the case of its serial number.",
            of_ours("Model", "a component is found without regard to case"),
            _case_of_serial,
        ),
        (
            "rule/certificate/two-groups",
            "CreateDomainCert",
            "A certificate may be registered in several groups, each time with an id of its own.",
            of_proto("CreateDomainCert", "ALREADY_EXISTS is about the group"),
            _same_pin,
        ),
        (
            "rule/voucher/anew",
            "GetOwnershipVoucher",
            "A repeated request gives another voucher that is equally good.",
            of_ours("Issuing", "each call signs again"),
            _anew,
        ),
        (
            "rule/voucher/fraction",
            "GetOwnershipVoucher",
            "expires-on is the lifetime in whole seconds.",
            of_ours("Issuing", "the end is lifetime in whole seconds"),
            _fraction,
        ),
        (
            "rule/voucher/flag",
            "GetOwnershipVoucher",
            "The voucher has the registration's flag for revocation checks and its certificate.",
            SpecSource(
                "domain-cert-revocation-checks is a leaf of the voucher",
                "RFC 8366 section 5.3",
                "https://www.rfc-editor.org/rfc/rfc8366#section-5.3",
            ),
            _flag,
        ),
        (
            "rule/voucher/parents-certificate",
            "GetOwnershipVoucher",
            "A parent group's certificate serves for a child group's component.",
            _SUBTREE,
            _parents_certificate,
        ),
        (
            "rule/voucher/deleted-certificate",
            "GetOwnershipVoucher",
            "A registration that is removed issues no more vouchers.",
            of_proto("GetOwnershipVoucher", "FAILED_PRECONDITION if cert_id does not exist"),
            _deleted_certificate,
        ),
    )
    for name, rpc, claim, source, play in rows:
        yield MasaCase(name, rpc, claim, "as claimed", source, play, hostile=False)
    for rpc in ("GetSerials", "GetOwnershipVouchers"):
        yield MasaCase(
            f"rule/batch/{rpc}",
            rpc,
            f"{rpc} is refused as a whole for one entry that the caller cannot reach.",
            "PERMISSION_DENIED",
            of_proto(rpc, _LIKE_ONE),
            Refused(DEEDS[rpc], (Status.PERMISSION_DENIED,), caller=Who.REQUESTOR, flaw=_middle),
            hostile=True,
        )
    yield from delegation_cases()


def _middle(ground: OvgsGround, batch: Any) -> None:
    """Name a component of another group in the middle of a batch."""
    entries = batch.components if hasattr(batch, "components") else batch.component
    entries[1].CopyFrom(ground.component(3))
