"""What must be so after the well-formed call of each RPC: in the answer, and in what is kept."""

from datetime import timedelta
from typing import Any

from bootz.conformance.masa.answers import check_voucher, holds
from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.ground import OvgsGround, foreign_or_any, same_serials
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant


async def created(ground: OvgsGround, _made: str, answer: Any) -> None:
    """CreateGroup: the group is a child, with its description."""
    now = await ground.look()
    children = now[ground.groups["site"]].children
    holds("the new group is a child", children, truth=answer.group_id in children)
    shown = await ground.admin("GetGroup", pb.GetGroupRequest(group_id=answer.group_id))
    holds(
        "the description is kept",
        shown.description,
        truth=shown.description == ground.description("new"),
    )


async def deleted(ground: OvgsGround, made: str, _answer: Any) -> None:
    """DeleteGroup: the group is gone."""
    children = (await ground.look())[ground.groups["site"]].children
    holds("the group is gone", children, truth=made not in children)


async def group(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetGroup: everything in the group is listed."""
    state = ground.base[ground.groups["site"]]
    for claim, wanted, seen in (
        ("the id is that of the request", ground.groups["site"], answer.group_id),
        ("the description is kept", ground.description("site"), answer.description),
        ("every certificate is listed", state.certificates, frozenset(answer.cert_ids)),
        (
            "every child is listed",
            frozenset([ground.groups["rack"]]),
            frozenset(answer.child_group_ids),
        ),
        ("every user is listed", len(state.users), len(answer.users)),
    ):
        holds(claim, seen, truth=wanted == seen)
    serials = [each.serial_number for each in answer.components]
    wanted_serial = ground.component(1).serial_number
    holds("its component is listed", serials, truth=same_serials(serials, [wanted_serial]))


async def delegated(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """AddGroupDelegatedOrg: the group and its child list the organisation."""
    org, site = foreign_or_any(ground), ground.groups["site"]
    for name in ("site", "rack"):
        shown = await ground.admin("GetGroup", pb.GetGroupRequest(group_id=ground.groups[name]))
        sources = list(shown.delegated_orgs[org].group_ids) if org in shown.delegated_orgs else []
        holds(f"{name} lists {org} from site", sources, truth=sources == [site])


async def undelegated(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """RemoveGroupDelegatedOrg: the organisation is out of the list."""
    kept = (await ground.look())[ground.groups["site"]].delegations
    holds("the organisation is out of the list", kept, truth=not kept)


async def member(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """AddUserRole: the user has the role."""
    users = (await ground.look())[ground.groups["site"]].users
    user = ground.caller.account(Who.OUTSIDER)
    row = (user.username, user.account_type, user.org_id, pb.USER_ROLE_REQUESTOR)
    holds("the user has the role", users, truth=row in users)


async def no_member(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """RemoveUserRole: the user has none."""
    users = (await ground.look())[ground.groups["site"]].users
    name = ground.caller.account(Who.OUTSIDER).username
    holds("the user is out", users, truth=name not in {each[0] for each in users})


async def roles(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetUserRole: the one role is told."""
    wanted = {ground.groups["site"]: pb.USER_ROLE_REQUESTOR}
    holds("the one role is told", dict(answer.groups), truth=dict(answer.groups) == wanted)


async def moved(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """AddSerial: the component is in the group and the root group alone."""
    await at_home(ground, 2, "site")


async def at_home(ground: OvgsGround, number: int, *names: str) -> None:
    """The component is in these groups and the root group alone."""
    wanted = {ground.groups["root"], *(ground.groups[name] for name in names)}
    homes = await ground.homes(number)
    holds(f"the component is in {sorted(wanted)}", homes, truth=set(homes) == wanted)


async def removed(ground: OvgsGround, _made: str, _answer: Any) -> None:
    """RemoveSerial: the component is in the root group alone."""
    await at_home(ground, 1)


def _check_serial_of(ground: OvgsGround, answer: Any, *names: str) -> None:
    wanted = {ground.groups["root"], *(ground.groups[name] for name in names)}
    holds(
        f"the component is in {sorted(wanted)}",
        list(answer.group_ids),
        truth=set(answer.group_ids) == wanted,
    )


async def serial(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetSerial: the groups of the component."""
    _check_serial_of(ground, answer, "site")


async def serials(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetSerials: one entry for each of the request, in its order."""
    count = len(answer.serials)
    holds("one entry for each of the request, repeated ones too", count, truth=count == 3)
    for each, name in zip(answer.serials, ("site", "rack", "site"), strict=True):
        _check_serial_of(ground, each, name)


async def components(ground: OvgsGround, _made: str, answers: Any) -> None:
    """GetComponents: the group's own components, with the data of GetSerial."""
    serials = [each.component.serial_number for each in answers]
    wanted = [ground.component(1).serial_number]
    holds("exactly the group's own", serials, truth=same_serials(serials, wanted))
    shown = await ground.admin("GetSerial", pb.GetSerialRequest(component=ground.component(1)))
    streamed = answers[0].serial
    holds(
        "with the data of GetSerial",
        list(streamed.group_ids),
        truth=(set(streamed.group_ids), streamed.tpm_info)
        == (set(shown.group_ids), shown.tpm_info),
    )


async def registered(ground: OvgsGround, _made: str, answer: Any) -> None:
    """CreateDomainCert: GetDomainCert answers what was registered."""
    shown = await ground.admin("GetDomainCert", pb.GetDomainCertRequest(cert_id=answer.cert_id))
    wanted = ground.registration()
    for field in ("group_id", "certificate_der", "revocation_checks", "expiry_time"):
        holds(
            f"{field} is kept",
            getattr(shown, field),
            truth=getattr(shown, field) == getattr(wanted, field),
        )


async def certificate(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetDomainCert: the registration, unchanged."""
    for claim, wanted, seen in (
        ("the id is that of the request", ground.certificates["site"], answer.cert_id),
        ("the group is that of the registration", ground.groups["site"], answer.group_id),
        ("the certificate is unchanged", ground.pins.registered, answer.certificate_der),
        ("the flag is unchanged", False, answer.revocation_checks),
        ("the end is unchanged", write_instant(ground.until), answer.expiry_time),
    ):
        holds(claim, seen, truth=wanted == seen)


async def unregistered(ground: OvgsGround, made: str, _answer: Any) -> None:
    """DeleteDomainCert: the registration is gone."""
    kept = (await ground.look())[ground.groups["site"]].certificates
    holds("the certificate is gone", kept, truth=made not in kept)


async def voucher(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetOwnershipVoucher: a voucher for the component, pinning the certificate."""
    end = ground.until - timedelta(days=1)
    check_voucher(ground, answer.voucher_cms, number=1, ends=end)
    shown = await ground.admin("GetSerial", pb.GetSerialRequest(component=ground.component(1)))
    holds("tpm_info is GetSerial's", "another", truth=answer.tpm_info == shown.tpm_info)


async def vouchers(ground: OvgsGround, _made: str, answer: Any) -> None:
    """GetOwnershipVouchers: a voucher for each entry, in their order."""
    count = len(answer.ownership_vouchers)
    holds("one voucher for each entry, repeated ones too", count, truth=count == 3)
    end = ground.until - timedelta(days=1)
    for each, number in zip(answer.ownership_vouchers, (1, 2, 1), strict=True):
        check_voucher(ground, each.voucher_cms, number=number, ends=end)
