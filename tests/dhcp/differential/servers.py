"""The real DHCP servers, each with one configuration after the other, and what a router gets."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhcp.kea import DEADLINE, ask, kea, program

from bootz.dhcp.probe import ProbeAnswer, probe
from bootz.lab.namespaces import HUB_INTERFACE, ROUTER_INTERFACE, Namespace, Network
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import DhcpIdentity

WAITS = (0.15, 0.6, 3.0)
"""Seconds for an answer: silence is asked again with more time."""

REFUSED = "refused"
SILENT = "silent"


@dataclass(frozen=True)
class Seen:
    """What a router got: a verdict of the probe, or that the server refused or was silent."""

    verdict: str
    octets: str = ""
    detail: str = ""


def question(
    router: Namespace, family: Family, identity: DhcpIdentity, *, patient: bool = True
) -> Seen:
    """Ask as a router. Whoever expects silence need not be ``patient``."""
    for wait in WAITS if patient else WAITS[:-1]:
        answers = _probe(router, family, identity, wait)
        if answers:
            break
    else:
        return Seen(SILENT)
    (answer,) = answers
    return Seen(answer.verdict, answer.offer.payload.hex(), str(answer.fault or ""))


def _probe(
    router: Namespace, family: Family, identity: DhcpIdentity, wait: float
) -> Sequence[ProbeAnswer]:
    return router.call_inside(lambda: asyncio.run(probe(ROUTER_INTERFACE, family, identity, wait)))


@dataclass
class RunningKea:
    """A Kea that takes one file after the other."""

    version: int
    folder: Path
    control: Path

    @property
    def path(self) -> Path:
        return self.folder / f"kea{self.version}.conf"

    def load(self, text: str) -> str:
        """Let it read a file; returns why it refused, or nothing."""
        self.path.write_text(text)
        answer = ask(self.control, "config-reload")
        return "" if answer["result"] == 0 else answer["text"]


@contextmanager
def running_kea(version: int, hub: Namespace, folder: Path) -> Iterator[RunningKea]:
    root = f"Dhcp{version}"
    config = {root: kea_base(version, folder / f"kea{version}.sock")}
    with kea(version, hub, folder, config) as control:
        yield RunningKea(version, folder, control)


def kea_base(version: int, socket: Path) -> dict[str, Any]:
    """What every configuration needs to be loaded here: the interface, the socket, no files."""
    base: dict[str, Any] = {
        "interfaces-config": {"interfaces": [HUB_INTERFACE]},
        "control-socket": {"socket-type": "unix", "socket-name": str(socket)},
        "lease-database": {"type": "memfile", "persist": False},
    }
    if version == 6:
        base["server-id"] = {"type": "LL", "persist": False}
    return base


@contextmanager
def dhcpd(hub: Namespace, folder: Path, text: str, family: Family) -> Iterator[tuple[bool, str]]:
    """Run ISC dhcpd with a file; yields whether it runs, and what it said."""
    path, leases = folder / "dhcpd.conf", folder / "dhcpd.leases"
    path.write_text(text)
    leases.write_text("")
    flag = "-4" if family is Family.IPV4 else "-6"
    command = [
        *(program("dhcpd"), flag, "-f", "-d", "-cf", str(path), "-lf", str(leases)),
        *("--no-pid", HUB_INTERFACE),
    ]
    with _started(hub.command_inside(command), folder, "Server starting service") as found:
        yield found


@contextmanager
def dnsmasq(hub: Namespace, folder: Path, text: str) -> Iterator[tuple[bool, str]]:
    """Run dnsmasq with a file; yields whether it runs, and what it said."""
    path = folder / "dnsmasq.conf"
    path.write_text(text)
    command = [
        *(program("dnsmasq"), "--keep-in-foreground", f"--conf-file={path}", "--pid-file="),
        *("--user=root", "--no-resolv", "--no-hosts", "--log-facility=-", "--no-ping"),
        *(f"--dhcp-leasefile={folder / 'dnsmasq.leases'}", f"--interface={HUB_INTERFACE}"),
    ]
    (folder / "dnsmasq.leases").unlink(missing_ok=True)
    with _started(hub.command_inside(command), folder, "started, ") as found:
        yield found


@contextmanager
def _started(command: list[str], folder: Path, word: str) -> Iterator[tuple[bool, str]]:
    """Run a server until it says a word, or ends before."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder
    )
    try:
        yield _wait(process, word)
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE)
        finally:
            process.kill()
        assert process.stderr is not None
        process.stderr.close()


def _wait(process: subprocess.Popen[bytes], word: str) -> tuple[bool, str]:
    stream = process.stderr
    assert stream is not None
    began = time.monotonic()
    said = b""
    while word.encode() not in said:
        readable, _, _ = select.select([stream], [], [], 1.0)
        if readable:
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                process.wait(DEADLINE)
                return False, said.decode(errors="replace")
            said += piece
        assert time.monotonic() < began + DEADLINE, said
    return True, said.decode(errors="replace")


def identity(serial: str, mac: str, **more: Any) -> DhcpIdentity:
    return DhcpIdentity(bytes.fromhex(mac.replace(":", "")), serial, **more)


def as_text(config: Mapping[str, Any]) -> str:
    return json.dumps(config, indent=1)


def bring_up(link: Network, mac: str) -> Namespace:
    """Set the router's port up with its own MAC address, which its link-local address tells."""
    router = link.routers[0]
    subprocess.run(
        [program("ip"), "-n", router.name, "link", "set", ROUTER_INTERFACE, "address", mac],
        check=True,
        timeout=DEADLINE,
    )
    # No search for duplicates of its address: an answer would have to wait for its end.
    setting = Path(f"/proc/sys/net/ipv6/conf/{ROUTER_INTERFACE}/accept_dad")
    router.call_inside(lambda: setting.write_text("0"))
    router.bring_up(ROUTER_INTERFACE)
    return router
