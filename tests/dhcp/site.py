"""A whole system of processes on a link: manufacturer, owner's server in the hub, routers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from dhcp.router import SERIAL

from bootz.lab.namespaces import ROUTER_INTERFACE, Namespace
from bootz.processes import COMMAND, run_command


class Site:
    """Everything that onboards one router of serial number ``SERIAL``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "site"
        self.maker = folder / "maker"
        self.router = folder / "router"

    async def make(self) -> None:
        await run_command("manufacturer", "init", self.maker)
        await run_command("manufacturer", "anchor", self.maker, "--to", self.folder / "ca.pem")
        made: Any = await run_command(
            *("init", self.root, "--listen", "0.0.0.0:15006", "--listen", "[::]:15006"),
            *("--advertise", "10.0.0.1", "--advertise", "2001:db8::1"),
            *("--images-http", "0.0.0.0:15007", "--images-https", "0.0.0.0:15008"),
        )
        await self.run("vendor", "add", "Bootz Labs", "--ca", self.folder / "ca.pem")
        profile = self.folder / "profile.yaml"
        profile.write_text(json.dumps({"vendor_config": "hostname {{ chassis.hostname }}\n"}))
        await self.run("profile", "add", "base", "--file", profile)
        await self.run(
            *("chassis", "add", SERIAL, "--vendor", "Bootz Labs"),
            *("--hostname", "r1", "--profile", "base"),
            *("--ipv4", "10.0.0.12/24", "--ipv6", "2001:db8::12/64", "--gateway", "10.0.0.1"),
        )
        voucher = self.folder / "v.vcj"
        await run_command(
            *("voucher", "issue", "--manufacturer", self.maker, "--serial", SERIAL),
            *("--pinned-domain-cert", made["pinned_domain_cert"], "-o", voucher),
        )
        await self.run("voucher", "import", voucher)
        await run_command(
            "router", "manufacture", self.router, "--manufacturer", self.maker, "--serial", SERIAL
        )

    async def run(self, *words: str | Path) -> Any:
        return await run_command("--site", self.root, *words)


def boot(router: Namespace, hardware: Path, *more: str) -> dict[str, Any]:
    """Power a router on in its namespace; DHCP is its only way to a server."""
    done = subprocess.run(
        router.command_inside(
            [
                *(*COMMAND, "router", "boot", str(hardware), "--dhcp-interface", ROUTER_INTERFACE),
                *("--max-attempts", "2", "--retry-wait", "0", "--report-attempts", "3"),
                *("--output", "json", *more),
            ]
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record
