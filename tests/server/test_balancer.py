"""Servers behind a real HAProxy: whose address the journal has, and where images are."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from server.haproxy import haproxy
from structlog.testing import capture_logs
from world import Running, World, manufacturer, report, request, verified

from bootz.config.serving import TransportSettings
from bootz.server.listening import Bound, Listens
from bootz.server.store.attempt_states import AttemptState

pytestmark = pytest.mark.haproxy

EVERYWHERE = Listens(("127.0.0.1:0",), ("127.0.0.1:0",), ("127.0.0.1:0",))


def test_a_router_behind_haproxy_is_on_record_with_its_own_address(world: World) -> None:
    world.settings["transport"] = TransportSettings(proxy_protocol_from=("127.0.0.2",))
    world.add_profile(vendor_config="hostname r1\n")
    world.add_chassis(profile="base")
    world.add_voucher()

    async def story() -> None:
        device = manufacturer().device("FX1")
        async with world.serving(EVERYWHERE) as one, world.serving(EVERYWHERE) as two:
            doors = [
                (a[0], b[0]) for a, b in zip(_doors(one.bound), _doors(two.bound), strict=True)
            ]
            with capture_logs() as told:
                async with haproxy(world.folder, doors, source="127.0.0.2") as bound:
                    through = Running(world, one.server, replace(one.bound, bootz=bound[:1]))
                    data = verified(await through.ask(device, request()), "FX1")
                    anchor = data.responses[0].server_trust_cert
                    await through.report(device, report("FX1"), anchor=anchor)
                    reader, writer = await asyncio.open_connection(*bound[1])
                    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert b" 404 " in await reader.read()
                    writer.close()
            # Neither its checks of health nor its connections are worth a word.
            assert not [line for line in told if line["event"].startswith(("proxy", "handsh"))]
            peers = {line["peer"] for line in told if line["event"] == "image-not-found"}
            assert {urlsplit(f"//{peer}").hostname for peer in peers} == {"127.0.0.1"}
            # Past the balancer, from the address that it has, a router is not answered.
            assert await _unannounced(one.bound.bootz[0]) == b""

    asyncio.run(asyncio.wait_for(story(), 60))
    (attempt,) = world.attempts()
    assert (attempt.state, attempt.reports) == (AttemptState.SUCCESS, 1)
    assert urlsplit(f"//{attempt.peer}").hostname == "127.0.0.1"


def _doors(bound: Bound) -> tuple[tuple[tuple[str, int], ...], ...]:
    return (bound.bootz, bound.image_http, bound.image_https)


async def _unannounced(server: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*server, local_addr=("127.0.0.2", 0))
    writer.write(b"\x16\x03\x01\x02\x00")
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
