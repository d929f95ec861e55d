"""What a preflight of a whole site costs, as a process of its own: ``make speed-preflight``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from dhcp.kea import ask, program
from store.cluster import Cluster
from world import World, make_site, manufacturer

from bootz.config.site import DatabaseSettings, SiteConfig
from bootz.images.depot import Depot
from bootz.processes import COMMAND
from bootz.server.operations.chassis import ChassisRecord, add_chassis
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.images import ImageKind, ImageRecord, add_image
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.site import utc_now

ASKED_S = 60.0
"""CPU that a preflight of 10,000 chassis may take."""
_TEMPLATE = "hostname {{ chassis.hostname }}\n" + "".join(
    f"interface Ethernet{number}\n  description {{{{ variables.site }}}} {number}\n  no shutdown\n"
    for number in range(66)
)


def fill(world: World, count: int, image_mib: int) -> None:
    """Make a site with so many chassis, each with a voucher, an address and a configuration."""
    maker = manufacturer()
    world.add_vendor(maker)
    source = world.folder / "os.iso"
    part = os.urandom(1 << 20)
    with source.open("wb") as file:
        # Not in memory as a whole: a child's peak counts from that of its parent.
        for _ in range(image_mib):
            file.write(part)
    stored = Depot(world.site.images_folder).add(source)
    image = ImageRecord("os", "2", ImageKind.IMAGE, "os.iso", stored.size, stored.sha256, utc_now())
    world.write(add_image, image)
    world.add_profile(image={"name": "os", "version": "2"}, vendor_config=_TEMPLATE)
    pinned = world.pinned

    def add(connection: Any) -> None:
        for number in range(count):
            serial = f"FX{number:06d}"
            add_chassis(
                connection,
                ChassisRecord(
                    "Acme",
                    serial,
                    hostname=f"r{number}",
                    profile="base",
                    variables={"site": f"s{number % 40}"},
                    dhcp=DhcpSettings(ipv4=f"10.{number >> 8 & 255}.{number & 255}.9/8"),
                ),
            )
            voucher = maker.voucher(serial, pinned, life=timedelta(days=90))
            store_voucher(
                connection, voucher, pinned_domain_cert=pinned, now=utc_now(), vendor="Acme"
            )

    world.write(add)


@contextmanager
def kea_with_all(world: World) -> Iterator[None]:
    """Run a Kea that has every reservation and hears on no interface."""
    control = world.folder / "kea.sock"
    settings = world.root / "bootz.yaml"
    uris = "[bootz://10.0.0.1:15006]"
    settings.write_text(f"{settings.read_text()}\ndhcp: {{kea4: {control}, uris: {uris}}}\n")
    shown = subprocess.run(
        [*COMMAND, "--site", str(world.root), "dhcp", "render", "kea4"],
        check=True,
        capture_output=True,
    )
    config = json.loads(shown.stdout)
    config["Dhcp4"]["interfaces-config"] = {"interfaces": []}
    config["Dhcp4"]["control-socket"]["socket-name"] = str(control)
    path = world.folder / "kea.json"
    path.write_text(json.dumps(config))
    folders = {f"KEA_{name}_DIR": str(world.folder) for name in ("PIDFILE", "LOCKFILE")}
    process = subprocess.Popen(
        [program("kea-dhcp4"), "-c", str(path)],
        env={**os.environ, **folders, "KEA_LOGGER_DESTINATION": str(world.folder / "kea.log")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            assert process.poll() is None, "Kea has ended"
            try:
                assert ask(control, "status-get")["result"] == 0
                break
            except (OSError, ValueError):
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def run(world: World) -> tuple[float, float, int, int]:
    """Run the command; return CPU and clock (seconds), memory at the peak (MiB), and its checks."""
    words = ["--site", str(world.root), "chassis", "check", "--all", "--output", "json"]
    out = world.folder / "out.json"
    began = time.perf_counter()
    with out.open("wb") as file:
        process = subprocess.Popen([*COMMAND, *words], stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    rows = json.loads(out.read_bytes())
    assert not [row for row in rows if row["outcome"] == "failed"]
    return (
        usage.ru_utime + usage.ru_stime,
        time.perf_counter() - began,
        usage.ru_maxrss // 1024,
        len(rows),
    )


def measure(name: str, folder: Path, config: SiteConfig, chosen: Any) -> bool:
    """Measure one engine; return whether it is within what is asked."""
    make_site(folder / "made", config)
    world = World(folder, folder / "made")
    fill(world, chosen.chassis, chosen.image_mib)
    with kea_with_all(world):
        cpu, clock, peak, checks = min(run(world) for _ in range(chosen.runs))
    print(
        f"{name}: {chosen.chassis} chassis, {checks} checks: {cpu:.1f} s CPU, {clock:.1f} s on the "
        f"clock, {peak} MiB at the peak",
        flush=True,
    )
    return cpu <= ASKED_S * max(1.0, chosen.chassis / 10_000)


def main() -> None:
    """Measure what the arguments say; exit code 1 where it is over what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chassis", type=int, default=10_000)
    parser.add_argument("--image-mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], help="default: both")
    chosen = parser.parse_args()
    good = True
    if chosen.engine != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            good = measure("SQLite", Path(folder), SiteConfig(), chosen)
    if chosen.engine == "sqlite":
        raise SystemExit(0 if good else 1)
    server = Cluster(durable=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            config = SiteConfig(database=DatabaseSettings(url=server.url()))
            good = measure("PostgreSQL", Path(folder), config, chosen) and good
    finally:
        server.stop()
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
