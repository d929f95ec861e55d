"""A chassis on hold is refused in every flow, and told so only after its proof.

docs/operator-ids.md: O44.
"""

from __future__ import annotations

import asyncio

import pytest
from grpclib.exceptions import GRPCError
from stream_world import KINDS, ask, fill, prover
from world import Running, World, manufacturer, report, request, run

from bootz.device.grpc_client import ServerRefused
from bootz.model.identity import IdentityKind
from bootz.server.operations.holds import hold_chassis, release_chassis
from bootz.server.site import utc_now
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.wire.dialects import DIALECTS, Dialect
from bootz.wire.flows import StreamFlow


def hold(world: World, key: int) -> None:
    world.write(lambda connection: hold_chassis(connection, [key], "no power", now=utc_now()))


def release(world: World, key: int) -> None:
    world.write(lambda connection: release_chassis(connection, [key]))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_unary_request_is_refused_until_the_release(world: World, dialect: Dialect) -> None:
    world.add_profile(vendor_config="hostname r1\n")
    key = world.add_chassis(profile="base").key
    world.add_voucher()
    device = manufacturer().device("FX1")
    hold(world, key)

    async def story(running: Running) -> None:
        with pytest.raises(GRPCError, match="chassis-on-hold"):
            await running.ask(device, request(), dialect)
        await asyncio.to_thread(release, world, key)
        await running.ask(device, request(), dialect)
        # A hold of a router that has its data does not lose its report.
        await asyncio.to_thread(hold, world, key)
        told = report("FX1") if dialect.report_names_cards else report()
        assert await running.report(device, told, dialect) == b""

    run(story, world)
    refused, answered, reported = world.events()
    assert refused.data["reason"] == "chassis-on-hold"
    assert (answered.kind, reported.kind) == (EventKind.ANSWERED, EventKind.REPORT)


def test_a_stranger_does_not_learn_of_a_hold(world: World) -> None:
    key = world.add_chassis().key
    world.add_voucher()
    hold(world, key)

    other = manufacturer("Other")
    world.add_vendor(other)

    async def story(running: Running) -> None:
        # Its CA is trusted, for devices of its own.
        with pytest.raises(GRPCError, match="idevid-untrusted"):
            await running.ask(other.device("FX1"), request())

    run(story, world)


@pytest.mark.parametrize(("flow", "kind"), KINDS)
def test_a_stream_is_refused_after_its_challenge(
    world: World, flow: StreamFlow, kind: IdentityKind
) -> None:
    fill(world, kind)
    with world.site.database().read() as connection:
        (key,) = connection.exec_driver_sql("SELECT id FROM chassis").scalars().all()
    hold(world, key)

    async def story(running: Running) -> None:
        with pytest.raises(ServerRefused, match="chassis-on-hold"):
            await ask(running, flow, prover(kind))

    run(story, world)
    (attempt,) = world.attempts()
    assert (attempt.state, attempt.proven_serial) == (AttemptState.REFUSED, "FX1")
