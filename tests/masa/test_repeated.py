"""A call under a caller's key is answered once: who asks again gets what it got before."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from grpclib.const import Status
from masa.world import IEN, NOW, Client, World, new_world, with_client

from bootz.masa.store.answers import KEPT
from bootz.wire.ovgs import IDEMPOTENCY_KEY, write_instant
from bootz.wire.ovgs import messages as pb


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = [NOW]
    made = new_world(tmp_path, clock=lambda: clock[0])
    made.clock = clock  # type: ignore[attr-defined]
    return made


def keyed(world: World, *keys: str, caller: str = "alice") -> list[tuple[str, str]]:
    token = world.tokens[caller]
    return [("authorization", f"Bearer {token}"), *((IDEMPOTENCY_KEY, key) for key in keys)]


def request(
    world: World, *serials: str, until: datetime | None = None, cert: str = "lab"
) -> pb.GetOwnershipVouchersRequest:
    return pb.GetOwnershipVouchersRequest(
        component=[pb.Component(ien=IEN, serial_number=serial) for serial in serials],
        cert_id=world.certs[cert],
        lifetime=write_instant(until or NOW + timedelta(days=1)),
    )


async def ask(
    client: Client, asked: pb.GetOwnershipVouchersRequest, metadata: list[tuple[str, str]]
) -> list[bytes]:
    answer = await client.call("alice", "GetOwnershipVouchers", asked, metadata=metadata)
    return [bytes(each.voucher_cms) for each in answer.ownership_vouchers]


def issues(world: World) -> int:
    return len(world.dump()["issue"])


def test_the_same_call_under_a_key_gets_the_same_voucher(world: World) -> None:
    async def use(client: Client) -> list[bytes]:
        return await ask(client, request(world, "S2"), keyed(world, "k1"))

    first = with_client(world, use)
    world.clock[0] = NOW + timedelta(minutes=5)  # type: ignore[attr-defined]
    # Another life of the service: what it answered is in its database.
    assert with_client(world, use) == first
    assert issues(world) == 1


def test_the_single_call_and_the_batch_are_one(world: World) -> None:
    async def use(client: Client) -> None:
        asked = request(world, "S2")
        single = pb.GetOwnershipVoucherRequest(
            component=asked.component[0], cert_id=asked.cert_id, lifetime=asked.lifetime
        )
        answer = await client.call(
            "alice", "GetOwnershipVoucher", single, metadata=keyed(world, "k1")
        )
        again = await ask(client, request(world, "S2", "S3", "S2"), keyed(world, "k1"))
        assert again[0] == again[2] == answer.voucher_cms != again[1]

    with_client(world, use)
    assert issues(world) == 2


def test_calls_that_come_at_once_get_one_voucher(world: World) -> None:
    async def use(client: Client) -> None:
        calls = [ask(client, request(world, "S2"), keyed(world, "k1")) for _ in range(6)]
        assert len({each[0] for each in await asyncio.gather(*calls)}) == 1

    with_client(world, use)
    assert issues(world) == 1


def test_whatever_differs_gets_another_voucher(world: World) -> None:
    async def use(client: Client) -> None:
        later = NOW + timedelta(hours=30)
        vouchers = [
            await ask(client, request(world, "S2"), keyed(world, "k1")),
            await ask(client, request(world, "S2"), keyed(world, "k2")),
            await ask(client, request(world, "S2"), keyed(world)),
            await ask(client, request(world, "S2"), keyed(world)),
            await ask(client, request(world, "S2", until=later), keyed(world, "k1")),
            await ask(client, request(world, "S2", cert="acme"), keyed(world, "k1")),
            await ask(client, request(world, "S2"), keyed(world, "k1", caller="carol")),
        ]
        assert len({each[0] for each in vouchers}) == len(vouchers)

    with_client(world, use)
    assert issues(world) == 7


def test_who_may_not_ask_learns_nothing_by_anothers_key(world: World) -> None:
    async def use(client: Client) -> None:
        await ask(client, request(world, "S2"), keyed(world, "k1"))
        for caller in ("eve", "mallory"):
            refused = await client.refused(
                caller,
                "GetOwnershipVouchers",
                request(world, "S2"),
                metadata=keyed(world, "k1", caller=caller),
            )
            assert refused == (Status.PERMISSION_DENIED, "ovgs-permission-denied")

    with_client(world, use)
    assert issues(world) == 1


def test_an_answer_is_kept_for_a_while(world: World) -> None:
    until = NOW + timedelta(days=2)

    async def use(client: Client) -> list[bytes]:
        return await ask(client, request(world, "S2", until=until), keyed(world, "k1"))

    first = with_client(world, use)
    world.clock[0] = NOW + KEPT - timedelta(seconds=1)  # type: ignore[attr-defined]
    assert with_client(world, use) == first
    world.clock[0] = NOW + KEPT  # type: ignore[attr-defined]
    assert with_client(world, use) != first
    assert (issues(world), len(world.dump()["answered"])) == (2, 1)


@pytest.mark.parametrize("keys", [("a b",), ("k" * 129,), ("k1", "k2")])
def test_a_key_of_another_form_is_refused(world: World, keys: tuple[str, ...]) -> None:
    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused(
            "alice", "GetOwnershipVouchers", request(world, "S2"), metadata=keyed(world, *keys)
        )

    assert with_client(world, use) == (Status.INVALID_ARGUMENT, "ovgs-request-malformed")
    assert issues(world) == 0
