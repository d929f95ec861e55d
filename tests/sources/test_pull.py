"""What a sync reads: every device once, with cards and MACs, or nothing and one clear reason."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from sources.conftest import SourceWorld
from sources.large import LargeProduct
from sources.product import RECORDED, TOKEN, Product, serving

from bootz.errors import BootzError
from bootz.server.sources.planning import SyncOrder


def refused(world: SourceWorld, **settings: Any) -> BootzError:
    """Sync, which fails and leaves the inventory as it was."""
    before = world.chassis()
    with pytest.raises(BootzError) as error:
        world.sync(**settings)
    assert world.chassis() == before
    return error.value


def every_status(world: SourceWorld) -> dict[str, list[str]]:
    words = ["planned", "staged", "active"]
    if world.product.kind == "nautobot":
        words = [word.title() for word in words]
    return {"status": words, "tag": ["bootz"]}


def test_recorded_devices_become_chassis(world: SourceWorld) -> None:
    """T1."""
    synced = world.sync()

    expected = {"netbox": 21, "nautobot": 22}[world.product.kind]
    chassis = world.chassis()
    assert len(chassis) == synced.counts["add"] == expected
    assert {(fault.name, fault.error.reason) for fault in synced.faults} == {
        ("edge-05", "source-no-serial"),
        ("FOC2801A006", "source-no-name"),
    }
    edge = chassis["edge-02"]
    assert (edge.vendor, edge.serial_number, edge.profile) == ("Cisco", "FOC2801A002", "edge")
    assert edge.cards[0].mac.endswith(":00:00:00:02")
    assert edge.labels["location"] == "Hall A"
    # Below the address in the settings: the recorded answers name another host.
    assert {each.url for each in world.markers().values()} == {
        f"{world.url}/dcim/devices/{key}/" for key in world.markers()
    }


def test_modules_that_a_rule_takes_are_cards(world: SourceWorld) -> None:
    """T1: slots, kinds, MAC addresses."""
    world.sync(select=every_status(world))

    core = world.chassis()["core-28"]
    cards = {card.serial_number: card for card in core.cards}
    assert core.modular
    assert {card.slot for card in core.cards} == {"0/0/CPU0", "0/RP0/CPU0", "0/RP1/CPU0"}
    assert (cards["FXM28LC0"].kind.value, cards["FXM28RP0"].kind.value) == ("line", "control")
    with_mac = {"netbox": "FXM28RP0", "nautobot": "FXM28RP1"}[world.product.kind]
    assert [serial for serial, card in cards.items() if card.mac] == [with_mac]


def test_modules_that_no_rule_takes_are_no_cards(world: SourceWorld) -> None:
    """T23: fans and power supplies, which are modules too; and line cards without a rule."""
    lists = world.product.lists
    for number, name in enumerate(("FT0", "PSU0"), 900):
        module = copy.deepcopy(
            next(each for each in lists["dcim/modules/"] if each["serial"] == "FXM28RP0")
        )
        place = "module_bay" if world.product.kind == "netbox" else "parent_module_bay"
        bay = copy.deepcopy(
            next(each for each in lists["dcim/module-bays/"] if each["id"] == module[place]["id"])
        )
        for each in (module, bay):
            each["id"] = number if isinstance(each["id"], int) else f"{number}{each['id'][3:]}"
        module[place]["id"], module["serial"], bay["name"] = bay["id"], f"FXM28{name}", name
        lists["dcim/modules/"].append(module)
        lists["dcim/module-bays/"].append(bay)

    world.sync(select=every_status(world), cards=[{"bay": "^RP", "kind": "control"}])

    assert {card.serial_number for card in world.chassis()["core-28"].cards} == {
        "FXM28RP0",
        "FXM28RP1",
    }


def test_config_context_stays_text(world: SourceWorld) -> None:
    """T25."""
    world.product.device("edge-02")["config_context"] = {"motd": "{{ 7 * 7 }}"}

    world.sync()

    sot = world.chassis()["edge-02"].variables["sot"]
    assert isinstance(sot, dict)
    assert sot["context"] == {"motd": "{{ 7 * 7 }}"}


@pytest.mark.parametrize("size", [2, 3, 7, 1000])
def test_pages_of_any_size_are_complete(world: SourceWorld, size: int) -> None:
    world.sync(page_size=size)

    assert len(world.chassis()) == {"netbox": 21, "nautobot": 22}[world.product.kind]


@pytest.mark.parametrize("kind", ["netbox", "nautobot"])
def test_many_devices_are_complete(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T21: every device with its own cards; 10,000 of them, and the memory, in `make speed-sot`."""
    world: SourceWorld = request.getfixturevalue(kind)
    large = LargeProduct(kind, 100)
    monkeypatch.setattr(world.product, "lists", large.lists)

    world.sync(page_size=32)

    chassis = world.chassis()
    assert len(chassis) == 100
    assert {card.serial_number for card in chassis["core-27-3"].cards} == {
        f"FXM27{slot}N3" for slot in ("RP0", "RP1", "NEW" if kind == "netbox" else "NEW2")
    }


def test_a_device_that_goes_between_pages_costs_no_other(world: SourceWorld) -> None:
    """T10, by cursor and by overlapping pages."""
    gone: list[str] = []

    def drop_first(path: str, query: dict[str, list[str]]) -> None:
        offset = query.get("offset") or query.get("start") or ["0"]
        if path == "dcim/devices/" and offset != ["0"] and not gone:
            first = world.product.device("edge-02")
            world.product.devices.remove(first)
            gone.append(str(first["id"]))

    world.product.before = drop_first
    world.sync(page_size=5)

    names = set(world.chassis())
    wanted = {f"edge-{number:02}" for number in (3, 4, *range(7, 17))}
    assert wanted | {f"leaf-{number}" for number in range(17, 25)} <= names


def test_a_list_that_never_rests_is_refused(nautobot: SourceWorld) -> None:
    def shuffle(path: str, query: dict[str, list[str]]) -> None:
        if path == "dcim/devices/" and query.get("offset") != ["0"]:
            nautobot.product.devices.append(nautobot.product.devices.pop(10))

    nautobot.product.before = shuffle

    assert refused(nautobot).reason == "source-unstable"


def test_an_older_netbox_is_read_by_offset(netbox: SourceWorld) -> None:
    netbox.product.status["netbox-version"] = "4.5.1"

    netbox.sync()

    assert len(netbox.chassis()) == 21
    assert not any("start=" in path for _, path, _, _ in netbox.product.seen)


@pytest.mark.parametrize(
    ("kind", "version"), [("netbox", "4.1.9"), ("nautobot", "1.6.0"), ("netbox", "no version")]
)
def test_versions_that_are_too_old(kind: str, version: str, request: pytest.FixtureRequest) -> None:
    world: SourceWorld = request.getfixturevalue(kind)
    world.product.status[f"{kind}-version"] = version

    assert refused(world).reason == "source-version"


@pytest.mark.parametrize("filter_", ["status", "tag"])
def test_a_filter_that_the_source_ignores_stops_the_sync(world: SourceWorld, filter_: str) -> None:
    """T11."""
    world.product.device("edge-03")["tags"] = []
    own = {"nautobot": {"tag": "tags"}}.get(world.product.kind, {}).get(filter_, filter_)
    world.product.ignored = {own}

    assert refused(world).reason == "source-filter-ignored"


def test_a_status_that_a_token_may_not_see_is_a_missing_right(nautobot: SourceWorld) -> None:
    """T12: devices as Nautobot shows them to a token with the right to view devices alone."""
    recorded = json.loads((RECORDED / "nautobot-3.2.7.json").read_text())
    nautobot.product.devices[:] = recorded["least-rights-devices"]["body"]["results"]
    nautobot.product.ignored = {"status", "tags"}

    error = refused(nautobot)

    assert error.reason == "source-forbidden"
    assert "the right to view" in error.expected
    assert nautobot.chassis() == {}


def test_names_that_a_token_may_not_see_are_a_missing_right(nautobot: SourceWorld) -> None:
    """T12: the role is a stub without a name."""
    for device in nautobot.product.devices:
        device["status"] = {"id": "x", "name": "Planned"}
    nautobot.product.device("edge-03")["role"] = {"id": "y", "display": "edge"}

    error = refused(nautobot)

    assert error.reason == "source-forbidden"
    assert "extras.role" in error.expected
    assert nautobot.chassis() == {}


@pytest.mark.parametrize("path", ["dcim/modules/", "dcim/module-bays/", "dcim/interfaces/"])
def test_a_list_that_may_not_be_read(world: SourceWorld, path: str) -> None:
    world.product.forbidden = {path}

    error = refused(world)

    assert error.reason == "source-forbidden"
    assert path in error.where


def test_a_bay_that_is_not_shown(world: SourceWorld) -> None:
    world.product.lists["dcim/module-bays/"].clear()

    assert refused(world, select=every_status(world)).reason == "source-forbidden"


def test_a_wrong_token(world: SourceWorld) -> None:
    (world.root / "sot.token").write_text("other\n")

    assert refused(world).reason == "source-unauthorized"


def test_a_token_that_others_can_read(world: SourceWorld) -> None:
    (world.root / "sot.token").chmod(0o644)

    assert refused(world).reason == "key-permissions"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, "application/json", b"{}"), "source-unreachable"),
        ((503, "text/html", b"<html>"), "source-unreachable"),
        ((429, "application/json", b"{}"), "source-unreachable"),
        ((200, "text/html", b"<html>login</html>"), "source-not-json"),
        ((200, "application/json", b"{"), "source-not-json"),
        ((200, "application/json", b"[" * 100_000), "source-not-json"),
        ((200, "application/json", b"[]"), "source-version"),
    ],
)
def test_answers_that_are_not_the_apis(
    world: SourceWorld, answer: tuple[int, str, bytes], reason: str
) -> None:
    world.product.refuse = answer

    assert refused(world).reason == reason


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("device_type", [1]),
        ("device_type", "8201"),
        ("role", {"name": ""}),
        ("config_context", {"half": "\ud800"}),
    ],
)
def test_objects_of_another_form_are_one_clear_error(
    world: SourceWorld, key: str, value: object
) -> None:
    world.product.device("edge-03")[key] = value

    assert refused(world).reason in {"source-not-json", "source-forbidden"}
    assert world.markers() == {}


def test_a_redirect_is_never_followed(netbox: SourceWorld) -> None:
    """T19: the other host sees neither a request nor the token."""
    other = Product("nautobot")
    netbox.product.refuse = (302, "text/html", b"")
    with serving(other) as url:
        netbox.product.location = f"{url}/api/status/"

        assert refused(netbox).reason == "source-not-json"

    assert other.seen == []


def test_a_source_that_is_off(world: SourceWorld) -> None:
    """T13: the inventory stays, the failure is noted; the copy can be applied again."""
    world.sync()
    before = world.chassis()

    assert refused(world, url="http://127.0.0.1:9").reason == "source-unreachable"

    assert world.chassis() == before


def test_the_token_is_nowhere(world: SourceWorld, caplog: pytest.LogCaptureFixture) -> None:
    """T18: database, copy, errors, representations."""
    world.sync()
    world.product.refuse = (500, "application/json", json.dumps({"x": TOKEN}).encode())
    error = refused(world)

    told = f"{error!r} {error} {world.room()!r} {caplog.text}"
    assert TOKEN not in told
    assert "SECRET" not in told
    for file in world.root.rglob("*"):
        if file.is_file() and file.name != "sot.token":
            assert b"SECRETsecret" not in file.read_bytes(), file


def test_ambiguous_mac_addresses_are_told(netbox: SourceWorld) -> None:
    port = next(
        each
        for each in netbox.product.lists["dcim/interfaces/"]
        if each["device"]["name"] == "edge-03"
    )
    netbox.product.lists["dcim/interfaces/"].append(
        {**port, "id": 9999, "name": "MgmtEth0/RP0/CPU0/1", "mac_address": "02:AA:00:00:01:03"}
    )

    synced = netbox.sync()

    assert "source-mac-ambiguous" in {fault.error.reason for fault in synced.faults}
    assert "edge-03" not in netbox.chassis()
    netbox.sync(mgmt_interface="^MgmtEth0/RP0/CPU0/0$")
    assert netbox.chassis()["edge-03"].cards[0].mac == "02:aa:00:00:00:03"


def test_a_mac_address_counts_that_is_not_the_primary_one(netbox: SourceWorld) -> None:
    ports = netbox.product.lists["dcim/interfaces/"]
    one, two = (
        next(each for each in ports if each["device"]["name"] == name)
        for name in ("edge-03", "edge-02")
    )
    for port in (one, two):
        port["mac_address"] = port["primary_mac_address"] = None
    two["mac_addresses"] = [*one["mac_addresses"], *two["mac_addresses"]]

    synced = netbox.sync()

    assert netbox.chassis()["edge-03"].cards[0].mac == "02:aa:00:00:00:03"
    faults = {fault.name: fault.error.reason for fault in synced.faults}
    assert faults["edge-02"] == "source-mac-ambiguous"


@pytest.mark.parametrize("key", [None, True, "", 1.5, -1, 1 << 63, 10**4299], ids=range(7))
def test_an_id_that_is_none_is_refused(world: SourceWorld, key: object) -> None:
    world.product.device("edge-02")["id"] = key
    world.product.before = lambda _path, query: query.pop("start", None)

    assert refused(world).reason == "source-not-json"
    assert world.chassis() == {}


def test_a_cursor_needs_numbers(netbox: SourceWorld) -> None:
    # As text, ids would be compared by their first digits.
    netbox.product.lists["dcim/modules/"][-1]["id"] = "999999"
    netbox.product.before = lambda _path, query: query.pop("start", None)

    assert refused(netbox).reason == "source-not-json"


def test_fields_of_netbox_4_7(netbox: SourceWorld) -> None:
    """T22: a selection field is an object."""
    device = netbox.product.device("edge-02")
    device["custom_fields"]["bootz_profile"] = {"value": "leaf", "label": "Leaf"}

    netbox.sync()

    assert netbox.chassis()["edge-02"].profile == "leaf"


def test_a_wanted_value_that_does_not_exist(nautobot: SourceWorld) -> None:
    nautobot.product.refuse = (
        400,
        "application/json",
        b'{"status": ["Select a valid choice. planned is not one of the available choices."]}',
    )

    error = refused(nautobot)

    assert error.reason == "source-filter-unknown"
    assert "planned is not one of" in error.detail


def test_software_that_differs_from_the_profiles_image_is_a_warning(
    nautobot: SourceWorld,
) -> None:
    from bootz.server.operations.profiles import ProfileRecord, set_profile

    with nautobot.database.write() as connection:
        image = {"name": "xr", "version": "7.11.1", "url": "http://a.example/xr"}
        record = ProfileRecord.from_document({"name": "edge", "image": image})
        set_profile(connection, "edge", record)

    synced = nautobot.sync()

    warned = [each for each in synced.warnings if each.error.reason == "source-image-differs"]
    assert {(each.error.expected, each.error.seen) for each in warned} == {("7.11.1", "24.3.1")}
    assert "edge-02" in nautobot.chassis()


def test_a_dry_run_writes_nothing(world: SourceWorld) -> None:
    """T3."""
    before = world.digest()

    synced = world.sync(SyncOrder(dry_run=True))

    assert synced.counts["add"] > 20
    assert world.digest() == before
    assert not (world.root / "sources" / "sot.json").exists()
