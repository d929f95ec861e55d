"""A chassis as the operator writes it down: the record, its bounds, and its document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import Field, JsonValue, PlainValidator

from bootz.errors import ConfigError
from bootz.model.chassis import (
    BootMode,
    CardKind,
    DynamicConfigPolicy,
    VoucherDelivery,
    fold_serial,
)
from bootz.model.identity import NO_TPM, TpmRecord
from bootz.server.operations.dhcp_settings import (
    NO_DHCP,
    DhcpSettings,
    identifier_octets,
    normal_identifier,
)
from bootz.server.operations.labels import checked_labels
from bootz.server.operations.profile_document import Content
from bootz.server.operations.release import AnyRelease
from bootz.server.operations.texts import (
    MAX_NAME,
    MAX_SERIAL,
    STRICT,
    check_writable,
    checked_text,
    parse_dataclass,
)
from bootz.server.operations.tpm_record import normal_tpm, read_tpm, tpm_document
from bootz.server.rendering.server_data import check_server_data
from bootz.server.rendering.syntax import check_templates

MAX_CARDS: Final = 256
"""Cards of one chassis; what a voucher bundle can carry (docs/protocol/vouchers.md#bundles)."""
_INVALID: Final = "chassis-invalid"

_Record = TypeVar("_Record", "CardRecord", "ChassisRecord")


def kind_by_slot(slot: str) -> CardKind:
    """Return what a card is for, by the name of its slot: LC0 and the like have line cards."""
    return CardKind.LINE if slot.upper().startswith("LC") else CardKind.CONTROL


_Tpm = Annotated[TpmRecord, PlainValidator(read_tpm)]


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A card. ``mac``, ``client_id`` and ``duid`` are for DHCP: octets in hex with colons.

    A ``client_id`` may be a text, which is sent behind a 0 octet; empty, like an empty ``duid``,
    it is the one made of the serial number, which Bootz routers send.
    """

    __pydantic_config__ = STRICT

    serial_number: str
    part_number: str = ""
    slot: str = ""
    kind: CardKind = CardKind.CONTROL
    mac: str = ""
    client_id: str = ""
    duid: str = ""
    tpm: _Tpm = NO_TPM

    def to_document(self) -> dict[str, JsonValue]:
        """Return what a chassis's document has under ``cards``; defaults left out."""
        return _document(self, CardRecord)

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Read a card of an import.

        Raises:
            ConfigError: ``chassis-invalid``; names every key that does not fit.
        """
        return parse_dataclass(cls, document, reason=_INVALID, where=where)


@dataclass(frozen=True, slots=True)
class ChassisDocument:
    """What an operator says of a chassis. ``vendor`` and ``profile`` are names.

    ``release`` None follows the profile.
    """

    __pydantic_config__ = STRICT

    vendor: str
    serial_number: str = ""
    cards: Annotated[tuple[CardRecord, ...], Field(max_length=MAX_CARDS)] = ()
    part_number: str = ""
    hostname: str = ""
    modular: bool = False
    boot_mode: BootMode = BootMode.SECURE
    release: AnyRelease | None = None
    streaming: bool = True
    skip_idevid_serial_check: bool = False
    voucher_delivery: VoucherDelivery = VoucherDelivery.SINGLE
    dynamic_config: DynamicConfigPolicy = DynamicConfigPolicy.MERGE
    profile: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    overrides: Content = field(default_factory=Content, repr=False)
    dhcp: DhcpSettings = NO_DHCP
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The serial number, or the first card's where the chassis itself has none."""
        cards = self.cards
        return self.serial_number or (cards[0].serial_number if cards else self.hostname)

    def to_document(self) -> dict[str, JsonValue]:
        """Return what ``from_document`` reads; defaults left out."""
        document = {"serial_number": self.serial_number} | _document(self, ChassisDocument)
        if not self.modular and self.cards == (_only_card(self),):
            document.pop("cards", None)
        return document

    def to_whole_document(self) -> dict[str, JsonValue]:
        """Return ``to_document`` with defaults, and with the card of a fixed chassis."""
        plain = {name: getattr(self, name) for name in PLAIN_FIELDS}
        return {
            **self.to_document(),
            **{k: v.value if isinstance(v, Enum) else v for k, v in plain.items()},
            "cards": [card.to_document() for card in self.cards],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Read a chassis of an import; bounds are checked by ``normal_chassis``.

        Raises:
            ConfigError: ``chassis-invalid``; names every key that does not fit.
        """
        parsed = parse_dataclass(ChassisDocument, document, reason=_INVALID, where=where)
        return cls(**{item.name: getattr(parsed, item.name) for item in fields(ChassisDocument)})


@dataclass(frozen=True, slots=True)
class ChassisRecord(ChassisDocument):
    """A chassis on record.

    ``url_tag`` tells in image URLs who downloads; it, the database's ``key`` and ``revision``, and
    whether it is on hold, are not compared.
    """

    on_hold: bool = field(default=False, compare=False)
    key: int = field(default=0, compare=False)
    url_tag: str = field(default="", compare=False, repr=False)
    revision: int = field(default=0, compare=False)


PLAIN_FIELDS: Final = tuple(
    item.name
    for item in fields(ChassisDocument)
    if item.name
    not in {"vendor", "serial_number", "cards", "variables", "overrides", "dhcp", "labels"}
)
"""What a chassis has one word for each."""


_DEFAULTS: Final[Mapping[type[Any], tuple[tuple[str, Any], ...]]] = {
    kind: tuple((item.name, item.default) for item in fields(kind))
    for kind in (CardRecord, ChassisDocument)
}


def _document(record: object, kind: type[Any]) -> dict[str, JsonValue]:
    """Return the keys in which a record says something; what is itself a document comes last."""
    document: dict[str, JsonValue] = {}
    inner: dict[str, JsonValue] = {}
    for name, default in _DEFAULTS[kind]:
        value = getattr(record, name)
        if value is default:
            continue
        match value:
            case Enum():
                document[name] = value.value
            case TpmRecord():
                inner[name] = tpm_document(value)
            case Content() | DhcpSettings():
                inner[name] = value.to_json()
            case tuple():
                inner[name] = [card.to_document() for card in value]
            case Mapping():
                inner[name] = dict(value)
            case _ if value != default:
                document[name] = value
    return document | {name: value for name, value in inner.items() if value}


def changed(record: _Record, **values: Any) -> _Record:
    """Return a record with these values; itself where it has them already."""
    for name, value in values.items():
        if getattr(record, name) != value:
            return replace(record, **values)
    return record


def normal_chassis(record: ChassisRecord) -> ChassisRecord:
    """Return a record with every text checked and stripped; a fixed chassis gets its one card.

    Raises:
        ConfigError: ``chassis-invalid``.
    """
    where = f"chassis {record.serial_number.strip()[:MAX_SERIAL]!r}"
    serial = _text(record.serial_number, "serial_number", where, MAX_SERIAL)
    given = record.cards
    if not record.modular and not given:
        given = (CardRecord(serial, record.part_number),)
    cards = tuple(_normal_card(card, where, at) for at, card in enumerate(given))
    own = [fold_serial(card.serial_number) for card in cards]
    if not record.modular and own != [fold_serial(serial)]:
        raise ConfigError(
            _INVALID,
            "a fixed chassis has one card, with the serial number of the chassis; "
            "use `modular` for a chassis with slots",
            where=where,
            keys=(("modular",), ("cards", 0, "serial_number")),
        )
    if not cards:
        raise ConfigError(
            _INVALID, "a modular chassis needs cards", where=where, keys=(("modular",),)
        )
    if len(cards) > MAX_CARDS:
        raise ConfigError(_INVALID, f"it has over {MAX_CARDS} cards", where=where)
    if len(set(own)) != len(cards):
        twice = next(at for at, serial in enumerate(own) if serial in own[:at])
        raise ConfigError(
            _INVALID,
            "a card's serial number appears twice",
            where=where,
            keys=(("cards", twice, "serial_number"),),
        )
    for name, value in (
        ("variables", dict(record.variables)),
        ("overrides", record.overrides.to_json()),
    ):
        check_writable(value, name, reason=_INVALID, where=where)
    check_templates(record.overrides, where=where)
    check_server_data(record.overrides, where=where)
    return changed(
        record,
        serial_number=serial,
        cards=cards,
        part_number=_text(record.part_number, "part_number", where, MAX_NAME),
        hostname=_text(record.hostname, "hostname", where, 255),
        profile=record.profile or None,
        labels=checked_labels(record.labels, where=where),
    )


def serials_of(record: ChassisRecord) -> tuple[str, ...]:
    """Return every serial number that a chassis takes, folded: its own and its cards'."""
    serials = [fold_serial(card.serial_number) for card in record.cards]
    if record.serial_number:
        serials.insert(0, fold_serial(record.serial_number))
    return tuple(dict.fromkeys(serials))


def _only_card(record: ChassisDocument) -> CardRecord:
    return CardRecord(record.serial_number, record.part_number)


def _normal_card(card: CardRecord, where: str, at: int) -> CardRecord:
    try:
        serial = checked_text(
            card.serial_number,
            "card",
            reason=_INVALID,
            where=where,
            most=MAX_SERIAL,
            least=1,
            key=("serial_number",),
        )
        where = f"{where} card {serial!r}"
        return changed(
            card,
            serial_number=serial,
            part_number=_text(card.part_number, "part_number", where, MAX_NAME),
            slot=_text(card.slot, "slot", where, MAX_NAME),
            mac=_normal_mac(card.mac, where),
            client_id=normal_identifier(card.client_id, "client_id", reason=_INVALID, where=where),
            duid=_normal_duid(card.duid, where),
            tpm=normal_tpm(card.tpm, where),
        )
    except ConfigError as error:
        raise error.within("cards", at) from None


def _normal_duid(duid: str, where: str) -> str:
    text = normal_identifier(duid, "duid", reason=_INVALID, where=where)
    if text and identifier_octets(text) is None:
        raise ConfigError(
            _INVALID, "duid is not hex octets separated by colons", where=where, keys=(("duid",),)
        )
    return text


def _normal_mac(mac: str, where: str) -> str:
    """Return a MAC address as six pairs of lower-case hex digits with colons."""
    digits = mac.strip().lower()
    for separator in ":-.":
        digits = digits.replace(separator, "")
    if not digits:
        return ""
    if len(digits) != 12 or set(digits) - set("0123456789abcdef"):
        raise ConfigError(
            _INVALID, "mac is not a MAC address", where=where, seen=mac[:40], keys=(("mac",),)
        )
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _text(text: str, name: str, where: str, most: int) -> str:
    return checked_text(text, name, reason=_INVALID, where=where, most=most)
