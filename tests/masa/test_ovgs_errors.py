"""Each documented error of the OVGS interface, over real gRPC; a refused call changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpclib.const import Status
from hypothesis import given, strategies
from masa.world import (
    ACME,
    BETA,
    EXPIRED_PIN,
    IEN,
    OTHER_PIN,
    PIN,
    Client,
    World,
    at,
    new_world,
    with_client,
)

from bootz.errors import WireError
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import parse, read_instant, write_instant

INVALID = Status.INVALID_ARGUMENT
NOT_FOUND = Status.NOT_FOUND
EXISTS = Status.ALREADY_EXISTS
PRECONDITION = Status.FAILED_PRECONDITION
DENIED = Status.PERMISSION_DENIED

Make = Callable[[World], Message]
Case = tuple[str, str, Make, Status, str]


def part(serial: str, ien: str = IEN) -> pb.Component:
    return pb.Component(ien=ien, serial_number=serial)


def role(group: str, role: int = 4, name: str = "nobody", org: str = ACME, kind: int = 1) -> Make:
    return lambda world: pb.AddUserRoleRequest(
        username=name,
        user_type=kind,
        org_id=org,
        group_id=world.groups.get(group, group),
        user_role=role,
    )


def unrole(group: str, name: str = "carol", org: str = ACME, kind: int = 1) -> Make:
    return lambda world: pb.RemoveUserRoleRequest(
        username=name, user_type=kind, org_id=org, group_id=world.groups.get(group, group)
    )


def cert(group: str = "lab", der: bytes = OTHER_PIN, days: float | None = 2) -> Make:
    return lambda world: pb.CreateDomainCertRequest(
        group_id=world.groups.get(group, group),
        certificate_der=der,
        expiry_time=None if days is None else at(days),
    )


def add(serial: str, group: str, ien: str = IEN) -> Make:
    return lambda world: pb.AddSerialRequest(
        component=part(serial, ien), group_id=world.groups.get(group, group)
    )


def remove(serial: str, group: str, ien: str = IEN) -> Make:
    return lambda world: pb.RemoveSerialRequest(
        component=part(serial, ien), group_id=world.groups.get(group, group)
    )


def delegate(group: str, org: str) -> Make:
    return lambda world: pb.AddGroupDelegatedOrgRequest(
        group_id=world.groups.get(group, group), org_id=org
    )


def undelegate(group: str, org: str) -> Make:
    return lambda world: pb.RemoveGroupDelegatedOrgRequest(
        group_id=world.groups.get(group, group), org_id=org
    )


def order(serial: str = "S2", cert: str = "lab", days: float | None = 1, ien: str = IEN) -> Make:
    return lambda world: pb.GetOwnershipVoucherRequest(
        component=part(serial, ien),
        cert_id=world.certs.get(cert, cert),
        lifetime=None if days is None else at(days),
    )


def orders(*serials: str, cert: str = "lab", days: float | None = 1, ien: str = IEN) -> Make:
    return lambda world: pb.GetOwnershipVouchersRequest(
        component=[part(serial, ien) for serial in serials],
        cert_id=world.certs.get(cert, cert),
        lifetime=None if days is None else at(days),
    )


def delete(group: str) -> Make:
    return lambda world: pb.DeleteGroupRequest(group_id=world.groups.get(group, group))


def create(parent: str, description: str) -> Make:
    return lambda world: pb.CreateGroupRequest(
        parent=world.groups.get(parent, parent), description=description
    )


CASES: tuple[Case, ...] = (
    (
        "GetComponents",
        "alice",
        lambda _: pb.GetComponentsRequest(),
        NOT_FOUND,
        "ovgs-group-unknown",
    ),
    (
        "GetComponents",
        "eve",
        lambda w: pb.GetComponentsRequest(group_id=w.groups["lab"]),
        DENIED,
        "ovgs-permission-denied",
    ),
    ("CreateGroup", "alice", create("", "x"), INVALID, "ovgs-argument-missing"),
    ("CreateGroup", "alice", create("acme", ""), INVALID, "ovgs-argument-missing"),
    ("CreateGroup", "alice", create("acme", "x" * 2000), INVALID, "ovgs-argument-invalid"),
    ("CreateGroup", "alice", create("group-none", "x"), NOT_FOUND, "ovgs-group-unknown"),
    ("CreateGroup", "alice", create("acme", "lab"), EXISTS, "ovgs-group-exists"),
    ("CreateGroup", "bob", create("lab", "x"), DENIED, "ovgs-permission-denied"),
    ("CreateGroup", "ada", create("acme", "x"), DENIED, "ovgs-permission-denied"),
    ("DeleteGroup", "alice", delete(""), INVALID, "ovgs-argument-missing"),
    ("DeleteGroup", "alice", delete("acme"), INVALID, "ovgs-root-group"),
    ("DeleteGroup", "alice", delete("group-none"), NOT_FOUND, "ovgs-group-unknown"),
    ("DeleteGroup", "alice", delete("lab"), PRECONDITION, "ovgs-group-in-use"),
    ("DeleteGroup", "alice", delete("field"), PRECONDITION, "ovgs-group-in-use"),
    ("DeleteGroup", "dora", delete("rack"), DENIED, "ovgs-permission-denied"),
    ("DeleteGroup", "mallory", delete("acme"), DENIED, "ovgs-permission-denied"),
    ("GetGroup", "alice", lambda _: pb.GetGroupRequest(), NOT_FOUND, "ovgs-group-unknown"),
    (
        "GetGroup",
        "carol",
        lambda _: pb.GetGroupRequest(group_id=ACME),
        DENIED,
        "ovgs-permission-denied",
    ),
    ("AddGroupDelegatedOrg", "alice", delegate("", BETA), INVALID, "ovgs-argument-missing"),
    ("AddGroupDelegatedOrg", "alice", delegate("lab", ""), INVALID, "ovgs-argument-missing"),
    ("AddGroupDelegatedOrg", "alice", delegate("lab", ACME), INVALID, "ovgs-own-org"),
    ("AddGroupDelegatedOrg", "alice", delegate("none", BETA), NOT_FOUND, "ovgs-group-unknown"),
    ("AddGroupDelegatedOrg", "alice", delegate("lab", "org-x"), NOT_FOUND, "ovgs-org-unknown"),
    ("AddGroupDelegatedOrg", "ada", delegate("lab", BETA), DENIED, "ovgs-permission-denied"),
    ("AddGroupDelegatedOrg", "staff", delegate("lab", BETA), DENIED, "ovgs-permission-denied"),
    ("AddGroupDelegatedOrg", "mallory", delegate("lab", BETA), DENIED, "ovgs-permission-denied"),
    ("RemoveGroupDelegatedOrg", "alice", undelegate("", BETA), INVALID, "ovgs-argument-missing"),
    ("RemoveGroupDelegatedOrg", "alice", undelegate("lab", ""), INVALID, "ovgs-argument-missing"),
    ("RemoveGroupDelegatedOrg", "alice", undelegate("lab", ACME), INVALID, "ovgs-own-org"),
    ("RemoveGroupDelegatedOrg", "alice", undelegate("none", BETA), NOT_FOUND, "ovgs-group-unknown"),
    ("RemoveGroupDelegatedOrg", "alice", undelegate("lab", "org-x"), NOT_FOUND, "ovgs-org-unknown"),
    (
        "RemoveGroupDelegatedOrg",
        "alice",
        undelegate("lab", BETA),
        NOT_FOUND,
        "ovgs-delegation-unknown",
    ),
    ("RemoveGroupDelegatedOrg", "staff", undelegate("lab", BETA), DENIED, "ovgs-permission-denied"),
    ("AddUserRole", "alice", role("lab", name=""), INVALID, "ovgs-argument-missing"),
    ("AddUserRole", "alice", role("lab", kind=0), INVALID, "ovgs-argument-missing"),
    ("AddUserRole", "alice", role("lab", kind=7), INVALID, "ovgs-argument-invalid"),
    ("AddUserRole", "alice", role("lab", org=""), INVALID, "ovgs-argument-missing"),
    (
        "AddUserRole",
        "alice",
        role(
            "",
        ),
        INVALID,
        "ovgs-argument-missing",
    ),
    ("AddUserRole", "alice", role("lab", role=0), INVALID, "ovgs-argument-missing"),
    ("AddUserRole", "alice", role("lab", role=1), INVALID, "ovgs-argument-invalid"),
    ("AddUserRole", "alice", role("lab", role=5), INVALID, "ovgs-argument-invalid"),
    ("AddUserRole", "alice", role("none"), NOT_FOUND, "ovgs-group-unknown"),
    ("AddUserRole", "alice", role("lab", name="ghost"), NOT_FOUND, "ovgs-user-unknown"),
    ("AddUserRole", "alice", role("lab", name="nobody", kind=2), NOT_FOUND, "ovgs-user-unknown"),
    ("AddUserRole", "alice", role("lab", name="carol", role=2), EXISTS, "ovgs-member-exists"),
    ("AddUserRole", "bob", role("lab"), DENIED, "ovgs-permission-denied"),
    ("AddUserRole", "dora", role("lab"), DENIED, "ovgs-permission-denied"),
    ("AddUserRole", "alice", role("lab", name="ben", org=BETA), DENIED, "ovgs-permission-denied"),
    ("AddUserRole", "staff", role("lab", name="ben", org=BETA), DENIED, "ovgs-permission-denied"),
    ("RemoveUserRole", "alice", unrole("lab", name=""), INVALID, "ovgs-argument-missing"),
    ("RemoveUserRole", "alice", unrole("lab", kind=0), INVALID, "ovgs-argument-missing"),
    ("RemoveUserRole", "alice", unrole("lab", org=""), INVALID, "ovgs-argument-missing"),
    ("RemoveUserRole", "alice", unrole(""), INVALID, "ovgs-argument-missing"),
    ("RemoveUserRole", "alice", unrole("none"), NOT_FOUND, "ovgs-group-unknown"),
    ("RemoveUserRole", "alice", unrole("rack"), NOT_FOUND, "ovgs-member-unknown"),
    ("RemoveUserRole", "bob", unrole("lab"), DENIED, "ovgs-permission-denied"),
    (
        "GetUserRole",
        "carol",
        lambda _: pb.GetUserRoleRequest(user_type=1, org_id=ACME),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetUserRole",
        "carol",
        lambda _: pb.GetUserRoleRequest(username="x", org_id=ACME),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetUserRole",
        "carol",
        lambda _: pb.GetUserRoleRequest(username="x", user_type=1),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetUserRole",
        "carol",
        lambda _: pb.GetUserRoleRequest(username="x", user_type=1, org_id=ACME),
        NOT_FOUND,
        "ovgs-user-unknown",
    ),
    (
        "AddSerial",
        "alice",
        lambda w: pb.AddSerialRequest(group_id=w.groups["lab"]),
        INVALID,
        "ovgs-argument-missing",
    ),
    ("AddSerial", "alice", add("S1", "lab", ien=""), INVALID, "ovgs-argument-missing"),
    ("AddSerial", "alice", add("", "lab"), INVALID, "ovgs-argument-missing"),
    ("AddSerial", "alice", add("S1", ""), INVALID, "ovgs-argument-missing"),
    ("AddSerial", "alice", add("S1", "lab", ien="2636"), INVALID, "ovgs-ien-not-served"),
    ("AddSerial", "alice", add("X", "lab"), NOT_FOUND, "ovgs-component-unknown"),
    ("AddSerial", "alice", add("S1", "none"), NOT_FOUND, "ovgs-group-unknown"),
    ("AddSerial", "alice", add("s2", "lab"), EXISTS, "ovgs-component-in-group"),
    ("AddSerial", "alice", add("S2", "acme"), EXISTS, "ovgs-component-in-group"),
    ("AddSerial", "alice", add("S1", "acme"), EXISTS, "ovgs-component-in-group"),
    ("AddSerial", "bob", add("S1", "lab"), DENIED, "ovgs-permission-denied"),
    ("AddSerial", "bob", add("S4", "lab"), DENIED, "ovgs-permission-denied"),
    ("AddSerial", "bob", add("S2", "field"), DENIED, "ovgs-permission-denied"),
    ("AddSerial", "carol", add("S2", "rack"), DENIED, "ovgs-permission-denied"),
    ("AddSerial", "alice", add("S1", "beta"), DENIED, "ovgs-permission-denied"),
    ("AddSerial", "staff", add("S1", "beta"), INVALID, "ovgs-other-org"),
    ("RemoveSerial", "alice", remove("", "lab"), INVALID, "ovgs-argument-missing"),
    ("RemoveSerial", "alice", remove("S2", "lab", ien=""), INVALID, "ovgs-argument-missing"),
    ("RemoveSerial", "alice", remove("S2", ""), INVALID, "ovgs-argument-missing"),
    ("RemoveSerial", "alice", remove("S2", "lab", ien="1"), INVALID, "ovgs-ien-not-served"),
    ("RemoveSerial", "alice", remove("S2", "acme"), INVALID, "ovgs-root-group"),
    ("RemoveSerial", "alice", remove("X", "lab"), NOT_FOUND, "ovgs-component-unknown"),
    ("RemoveSerial", "alice", remove("S2", "none"), NOT_FOUND, "ovgs-group-unknown"),
    ("RemoveSerial", "alice", remove("S3", "lab"), NOT_FOUND, "ovgs-component-not-in-group"),
    ("RemoveSerial", "carol", remove("S2", "lab"), DENIED, "ovgs-permission-denied"),
    ("GetSerial", "alice", lambda _: pb.GetSerialRequest(), INVALID, "ovgs-argument-missing"),
    (
        "GetSerial",
        "alice",
        lambda _: pb.GetSerialRequest(component=part("")),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetSerial",
        "alice",
        lambda _: pb.GetSerialRequest(component=part("S1", "")),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetSerial",
        "alice",
        lambda _: pb.GetSerialRequest(component=part("S1", "7")),
        INVALID,
        "ovgs-ien-not-served",
    ),
    (
        "GetSerial",
        "alice",
        lambda _: pb.GetSerialRequest(component=part("X")),
        NOT_FOUND,
        "ovgs-component-unknown",
    ),
    (
        "GetSerial",
        "carol",
        lambda _: pb.GetSerialRequest(component=part("S1")),
        DENIED,
        "ovgs-permission-denied",
    ),
    (
        "GetSerial",
        "eve",
        lambda _: pb.GetSerialRequest(component=part("S2")),
        DENIED,
        "ovgs-permission-denied",
    ),
    (
        "GetSerial",
        "dora",
        lambda _: pb.GetSerialRequest(component=part("S2")),
        DENIED,
        "ovgs-permission-denied",
    ),
    ("GetSerials", "alice", lambda _: pb.GetSerialsRequest(), INVALID, "ovgs-argument-missing"),
    (
        "GetSerials",
        "alice",
        lambda _: pb.GetSerialsRequest(components=[part("S1"), part("")]),
        INVALID,
        "ovgs-argument-missing",
    ),
    (
        "GetSerials",
        "alice",
        lambda _: pb.GetSerialsRequest(components=[part("S1"), part("S2", "7")]),
        INVALID,
        "ovgs-ien-not-served",
    ),
    (
        "GetSerials",
        "alice",
        lambda _: pb.GetSerialsRequest(components=[part("S1"), part("X")]),
        NOT_FOUND,
        "ovgs-component-unknown",
    ),
    (
        "GetSerials",
        "carol",
        lambda _: pb.GetSerialsRequest(components=[part("S2"), part("S1"), part("X")]),
        DENIED,
        "ovgs-permission-denied",
    ),
    (
        "GetSerials",
        "alice",
        lambda _: pb.GetSerialsRequest(components=[part("S1")] * 1001),
        Status.RESOURCE_EXHAUSTED,
        "ovgs-request-too-large",
    ),
    ("CreateDomainCert", "alice", cert(""), INVALID, "ovgs-argument-missing"),
    ("CreateDomainCert", "alice", cert(der=b""), INVALID, "ovgs-argument-missing"),
    ("CreateDomainCert", "alice", cert(days=None), INVALID, "ovgs-argument-missing"),
    ("CreateDomainCert", "alice", cert(days=0), INVALID, "ovgs-time-past"),
    ("CreateDomainCert", "alice", cert(days=30), INVALID, "ovgs-argument-invalid"),
    ("CreateDomainCert", "alice", cert(der=b"0\x03xyz"), INVALID, "ovgs-argument-invalid"),
    ("CreateDomainCert", "alice", cert(der=PIN + b"\x00"), INVALID, "ovgs-argument-invalid"),
    ("CreateDomainCert", "alice", cert(der=PIN + OTHER_PIN), INVALID, "ovgs-argument-invalid"),
    (
        "CreateDomainCert",
        "alice",
        cert(der=b"-----BEGIN CERTIFICATE-----\n"),
        INVALID,
        "ovgs-argument-invalid",
    ),
    ("CreateDomainCert", "alice", cert(der=EXPIRED_PIN), INVALID, "ovgs-argument-invalid"),
    ("CreateDomainCert", "alice", cert("none"), NOT_FOUND, "ovgs-group-unknown"),
    ("CreateDomainCert", "alice", cert(der=PIN), EXISTS, "ovgs-cert-exists"),
    ("CreateDomainCert", "carol", cert(), DENIED, "ovgs-permission-denied"),
    ("GetDomainCert", "alice", lambda _: pb.GetDomainCertRequest(), NOT_FOUND, "ovgs-cert-unknown"),
    (
        "GetDomainCert",
        "carol",
        lambda w: pb.GetDomainCertRequest(cert_id=w.certs["acme"]),
        DENIED,
        "ovgs-permission-denied",
    ),
    (
        "DeleteDomainCert",
        "alice",
        lambda _: pb.DeleteDomainCertRequest(cert_id="cert-x"),
        NOT_FOUND,
        "ovgs-cert-unknown",
    ),
    (
        "DeleteDomainCert",
        "carol",
        lambda w: pb.DeleteDomainCertRequest(cert_id=w.certs["lab"]),
        DENIED,
        "ovgs-permission-denied",
    ),
    (
        "GetOwnershipVoucher",
        "alice",
        lambda w: pb.GetOwnershipVoucherRequest(cert_id=w.certs["lab"], lifetime=at(1)),
        INVALID,
        "ovgs-argument-missing",
    ),
    ("GetOwnershipVoucher", "alice", order(""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVoucher", "alice", order(ien=""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVoucher", "alice", order(cert=""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVoucher", "alice", order(days=None), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVoucher", "alice", order(days=0), INVALID, "ovgs-time-past"),
    ("GetOwnershipVoucher", "alice", order(days=-1), INVALID, "ovgs-time-past"),
    ("GetOwnershipVoucher", "alice", order(days=2.001), INVALID, "ovgs-lifetime-too-long"),
    ("GetOwnershipVoucher", "alice", order(ien="8"), INVALID, "ovgs-ien-not-served"),
    ("GetOwnershipVoucher", "staff", order("S2", "beta"), INVALID, "ovgs-other-org"),
    ("GetOwnershipVoucher", "alice", order("X"), PRECONDITION, "ovgs-voucher-component-unknown"),
    ("GetOwnershipVoucher", "alice", order(cert="none"), PRECONDITION, "ovgs-voucher-cert-unknown"),
    ("GetOwnershipVoucher", "alice", order("B1", "beta"), DENIED, "ovgs-permission-denied"),
    ("GetOwnershipVoucher", "alice", order("S2", "beta"), DENIED, "ovgs-permission-denied"),
    ("GetOwnershipVoucher", "dora", order("S2", "rack"), DENIED, "ovgs-permission-denied"),
    ("GetOwnershipVoucher", "dora", order("S3", "lab"), DENIED, "ovgs-permission-denied"),
    ("GetOwnershipVoucher", "nobody", order(), DENIED, "ovgs-permission-denied"),
    ("GetOwnershipVouchers", "alice", orders(), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVouchers", "alice", orders("S2", ""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVouchers", "alice", orders("S2", cert=""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVouchers", "alice", orders("S2", ien=""), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVouchers", "alice", orders("S2", days=None), INVALID, "ovgs-argument-missing"),
    ("GetOwnershipVouchers", "alice", orders("S2", ien="8"), INVALID, "ovgs-ien-not-served"),
    ("GetOwnershipVouchers", "staff", orders("S2", cert="beta"), INVALID, "ovgs-other-org"),
    ("GetOwnershipVouchers", "alice", orders("S2", days=-1), INVALID, "ovgs-time-past"),
    ("GetOwnershipVouchers", "alice", orders("S2", days=3), INVALID, "ovgs-lifetime-too-long"),
    (
        "GetOwnershipVouchers",
        "alice",
        orders("S2", "X"),
        PRECONDITION,
        "ovgs-voucher-component-unknown",
    ),
    (
        "GetOwnershipVouchers",
        "alice",
        orders("S2", cert="x"),
        PRECONDITION,
        "ovgs-voucher-cert-unknown",
    ),
    ("GetOwnershipVouchers", "carol", orders("S2", "S1", "X"), DENIED, "ovgs-permission-denied"),
    (
        "GetOwnershipVouchers",
        "alice",
        orders(*["S2"] * 1001),
        Status.RESOURCE_EXHAUSTED,
        "ovgs-request-too-large",
    ),
)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{number}-{case[0]}-{case[4]}" for number, case in enumerate(CASES)]
)
def test_documented_error(tmp_path: Path, case: Case) -> None:
    method, caller, make, status, reason = case
    world = new_world(tmp_path)
    before = world.dump()

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused(caller, method, make(world))

    assert with_client(world, use) == (status, reason)
    assert world.dump() == before


METHODS = sorted({case[0] for case in CASES})


def test_the_table_has_every_method() -> None:
    service = pb.DESCRIPTOR.services_by_name["OwnershipVoucherService"]
    assert sorted(method.name for method in service.methods) == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_every_method_asks_for_a_token_first(tmp_path: Path, method: str) -> None:
    world = new_world(tmp_path)
    empty = getattr(pb, f"{method}Request")()

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused(None, method, empty)

    assert with_client(world, use) == (Status.UNAUTHENTICATED, "token-missing")


@pytest.mark.parametrize("method", METHODS)
@given(data=strategies.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_clear_refusal(method: str, data: bytes) -> None:
    try:
        parse(getattr(pb, f"{method}Request"), data)
    except WireError:
        return


def moment_fits(seconds: int) -> bool:
    """Tell whether it lies in the years 1 to 9999."""
    return -62135596800 <= seconds <= 253402300799


@given(strategies.integers(-(2**63), 2**63 - 1), strategies.integers(-(2**31), 2**31 - 1))
def test_any_timestamp_is_an_instant_or_a_clear_refusal(seconds: int, nanos: int) -> None:
    given_one = Timestamp(seconds=seconds, nanos=nanos)
    try:
        moment = read_instant("lifetime", given_one)
    except WireError:
        assert not (0 <= nanos < 10**9 and moment_fits(seconds))
    else:
        assert write_instant(moment) == Timestamp(seconds=seconds, nanos=nanos // 1000 * 1000)


def test_a_refusal_never_carries_a_long_text_back(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused(
            "alice", "GetGroup", pb.GetGroupRequest(group_id="\u00fc" * 100_000)
        )

    assert with_client(world, use) == (NOT_FOUND, "ovgs-group-unknown")
