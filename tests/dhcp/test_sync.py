"""Reservations merged into a real Kea: ours come and go, others' stay, failures change nothing."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import DEADLINE, U1, ask, config4, config6, kea, program
from dhcp.plans import MODULAR, SUBNETS, device, plan
from dhcp.router import discover

from bootz.dhcp.kea_control import HttpChannel, SocketChannel, ask_kea, kea_channel
from bootz.dhcp.records import DhcpCard, DhcpPlan
from bootz.dhcp.sync import merge, sync_kea
from bootz.errors import BootzError, ConfigError, ConflictError, PolicyError, Unavailable, WireError
from bootz.lab.namespaces import Network
from bootz.protocol.dhcp_offer import Family

pytestmark = pytest.mark.kea

OTHERS = {"hw-address": "02:ff:00:00:00:01", "ip-address": "10.0.0.200", "hostname": "printer"}


@pytest.fixture(scope="module")
def control(link: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("sync")
    with kea(4, link.hub, folder, config4(folder, [OTHERS])) as path:
        yield path


@pytest.fixture
def channel(control: Path) -> SocketChannel:
    """Kea with nothing but the printer."""
    assert ask(control, "config-set", config4(control.parent, [OTHERS]))["result"] == 0
    return SocketChannel(str(control))


def shown(control: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = ask(control, "config-get")["arguments"]["Dhcp4"]["subnet4"][0][
        "reservations"
    ]
    return rows


def test_ours_come_change_and_go_while_others_stay(channel: SocketChannel, control: Path) -> None:
    first = sync_kea(channel, plan(), Family.IPV4)
    assert (len(first.added), first.applied) == (5, True)
    assert len(shown(control)) == 6
    again = sync_kea(channel, plan(), Family.IPV4)
    assert (again.differs, again.applied, again.unchanged) == (False, False, 5)
    moved = sync_kea(channel, plan(device(host=77), MODULAR), Family.IPV4)
    assert (len(moved.changed), moved.unchanged) == (2, 3)
    gone = sync_kea(channel, plan(MODULAR), Family.IPV4)
    assert len(gone.removed) == 2
    assert sync_kea(channel, DhcpPlan((), SUBNETS), Family.IPV4).applied
    (left,) = shown(control)
    assert left["hostname"] == "printer"


def test_a_router_gets_what_was_synced(channel: SocketChannel, link: Network) -> None:
    sync_kea(channel, plan(), Family.IPV4)
    told = discover(link.routers[0], Family.IPV4)
    assert [str(uri) for uri in told.uris] == [
        "bootz://10.0.0.1:15006",
        "bootz://[2001:db8::1]:15006",
    ]


def test_a_dry_run_changes_nothing(channel: SocketChannel, control: Path) -> None:
    result = sync_kea(channel, plan(), Family.IPV4, dry_run=True)
    assert (result.differs, result.applied) == (True, False)
    assert len(shown(control)) == 1


def test_a_reservation_of_anothers_is_never_taken(channel: SocketChannel, control: Path) -> None:
    own = {"hw-address": "02:AA:00:00:00:10", "ip-address": "10.0.0.99"}
    assert ask(control, "config-set", config4(control.parent, [OTHERS, own]))["result"] == 0
    with pytest.raises(ConflictError) as caught:
        sync_kea(channel, plan(), Family.IPV4)
    assert caught.value.reason == "kea-conflict"
    assert len(shown(control)) == 2


def test_an_address_outside_is_refused(channel: SocketChannel, control: Path) -> None:
    from ipaddress import ip_interface

    with pytest.raises(ConfigError) as caught:
        sync_kea(channel, plan(device(ipv4=ip_interface("10.77.0.1/24"))), Family.IPV4)
    assert caught.value.reason == "kea-unfit"
    assert len(shown(control)) == 1


def test_several_name_servers_around_are_narrowed_to_one(
    channel: SocketChannel, control: Path, link: Network
) -> None:
    config = config4(control.parent, [OTHERS])
    config["Dhcp4"]["subnet4"][0]["option-data"][1]["data"] = "10.0.0.53, 10.0.0.54"
    assert ask(control, "config-set", config)["result"] == 0
    sync_kea(channel, plan(), Family.IPV4)
    assert not sync_kea(channel, plan(), Family.IPV4).differs
    told = discover(link.routers[0], Family.IPV4)
    assert told.account is not None
    assert told.account.name_servers == ("10.0.0.53",)


class Lying:
    """A Kea that fails a command, or is changed by somebody at the wrong moment."""

    name = "lying"

    def __init__(self, inner: SocketChannel, **answers: Any) -> None:
        self.inner = inner
        self.answers = answers
        self.asked: list[str] = []

    def send(self, request: Mapping[str, Any]) -> Any:
        command = request["command"]
        self.asked.append(command)
        answers = self.answers.get(command.replace("-", "_"))
        if answers and (answer := answers.pop(0)):
            return answer(self.inner.send(request))
        return self.inner.send(request)


def test_a_failed_test_changes_nothing(channel: SocketChannel, control: Path) -> None:
    lying = Lying(channel, config_test=[lambda _: {"result": 1, "text": "no"}])
    with pytest.raises(ConfigError, match="no"):
        sync_kea(lying, plan(), Family.IPV4)
    assert "config-set" not in lying.asked
    assert len(shown(control)) == 1


def test_a_failed_set_is_set_back_at_once(channel: SocketChannel, control: Path) -> None:
    lying = Lying(channel, config_set=[lambda _: {"result": 1, "text": "no"}])
    with pytest.raises(PolicyError, match="restored") as caught:
        sync_kea(lying, plan(), Family.IPV4)
    assert caught.value.reason == "kea-failed"
    assert lying.asked[-2:] == ["config-set", "config-set"]
    assert len(shown(control)) == 1


def test_a_change_meanwhile_is_seen(channel: SocketChannel, control: Path) -> None:
    def other(answer: Any) -> Any:
        changed = copy.deepcopy(answer)
        changed["arguments"]["Dhcp4"]["valid-lifetime"] = 1
        return changed

    lying = Lying(channel, config_get=[None, other])
    with pytest.raises(ConflictError, match="during the sync"):
        sync_kea(lying, plan(), Family.IPV4)
    assert len(shown(control)) == 1


def test_a_server_without_the_commands_is_refused(channel: SocketChannel) -> None:
    lying = Lying(channel, list_commands=[lambda _: {"result": 0, "arguments": ["config-get"]}])
    with pytest.raises(ConfigError, match="config-set"):
        sync_kea(lying, plan(), Family.IPV4)


@pytest.mark.parametrize("answer", [[], {}, "x", {"result": "0"}, [{"result": 0}] * 2])
def test_what_is_no_answer_is_told(channel: SocketChannel, answer: Any) -> None:
    with pytest.raises(WireError) as caught:
        ask_kea(Lying(channel, config_get=[lambda _: answer]), "config-get")
    assert caught.value.reason == "kea-answer"


def test_addresses_that_must_be_unique_are_refused() -> None:
    config = config4(Path("/x"), [])
    config["Dhcp4"]["ip-reservations-unique"] = True
    with pytest.raises(ConfigError, match="ip-reservations-unique"):
        merge(config, plan(), Family.IPV4)


def test_hash_of_later_releases_is_left_out_and_shared_networks_are_found(
    channel: SocketChannel,
) -> None:
    config = config6(Path("/x"), [])
    subnets = config["Dhcp6"].pop("subnet6")
    config["Dhcp6"]["shared-networks"] = [{"name": "net", "subnet6": subnets}]
    before = copy.deepcopy(config)
    merged, result = merge(config, plan(), Family.IPV6)
    assert config == before
    assert len(result.added) == 8
    rows = merged["Dhcp6"]["shared-networks"][0]["subnet6"][0]["reservations"]
    assert {"duid", "hw-address"} == {
        kind for row in rows for kind in row if kind in {"duid", "hw-address"}
    }


@contextmanager
def agent(link: Network, folder: Path, control: Path) -> Iterator[int]:
    """Run kea-ctrl-agent in the hub, with a password."""
    path = folder / "agent.conf"
    path.write_text(
        json.dumps(
            {
                "Control-agent": {
                    "http-host": "10.0.0.1",
                    "http-port": 8001,
                    "authentication": {
                        "type": "basic",
                        "realm": "kea",
                        "clients": [{"user": "op", "password": "p@ss"}],
                    },
                    "control-sockets": {
                        "dhcp4": {"socket-type": "unix", "socket-name": str(control)}
                    },
                }
            }
        )
    )
    environment = {**os.environ, "KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)}
    with (folder / "agent.out").open("wb") as out:
        process = subprocess.Popen(
            link.hub.command_inside([program("kea-ctrl-agent"), "-c", str(path)]),
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield 8001
    finally:
        process.terminate()
        process.wait(DEADLINE)


def test_over_http_with_a_password_that_is_never_told(
    link: Network, channel: SocketChannel, control: Path, tmp_path: Path
) -> None:
    with agent(link, tmp_path, control) as port:
        http = HttpChannel(f"http://op:p%40ss@10.0.0.1:{port}/", Family.IPV4)
        assert "p@ss" not in http.name
        assert "p%40ss" not in http.name
        began = time.monotonic()

        def sync() -> Any:
            while True:
                try:
                    return sync_kea(http, plan(), Family.IPV4)
                except Unavailable:
                    # The agent is starting.
                    assert time.monotonic() < began + DEADLINE
                    time.sleep(0.02)

        assert link.hub.call_inside(sync).applied
        wrong = HttpChannel(f"http://op:no@10.0.0.1:{port}/", Family.IPV4)
        with pytest.raises(Unavailable, match="401"):
            link.hub.call_inside(lambda: sync_kea(wrong, plan(), Family.IPV4))
    assert len(shown(control)) == 6


def test_a_channel_that_is_not_there_is_told(tmp_path: Path) -> None:
    for place in (str(tmp_path / "none"), "http://127.0.0.1:1/"):
        with pytest.raises(Unavailable) as caught:
            sync_kea(kea_channel(place, Family.IPV4), plan(), Family.IPV4)
        assert caught.value.reason == "kea-unreachable"
    for url in ("ftp://h", "http://h:99999999", "http://"):
        with pytest.raises(BootzError) as error:
            kea_channel(url, Family.IPV4)
        assert error.value.reason == "usage"


def test_octets_of_the_list_are_those_of_the_specification(
    channel: SocketChannel, control: Path
) -> None:
    sync_kea(channel, plan(device(uris4=device().uris4[:1])), Family.IPV4)
    options = [row["option-data"] for row in shown(control) if row.get("user-context")]
    assert options
    assert all(each[-1]["data"].lower() == U1 for each in options)


def without_mac(name: str, host: int, serial: str) -> Any:
    return device(name, host, cards=(DhcpCard(serial),))


def test_a_router_is_never_left_out_in_silence(channel: SocketChannel, control: Path) -> None:
    config = config4(control.parent, [OTHERS])
    config["Dhcp4"]["host-reservation-identifiers"] = ["hw-address"]
    assert ask(control, "config-set", config)["result"] == 0
    for devices in ((without_mac("r3", 20, "AAA"),), (device(), without_mac("r3", 20, "AAA"))):
        with pytest.raises(ConfigError, match=r"AAA \(r3\).*no name of card AAA") as caught:
            sync_kea(channel, plan(*devices), Family.IPV4)
        assert caught.value.reason == "kea-unfit"
    # A card of a modular router is as lost as a whole one.
    with pytest.raises(ConfigError, match="no name of card RP1"):
        sync_kea(channel, plan(MODULAR), Family.IPV4)
    assert len(shown(control)) == 1
    assert sync_kea(channel, plan(device()), Family.IPV4).applied


def test_a_subnet_may_be_written_with_the_bits_of_a_host(
    channel: SocketChannel, control: Path
) -> None:
    config = config4(control.parent, [OTHERS])
    config["Dhcp4"]["subnet4"][0]["subnet"] = "10.0.0.1/24"
    assert ask(control, "config-set", config)["result"] == 0
    assert sync_kea(channel, plan(), Family.IPV4).applied
    assert len(shown(control)) == 6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subnet": "ten"}, "prefix"),
        ({"subnet": None}, "prefix"),
        ({"reservations-in-subnet": False}, "reservations-in-subnet"),
        ({"reservation-mode": "disabled"}, "reservation-mode disabled"),
    ],
)
def test_a_subnet_that_cannot_take_reservations_is_named(change: dict[str, Any], told: str) -> None:
    config = config4(Path("/x"), [])
    config["Dhcp4"]["subnet4"][0].update(change)
    with pytest.raises(ConfigError, match=told) as caught:
        merge(config, plan(), Family.IPV4)
    assert caught.value.reason == "kea-unfit"
