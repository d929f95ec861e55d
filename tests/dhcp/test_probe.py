"""The probe sees every server of a link, judges each, and leases nothing."""

from __future__ import annotations

import json
import subprocess
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import U1, U2, ask, config4, config6, kea
from dhcp.router import CLIENT_ID, DUID, SERIAL
from dhcp.test_lab_on_the_wire import serving_at

from bootz.dhcp.probes import PROBE_FILE, LastProbes
from bootz.lab.namespaces import ROUTER_INTERFACE, Network
from bootz.processes import COMMAND
from bootz.protocol.dhcp_offer import Family

pytestmark = pytest.mark.kea

FIRST, SECOND = "bootz://10.0.0.1:15006", "bootz://[2001:db8::1]:15006"


def run_probe(
    link: Network, *more: str, serial: str = SERIAL, site: Path | None = None
) -> tuple[int, list[Any], str]:
    link.routers[0].bring_up(ROUTER_INTERFACE)
    chosen = [] if site is None else ["--site", str(site)]
    words = [*chosen, "dhcp", "probe", "--interface", ROUTER_INTERFACE, "--serial", serial, *more]
    done = subprocess.run(
        link.routers[0].command_inside([*COMMAND, *words, "--output", "json"]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def reservation4(*options: Any, redirect: str = U1 + U2) -> dict[str, Any]:
    data = {"code": 143, "csv-format": False, "data": redirect}
    return {"client-id": CLIENT_ID, "ip-address": "10.0.0.12", "option-data": [data, *options]}


def test_a_good_server_of_each_family(link: Network, tmp_path: Path) -> None:
    six = {"code": 136, "csv-format": False, "data": U2}
    row = {"duid": DUID, "ip-addresses": ["2001:db8::12"], "option-data": [six]}
    with (
        kea(4, link.hub, tmp_path, config4(tmp_path, [reservation4()])),
        kea(6, link.hub, tmp_path, config6(tmp_path, [row])),
    ):
        code, rows, _ = run_probe(link, "--mac", "02:aa:00:00:00:77")
    assert code == 0
    v4, v6 = rows
    assert (v4["server"], v4["address"], v4["verdict"]) == ("10.0.0.1", "10.0.0.12/24", "usable")
    assert (v4["octets"], v4["uris"]) == (U1 + U2, [FIRST, SECOND])
    assert (v6["octets"], v6["uris"], v6["verdict"]) == (U2, [SECOND], "usable")


def test_a_site_keeps_what_was_met(link: Network, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "bootz.yaml").write_text("organization: Example\n")
    with kea(4, link.hub, tmp_path, config4(tmp_path, [reservation4()])):
        run_probe(link, "--family", "ipv4", site=site)
    run_probe(link, "--family", "ipv4", "--wait", "0.2", serial="OTHER", site=site)

    kept = LastProbes.read(site / PROBE_FILE).found
    (server,) = kept[SERIAL.casefold(), Family.IPV4].servers
    assert (server.server, server.address, server.octets) == ("10.0.0.1", "10.0.0.12/24", U1 + U2)
    assert kept["other", Family.IPV4].servers == ()


def test_two_servers_are_an_alarm_and_each_gets_its_verdict(link: Network, tmp_path: Path) -> None:
    servers = {"name": "domain-name-servers", "data": "10.0.0.53, 10.0.0.54"}
    config = config4(tmp_path, [reservation4(servers)])
    # Another server on the same link: a lab's, on a machine of its own.
    other = link.routers[1]
    other.bring_up(ROUTER_INTERFACE)
    other.add_address(ROUTER_INTERFACE, ip_interface("10.0.0.99/24"))
    with (
        kea(4, link.hub, tmp_path, config),
        serving_at(other, ROUTER_INTERFACE, families=(Family.IPV4,)),
    ):
        code, rows, said = run_probe(link, "--family", "ipv4")
    assert code == 1
    assert {row["server"]: row["verdict"] for row in rows} == {
        "10.0.0.1": "dhcp-multiple-name-servers",
        "10.0.0.99": "usable",
    }
    assert "ALARM: 2 servers" in said


def test_text_is_told_with_its_octets(link: Network, tmp_path: Path) -> None:
    with kea(4, link.hub, tmp_path, config4(tmp_path, [reservation4(redirect=U1[4:])])) as control:
        code, rows, said = run_probe(link, "--family", "ipv4", "--wait", "2")
        leases = ask(control, "statistic-get", {"name": "subnet[1].assigned-addresses"})
    assert (code, rows[0]["shape"], rows[0]["octets"]) == (0, "text", U1[4:])
    assert "not as RFC 8572" in said
    # Nothing was leased by asking.
    (value, *_), *_ = leases["arguments"]["subnet[1].assigned-addresses"]
    assert value == 0


def test_silence_is_told(link: Network) -> None:
    code, rows, said = run_probe(link, "--wait", "0.5")
    assert (code, rows) == (1, [])
    assert "no server answers over ipv4" in said
    assert "no server answers over ipv6" in said
