"""The redirect option where Kea takes it from a wider place than the reservation: a real Kea."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import U1, U2, ask, config4, config6, kea
from dhcp.plans import device
from dhcp.router import CLIENT_ID, DUID, discover

from bootz.dhcp.kea_control import SocketChannel
from bootz.dhcp.reservations import ReservationFlaw, Reservations
from bootz.lab.namespaces import Network
from bootz.protocol.dhcp_offer import Family

pytestmark = pytest.mark.kea

RIGHT = {"code": 143, "csv-format": False, "data": U1 + U2}
OTHER = {"code": 143, "csv-format": False, "data": U2}
# Its data are the URIs of the other family first.
RIGHT6 = {"code": 136, "csv-format": False, "data": U2 + U1}
ROUTER = replace(device(), cards=(replace(device().cards[0], mac=b""),))
PRINTER = {"hw-address": "02:ff:00:00:00:01", "ip-address": "10.0.0.200"}

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def control(link: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("kea")
    with kea(4, link.hub, folder, config4(folder, [])) as path:
        yield path


def nested(root: dict[str, Any], option: Mapping[str, Any]) -> None:
    """Put the subnet into a shared network that has the option."""
    (subnet,) = root.pop("subnet4")
    root["shared-networks"] = [{"name": "access", "subnet4": [subnet], "option-data": [option]}]


def by_class(root: dict[str, Any], option: Mapping[str, Any], **more: Any) -> None:
    root["client-classes"].append({"name": "routers", "option-data": [option], **more})


def reserved_class(root: dict[str, Any]) -> None:
    by_class(root, RIGHT)
    root["subnet4"][0]["reservations"][0]["client-classes"] = ["routers"]


PLACES: dict[str, tuple[Change, bool]] = {
    "subnet": (lambda root: root["subnet4"][0]["option-data"].append(RIGHT), True),
    "shared network": (lambda root: nested(root, RIGHT), True),
    "global": (lambda root: root.update({"option-data": [RIGHT]}), True),
    "class of the reservation": (reserved_class, True),
    "class by a test": (
        lambda root: by_class(root, RIGHT, test="option[60].exists or option[61].exists"),
        True,
    ),
    "other octets of the subnet": (
        lambda root: root["subnet4"][0]["option-data"].append(OTHER),
        False,
    ),
    "other octets nearer": (
        lambda root: (
            root["subnet4"][0]["option-data"].append(OTHER),
            root.update({"option-data": [RIGHT]}),
        )[0],
        False,
    ),
    "nowhere": (lambda root: None, False),
}


def flaw_in(control: Path, configuration: dict[str, Any]) -> ReservationFlaw | None:
    told = ask(control, "config-set", configuration)
    assert told["result"] == 0, told
    return Reservations.read(SocketChannel(str(control)), Family.IPV4).flaw(ROUTER)


def configured(control: Path, change: Change) -> dict[str, Any]:
    row = {"client-id": CLIENT_ID, "ip-address": "10.0.0.12"}
    made = config4(control.parent, [row, PRINTER])
    change(made["Dhcp4"])
    return made


@pytest.mark.parametrize("place", PLACES)
def test_the_option_is_found_wherever_kea_takes_it_from(
    control: Path, link: Network, place: str
) -> None:
    change, right = PLACES[place]

    flaw = flaw_in(control, configured(control, change))

    told = discover(link.routers[0], Family.IPV4)
    assert ([str(uri) for uri in told.uris] == [*map(str, ROUTER.uris4)]) == right
    assert (flaw is None) == right
    if flaw is not None:
        assert (flaw.certain, flaw.missing) == (True, False)


def test_what_the_configuration_leaves_open_is_no_certain_fault(control: Path) -> None:
    flaw = flaw_in(
        control,
        configured(
            control,
            lambda root: by_class(root, RIGHT, test="substring(option[60].hex,0,3) == 'Cis'"),
        ),
    )

    assert flaw is not None
    assert not flaw.certain


def test_without_uris_of_ours_any_usable_list_is_right(control: Path) -> None:
    configuration = configured(
        control, lambda root: root["subnet4"][0]["option-data"].append(OTHER)
    )
    assert ask(control, "config-set", configuration)["result"] == 0
    theirs = replace(ROUTER, uris4=())
    read = Reservations.read(SocketChannel(str(control)), Family.IPV4)

    assert read.flaw(theirs) is None

    bad = {"code": 143, "csv-format": False, "data": "0003787979"}
    configuration = configured(control, lambda root: root["subnet4"][0]["option-data"].append(bad))
    assert ask(control, "config-set", configuration)["result"] == 0
    read = Reservations.read(SocketChannel(str(control)), Family.IPV4)
    flaw = read.flaw(theirs)
    assert flaw is not None
    assert "no entry is usable" in flaw.detail


def test_of_dhcpv6_too(link: Network, tmp_path: Path) -> None:
    row = {"duid": DUID, "ip-addresses": ["2001:db8::12"]}
    configuration = config6(tmp_path, [row])
    with kea(6, link.hub, tmp_path, configuration) as control:
        channel = SocketChannel(str(control))
        bare = Reservations.read(channel, Family.IPV6).flaw(ROUTER)
        configuration["Dhcp6"]["subnet6"][0]["option-data"].append(RIGHT6)
        assert ask(control, "config-set", configuration)["result"] == 0
        inherited = Reservations.read(channel, Family.IPV6).flaw(ROUTER)
    assert bare is not None
    assert not bare.missing
    assert inherited is None


def test_a_database_of_hosts_may_know_more() -> None:
    root = {"subnet4": [{"subnet": "10.0.0.0/24"}], "hosts-databases": [{"type": "mysql"}]}

    flaw = Reservations.of({"Dhcp4": root}, Family.IPV4).flaw(ROUTER)

    assert flaw is not None
    assert (flaw.missing, flaw.certain) == (True, False)
