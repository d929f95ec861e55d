"""What a router would refuse in the stored server data is said before it gets them."""

from __future__ import annotations

import json

import pytest
from server.test_content import vendor_config
from world import World, manufacturer

from bootz.errors import ConfigError
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.vendors import VendorRecord, VendorSettings, set_vendor
from bootz.server.rendering.server_data import refused_by_router

CARDS = (CardRecord("RP0", slot="0"), CardRecord("RP1", slot="1"))
GOOD = "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/disk1/ta.cert\n"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"vendor_config": GOOD.replace("5000", "0")}, "vendor_config line 1"),
        ({"vendor_config": "hostname x\n" + GOOD.replace("1.1.1.1", "1.1.1")}, "line 2"),
        ({"dynamic_vendor_config": GOOD.replace("/misc/disk1/", "")}, "dynamic_vendor_config"),
        ({"vendor_config": "ztp bootz-server\n"}, "vendor_config line 1"),
        ({"vendor_config": "{{ variables.x }}\n" + GOOD.replace("5000", "70000")}, "line 2"),
        (
            {"vendor_config": '{"Cisco-IOS-XR-ztp-cfg:ztp": {"bootz-server": {"port": 1}}}'},
            "bootz-server/address",
        ),
        ({"ta_file": "ta.cert"}, "ta_file"),
        ({"ta_file": "/misc/../x"}, "ta_file"),
    ],
)
def test_it_is_refused_where_it_is_set(world: World, document: dict[str, str], place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        world.add_profile(**document)
    assert refused.value.reason == "config-ztp-server"
    assert place in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("1.1.1.1", "boot.example"),
        "ztp bootz-server ip {{ server.address }} port {{ server.port }}\n",
        "ztp bootz-server ip 1.1.1.1 port 5000 further words\n",
        '{"Cisco-IOS-XR-ztp-cfg:ztp": {"bootz-server": {"address": "{{ server.address }}"}}}',
        '{"Cisco-IOS-XR-ztp-cfg:ztp": {"bootz-server": {"address": "a", "port": 1, "action": 0}}}',
    ],
)
def test_what_may_hold_is_taken(world: World, text: str) -> None:
    world.add_profile(vendor_config=text)


def test_a_vendors_file_is_judged_too(world: World) -> None:
    settings = VendorSettings(ta_file="ta.cert")
    record = VendorRecord("Acme", idevid_ca=(manufacturer().ca,), settings=settings)
    with pytest.raises(ConfigError, match="ta_file"):
        world.write(set_vendor, "Acme", record)


def test_what_a_template_makes_of_it_is_said_at_render() -> None:
    assert refused_by_router(GOOD.encode(), b"") == ""
    assert "line 2" in refused_by_router(b"hostname x\n" + GOOD.replace("5000", "0").encode(), b"")
    assert "dynamic_vendor_config" in refused_by_router(b"", b"ztp bootz-server more")


def test_a_configuration_in_json_gets_the_data_in_json(world: World) -> None:
    name = {"Cisco-IOS-XR-shellutil-cfg:host-names": {"host-name": "core1"}}
    world.add_profile(vendor_config=json.dumps(name), ztp_server_line="on")
    world.add_chassis("CH1", modular=True, cards=CARDS, profile="base")
    assert json.loads(vendor_config(world, serial="RP0")) == {
        **name,
        "Cisco-IOS-XR-ztp-cfg:ztp": {
            "bootz-server": {
                "address": "192.0.2.1",
                "port": 15006,
                "trust-anchor": "/misc/disk1/ta.cert",
            }
        },
    }


def test_data_that_an_operator_wrote_in_json_are_left_alone(world: World) -> None:
    text = '{"Cisco-IOS-XR-ztp-cfg:ztp": {"bootz-server": {"address": "a", "port": 1}}}'
    world.add_profile(vendor_config=text, ztp_server_line="on")
    world.add_chassis("CH1", modular=True, cards=CARDS, profile="base")
    assert vendor_config(world, serial="RP0") == text
