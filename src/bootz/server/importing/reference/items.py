"""The Go reference's configuration as entries of an import.

Source: docs/protocol/reference-config.md#what-the-import-does.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from bootz.errors import ConfigError, TrustError
from bootz.model.bootstrap import BootConfig, BootstrapData, SoftwareImage
from bootz.model.identity import TpmKeyType
from bootz.server.importing.items import Item
from bootz.server.importing.reference.reading import REASON, Reference, check_certificate
from bootz.server.operations.vendors import VendorRecord
from bootz.trust.certificates import AnchorSet, pem_from_der, verify_chain
from bootz.wire.dialects import DIALECTS
from bootz.wire.reference import (
    ReferenceCard,
    ReferenceChassis,
    ReferenceConfig,
)

_SYNTAX: Final = re.compile(r"\{(?=[{%#])")
"""Where a text of the file would be taken for a template."""

_DIALECTS_NAMES: Final = frozenset(dialect.hash_algorithm for dialect in DIALECTS)
"""What each dialect calls SHA-256 by itself; a file has the name that its author's client read."""

Document = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class TakenImage:
    """A file that goes into the image store, in place of the URL of those that intend it.

    ``size`` in bytes; ``sha256`` 64 lower-case hex digits.
    """

    name: str
    version: str
    file_name: str
    size: int
    sha256: str

    def replaces(self, image: SoftwareImage) -> bool:
        """Tell whether an intended image is this one."""
        same_name = (self.name, self.version) == (image.name, image.version)
        return same_name and image.sha256 in {"", self.sha256}


def reference_items(
    reference: Reference,
    *,
    vendors: Sequence[VendorRecord],
    images: Sequence[TakenImage],
    now: datetime,
) -> tuple[Item, ...]:
    """Return the entries of an import that a configuration stands for.

    Args:
        reference: the configuration.
        vendors: those on record; what is new is added to them.
        images: files that are in the image store now.
        now: aware UTC.

    Raises:
        ConfigError: ``reference-config-invalid``.
    """
    config = reference.config
    items = [*_vendor_items(reference, vendors, now), *_image_items(images, now)]
    for number, chassis in enumerate(config.chassis):
        place = f"{reference.where} chassis[{number}]"
        items.append(Item("chassis", place, _chassis(chassis, images, place)))
        items.extend(
            Item(
                "vouchers",
                f"{place}.control_cards[{index}]",
                {
                    "vendor": chassis.manufacturer,
                    "serial_number": card.serial_number,
                    "voucher": base64.b64encode(card.ownership_voucher).decode(),
                },
            )
            for index, card in enumerate(chassis.cards)
            if card.ownership_voucher
        )
    return tuple(items)


def intended_image(reference: Reference, sha256: str, where: str) -> SoftwareImage:
    """Return the image of the configuration that a file with this content is.

    Raises:
        ConfigError: ``reference-image-unmatched``.
    """
    intended = {
        (image.name, image.version, image.sha256): image
        for chassis in reference.config.chassis
        if (image := chassis.data.image) is not None
    }
    for image in intended.values():
        if image.sha256 == sha256:
            return image
    unsaid = [image for image in intended.values() if not image.hash_text]
    if len(unsaid) == 1:
        return unsaid[0]
    raise ConfigError(
        "reference-image-unmatched",
        "no chassis in the configuration has an image with this SHA-256",
        where=where,
        expected=", ".join(sorted(key[2] for key in intended if key[2])) or "an intended image",
        seen=sha256,
    )


def _vendor_items(
    reference: Reference, vendors: Sequence[VendorRecord], now: datetime
) -> Iterator[Item]:
    known = {
        name.casefold(): record for record in vendors for name in (record.name, *record.aliases)
    }
    config = reference.config
    for number, der in enumerate(config.vendor_cas):
        check_certificate(der, f"{reference.where} vendor_ca_certs[{number}]")
    for name in dict.fromkeys(chassis.manufacturer for chassis in config.chassis):
        record = known.get(name.strip().casefold())
        document: Document = {"name": name} if record is None else record.to_document()
        own = () if record is None else record.idevid_ca
        cas = dict.fromkeys((*own, *_cas_of(name, config, now)))
        document["idevid_ca"] = pem_from_der(cas).decode("ascii") if cas else ""
        yield Item("vendors", f"{reference.where} vendor_ca_certs", document)


def _image_items(images: Sequence[TakenImage], now: datetime) -> Iterator[Item]:
    for image in images:
        document = {
            "name": image.name,
            "version": image.version,
            "file_name": image.file_name,
            "size": image.size,
            "sha256": image.sha256,
            "added_at": now.isoformat(),
        }
        yield Item("images", f"--image {image.file_name}", document)


def _cas_of(name: str, config: ReferenceConfig, now: datetime) -> Iterator[bytes]:
    """Return the CAs of a manufacturer: those that its cards lead to, and those of no cards."""
    for ca in config.vendor_cas:
        users = {
            chassis.manufacturer
            for chassis in config.chassis
            for card in chassis.cards
            if card.idevid and _leads_to(card.idevid, ca, config.vendor_cas, now)
        }
        if not users or name in users:
            yield ca


def _leads_to(idevid: bytes, ca: bytes, others: Sequence[bytes], now: datetime) -> bool:
    try:
        verify_chain(idevid, others, AnchorSet.from_der([ca]), now=now)
    except TrustError:
        return False
    return True


def _chassis(chassis: ReferenceChassis, images: Sequence[TakenImage], place: str) -> Document:
    document: Document = {"vendor": chassis.manufacturer}
    cards: list[JsonValue] = [_card(card) for card in chassis.cards]
    if len(chassis.cards) == 1:
        document["serial_number"] = chassis.cards[0].serial_number
    else:
        # The file knows no serial number of a chassis, only those of its cards.
        document["modular"] = True
    document["cards"] = cards
    document |= {
        "hostname": chassis.hostname,
        "boot_mode": chassis.boot_mode.value,
        "streaming": chassis.streaming,
        "skip_idevid_serial_check": chassis.skip_idevid_serial_check,
        "overrides": _overrides(chassis.data, images, place),
    }
    return document


def _card(card: ReferenceCard) -> Document:
    document: Document = {"serial_number": card.serial_number}
    if card.public_key:
        names = {TpmKeyType.EK: "ek", TpmKeyType.PPK: "ppk", TpmKeyType.UNSPECIFIED: "key"}
        key = base64.b64encode(card.public_key).decode()
        document["tpm"] = {names[card.public_key_type]: key}
    return document


def _overrides(data: BootstrapData, images: Sequence[TakenImage], place: str) -> Document:
    overrides: Document = {"boot_config": data.boot_config is not None}
    if data.image is not None and data.image != _NO_IMAGE:
        overrides |= _image(data.image, images, f"{place}.intended_image")
    if data.boot_password_hash:
        overrides["boot_password_hash"] = data.boot_password_hash
    if data.boot_config is not None:
        overrides |= _boot_config(data.boot_config, f"{place}.boot_config")
    for name in ("credentials", "pathz", "authz"):
        value = getattr(data, name)
        if value is not None:
            overrides[name] = _escaped(value)
    if data.certz_profiles is not None:
        overrides["certz_profiles"] = [
            {"ssl_profile_id": profile.ssl_profile_id, "certz": _escaped(profile.certz)}
            for profile in data.certz_profiles
        ]
    return overrides


_NO_IMAGE: Final = SoftwareImage("", "", "", "")


def _image(image: SoftwareImage, images: Sequence[TakenImage], where: str) -> Document:
    if image.hash_text and not image.sha256:
        raise ConfigError(
            REASON,
            "os_image_hash is not a SHA-256 in hex, the only hash that can be verified",
            where=where,
        )
    spelt: Document = {}
    if image.algorithm and image.algorithm not in _DIALECTS_NAMES:
        spelt["image_hash_algorithm"] = image.algorithm
    if ":" in image.hash_text:
        spelt["image_hash_format"] = "colon-hex"
    if any(taken.replaces(image) for taken in images):
        return {"image": {"name": image.name, "version": image.version}, **spelt}
    return {
        "image": {
            "name": image.name,
            "version": image.version,
            "url": image.url,
            "sha256": image.sha256,
        },
        **spelt,
    }


def _boot_config(config: BootConfig, where: str) -> Document:
    document: Document = {}
    for name in ("vendor_config", "oc_config", "dynamic_vendor_config", "dynamic_oc_config"):
        data: bytes = getattr(config, name)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise ConfigError(REASON, "is not UTF-8 text", where=f"{where}.{name}") from None
        if text:
            document[name] = _escape(text)
    for name in ("metadata", "bootloader_config"):
        if value := getattr(config, name):
            document[name] = _escaped(value)
    return document


def _escaped(value: object) -> JsonValue:
    """Return a JSON value whose texts mean themselves when they are taken for templates."""
    match value:
        case str():
            return _escape(value)
        case Mapping():
            return {str(name): _escaped(item) for name, item in value.items()}
        case list() | tuple():
            return [_escaped(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            raise TypeError("JSON has no such value")


def _escape(text: str) -> str:
    return _SYNTAX.sub('{{ "{" }}', text)
