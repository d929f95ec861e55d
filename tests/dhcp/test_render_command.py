"""``bootz dhcp render`` writes everything that can be served, and names what it leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dhcp.plans import device, plan
from operations.shell import Shell, shell

from bootz.dhcp.render_text import labels_of, render_isc
from bootz.protocol.dhcp_offer import Family

__all__ = ["shell"]

MAC = "00:11:22:33:44:59"


def add(site: Shell, serial: str, host: str, *more: str) -> None:
    words = ["--vendor", "Acme", "--ipv4", f"{host}/24", "--dhcp-uri", "bootz://10.0.0.1:15006"]
    site.ok("chassis", "add", serial, *words, *more)


def served(out: str) -> set[str]:
    (subnet,) = json.loads(out)["Dhcp4"]["subnet4"]
    rows: list[dict[str, Any]] = subnet["reservations"]
    return {row["user-context"]["bootz"]["device"] for row in rows}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("10.0.0.21", "--mac", MAC), ("10.0.0.25", "--mac", MAC), f"MAC address {MAC}"),
        (("10.0.0.21",), ("10.0.0.21",), "address 10.0.0.21"),
        (
            ("10.0.0.21", "--hostname", "Edge"),
            ("10.0.0.22", "--hostname", "edge"),
            "hostname edge",
        ),
        (
            ("10.0.0.21", "--client-id", "00:41"),
            ("10.0.0.22", "--client-id", "00:41"),
            "client-id 00:41",
        ),
    ],
)
def test_two_that_are_the_same_are_both_left_out_and_named(
    shell: Shell, first: tuple[str, ...], second: tuple[str, ...], told: str
) -> None:
    add(shell, "MAC1", *first)
    add(shell, "MAC2", *second)
    add(shell, "GOOD", "10.0.0.30")
    code, out, err = shell.run("dhcp", "render", "kea4")
    assert code == 1
    assert served(out) == {"GOOD"}
    assert f"left out: {told} belongs to Acme MAC1" in err
    assert "and Acme MAC2" in err
    assert "dhcp-plan-invalid" in err


def test_one_that_cannot_be_served_leaves_the_others_alone(shell: Shell) -> None:
    add(shell, "GOOD", "10.0.0.30")
    add(shell, "FAR", "10.0.0.31", "--gateway", "10.9.9.9")
    # The site's own address of IPv6 is not known, which only matters where IPv6 is written.
    shell.ok("chassis", "add", "SIX", "--vendor", "Acme", "--ipv6", "2001:db8::1/64")
    code, out, err = shell.run("dhcp", "render", "kea4")
    assert (code, served(out)) == (1, {"GOOD"})
    assert "Acme FAR: gateway 10.9.9.9 is not in 10.0.0.0/24" in err
    assert "SIX: no" not in err
    shell.ok("chassis", "remove", "FAR")
    assert shell.run("dhcp", "render", "kea4")[0] == 0
    code, out, err = shell.run("dhcp", "render", "dnsmasq")
    assert code == 1
    assert "dhcp-host=id:00:47:4f:4f:44" in out
    assert "no ipv6 address of the server is known" in err


def test_a_sync_with_two_that_are_the_same_is_refused_whole(shell: Shell) -> None:
    add(shell, "MAC1", "10.0.0.21", "--mac", MAC)
    add(shell, "MAC2", "10.0.0.22", "--mac", MAC)
    assert shell.refused("dhcp", "sync", "kea4", "--kea", "/nowhere") == "dhcp-plan-invalid"


def test_names_that_look_the_same_to_a_server_stay_apart() -> None:
    dotted, dashed = device("edge.1", 20), device("edge-1", 21)
    both = plan(dotted, dashed)
    assert labels_of(both) == {dotted: "edge-1", dashed: "edge-1--2"}
    hosts = [line for line in render_isc(both, Family.IPV4).splitlines() if "host " in line]
    assert len(hosts) == len(set(hosts)) == 4
