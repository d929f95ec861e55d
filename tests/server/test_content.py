"""What a card gets from what is on record, in each dialect; and that nothing stale is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from world import World, manufacturer

from bootz.cli.site.image_target import image_target
from bootz.errors import BootzError, ConfigError, PolicyError
from bootz.model.bootstrap import BootstrapData
from bootz.model.chassis import DynamicConfigPolicy
from bootz.server.operations.chassis import set_chassis
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
from bootz.server.operations.images import ImageKind, ImageRecord, add_image
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, set_profile
from bootz.server.operations.vendors import VendorRecord, VendorSettings, set_vendor
from bootz.server.rendering.reached import Reached
from bootz.server.rendering.renderer import SiteRenderer
from bootz.server.site import utc_now
from bootz.server.store.inventory import SqlInventory
from bootz.wire.answers import decode_bootstrap_data
from bootz.wire.dialects import CURRENT, DIALECTS, NOVEMBER_2023, V0_1_0, V0_3, Dialect

DIGEST = "ab" * 32
REACHED = Reached(image_target, image_port=8080)
ANCHOR = manufacturer().ca
CARDS = (CardRecord("RP0", slot="0"), CardRecord("RP1", slot="1"))


class Asked:
    """A renderer over a world's inventory, and how often it looked."""

    def __init__(self, world: World) -> None:
        self._database = world.site.database()
        self._inventory = SqlInventory(self._database)
        self.renderer = SiteRenderer(self._intent, REACHED)
        self.looked = 0

    async def _intent(self, key: int) -> Any:
        self.looked += 1
        return await self._inventory.intent(key)

    async def card(
        self,
        serial: str = "FX1",
        dialect: Dialect = CURRENT,
        *,
        serials: Sequence[str] = (),
        at: tuple[str, int] = ("192.0.2.1", 15006),
        anchor: bytes = ANCHOR,
    ) -> BootstrapData:
        (chassis,) = await self._inventory.chassis_of_serial(serial)
        body = await self.renderer.body(
            chassis, serials or [serial], dialect, trust_anchor=anchor, reached_at=at
        )
        return decode_bootstrap_data(body, dialect).responses[0]

    async def close(self) -> None:
        await self._inventory.close()
        self._database.close()


def asked(world: World, **question: Any) -> BootstrapData:
    async def ask() -> BootstrapData:
        opened = Asked(world)
        try:
            return await opened.card(**question)
        finally:
            await opened.close()

    return asyncio.run(ask())


def image(world: World, kind: ImageKind = ImageKind.IMAGE, name: str = "os") -> None:
    record = ImageRecord(name, "2", kind, f"{name} 2.iso", 7, DIGEST, utc_now())
    world.write(add_image, record)


def vendor_config(world: World, **question: Any) -> str:
    boot = asked(world, **question).boot_config
    assert boot is not None
    return boot.vendor_config.decode()


def test_nothing_wanted_is_an_empty_configuration_and_no_image(world: World) -> None:
    world.add_chassis()
    data = asked(world)
    assert data.boot_config is not None
    assert not data.boot_config.vendor_config
    assert data.image is None
    assert data.certz_profiles is None
    assert data.server_trust_cert == ANCHOR


def test_no_boot_config_is_left_out_altogether(world: World) -> None:
    world.add_profile(boot_config=False, vendor_config="hostname x\n")
    world.add_chassis(profile="base")
    assert asked(world).boot_config is None


def test_templates_can_name_everything_that_is_on_record(world: World) -> None:
    image(world)
    image(world, ImageKind.SMU, "smu")
    image(world, ImageKind.PATCH, "patch")
    ref = {"name": "os", "version": "2"}
    world.add_profile(
        image=ref,
        smus=[{"name": "smu", "version": "2"}],
        patches=[{"name": "patch", "version": "2"}],
        variables={"site": "ams", "rack": 1},
        vendor_config=(
            "{{ chassis.manufacturer }} {{ chassis.serial_number }} {{ chassis.part_number }}"
            " {{ chassis.hostname }} {{ card.serial_number }} {{ vendor.name }} {{ vendor.ien }}"
            " {{ variables.site }} {{ variables.rack }} {{ image.sha256 }} {{ image.size }}"
            "{% for each in smus + patches %} {{ each.kind }} {{ each.url }}{% endfor %}"
            " {{ server.address }} {{ server.port }} {{ dialect }}"
        ),
    )
    world.add_chassis(profile="base", hostname="r1", part_number="P", variables={"rack": 2})
    words = vendor_config(world, serial="fx1").split()
    assert words[:9] == ["Acme", "FX1", "P", "r1", "FX1", "Acme", "ams", "2", DIGEST]
    assert words[9:11] == ["7", "smu"]
    assert words[11].startswith(f"http://192.0.2.1:8080/images/{DIGEST}/smu%202.iso?c=")
    assert words[12] == "patch"
    assert words[14:] == ["192.0.2.1", "15006", "current"]


def test_image_urls_lead_to_the_address_that_the_router_reached(world: World) -> None:
    image(world)
    world.add_profile(image={"name": "os", "version": "2"})
    tag = world.add_chassis(profile="base").url_tag
    path = f"/images/{DIGEST}/os%202.iso?c={tag}"

    async def story() -> None:
        opened = Asked(world)
        for address, base in (
            ("192.0.2.1", "http://192.0.2.1:8080"),
            ("2001:db8::1", "http://[2001:db8::1]:8080"),
            ("fe80::1%eth0", "http://[fe80::1]:8080"),
        ):
            data = await opened.card(at=(address, 1))
            assert data.image is not None
            assert data.image.url == base + path
        opened.renderer.reached = Reached(image_target, base_url="https://depot.example/x")
        data = await opened.card()
        assert data.image is not None
        assert data.image.url == "https://depot.example/x" + path
        opened.renderer.reached = Reached(image_target)
        with pytest.raises(ConfigError) as caught:
            await opened.card()
        assert caught.value.reason == "image-url-unknown"
        await opened.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("settings", "dialect", "algorithm", "spelt"),
    [
        ({}, CURRENT, "ietf-sztp-conveyed-info:sha-256", DIGEST),
        ({}, V0_1_0, "SHA256", DIGEST),
        ({"image_hash_algorithm": "SHA256"}, CURRENT, "SHA256", DIGEST),
        ({"image_hash_format": "colon-hex"}, V0_3, "SHA256", ":".join(["ab"] * 32)),
    ],
)
def test_an_image_hash_is_spelt_as_the_platform_wants_it(
    world: World, settings: dict[str, object], dialect: Dialect, algorithm: str, spelt: str
) -> None:
    world.add_profile(
        image={"name": "os", "version": "2", "url": "http://x/os", "sha256": DIGEST}, **settings
    )
    world.add_chassis(profile="base")
    own = asked(world, dialect=dialect)
    assert own.image is not None
    assert (own.image.algorithm, own.image.hash_text) == (algorithm, spelt)
    assert own.image.url == "http://x/os"


LINE = "ztp bootz-server ip 192.0.2.1 port 15006 trust-anchor /misc/disk1/ta.cert\n"


@pytest.mark.parametrize(
    ("vendor", "settings", "config", "expected"),
    [
        ("Cisco Systems", {}, "hostname x", "hostname x\n" + LINE),
        ("Bootz Labs", {}, "", LINE),
        ("Other", {}, "hostname x\n", "hostname x\n"),
        ("Other", {"ztp_server_line": "on"}, "", LINE),
        ("Cisco", {"ztp_server_line": "off"}, "", ""),
        ("Cisco", {"ta_file": "/disk0:/a"}, "", LINE.replace("/misc/disk1/ta.cert", "/disk0:/a")),
        (
            "Cisco",
            {},
            " ztp  bootz-server ip 1.1.1.1 port 1\n",
            " ztp  bootz-server ip 1.1.1.1 port 1\n",
        ),
        ("Cisco", {}, "! ztp bootz-server is not set\n", "! ztp bootz-server is not set\n" + LINE),
    ],
)
def test_a_modular_chassis_is_told_where_later_cards_find_the_server(
    world: World, vendor: str, settings: dict[str, object], config: str, expected: str
) -> None:
    world.write(set_vendor, "Acme", VendorRecord(vendor, idevid_ca=(manufacturer().ca,)))
    world.add_profile(vendor_config=config, **settings)
    world.add_chassis("CH1", vendor, modular=True, cards=CARDS, profile="base")
    world.add_chassis("FX1", vendor, profile="base")
    assert vendor_config(world, serial="RP0") == expected
    assert vendor_config(world, serial="FX1") == config


def test_the_advertised_address_stands_in_the_server_line(world: World) -> None:
    world.add_profile(ztp_server_line="on")
    world.add_chassis("CH1", modular=True, cards=CARDS, profile="base")

    async def story() -> None:
        opened = Asked(world)
        opened.renderer.reached = Reached(image_target, advertised=("boot.example", "2001:db8::5"))
        boot = (await opened.card("RP0")).boot_config
        assert boot is not None
        assert b"ip 2001:db8::5 port 15006" in boot.vendor_config
        await opened.close()

    asyncio.run(story())


def test_the_vendor_says_how_its_devices_want_it_and_the_chassis_may_differ(world: World) -> None:
    world.write(
        set_vendor,
        "Acme",
        VendorRecord(
            "Acme",
            idevid_ca=(manufacturer().ca,),
            settings=VendorSettings(ztp_server_line="on", ta_file="/v"),
        ),
    )
    world.add_chassis("CH1", modular=True, cards=CARDS)
    assert "/v" in vendor_config(world, serial="RP0")
    overridden = ProfileDocument.parse({"ta_file": "/c"})
    record = ChassisRecord("Acme", "CH1", modular=True, cards=CARDS, overrides=overridden)
    world.write(set_chassis, "CH1", record)
    assert "/c" in vendor_config(world, serial="RP0")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_dynamic_configuration_is_merged_for_releases_that_do_not_know_it(
    world: World, dialect: Dialect
) -> None:
    world.add_profile(vendor_config="a", dynamic_vendor_config="b\n", dynamic_oc_config={"x": 1})
    world.add_chassis(profile="base")
    world.add_chassis("FX2", profile="base", dynamic_config=DynamicConfigPolicy.REFUSE)
    boot = asked(world, dialect=dialect).boot_config
    assert boot is not None
    if dialect is CURRENT:
        assert (boot.vendor_config, boot.dynamic_vendor_config) == (b"a", b"b\n")
        asked(world, serial="FX2", dialect=dialect)
        return
    assert (boot.vendor_config, boot.oc_config) == (b"a\nb\n", b'{"x":1}')
    with pytest.raises(PolicyError) as caught:
        asked(world, serial="FX2", dialect=dialect)
    assert caught.value.reason == "dynamic-config-refused"


def test_a_script_goes_where_routers_look_for_it(world: World) -> None:
    world.add_profile(script="#!/bin/sh\n# {{ card.serial_number }}\n", metadata={"k": "v"})
    world.add_chassis(profile="base")
    boot = asked(world).boot_config
    assert boot is not None
    assert boot.metadata == {"k": "v", "pre-configuration-script": "#!/bin/sh\n# FX1\n"}


@pytest.mark.parametrize(
    "document",
    [
        {"script": "#!{{ '' }}", "metadata": {"pre-configuration-script": "#!/x"}},
        {"credentials": "- a"},
        {"certz_profiles": [{"ssl_profile_id": "a", "certz": "{{ nothing }}"}]},
    ],
)
def test_what_does_not_fit_is_an_error_that_names_the_key(
    world: World, document: dict[str, object]
) -> None:
    world.add_profile(**document)
    world.add_chassis(profile="base")
    with pytest.raises(BootzError) as caught:
        asked(world)
    assert caught.value.where.split(".")[0].split(" ")[0] in {"metadata", *document}


@pytest.mark.parametrize("dialect", [V0_1_0, NOVEMBER_2023])
def test_a_dialect_with_room_for_one_certz_profile_gets_the_primary(
    world: World, dialect: Dialect
) -> None:
    entity = {"entities": [{"version": "{{ card.serial_number }}"}]}
    world.add_profile(
        certz_profiles=[
            {"ssl_profile_id": "a", "certz": {}},
            {"ssl_profile_id": "b", "certz": entity, "primary": True},
        ]
    )
    world.add_chassis(profile="base")
    profiles = asked(world, dialect=dialect).certz_profiles
    assert profiles is not None
    assert [each.certz for each in profiles] == [{"entities": [{"version": "FX1"}]}]


def test_a_result_is_kept_until_anything_that_decides_it_changes(world: World) -> None:
    world.add_profile(vendor_config="{{ chassis.hostname }} {{ server.address }}")
    world.add_chassis(profile="base", hostname="r1")

    async def story() -> None:
        opened = Asked(world)

        async def config(**question: Any) -> str:
            boot = (await opened.card(**question)).boot_config
            assert boot is not None
            return boot.vendor_config.decode()

        assert await config() == "r1 192.0.2.1"
        assert await config() == "r1 192.0.2.1"
        assert opened.looked == 1
        world.write(set_chassis, "FX1", ChassisRecord("Acme", "FX1", hostname="r2", profile="base"))
        assert await config() == "r2 192.0.2.1"
        changed = ProfileDocument.parse({"vendor_config": "{{ server.address }} new"})
        world.write(set_profile, "base", ProfileRecord("base", changed))
        assert await config() == "192.0.2.1 new"
        assert await config(at=("192.0.2.9", 1)) == "192.0.2.9 new"
        assert opened.looked == 4
        await config(anchor=manufacturer("Beta").ca)
        await config(dialect=V0_1_0)
        opened.renderer.reached = Reached(image_target)
        await config()
        assert opened.looked == 7
        # Another chassis's change is none of this one's.
        world.add_chassis("FX2")
        await config()
        assert opened.looked == 7
        await opened.close()

    asyncio.run(story())
