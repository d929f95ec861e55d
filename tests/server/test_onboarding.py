"""The main path, over real TLS and gRPC: a router asks, verifies, downloads and reports."""

from __future__ import annotations

import asyncio
import hashlib
import urllib.request
from pathlib import Path

import pytest
from world import Running, World, manufacturer, report, request, run, verified

from bootz.images.depot import Depot
from bootz.model.chassis import CardKind, Release
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.images import ImageKind, ImageRecord, add_image
from bootz.server.site import utc_now
from bootz.server.store.attempt_states import AttemptState, EventKind
from bootz.wire.dialects import CURRENT, DIALECTS, V0_3, Dialect

IMAGE = b"an image" * 1000


def with_image(world: World, folder: Path) -> None:
    source = folder / "os.iso"
    source.write_bytes(IMAGE)
    stored = Depot(world.site.images_folder).add(source)
    world.write(
        add_image,
        ImageRecord("os", "2", ImageKind.IMAGE, "os.iso", stored.size, stored.sha256, utc_now()),
    )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_router_of_each_dialect_onboards(world: World, tmp_path: Path, dialect: Dialect) -> None:
    with_image(world, tmp_path)
    world.add_profile(
        image={"name": "os", "version": "2"},
        vendor_config="hostname {{ chassis.hostname }}\n",
        oc_config={"system": {"hostname": "{{ chassis.hostname }}"}},
    )
    release = Release.V0_3 if dialect is V0_3 else Release.CURRENT
    world.add_chassis(hostname="r1", profile="base", release=release)
    world.add_voucher()
    device = manufacturer().device("FX1")

    async def story(running: Running) -> None:
        sealed = await running.ask(device, request(), dialect)
        (own,) = verified(sealed, "FX1", dialect=dialect).responses
        assert own.serial_number == "FX1"
        assert own.boot_config is not None
        assert own.boot_config.vendor_config == b"hostname r1\n"
        assert own.boot_config.oc_config == b'{"system":{"hostname":"r1"}}'
        assert own.image is not None
        assert own.image.sha256 == hashlib.sha256(IMAGE).hexdigest()
        port = running.bound.image_http[0][1]
        assert own.image.url.startswith(f"http://127.0.0.1:{port}/images/")

        def fetch() -> bytes:
            with urllib.request.urlopen(own.image.url) as reading:
                content: bytes = reading.read()
                return content

        assert await asyncio.to_thread(fetch) == IMAGE
        told = report("FX1") if dialect.report_names_cards else report()
        assert await running.report(device, told, dialect, own.server_trust_cert) == b""

    run(story, world)
    (attempt,) = world.attempts()
    assert attempt.state is AttemptState.SUCCESS
    assert attempt.proven_serial == "FX1"
    # v0.3 calls the path of the current dialect; what it got was written in its own.
    assert attempt.dialect == (CURRENT.name if dialect is V0_3 else dialect.name)
    assert attempt.written == dialect.name
    assert attempt.image_bytes == len(IMAGE)
    assert [event.kind for event in world.events()] == [
        EventKind.ANSWERED,
        EventKind.DOWNLOAD,
        EventKind.REPORT,
    ]
    assert all(check.outcome.value == "passed" for check in attempt.checks)


def test_a_modular_chassis_gets_data_for_each_card(world: World) -> None:
    cards = (CardRecord("RP0", slot="0"), CardRecord("LC1", slot="1", kind=CardKind.LINE))
    world.add_profile(vendor_config="slot {{ card.slot }}\n")
    world.add_chassis("CH1", modular=True, cards=cards, profile="base")
    world.add_voucher("RP0")

    async def story(running: Running) -> None:
        asked = request("rp0", cards=["rp0", "LC1"], chassis_serial="ch1")
        sealed = await running.ask(manufacturer().device("RP0"), asked)
        own, other = verified(sealed, "RP0").responses
        assert (own.serial_number, other.serial_number) == ("rp0", "LC1")
        assert own.boot_config is not None
        assert other.boot_config is not None
        assert own.boot_config.vendor_config == b"slot 0\n"
        assert other.boot_config.vendor_config == b"slot 1\n"

    run(story, world)
