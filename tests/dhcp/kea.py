"""A real Kea in a network namespace, started by the test and ended by it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bootz.lab.namespaces import HUB_INTERFACE, Namespace

DEADLINE = 30.0


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert found, f"{name} is not installed: tools/install-test-packages"
    return found


def ask(path: Path, command: str, arguments: Any = None) -> dict[str, Any]:
    """Ask over the control socket with a few lines of our own: the tests' witness."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(DEADLINE)
        asking.connect(str(path))
        message = {"command": command} | ({"arguments": arguments} if arguments else {})
        asking.sendall(json.dumps(message).encode())
        asking.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: asking.recv(65536), b""))
    parsed: dict[str, Any] = json.loads(answer)
    return parsed


@contextmanager
def kea(version: int, hub: Namespace, folder: Path, config: Mapping[str, Any]) -> Iterator[Path]:
    """Run kea-dhcp4 or kea-dhcp6 in the hub; yields its control socket once it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"kea{version}.conf"
    control = folder / f"kea{version}.sock"
    path.write_text(json.dumps(config))
    environment = {
        **os.environ,
        "KEA_PIDFILE_DIR": str(folder),
        "KEA_LOCKFILE_DIR": str(folder),
        "KEA_LOGGER_DESTINATION": str(folder / f"kea{version}.log"),
    }
    with (folder / f"kea{version}.out").open("wb") as out:
        process = subprocess.Popen(
            hub.command_inside([program(f"kea-dhcp{version}"), "-c", str(path)]),
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        began = time.monotonic()
        while True:
            try:
                assert ask(control, "status-get")["result"] == 0
                break
            except (OSError, ValueError):
                told = (folder / f"kea{version}.out").read_text(errors="replace")[-3000:]
                assert process.poll() is None, told
                assert time.monotonic() < began + DEADLINE, told
                time.sleep(0.02)
        yield control
    finally:
        process.terminate()
        process.wait(DEADLINE)


U1 = "0016" + b"bootz://10.0.0.1:15006".hex()
U2 = "001b" + b"bootz://[2001:db8::1]:15006".hex()


def config4(folder: Path, reservations: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "Dhcp4": {
            "interfaces-config": {"interfaces": [HUB_INTERFACE], "dhcp-socket-type": "raw"},
            "control-socket": {"socket-type": "unix", "socket-name": str(folder / "kea4.sock")},
            "lease-database": {"type": "memfile", "persist": False},
            "authoritative": True,
            "valid-lifetime": 3600,
            "ip-reservations-unique": False,
            "host-reservation-identifiers": ["hw-address", "client-id"],
            "client-classes": [{"name": "DROP", "test": "member('UNKNOWN')"}],
            "subnet4": [
                {
                    "id": 1,
                    "subnet": "10.0.0.0/24",
                    "option-data": [
                        {"name": "routers", "data": "10.0.0.1"},
                        {"name": "domain-name-servers", "data": "10.0.0.53"},
                    ],
                    "reservations": reservations,
                }
            ],
            **more,
        }
    }


def config6(folder: Path, reservations: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "Dhcp6": {
            "interfaces-config": {"interfaces": [HUB_INTERFACE]},
            "control-socket": {"socket-type": "unix", "socket-name": str(folder / "kea6.sock")},
            "lease-database": {"type": "memfile", "persist": False},
            "server-id": {"type": "LL", "persist": False},
            "preferred-lifetime": 3000,
            "valid-lifetime": 4000,
            "ip-reservations-unique": False,
            "mac-sources": ["client-link-addr-option", "duid", "ipv6-link-local"],
            "host-reservation-identifiers": ["duid", "hw-address"],
            "client-classes": [{"name": "DROP", "test": "member('UNKNOWN')"}],
            "subnet6": [
                {
                    "id": 1,
                    "subnet": "2001:db8::/64",
                    "interface": HUB_INTERFACE,
                    "option-data": [{"name": "dns-servers", "data": "2001:db8::53"}],
                    "reservations": reservations,
                }
            ],
            **more,
        }
    }
