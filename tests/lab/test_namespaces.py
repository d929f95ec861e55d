"""Namespaces are made, entered and removed; where they may not be, that is said."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from ipaddress import ip_interface
from pathlib import Path

import pytest

from bootz.errors import Unavailable
from bootz.lab.namespaces import Namespace, namespace, network, obstacle

pytestmark = pytest.mark.kea

PREFIX = f"bn{os.getpid()}"


def names() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


def test_a_thread_enters_and_its_caller_stays_outside() -> None:
    outside = names()
    with namespace(f"{PREFIX}-a") as made:
        assert made.call_inside(names) == {"lo"}
        assert names() == outside
    assert not Path("/run/netns", f"{PREFIX}-a").exists()


def test_what_fails_inside_fails_for_the_caller() -> None:
    def fail() -> None:
        raise KeyError("inside")

    with namespace(f"{PREFIX}-b") as made, pytest.raises(KeyError, match="inside"):
        made.call_inside(fail)


def test_routers_reach_the_hub_once_their_port_is_up() -> None:
    with network(PREFIX, 2, [ip_interface("10.9.0.1/24")]) as made:
        for number, router in enumerate(made.routers):
            router.bring_up("mgmt0")
            router.add_address("mgmt0", ip_interface(f"10.9.0.{number + 2}/24"))

        def listen() -> socket.socket:
            return socket.create_server(("10.9.0.1", 0))

        with made.hub.call_inside(listen) as listening:
            address = listening.getsockname()
            for number, router in enumerate(made.routers):
                with router.call_inside(lambda: socket.create_connection(address, 30)) as reached:
                    assert reached.getsockname()[0] == f"10.9.0.{number + 2}"
    assert not list(Path("/run/netns").glob(f"{PREFIX}-*"))


def test_a_failure_half_way_leaves_nothing_behind() -> None:
    with namespace(f"{PREFIX}-r0"):
        with pytest.raises(Unavailable) as caught, network(PREFIX, 1, []):
            pass
        assert caught.value.reason == "namespaces-not-permitted"
        left = [path.name for path in Path("/run/netns").glob(f"{PREFIX}-*")]
        assert left == [f"{PREFIX}-r0"]


def test_a_missing_namespace_is_told() -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        Namespace("nowhere").call_inside(names)


def test_a_refusal_of_the_kernel_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess([], 1, "", "mount --make-shared: Operation not permitted")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: refused)
    assert "Operation not permitted" in obstacle()


def test_namespaces_without_a_bridge_are_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a container whose kernel has no bridge: the lab must know it beforehand."""
    ip = shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    lacking = tmp_path / "ip"
    lacking.write_text(
        "#!/bin/sh\n"
        'case "$*" in *bridge*) echo "Error: Unknown device type." >&2; exit 2;; esac\n'
        f'exec {ip} "$@"\n'
    )
    lacking.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert "Unknown device type" in obstacle()
    assert not list(Path("/run/netns").glob(f"bootz-try{os.getpid()}*"))


def test_without_the_command_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle() == ""
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    assert "iproute2" in obstacle()
