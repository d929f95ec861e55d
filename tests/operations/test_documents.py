"""Documents of import and export: what is written is read again, what is foreign is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from store.world import maker, owner

from bootz.errors import BootzError, ConfigError
from bootz.model.chassis import (
    BootMode,
    CardKind,
    DynamicConfigPolicy,
    Release,
    VoucherDelivery,
)
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord, normal_chassis
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.images import ImageKind, ImageRecord
from bootz.server.operations.profile_document import Content, ProfileDocument
from bootz.server.operations.profiles import ProfileRecord
from bootz.server.operations.vendors import VendorRecord, VendorSettings

KEY = owner().key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda text: text == text.strip()
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
cards = st.builds(
    CardRecord,
    serial_number=names,
    part_number=st.just("") | names,
    slot=st.just("") | names,
    kind=st.sampled_from(CardKind),
    mac=st.sampled_from(["", "00:1b:44:11:3a:b7"]),
    client_id=st.sampled_from(["", "FX1", "00:46:4f"]),
    duid=st.sampled_from(["", "00:02:00:00:00:09:46:4f"]),
    tpm=st.builds(
        TpmRecord,
        version=st.sampled_from([None, TpmVersion.TPM20]),
        ek=st.sampled_from([None, KEY]),
        ppk=st.sampled_from([None, KEY]),
        key=st.sampled_from([None, KEY]),
        ek_certificate=st.sampled_from([None, owner().der]),
    ),
)
chassis = st.builds(
    ChassisRecord,
    vendor=names,
    serial_number=names,
    cards=st.lists(
        cards, min_size=1, max_size=3, unique_by=lambda c: c.serial_number.casefold()
    ).map(tuple),
    part_number=st.just("") | names,
    hostname=st.just("") | names,
    modular=st.just(True),
    boot_mode=st.sampled_from(BootMode),
    release=st.none() | st.sampled_from(Release),
    streaming=st.booleans(),
    skip_idevid_serial_check=st.booleans(),
    voucher_delivery=st.sampled_from(VoucherDelivery),
    dynamic_config=st.sampled_from(DynamicConfigPolicy),
    profile=st.none() | names,
    variables=st.dictionaries(st.text(), json_values, max_size=3),
    overrides=st.sampled_from(
        [Content(), Content.parse({"vendor_config": "", "boot_config": False})]
    ),
    dhcp=st.builds(
        DhcpSettings,
        ipv4=st.none() | st.just(IPv4Interface("10.0.0.12/24")),
        ipv6=st.none() | st.just(IPv6Interface("2001:db8::12/64")),
        gateway=st.none() | st.just(IPv4Address("10.0.0.1")),
        uris=st.sampled_from([(), ("bootz://h:1",)]),
    ),
)


@given(chassis)
def test_a_chassis_document_is_read_as_it_was_written(record: ChassisRecord) -> None:
    normal = normal_chassis(record)
    assert normal_chassis(ChassisRecord.from_document(normal.to_document())) == normal


def test_a_plain_chassis_is_a_short_document() -> None:
    normal = normal_chassis(ChassisRecord("Acme", "FX1", part_number="P"))
    document = {"vendor": "Acme", "serial_number": "FX1", "part_number": "P"}
    assert normal.to_document() == document
    assert normal_chassis(ChassisRecord.from_document(document)) == normal


def test_vendor_profile_and_image_documents_are_read_as_they_were_written() -> None:
    vendor = VendorRecord(
        "Acme",
        ("A",),
        "9",
        (maker().ca,),
        (owner().der,),
        (owner().der,),
        VendorSettings(ta_file="/x", voucher_source={"folder": "/vouchers"}),
    )
    assert VendorRecord.from_document(vendor.to_document()) == vendor
    document = ProfileDocument.parse(
        {"vendor_config": "x", "image": {"name": "a", "version": "1"}, "variables": {"a": [1]}}
    )
    profile = ProfileRecord("p", document, "d")
    assert ProfileRecord.from_document(profile.to_document()) == profile
    image = ImageRecord("a", "1", ImageKind.SMU, "f", 3, "0" * 64, datetime(2026, 1, 1, tzinfo=UTC))
    assert ImageRecord.from_document(image.to_document()) == image


@given(st.dictionaries(st.text(), json_values, max_size=5))
@pytest.mark.parametrize(
    "kind", [VendorRecord, ProfileRecord, ImageRecord, ChassisRecord, CardRecord]
)
def test_any_mapping_is_a_record_or_a_clear_error(kind: Any, document: dict[str, object]) -> None:
    for given_document in (
        document,
        {"name": "n", "vendor": "v", "serial_number": "s", **document},
    ):
        with suppress(ConfigError):
            assert isinstance(kind.from_document(given_document), kind)


@given(
    st.fixed_dictionaries(
        {},
        optional={name: json_values for name in ProfileDocument.model_fields},  # noqa: C420
    )
)
def test_any_document_is_content_or_a_clear_error(document: dict[str, object]) -> None:
    with suppress(ConfigError):
        content = ProfileDocument.parse(document)
        assert ProfileDocument.parse(content.to_json()) == content


@pytest.mark.parametrize(
    ("kind", "document", "told"),
    [
        (ChassisRecord, {"vendor": "v", "serial": "x"}, ["serial"]),
        (
            ChassisRecord,
            {"vendor": "v", "boot_mode": "SECURE?", "cards": [{}]},
            ["boot_mode", "cards.0"],
        ),
        (ChassisRecord, {"vendor": "v", "overrides": {"nonsense": 1}}, ["overrides.nonsense"]),
        (
            ChassisRecord,
            {"vendor": "v", "cards": [{"serial_number": "c", "tpm": {"ek": "!"}}]},
            ["base64"],
        ),
        (VendorRecord, {"name": "v"}, ["idevid_ca"]),
        (VendorRecord, {"name": "v", "idevid_ca": "no PEM"}, ["idevid_ca"]),
        (VendorRecord, {"name": "v", "idevid_ca": "", "settings": {"x": 1}}, ["settings.x"]),
        (ProfileRecord, {"name": 1}, ["name"]),
        (ProfileRecord, {"name": "p", "script": "echo"}, ["#!"]),
        (
            ProfileRecord,
            {"name": "p", "image": {"name": "i", "version": "1", "url": "http://i", "size": 3}},
            ["image.elsewhere.size"],
        ),
        (ProfileRecord, {"name": "p", "image": {"name": "i"}}, ["image.on record.version"]),
        (
            ProfileRecord,
            {
                "name": "p",
                "certz_profiles": [{"ssl_profile_id": "system_default_profile", "certz": {}}],
            },
            ["system_default_profile"],
        ),
        (
            ProfileRecord,
            {"name": "p", "certz_profiles": [{"ssl_profile_id": "a", "certz": {}}] * 2},
            ["twice"],
        ),
        (ImageRecord, {"name": "i", "size": "x"}, ["size", "version"]),
    ],
)
def test_every_wrong_key_is_named(kind: Any, document: dict[str, object], told: list[str]) -> None:
    with pytest.raises(BootzError) as caught:
        kind.from_document(document, where="row 7")
    assert all(word in str(caught.value) for word in told)
