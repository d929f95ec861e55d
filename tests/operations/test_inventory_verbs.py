"""Vendors, profiles, images and chassis: what is refused, and that nothing half is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection
from store.world import maker, owner

from bootz.errors import BootzError
from bootz.model.chassis import BootMode, CardKind, Release
from bootz.model.identity import TpmRecord
from bootz.server.operations.chassis import (
    CardRecord,
    ChassisRecord,
    add_all_chassis,
    add_chassis,
    find_chassis,
    list_chassis,
    remove_chassis,
    set_chassis,
)
from bootz.server.operations.chassis_placement import place_chassis
from bootz.server.operations.images import (
    ImageKind,
    ImageRecord,
    add_image,
    find_file,
    find_image,
    list_images,
    remove_image,
)
from bootz.server.operations.profile_document import Content, ProfileDocument
from bootz.server.operations.profiles import (
    ProfileRecord,
    add_profile,
    find_profile,
    list_profiles,
    remove_profile,
    set_profile,
)
from bootz.server.operations.vendors import (
    VendorRecord,
    VendorSettings,
    add_vendor,
    find_vendor,
    list_vendors,
    remove_vendor,
    set_vendor,
)
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.store.revision import read_revision

NOW = datetime(2026, 1, 2, tzinfo=UTC)
IMAGE = ImageRecord("xr", "1", ImageKind.IMAGE, "xr.iso", 5, "0" * 64, NOW)
SECRET = "s3cret-value"


def refused(connection: Connection, act: Callable[[], object]) -> BootzError:
    """Run what must fail, and show that it wrote nothing."""
    before = read_revision(connection)
    with pytest.raises(BootzError) as caught:
        act()
    assert read_revision(connection) == before
    return caught.value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "vendor-invalid"),
        ({"name": "x" * 129}, "vendor-invalid"),
        ({"name": "a\nb"}, "vendor-invalid"),
        ({"name": "ACME "}, "vendor-exists"),
        ({"aliases": ("acme",)}, "vendor-exists"),
        ({"aliases": ("new",)}, "vendor-invalid"),
        ({"aliases": tuple(f"a{n}" for n in range(17))}, "vendor-invalid"),
        ({"ien": "9x"}, "vendor-invalid"),
        ({"idevid_ca": ()}, "vendor-invalid"),
        ({"voucher_ca": (b"no certificate",)}, "vendor-invalid"),
        ({"idevid_ca": (owner().der,) * 65}, "vendor-invalid"),
    ],
)
def test_a_vendor_that_does_not_fit(
    connection: Connection, changes: dict[str, Any], reason: str
) -> None:
    record = replace(VendorRecord("New", idevid_ca=(maker().ca,)), **changes)
    assert refused(connection, lambda: add_vendor(connection, record)).reason == reason


def test_a_vendor_lives_and_goes(connection: Connection) -> None:
    record = VendorRecord(
        "New",
        ("Newer",),
        "9",
        (maker().ca,),
        (owner().der,),
        (maker("Other").ca,),
        VendorSettings(ztp_server_line="on"),
    )
    assert add_vendor(connection, record) == record
    assert find_vendor(connection, " nEwEr") == record
    renamed = replace(record, name="Newest", aliases=())
    assert set_vendor(connection, "new", renamed) == renamed
    assert [vendor.name for vendor in list_vendors(connection)] == ["Acme", "Newest"]
    assert len(find_vendor(connection, "newest").to_vendor().voucher_anchors.certificates) == 1
    remove_vendor(connection, "NEWEST")
    gone = refused(connection, lambda: find_vendor(connection, "Newest"))
    assert gone.reason == "vendor-not-found"


def test_a_vendor_in_use_stays(connection: Connection) -> None:
    add_chassis(connection, ChassisRecord("Acme", "A"))
    assert refused(connection, lambda: remove_vendor(connection, "Acme")).reason == "vendor-in-use"
    remove_chassis(connection, "A")
    raw = maker().voucher("A", owner().der)
    store_voucher(
        connection, raw, pinned_domain_cert=owner().der, now=datetime.now(UTC), vendor="Acme"
    )
    assert refused(connection, lambda: remove_vendor(connection, "Acme")).reason == "vendor-in-use"


@pytest.mark.parametrize(
    "changes",
    [
        {"file_name": "../x"},
        {"file_name": ""},
        {"file_name": "x\\y"},
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"name": ""},
        {"version": "\x00"},
        {"size": -1},
    ],
)
def test_an_image_that_does_not_fit(connection: Connection, changes: dict[str, Any]) -> None:
    record = replace(IMAGE, **changes)
    assert refused(connection, lambda: add_image(connection, record)).reason == "image-invalid"


def test_an_image_in_use_stays_and_who_uses_it_is_told(connection: Connection) -> None:
    assert add_image(connection, IMAGE) == IMAGE
    assert refused(connection, lambda: add_image(connection, IMAGE)).reason == "image-exists"
    add_image(connection, replace(IMAGE, kind=ImageKind.SMU))
    ref = {"name": "xr", "version": "1"}
    add_profile(connection, ProfileRecord("p", ProfileDocument.parse({"image": ref})))
    own = Content.parse({"smus": [ref]})
    add_chassis(connection, ChassisRecord("Acme", "A", profile="p", overrides=own))
    for kind, user in ((ImageKind.IMAGE, "profile p"), (ImageKind.SMU, "chassis A")):
        error = refused(connection, lambda kind=kind: remove_image(connection, kind, "xr", "1"))
        assert (error.reason, user in error.detail) == ("image-in-use", True)
    set_profile(connection, "P", ProfileRecord("p", ProfileDocument()))
    remove_chassis(connection, "A")
    for kind in (ImageKind.IMAGE, ImageKind.SMU):
        remove_image(connection, kind, "xr", "1")
    assert list_images(connection) == ()
    missing = refused(connection, lambda: find_image(connection, ImageKind.SMU, "xr", "1"))
    assert missing.reason == "image-not-found"


def test_only_the_recorded_name_of_a_file_is_served(connection: Connection) -> None:
    add_image(connection, IMAGE)
    assert find_file(connection, "0" * 64, "xr.iso") == IMAGE
    assert find_file(connection, "0" * 64, "other.iso") is None
    assert find_file(connection, "1" * 64, "xr.iso") is None


def test_a_profile_lives_and_goes(connection: Connection) -> None:
    record = ProfileRecord("Edge", ProfileDocument.parse({"vendor_config": "x"}), "a line")
    assert add_profile(connection, record) == record
    assert refused(connection, lambda: add_profile(connection, record)).reason == "profile-exists"
    add_profile(connection, replace(record, name="Core"))
    taken = refused(connection, lambda: set_profile(connection, "core", record))
    assert taken.reason == "profile-exists"
    add_chassis(connection, ChassisRecord("Acme", "A", profile="edge"))
    used = refused(connection, lambda: remove_profile(connection, "EDGE"))
    assert used.reason == "profile-in-use"
    remove_profile(connection, "core")
    assert [profile.name for profile in list_profiles(connection)] == ["Edge"]
    gone = refused(connection, lambda: find_profile(connection, "core"))
    assert gone.reason == "profile-not-found"


@pytest.mark.parametrize(
    ("name", "description", "document", "reason"),
    [
        ("", "", {}, "profile-invalid"),
        ("p", "two\nlines", {}, "profile-invalid"),
        ("p", "", {"image": {"name": "no", "version": "1"}}, "image-not-found"),
        ("p", "", {"patches": [{"name": "no", "version": "1"}]}, "image-not-found"),
    ],
)
def test_a_profile_that_does_not_fit(
    connection: Connection, name: str, description: str, document: dict[str, object], reason: str
) -> None:
    record = ProfileRecord(name, ProfileDocument.parse(document), description)
    assert refused(connection, lambda: add_profile(connection, record)).reason == reason


def fixed(serial: str = "A", **changes: Any) -> ChassisRecord:
    return replace(ChassisRecord("Acme", serial), **changes)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (fixed(""), "chassis-invalid"),
        (fixed("x" * 65), "chassis-invalid"),
        (fixed("a\x00"), "chassis-invalid"),
        (fixed("a\ud800"), "chassis-invalid"),
        (fixed(cards=(CardRecord("B"),)), "chassis-invalid"),
        (fixed(cards=(CardRecord("A"), CardRecord("B"))), "chassis-invalid"),
        (fixed(modular=True), "chassis-invalid"),
        (fixed(modular=True, cards=(CardRecord(""),)), "chassis-invalid"),
        (fixed(modular=True, cards=(CardRecord("B"), CardRecord("b "))), "chassis-invalid"),
        (
            fixed(modular=True, cards=tuple(CardRecord(f"C{n}") for n in range(257))),
            "chassis-invalid",
        ),
        (fixed(cards=(CardRecord("A", mac="nonsense"),)), "chassis-invalid"),
        (fixed(cards=(CardRecord("A", duid="nonsense"),)), "chassis-invalid"),
        (fixed(cards=(CardRecord("A", duid="00:" * 140 + "00"),)), "chassis-invalid"),
        (fixed(cards=(CardRecord("A", client_id="bücher"),)), "chassis-invalid"),
        (
            fixed(cards=(CardRecord("A", tpm=TpmRecord(ek=b"x")),)),
            "chassis-invalid",
        ),
        (fixed(cards=(CardRecord("A", tpm=TpmRecord(ppk=b"\x30\x00")),)), "chassis-invalid"),
        (fixed(cards=(CardRecord("A", tpm=TpmRecord(ek_certificate=b"x")),)), "chassis-invalid"),
        (fixed(hostname="h" * 256), "chassis-invalid"),
        (fixed(vendor="Nobody"), "vendor-not-found"),
        (fixed(profile="none"), "profile-not-found"),
        (
            fixed(overrides=Content.parse({"image": {"name": "n", "version": "1"}})),
            "image-not-found",
        ),
        (fixed("taken"), "serial-taken"),
        (fixed("LC9"), "serial-taken"),
        (fixed(modular=True, cards=(CardRecord("lc9"),)), "serial-taken"),
    ],
)
def test_a_chassis_that_does_not_fit(
    connection: Connection, record: ChassisRecord, reason: str
) -> None:
    add_all_chassis(
        connection,
        [fixed("TAKEN"), fixed("CH", modular=True, cards=(CardRecord("LC9"),))],
    )
    good = fixed("GOOD")
    assert refused(connection, lambda: add_all_chassis(connection, [good, record])).reason == reason
    assert len(list(list_chassis(connection))) == 2


def test_every_fault_of_many_is_named_by_its_index(connection: Connection) -> None:
    add_chassis(connection, fixed("TAKEN"))
    records = [fixed("A"), fixed("taken"), fixed("B", vendor="?"), fixed("a"), fixed("C")]
    faults = [(index, error.reason) for index, error in place_chassis(connection, records).faults]
    assert faults == [(1, "serial-taken"), (2, "vendor-not-found"), (3, "serial-taken")]


def test_a_chassis_lives_and_goes(connection: Connection) -> None:
    add_vendor(connection, maker("Other").vendor)
    add_profile(connection, ProfileRecord("Edge", ProfileDocument()))
    record = fixed(
        " FX1 ",
        vendor="acme",
        profile="EDGE",
        hostname="r1",
        boot_mode=BootMode.INSECURE,
        release=Release.V0_3,
        variables={"site": "ams"},
        cards=(CardRecord("FX1", mac="00-1B-44-11-3A-B7"),),
    )
    added = add_chassis(connection, record)
    assert (added.vendor, added.profile, added.serial_number) == ("Acme", "Edge", "FX1")
    assert added.cards[0].mac == "00:1b:44:11:3a:b7"
    assert find_chassis(connection, "fx1") == added
    modular = ChassisRecord(
        "Acme",
        "",
        modular=True,
        cards=(CardRecord("RP0", slot="0"), CardRecord("FX1-LC", kind=CardKind.LINE)),
    )
    changed = set_chassis(connection, "FX1", modular)
    assert (changed.key, changed.url_tag) == (added.key, added.url_tag)
    assert changed.revision > added.revision
    assert find_chassis(connection, "rp0", "Acme") == changed
    # The number that was given up is free again.
    add_chassis(connection, fixed("FX1"))
    add_chassis(connection, fixed("FX1", vendor="Other"))
    double = refused(connection, lambda: find_chassis(connection, "FX1"))
    assert double.reason == "chassis-name-ambiguous"
    assert find_chassis(connection, "FX1", "other").vendor == "Other"
    first = remove_chassis(connection, "FX1", "Acme")
    again = add_chassis(connection, fixed("FX1"))
    assert (again.key != first.key, again.url_tag != first.url_tag) == (True, True)
    gone = refused(connection, lambda: remove_chassis(connection, "NONE"))
    assert gone.reason == "chassis-not-found"


def test_many_chassis_are_listed_in_order_and_once(connection: Connection) -> None:
    add_all_chassis(connection, [fixed(f"S{number:05}") for number in range(1203)])
    serials = [chassis.serial_number for chassis in list_chassis(connection)]
    assert serials == [f"S{number:05}" for number in range(1203)]


def test_every_change_raises_the_revision(connection: Connection) -> None:
    seen = [read_revision(connection)]
    for act in (
        lambda: add_image(connection, IMAGE),
        lambda: add_profile(connection, ProfileRecord("p", ProfileDocument())),
        lambda: set_profile(connection, "p", ProfileRecord("p", ProfileDocument())),
        lambda: add_chassis(connection, fixed()),
        lambda: set_chassis(connection, "A", fixed(hostname="x")),
        lambda: remove_chassis(connection, "A"),
        lambda: remove_profile(connection, "p"),
        lambda: remove_image(connection, ImageKind.IMAGE, "xr", "1"),
        lambda: set_vendor(connection, "Acme", maker().vendor),
        lambda: remove_vendor(connection, "Acme"),
    ):
        act()
        seen.append(read_revision(connection))
    assert [later.latest - before.latest for before, later in pairwise(seen)] == ([1] * 10)
    shared = [later.shared > before.shared for before, later in pairwise(seen)]
    assert shared == [True] * 3 + [False] * 3 + [True] * 4


def test_secrets_stay_out_of_errors_and_reprs(connection: Connection) -> None:
    document = {"boot_password_hash": SECRET, "vendor_config": SECRET, "variables": {"v": SECRET}}
    profile = ProfileRecord("p", ProfileDocument.parse(document))
    chassis = fixed(variables={"k": SECRET}, overrides=Content.parse({"authz": {"a": SECRET}}))
    assert SECRET not in repr((profile, profile.document, chassis, chassis.overrides))
    for wrong in ({"boot_password_hash": [SECRET]}, {"script": SECRET}, {"image": SECRET}):
        with pytest.raises(BootzError) as caught:
            Content.parse(wrong)
        assert SECRET not in repr(caught.value) + str(caught.value)
