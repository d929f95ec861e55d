"""The groups, roles, certificates and components that the cases stand on.

All of it is below one group of the run's own, made by the customer's ADMIN, so that a service in
use is not touched elsewhere. The components that were given are moved, and moved back::

    root          ADMIN                          components[0]
    └── top
        ├── site  group-admin, assigner, requestor   components[1], a certificate
        │   └── rack                             components[2], a certificate
        └── side                                 components[3]
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from grpclib.const import Status

from bootz.conformance.masa.caller import NotJudged, OvgsCaller, Who
from bootz.conformance.masa.pins import Pins
from bootz.errors import ConfigError
from bootz.model.chassis import fold_serial
from bootz.transport.calling import CallRefused
from bootz.trust.certificates import VendorCAs
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

REGISTERED: Final = timedelta(days=2)
"""How long the suite's certificates are registered."""

_ROLES: Final = (
    (Who.GROUP_ADMIN, pb.USER_ROLE_ADMIN),
    (Who.ASSIGNER, pb.USER_ROLE_ASSIGNER),
    (Who.REQUESTOR, pb.USER_ROLE_REQUESTOR),
)

COMPONENTS: Final = 4
"""How many components of the customer the suite needs."""

MemberRow = tuple[str, Any, str, Any]
"""Name, account type, organisation and role of a user."""


@dataclass(frozen=True, slots=True)
class GroupState:
    """What is in a group, as GetGroup tells the customer's ADMIN."""

    children: frozenset[str]
    certificates: frozenset[str]
    components: frozenset[tuple[str, str]]
    users: frozenset[MemberRow]
    delegations: frozenset[str]
    """The organisations for which this very group is a source."""


State = dict[str, GroupState]
"""By id, the suite's topmost group and all below it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What the suite is told of the service.

    Args:
        org_id: the organisation of the ADMIN, which is also the id of its root group.
        ien: the enterprise number of the components.
        serial_numbers: of components that are in the root group alone.
        foreign_org: another organisation; empty for none.
        anchors: that vouchers must chain to.
    """

    org_id: str
    ien: str
    serial_numbers: tuple[str, ...]
    foreign_org: str = ""
    anchors: VendorCAs | None = field(default=None, repr=False)


class OvgsGround:
    """What the cases stand on. ``build`` first, ``clear`` at the end."""

    def __init__(
        self,
        caller: OvgsCaller,
        customer: Customer,
        pins: Pins,
        *,
        tag: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.caller = caller
        self.customer = customer
        self.pins = pins
        self.clock = clock
        self._tag = tag
        self.groups: dict[str, str] = {}
        self.certificates: dict[str, str] = {}
        self.until: datetime = clock()
        self.base: State = {}

    def description(self, name: str) -> str:
        """Return the description of one of the suite's groups."""
        return f"bootz conformance {self._tag} {name}"

    def component(self, number: int) -> pb.Component:
        """Return one of the components by its place."""
        serial = self.customer.serial_numbers[number]
        return pb.Component(ien=self.customer.ien, serial_number=serial)

    def user(self, who: Who) -> dict[str, Any]:
        """Return the fields of a request that name an account."""
        account = self.caller.account(who)
        return {
            "username": account.username,
            "user_type": account.account_type,
            "org_id": account.org_id,
        }

    def registration(self) -> pb.CreateDomainCertRequest:
        """Return the registration of another certificate in ``site``."""
        return pb.CreateDomainCertRequest(
            group_id=self.groups["site"],
            certificate_der=self.pins.other,
            revocation_checks=True,
            expiry_time=write_instant(self.until),
        )

    def foreign_org(self) -> str:
        """Return the other organisation.

        Raises:
            NotJudged: the run was given none.
        """
        if not self.customer.foreign_org:
            raise NotJudged("needs --foreign-org")
        return self.customer.foreign_org

    def foreign_certificate(self) -> str:
        """Return the id of a certificate of the other organisation.

        Raises:
            NotJudged: the run was given no ADMIN there.
        """
        if "foreign" not in self.certificates:
            raise NotJudged("needs --foreign-org and --foreign-admin")
        return self.certificates["foreign"]

    async def give(self, who: Who, group_id: str, role: Any) -> None:
        """Give an account a role on a group."""
        request = pb.AddUserRoleRequest(**self.user(who), group_id=group_id, user_role=role)
        await self.admin("AddUserRole", request)

    async def admin(self, rpc: str, request: Any) -> Any:
        """Make a call as the customer's ADMIN."""
        return await self.caller.call(Who.ADMIN, rpc, request)

    async def build(self) -> None:
        """Make everything.

        Raises:
            ConfigError: an account or a component is not as the suite needs it.
            BootzError: the service does not do what it must.
        """
        await self._check_components()
        self.groups = {"root": self.customer.org_id}
        self.groups["top"] = await self._group(self.customer.org_id, "top")
        for name, parent in (("site", "top"), ("rack", "site"), ("side", "top")):
            self.groups[name] = await self._group(self.groups[parent], name)
        for who, role in _ROLES:
            if self.caller.has(who):
                await self.give(who, self.groups["site"], role)
        self.until = (self.clock() + REGISTERED).replace(microsecond=0)
        for name in ("top", "site", "rack"):
            self.certificates[name] = await self._register(Who.ADMIN, self.groups[name])
        if self.customer.foreign_org and self.caller.has(Who.FOREIGN_ADMIN):
            foreign = await self._register(Who.FOREIGN_ADMIN, self.customer.foreign_org)
            self.certificates["foreign"] = foreign
        for number, name in ((1, "site"), (2, "rack"), (3, "side")):
            await self.move(number, name)
        self.base = await self.look()

    async def _register(self, who: Who, group_id: str) -> str:
        request = pb.CreateDomainCertRequest(
            group_id=group_id,
            certificate_der=self.pins.registered,
            expiry_time=write_instant(self.until),
        )
        return str((await self.caller.call(who, "CreateDomainCert", request)).cert_id)

    async def _group(self, parent: str, name: str) -> str:
        made = await self.admin(
            "CreateGroup",
            pb.CreateGroupRequest(parent=parent, description=self.description(name)),
        )
        return str(made.group_id)

    async def _check_components(self) -> None:
        for number in range(COMPONENTS):
            groups = await self.homes(number)
            if groups != [self.customer.org_id]:
                raise ConfigError(
                    "conformance-masa-component",
                    "the suite needs components that are in the root group and in no other",
                    where=f"--serial {self.customer.serial_numbers[number]}",
                    expected=self.customer.org_id,
                    seen=", ".join(groups) or "no group",
                )

    async def homes(self, number: int) -> list[str]:
        """Return the ids of a component's groups."""
        answer = await self.admin(
            "GetSerial", pb.GetSerialRequest(component=self.component(number))
        )
        return list(answer.group_ids)

    async def move(self, number: int, name: str) -> None:
        """Move a component to one of the suite's groups."""
        await self.admin(
            "AddSerial",
            pb.AddSerialRequest(component=self.component(number), group_id=self.groups[name]),
        )

    async def look(self) -> State:
        """Return what is in the suite's groups now."""
        state: State = {}
        waiting = [self.groups["top"]]
        while waiting:
            answers = await asyncio.gather(
                *(self.admin("GetGroup", pb.GetGroupRequest(group_id=each)) for each in waiting)
            )
            state.update(zip(waiting, map(_state, answers), strict=True))
            waiting = [each for answer in answers for each in answer.child_group_ids]
        return state

    async def mend(self, wanted: State) -> None:
        """Bring the suite's groups back to a state that was looked at before.

        Raises:
            NotJudged: something is gone that has no other copy, a group or a certificate.
        """
        now = await self.look()
        if now == wanted:
            return
        for group_id, state in now.items():
            before = wanted.get(group_id)
            users = state.users - (before.users if before else frozenset())
            for user in users:
                await self._remove_user(group_id, user)
        for group_id, state in now.items():
            before = wanted.get(group_id)
            kept = before.delegations if before else frozenset()
            for org in state.delegations - kept:
                await self._quiet(
                    "RemoveGroupDelegatedOrg",
                    pb.RemoveGroupDelegatedOrgRequest(group_id=group_id, org_id=org),
                )
            certificates = state.certificates - (before.certificates if before else frozenset())
            for each in certificates:
                await self._quiet("DeleteDomainCert", pb.DeleteDomainCertRequest(cert_id=each))
        await self._move_back(now, wanted)
        for group_id in reversed(list(now)):
            if group_id not in wanted:
                await self._quiet("DeleteGroup", pb.DeleteGroupRequest(group_id=group_id))
        for group_id, state in wanted.items():
            await self._restore(group_id, state, now.get(group_id))
        if await self.look() != wanted:
            raise NotJudged("the service did not return to the state before the case")

    async def _move_back(self, now: State, wanted: State) -> None:
        for group_id, state in now.items():
            kept = wanted[group_id].components if group_id in wanted else frozenset()
            for ien, serial in state.components - kept:
                await self._quiet(
                    "RemoveSerial",
                    pb.RemoveSerialRequest(
                        component=pb.Component(ien=ien, serial_number=serial), group_id=group_id
                    ),
                )

    async def _restore(self, group_id: str, wanted: GroupState, now: GroupState | None) -> None:
        present = now or GroupState(*(frozenset() for _ in range(5)))
        for ien, serial in wanted.components - present.components:
            await self._quiet(
                "AddSerial",
                pb.AddSerialRequest(
                    component=pb.Component(ien=ien, serial_number=serial), group_id=group_id
                ),
            )
        for org in wanted.delegations - present.delegations:
            await self._quiet(
                "AddGroupDelegatedOrg",
                pb.AddGroupDelegatedOrgRequest(group_id=group_id, org_id=org),
            )
        for name, kind, org, role in wanted.users - present.users:
            await self._quiet(
                "AddUserRole",
                pb.AddUserRoleRequest(
                    username=name, user_type=kind, org_id=org, group_id=group_id, user_role=role
                ),
            )

    async def _remove_user(self, group_id: str, user: MemberRow) -> None:
        name, kind, org, _ = user
        await self._quiet(
            "RemoveUserRole",
            pb.RemoveUserRoleRequest(username=name, user_type=kind, org_id=org, group_id=group_id),
        )

    async def _quiet(self, rpc: str, request: Any) -> None:
        """Make a call whose refusal the next look shows."""
        try:
            await self.admin(rpc, request)
        except CallRefused:
            return

    async def clear(self) -> None:
        """Take everything away, and the components back to the root group.

        Raises:
            BootzError: the service does not answer.
        """
        foreign = self.certificates.pop("foreign", None)
        if foreign is not None:
            await self.caller.call(
                Who.FOREIGN_ADMIN, "DeleteDomainCert", pb.DeleteDomainCertRequest(cert_id=foreign)
            )
        if "top" not in self.groups:
            return
        try:
            now = await self.look()
        except CallRefused as refusal:
            if refusal.status is Status.NOT_FOUND:
                return
            raise
        for group_id, state in now.items():
            for user in state.users:
                await self._remove_user(group_id, user)
        for group_id in reversed(list(now)):
            state = now[group_id]
            for org in state.delegations:
                await self._quiet(
                    "RemoveGroupDelegatedOrg",
                    pb.RemoveGroupDelegatedOrgRequest(group_id=group_id, org_id=org),
                )
            for each in state.certificates:
                await self._quiet("DeleteDomainCert", pb.DeleteDomainCertRequest(cert_id=each))
        await self._move_back(now, {})
        for group_id in reversed(list(now)):
            await self._quiet("DeleteGroup", pb.DeleteGroupRequest(group_id=group_id))
        self.groups = {}


def _state(answer: Any) -> GroupState:
    return GroupState(
        frozenset(answer.child_group_ids),
        frozenset(answer.cert_ids),
        frozenset((each.ien, each.serial_number) for each in answer.components),
        frozenset((u.username, u.user_type, u.org_id, u.user_role) for u in answer.users),
        frozenset(
            org
            for org, sources in answer.delegated_orgs.items()
            if answer.group_id in sources.group_ids
        ),
    )


def foreign_or_any(ground: OvgsGround) -> str:
    """Return the organisation that the suite delegates to: the other one, else any."""
    return ground.customer.foreign_org or "*"


def same_serials(one: Iterable[str], other: Iterable[str]) -> bool:
    """Compare serial numbers in order, without regard to case."""
    return list(map(fold_serial, one)) == list(map(fold_serial, other))
