"""What the OVGS interface answers when a call is right: permissions, visibility, order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from grpclib.const import Status
from masa.world import (
    ACME,
    BETA,
    EK,
    IEN,
    OTHER_PIN,
    PIN,
    Client,
    at,
    new_world,
    serving,
    user,
    with_client,
)

from bootz.errors import Unavailable
from bootz.masa.ledger.nouns import Component, ComponentName
from bootz.masa.store.issues import IssueLog
from bootz.wire.ovgs import messages as pb


def part(serial: str) -> pb.Component:
    return pb.Component(ien=IEN, serial_number=serial)


def test_a_role_holds_for_the_whole_subtree(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> None:
        for serial in ("S2", "S3"):
            answer = await client.call(
                "carol", "GetSerial", pb.GetSerialRequest(component=part(serial))
            )
            assert ACME in answer.group_ids
        made = await client.call(
            "dora",
            "CreateGroup",
            pb.CreateGroupRequest(parent=world.groups["rack"], description="slot"),
        )
        shown = await client.call("carol", "GetGroup", pb.GetGroupRequest(group_id=made.group_id))
        assert shown.description == "slot"
        await client.call("dora", "DeleteGroup", pb.DeleteGroupRequest(group_id=made.group_id))

    with_client(world, use)


def test_get_serial_is_found_in_any_case_and_says_what_is_known(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> None:
        answer = await client.call("alice", "GetSerial", pb.GetSerialRequest(component=part("s2")))
        assert set(answer.group_ids) == {ACME, world.groups["lab"]}
        assert (answer.mac_addr, answer.model) == ("02:00:00:00:00:01", "8201")
        assert answer.tpm_info.ek_certificate == EK.der
        assert answer.tpm_info.WhichOneof("ek_data") == "ek_certificate"
        spki = EK.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert answer.public_key_der == spki
        bare = await client.call("alice", "GetSerial", pb.GetSerialRequest(component=part("S1")))
        assert not bare.HasField("tpm_info")
        assert list(bare.group_ids) == [ACME]

    with_client(world, use)


def test_components_move_between_groups_and_stay_in_the_root(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    lab, rack = world.groups["lab"], world.groups["rack"]

    async def groups(client: Client) -> set[str]:
        answer = await client.call("alice", "GetSerial", pb.GetSerialRequest(component=part("S2")))
        return set(answer.group_ids)

    async def use(client: Client) -> None:
        # An ASSIGNER of both groups moves within them.
        await client.call(
            "bob", "AddSerial", pb.AddSerialRequest(component=part("S2"), group_id=rack)
        )
        assert await groups(client) == {ACME, rack}
        shown = await client.call("alice", "GetGroup", pb.GetGroupRequest(group_id=lab))
        assert not shown.components
        await client.call(
            "bob", "RemoveSerial", pb.RemoveSerialRequest(component=part("S2"), group_id=rack)
        )
        assert await groups(client) == {ACME}

    with_client(world, use)


def test_batches_keep_order_and_duplicates(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> None:
        names = ["S3", "S2", "s3", "S2"]
        serials = await client.call(
            "alice", "GetSerials", pb.GetSerialsRequest(components=[part(name) for name in names])
        )
        found = [set(each.group_ids) - {ACME} for each in serials.serials]
        assert found == [{world.groups[name]} for name in ("rack", "lab", "rack", "lab")]
        vouchers = await client.call(
            "alice",
            "GetOwnershipVouchers",
            pb.GetOwnershipVouchersRequest(
                component=[part(name) for name in names],
                cert_id=world.certs["acme"],
                lifetime=at(2),
            ),
        )
        answers = list(vouchers.ownership_vouchers)
        for name, answer in zip(names, answers, strict=True):
            # The inventory's spelling, whatever the caller's.
            assert f'"{name.upper()}"'.encode() in answer.voucher_cms
        assert [each.HasField("tpm_info") for each in answers] == [False, True, False, True]
        # Every call signs anew, also of one component in one batch.
        assert len({each.voucher_cms for each in answers}) == 4

    with_client(world, use)


def test_issues_are_logged_and_the_log_cannot_be_changed(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> None:
        await client.call(
            "carol",
            "GetOwnershipVoucher",
            pb.GetOwnershipVoucherRequest(
                component=part("s2"), cert_id=world.certs["lab"], lifetime=at(1)
            ),
        )
        with world.folder.database.read() as connection:
            (record,) = IssueLog(connection).latest()
        assert record.user == user("carol")
        assert record.component == ComponentName(IEN, "S2")
        assert record.cert_id == world.certs["lab"]
        for statement in ("DELETE FROM issue", "UPDATE issue SET username = 'x'"):
            with (
                pytest.raises(Unavailable, match="append-only"),
                world.folder.database.write() as connection,
            ):
                connection.exec_driver_sql(statement)

    with_client(world, use)


def test_components_are_streamed_sorted_over_many_pages(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    with world.folder.records() as records:
        for number in range(1203):
            records.add_component(
                Component(ComponentName(IEN, f"N{number:05}"), ACME, world.groups["field"])
            )

    async def use(client: Client) -> None:
        answers = await client.call(
            "eve", "GetComponents", pb.GetComponentsRequest(group_id=world.groups["field"])
        )
        serials = [each.component.serial_number for each in answers]
        assert serials == sorted([*(f"N{number:05}" for number in range(1203)), "S4"])
        assert all(set(each.serial.group_ids) == {ACME, world.groups["field"]} for each in answers)
        empty = await client.call(
            "alice", "CreateGroup", pb.CreateGroupRequest(parent=ACME, description="e")
        )
        nothing = await client.call(
            "alice", "GetComponents", pb.GetComponentsRequest(group_id=empty.group_id)
        )
        assert nothing == []

    with_client(world, use)


def give(name: str, org: str, group: str, role: int = 4) -> pb.AddUserRoleRequest:
    return pb.AddUserRoleRequest(
        username=name, user_type=1, org_id=org, group_id=group, user_role=role
    )


def take(name: str, org: str, group: str) -> pb.RemoveUserRoleRequest:
    return pb.RemoveUserRoleRequest(username=name, user_type=1, org_id=org, group_id=group)


def test_delegation_lets_another_org_in_and_goes_when_nobody_needs_it(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    lab, rack = world.groups["lab"], world.groups["rack"]

    async def use(client: Client) -> None:
        delegation = pb.AddGroupDelegatedOrgRequest(group_id=lab, org_id=BETA)
        await client.call("alice", "AddGroupDelegatedOrg", delegation)
        assert await client.refused("alice", "AddGroupDelegatedOrg", delegation) == (
            Status.ALREADY_EXISTS,
            "ovgs-delegation-exists",
        )
        # An inherited entry does not prevent an own one, and every source is shown, root first.
        await client.call(
            "alice",
            "AddGroupDelegatedOrg",
            pb.AddGroupDelegatedOrgRequest(group_id=rack, org_id=BETA),
        )
        shown = await client.call("alice", "GetGroup", pb.GetGroupRequest(group_id=rack))
        assert list(shown.delegated_orgs[BETA].group_ids) == [lab, rack]
        await client.call(
            "alice",
            "RemoveGroupDelegatedOrg",
            pb.RemoveGroupDelegatedOrgRequest(group_id=rack, org_id=BETA),
        )
        # An ADMIN of the child group may let the delegated org's users in now.
        await client.call("ada", "AddUserRole", give("mallory", BETA, lab, 2))
        # A delegated ADMIN acts for its own org only.
        await client.call("mallory", "AddUserRole", give("ben", BETA, rack))
        for method, request in (
            ("AddUserRole", give("nobody", ACME, rack)),
            ("RemoveUserRole", take("carol", ACME, lab)),
            ("AddGroupDelegatedOrg", delegation),
        ):
            status, _ = await client.refused("mallory", method, request)
            assert status is Status.PERMISSION_DENIED
        shown = await client.call("mallory", "GetGroup", pb.GetGroupRequest(group_id=lab))
        assert [each.username for each in shown.users] == ["mallory"]
        assert list(shown.delegated_orgs) == [BETA]
        removal = pb.RemoveGroupDelegatedOrgRequest(group_id=lab, org_id=BETA)
        busy = (Status.FAILED_PRECONDITION, "ovgs-delegation-in-use")
        assert await client.refused("alice", "RemoveGroupDelegatedOrg", removal) == busy
        await client.call("alice", "RemoveUserRole", take("mallory", BETA, lab))
        # Ben's role further down needs it still.
        assert await client.refused("alice", "RemoveGroupDelegatedOrg", removal) == busy
        # Unless everybody is let in.
        wild = pb.AddGroupDelegatedOrgRequest(group_id=ACME, org_id="*")
        await client.call("alice", "AddGroupDelegatedOrg", wild)
        await client.call("alice", "RemoveGroupDelegatedOrg", removal)
        wild_removal = pb.RemoveGroupDelegatedOrgRequest(group_id=ACME, org_id="*")
        assert await client.refused("alice", "RemoveGroupDelegatedOrg", wild_removal) == busy
        # The wildcard is the owner's affair.
        shown = await client.call("ben", "GetGroup", pb.GetGroupRequest(group_id=rack))
        assert not shown.delegated_orgs
        await client.call("alice", "RemoveUserRole", take("ben", BETA, rack))
        await client.call("alice", "RemoveGroupDelegatedOrg", wild_removal)

    with_client(world, use)


def test_roles_are_shown_where_the_caller_has_one(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def roles(client: Client, caller: str, name: str, org: str = ACME) -> dict[str, int]:
        request = pb.GetUserRoleRequest(username=name, user_type=1, org_id=org)
        return dict((await client.call(caller, "GetUserRole", request)).groups)

    async def use(client: Client) -> None:
        lab, rack = world.groups["lab"], world.groups["rack"]
        assert await roles(client, "alice", "dora") == {rack: 2}
        assert await roles(client, "carol", "dora") == {rack: 2}
        assert await roles(client, "dora", "carol") == {}
        assert await roles(client, "nobody", "alice") == {}
        assert await roles(client, "mallory", "alice") == {}
        assert await roles(client, "staff", "alice") == {ACME: 2}
        await client.call(
            "alice",
            "AddGroupDelegatedOrg",
            pb.AddGroupDelegatedOrgRequest(group_id=lab, org_id=BETA),
        )
        await client.call("alice", "AddUserRole", give("ben", BETA, lab))
        # The owner sees the guest in its own groups, not in the guest's.
        assert await roles(client, "alice", "ben", BETA) == {lab: 4}
        assert await roles(client, "alice", "mallory", BETA) == {}
        # The guest does not see the host's users, even where both have roles.
        assert await roles(client, "ben", "carol") == {}

    with_client(world, use)


def test_a_role_that_is_taken_counts_no_more_with_the_next_call(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    lab = world.groups["lab"]

    async def use(client: Client) -> None:
        request = pb.GetGroupRequest(group_id=lab)
        await client.call("carol", "GetGroup", request)
        await client.call("ada", "RemoveUserRole", take("carol", ACME, lab))
        status, _ = await client.refused("carol", "GetGroup", request)
        assert status is Status.PERMISSION_DENIED
        # Another role of the same user is another grant, and a child's cannot weaken.
        await client.call("ada", "AddUserRole", give("carol", ACME, lab, 2))
        await client.call("ada", "AddUserRole", give("carol", ACME, world.groups["rack"], 4))
        await client.call(
            "carol",
            "CreateGroup",
            pb.CreateGroupRequest(parent=world.groups["rack"], description="mine"),
        )

    with_client(world, use)


def test_domain_certificates_live_in_one_group(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    lab = world.groups["lab"]

    async def use(client: Client) -> None:
        request = pb.CreateDomainCertRequest(
            group_id=lab, certificate_der=OTHER_PIN, revocation_checks=True, expiry_time=at(1.5)
        )
        cert_id = (await client.call("bob", "CreateDomainCert", request)).cert_id
        shown = await client.call(
            "carol", "GetDomainCert", pb.GetDomainCertRequest(cert_id=cert_id)
        )
        assert (shown.group_id, shown.certificate_der) == (lab, OTHER_PIN)
        assert shown.revocation_checks
        assert shown.expiry_time == at(1.5)
        # The same certificate with another flag is another registration.
        request.revocation_checks = False
        await client.call("bob", "CreateDomainCert", request)
        await client.call("bob", "DeleteDomainCert", pb.DeleteDomainCertRequest(cert_id=cert_id))
        status, _ = await client.refused(
            "bob", "GetDomainCert", pb.GetDomainCertRequest(cert_id=cert_id)
        )
        assert status is Status.NOT_FOUND

    with_client(world, use)


@pytest.mark.parametrize("kept", ["nothing", "a user", "a component", "a certificate", "a child"])
def test_a_group_goes_only_when_nothing_is_left_in_it(tmp_path: Path, kept: str) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> str:
        request = pb.CreateGroupRequest(parent=ACME, description="new")
        group = (await client.call("alice", "CreateGroup", request)).group_id
        if kept == "a user":
            await client.call("alice", "AddUserRole", give("nobody", ACME, group))
        elif kept == "a component":
            move = pb.AddSerialRequest(component=part("S1"), group_id=group)
            await client.call("alice", "AddSerial", move)
        elif kept == "a certificate":
            cert = pb.CreateDomainCertRequest(
                group_id=group, certificate_der=PIN, expiry_time=at(1)
            )
            await client.call("alice", "CreateDomainCert", cert)
        elif kept == "a child":
            child = pb.CreateGroupRequest(parent=group, description="child")
            await client.call("alice", "CreateGroup", child)
        return await outcome(client, "alice", "DeleteGroup", pb.DeleteGroupRequest(group_id=group))

    assert with_client(world, use) == ("ok" if kept == "nothing" else "ovgs-group-in-use")


async def outcome(client: Client, caller: str, method: str, request: object) -> str:
    try:
        await client.call(caller, method, request)  # type: ignore[arg-type]
    except Exception as error:
        return str(getattr(error, "message", error)).partition(":")[0]
    return "ok"


def test_two_clients_that_change_one_group_leave_it_consistent(tmp_path: Path) -> None:
    """A group is deleted while another client fills it: one of the two is refused."""
    world = new_world(tmp_path)

    async def race(first: Client, second: Client, number: int) -> None:
        made = await first.call(
            "alice", "CreateGroup", pb.CreateGroupRequest(parent=ACME, description=f"g{number}")
        )
        fill = (
            ("AddSerial", pb.AddSerialRequest(component=part("S1"), group_id=made.group_id)),
            ("AddUserRole", give("nobody", ACME, made.group_id)),
            ("CreateGroup", pb.CreateGroupRequest(parent=made.group_id, description="x")),
        )
        method, request = fill[number % 3]
        deleted, filled = await asyncio.gather(
            outcome(first, "alice", "DeleteGroup", pb.DeleteGroupRequest(group_id=made.group_id)),
            outcome(second, "alice", method, request),
        )
        assert (deleted, filled) in {
            ("ok", "ovgs-group-unknown"),
            ("ovgs-group-in-use", "ok"),
        }

    async def run() -> None:
        async with serving(world) as (first, _), serving(world) as (second, _):
            for number in range(12):
                await race(first, second, number)
            # Sixty moves at once leave the component in exactly one child group.
            targets = [world.groups["lab"], world.groups["rack"], world.groups["field"]]
            moves = [
                outcome(
                    client,
                    "alice",
                    "AddSerial",
                    pb.AddSerialRequest(component=part("S2"), group_id=targets[number % 3]),
                )
                for number in range(30)
                for client in (first, second)
            ]
            results = await asyncio.gather(*moves)
            assert set(results) <= {"ok", "ovgs-component-in-group"}
            answer = await first.call(
                "alice", "GetSerial", pb.GetSerialRequest(component=part("S2"))
            )
            assert len(set(answer.group_ids) - {ACME}) == 1
            listed = 0
            for target in targets:
                shown = await first.call("alice", "GetGroup", pb.GetGroupRequest(group_id=target))
                listed += [each.serial_number for each in shown.components].count("S2")
            assert listed == 1

    try:
        asyncio.run(run())
    finally:
        world.folder.close()


def test_the_same_registration_twice_at_once_is_made_once(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    request = pb.CreateGroupRequest(parent=ACME, description="once")

    async def run() -> list[str]:
        async with serving(world) as (first, _), serving(world) as (second, _):
            calls = [
                outcome(client, "alice", "CreateGroup", request) for client in (first, second) * 5
            ]
            return list(await asyncio.gather(*calls))

    try:
        results = asyncio.run(run())
    finally:
        world.folder.close()
    assert sorted(results) == ["ok", *["ovgs-group-exists"] * 9]
