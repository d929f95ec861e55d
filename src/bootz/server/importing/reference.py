"""The Go reference's configuration as keys and entries of an import.

Private keys go to the key store and nowhere else; those of IDevIDs, which only the reference's
own client needs, are dropped. Source: docs/protocol/reference-config.md#what-the-import-does.
"""

import base64
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pydantic import JsonValue

from bootz.config.values import parse_endpoint
from bootz.errors import ConfigError, TrustError, WireError
from bootz.keystore.files import PrivateKey
from bootz.model.bootstrap import BootConfig, BootstrapData, SoftwareImage
from bootz.model.identity import TpmKeyType
from bootz.server.importing.files import read_text
from bootz.server.importing.items import Item
from bootz.server.keys.brought import Brought, BroughtKeys
from bootz.server.operations.vendors import VendorRecord
from bootz.trust.certificates import AnchorSet, load_certificate, pem_from_der, verify_chain
from bootz.trust.keys import is_strong
from bootz.trust.voucher import parse_unverified_voucher
from bootz.wire.dialects import DIALECTS
from bootz.wire.reference import (
    MAX_CONFIG_BYTES,
    ReferenceCard,
    ReferenceChassis,
    ReferenceConfig,
    ReferencePair,
    parse_reference_config,
)

REASON: Final = "reference-config-invalid"

_SYNTAX: Final = re.compile(r"\{(?=[{%#])")
"""Where a text of the file would be taken for a template."""

_PORT: Final = "15006"
"""Where the reference listens unless it is told otherwise."""

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


@dataclass(frozen=True, slots=True)
class Reference:
    """A configuration that was read: ``keys`` to use, and where its server listened.

    ``pinned_domain_cert`` is DER: the certificate that all vouchers pin, None without vouchers.
    """

    where: str
    config: ReferenceConfig = field(repr=False)
    keys: BroughtKeys = field(repr=False)
    pinned_domain_cert: bytes | None = field(repr=False)
    listen: str | None


def read_reference(path: Path) -> Reference:
    """Read a file.

    Raises:
        ConfigError: ``reference-config-invalid``; names line or field, never a value.
        Unavailable: it cannot be read.
    """
    where = str(path)
    text = read_text(path, MAX_CONFIG_BYTES)
    try:
        config = parse_reference_config(text)
    except WireError as error:
        raise ConfigError(REASON, error.detail, where=f"{where} {error.where}".strip()) from None
    pinned = _pinned(config, where)
    return Reference(
        where=where,
        config=config,
        keys=BroughtKeys(
            pinned_domain=None if pinned is None else Brought((pinned,)),
            owner=_brought(config.owner_certificate, f"{where} owner_certificate"),
            trust_anchor=_brought(config.trust_anchor, f"{where} trust_anchor"),
        ),
        pinned_domain_cert=pinned,
        listen=_listen(config, where),
    )


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
        _check_certificate(der, f"{reference.where} vendor_ca_certs[{number}]")
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


def _listen(config: ReferenceConfig, where: str) -> str | None:
    """Return where the server listened: the address has its port in it up to v0.7.1, not later.

    Raises:
        ConfigError: not an address and a port, or two ports.
    """
    address, port = config.server_address.strip(), config.server_port.strip()
    if not address and not port:
        return None
    host = address
    if not _is_address(address.strip("[]")):
        before, colon, inside = address.rpartition(":")
        if colon:
            host = before
            if port not in ("", inside):
                raise ConfigError(
                    REASON,
                    "the address has another port in it than server_port",
                    where=f"{where} server_address",
                    expected=port,
                    seen=inside,
                )
            port = inside
    # Without an address, Go listens on all of them.
    host = host.strip("[]") or "0.0.0.0"  # noqa: S104 -- what the file says
    shown = f"[{host}]" if ":" in host else host
    try:
        parse_endpoint(f"{shown}:{port or _PORT}")
    except ValueError as error:
        raise ConfigError(
            REASON, str(error), where=f"{where} server_address", expected="ADDRESS or ADDRESS:PORT"
        ) from error
    return f"{shown}:{port or _PORT}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _pinned(config: ReferenceConfig, where: str) -> bytes | None:
    """Return the certificate that all vouchers pin.

    Raises:
        ConfigError: a voucher cannot be read, or they pin different ones.
    """
    pinned: bytes | None = None
    for number, chassis in enumerate(config.chassis):
        for index, card in enumerate(chassis.cards):
            if not card.ownership_voucher:
                continue
            place = f"{where} chassis[{number}].control_cards[{index}].ownership_voucher"
            try:
                found = parse_unverified_voucher(card.ownership_voucher).pinned_domain_cert
            except TrustError as error:
                raise ConfigError(REASON, error.detail, where=place) from error
            if pinned is not None and found != pinned:
                raise ConfigError(
                    REASON, "pins a different certificate than the vouchers before it", where=place
                )
            pinned = found
    return pinned


def _brought(pair: ReferencePair | None, where: str) -> Brought | None:
    if pair is None:
        return None
    _check_certificate(pair.certificate, f"{where}.cert")
    return Brought((pair.certificate,), _private_key(pair.key, f"{where}.key"))


def _check_certificate(der: bytes, where: str) -> None:
    try:
        load_certificate(der)
    except TrustError as error:
        raise ConfigError(REASON, error.detail, where=where) from error


def _private_key(der: bytes, where: str) -> PrivateKey:
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(REASON, "is not an unencrypted PKCS #8 key", where=where) from None
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and is_strong(
        key.public_key()
    ):
        return key
    raise ConfigError(REASON, "is of an unsupported type or size", where=where)
