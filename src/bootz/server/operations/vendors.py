"""Vendors: whose CAs vouch for devices and vouchers, and how their devices want to be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, JsonValue
from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from bootz.errors import ConfigError, ConflictError, TrustError, UnknownChassis
from bootz.server.operations.audit import note
from bootz.server.operations.texts import (
    MAX_NAME,
    STRICT,
    check_writable,
    checked_text,
    dump_json,
    load_object,
    load_texts,
    parse_model,
)
from bootz.server.operations.voucher_source import VoucherSourceSettings
from bootz.server.rendering.server_data import check_ta_file
from bootz.server.store.revision import raise_revision
from bootz.server.store.schema import CHASSIS, VENDOR, VOUCHER
from bootz.trust.certificates import (
    AnchorSet,
    VendorCAs,
    check_named_curve,
    parse_certificates,
    pem_from_der,
)
from bootz.trust.vendor import Vendor

MAX_ALIASES = 16
MAX_CERTIFICATES = 64
MAX_PEM = 1024 * 1024
"""Characters of one CA bundle."""


_Minutes = Annotated[int, Field(ge=1, le=10080)]


class VendorProgress(BaseModel):
    """How long routers of a vendor may be silent in each step, in minutes; unset: as the site."""

    model_config = STRICT

    first_byte_minutes: _Minutes | None = None
    image_minutes: _Minutes | None = None
    applying_minutes: _Minutes | None = None


class VendorSettings(BaseModel):
    """How devices of a vendor want to be answered; a profile or chassis may say otherwise.

    A key that is not set says nothing. ``voucher_source`` names where vouchers are fetched;
    ``idevid_serial`` whose serial number an IDevID may have; ``legacy`` takes chains of IDevIDs and
    vouchers' signers in the forms that docs/accepted.md lists.
    """

    model_config = STRICT

    image_hash_algorithm: Literal["", "SHA256", "ietf-sztp-conveyed-info:sha-256"] = ""
    image_hash_format: Literal["hex", "colon-hex"] = "hex"
    ztp_server_line: Literal["auto", "on", "off"] = "auto"
    ta_file: Annotated[str, Field(max_length=1024)] = ""
    redirect_shape: Literal["", "rfc8572", "text", "u8"] = ""
    owner_key: Literal["first", "p256"] = "first"
    idevid_serial: Literal["card", "chassis", "either"] = "either"
    legacy: bool = False
    voucher_source: VoucherSourceSettings | None = None
    progress: VendorProgress | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the keys that are set."""
        dumped: dict[str, JsonValue] = self.model_dump(mode="json", exclude_unset=True)
        return dumped


class _VendorDocument(BaseModel):
    model_config = STRICT

    name: str
    aliases: tuple[str, ...] = ()
    ien: str = ""
    idevid_ca: Annotated[str, Field(max_length=MAX_PEM)]
    intermediates: Annotated[str, Field(max_length=MAX_PEM)] = ""
    voucher_ca: Annotated[str, Field(max_length=MAX_PEM)] = ""
    settings: VendorSettings = VendorSettings()


@dataclass(frozen=True, slots=True)
class VendorRecord:
    """A vendor on record. Certificates are DER; ``voucher_ca`` empty: ``idevid_ca`` vouches.

    ``ien`` is the IANA enterprise number, decimal digits. ``key`` is the database's.
    """

    name: str
    aliases: tuple[str, ...] = ()
    ien: str = ""
    idevid_ca: tuple[bytes, ...] = field(default=(), repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), repr=False)
    voucher_ca: tuple[bytes, ...] = field(default=(), repr=False)
    settings: VendorSettings = field(default_factory=VendorSettings)
    key: int = field(default=0, compare=False)

    def to_document(self) -> dict[str, JsonValue]:
        """Return what ``from_document`` reads; certificates as PEM, defaults left out."""
        document: dict[str, JsonValue] = {"name": self.name}
        if self.aliases:
            document["aliases"] = list(self.aliases)
        if self.ien:
            document["ien"] = self.ien
        document["idevid_ca"] = _pem(self.idevid_ca)
        if self.intermediates:
            document["intermediates"] = _pem(self.intermediates)
        if self.voucher_ca:
            document["voucher_ca"] = _pem(self.voucher_ca)
        if settings := self.settings.to_json():
            document["settings"] = settings
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, where: str = "") -> Self:
        """Read a vendor of an import.

        Raises:
            ConfigError: ``vendor-invalid``; names every key that does not fit.
        """
        parsed = parse_model(_VendorDocument, document, reason="vendor-invalid", where=where)
        return cls(
            name=parsed.name,
            aliases=parsed.aliases,
            ien=parsed.ien,
            idevid_ca=read_bundle(parsed.idevid_ca, "idevid_ca", where=where),
            intermediates=read_bundle(parsed.intermediates, "intermediates", where=where),
            voucher_ca=read_bundle(parsed.voucher_ca, "voucher_ca", where=where),
            settings=parsed.settings,
        )

    def to_vendor(self) -> Vendor:
        """Return the vendor as the proofs know it.

        Raises:
            CertificateError: an anchor that cannot be one.
        """
        legacy = self.settings.legacy
        idevid = anchors_of(self.idevid_ca, legacy=legacy)
        return Vendor(
            name=self.name,
            aliases=self.aliases,
            ien=self.ien,
            idevid_anchors=idevid,
            voucher_anchors=anchors_of(self.voucher_ca, legacy=legacy)
            if self.voucher_ca
            else idevid,
            idevid_intermediates=self.intermediates,
        )


def read_bundle(bundle: str | bytes, name: str, *, where: str = "") -> tuple[bytes, ...]:
    """Return the certificates of a CA bundle (PEM, one DER, PKCS #7), none for an empty one.

    Raises:
        ConfigError: ``vendor-invalid``.
    """
    data = bundle.encode() if isinstance(bundle, str) else bundle
    if not data.strip():
        return ()
    try:
        return parse_certificates(data)
    except TrustError as error:
        raise ConfigError(
            "vendor-invalid", f"{name}: {error.detail}", where=where, seen=error.reason
        ) from error


@lru_cache(maxsize=256)
def anchors_of(certificates: tuple[bytes, ...], *, legacy: bool = False) -> VendorCAs:
    """Return the anchor set of DER certificates; built once, because that takes long.

    Raises:
        CertificateError: an anchor that cannot be one.
    """
    return VendorCAs(AnchorSet.from_der(certificates, legacy=legacy))


def add_vendor(connection: Connection, record: VendorRecord) -> VendorRecord:
    """Put a vendor on record.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a name or alias is another's already.
    """
    checked = _checked(connection, record, own_key=0)
    result = connection.execute(insert(VENDOR).values(**_values(checked)).returning(VENDOR.c.id))
    raise_revision(connection, shared=True)
    note(connection, "vendor.add", checked.name, after=checked.to_document())
    return replace(checked, key=result.scalar_one())


def set_vendor(connection: Connection, name: str, record: VendorRecord) -> VendorRecord:
    """Replace what is on record of a vendor; it may get another name.

    Raises:
        ConfigError: something does not fit.
        ConflictError: a name or alias is another's already.
        UnknownChassis: no such vendor.
    """
    before = find_vendor(connection, name)
    key = before.key
    checked = replace(_checked(connection, record, own_key=key), key=key)
    connection.execute(update(VENDOR).where(VENDOR.c.id == key).values(**_values(checked)))
    raise_revision(connection, shared=True)
    note(
        connection,
        "vendor.set",
        before.name,
        before=before.to_document(),
        after=checked.to_document(),
    )
    return checked


def remove_vendor(connection: Connection, name: str) -> VendorRecord:
    """Take a vendor off the record, and return it.

    Raises:
        ConflictError: it has chassis or vouchers.
        UnknownChassis: no such vendor.
    """
    record = find_vendor(connection, name)
    chassis = select(exists().where(CHASSIS.c.vendor_id == record.key))
    voucher = select(exists().where(VOUCHER.c.vendor_id == record.key))
    if connection.scalar(chassis) or connection.scalar(voucher):
        raise ConflictError("vendor-in-use", "it has chassis or vouchers", where=record.name)
    connection.execute(delete(VENDOR).where(VENDOR.c.id == record.key))
    raise_revision(connection, shared=True)
    note(connection, "vendor.remove", record.name, before=record.to_document())
    return record


def find_vendor(connection: Connection, name: str) -> VendorRecord:
    """Return the vendor of this name or alias, compared without case.

    Raises:
        UnknownChassis: no such vendor.
    """
    wanted = name.strip().casefold()
    for record in list_vendors(connection):
        if wanted in _folded_names(record):
            return record
    raise UnknownChassis("vendor-not-found", f"there is no vendor {name!r}", where="vendor")


def list_vendors(connection: Connection) -> tuple[VendorRecord, ...]:
    """Return all vendors by name."""
    rows = connection.execute(select(VENDOR).order_by(VENDOR.c.name_folded))
    return tuple(_record(row) for row in rows)


def _checked(connection: Connection, record: VendorRecord, *, own_key: int) -> VendorRecord:
    name = checked_text(
        record.name, "name", reason="vendor-invalid", where="vendor", most=MAX_NAME, least=1
    )
    if len(record.aliases) > MAX_ALIASES:
        raise ConfigError("vendor-invalid", f"more than {MAX_ALIASES} aliases", where=name)
    aliases = tuple(
        checked_text(alias, "alias", reason="vendor-invalid", where=name, most=MAX_NAME, least=1)
        for alias in record.aliases
    )
    ien = record.ien.strip()
    if ien and not (ien.isascii() and ien.isdecimal() and len(ien) <= 10):
        raise ConfigError("vendor-invalid", "ien is not a number", where=name, seen=ien[:20])
    checked = replace(record, name=name, aliases=aliases, ien=ien)
    check_writable(checked.settings.to_json(), "settings", reason="vendor-invalid", where=name)
    if checked.settings.ta_file:
        check_ta_file(checked.settings.ta_file, where=name)
    _check_certificates(checked)
    source = checked.settings.voucher_source
    if source is not None and source.ovgs and not ien:
        raise ConfigError(
            "vendor-invalid", "ien: OVGS identifies a vendor by its enterprise number", where=name
        )
    names = [name.casefold(), *(alias.casefold() for alias in aliases)]
    if len(set(names)) != len(names):
        raise ConfigError("vendor-invalid", "a name or alias appears twice", where=name)
    for other in list_vendors(connection):
        if other.key != own_key and (taken := _folded_names(other).intersection(names)):
            raise ConflictError(
                "vendor-exists",
                f"{', '.join(sorted(taken))} is a name of vendor {other.name}",
                where=name,
            )
    return checked


def _check_certificates(record: VendorRecord) -> None:
    if not record.idevid_ca:
        raise ConfigError(
            "vendor-invalid", "idevid_ca: a vendor needs at least one CA", where=record.name
        )
    for name in ("idevid_ca", "intermediates", "voucher_ca"):
        certificates: Sequence[bytes] = getattr(record, name)
        if len(certificates) > MAX_CERTIFICATES:
            raise ConfigError(
                "vendor-invalid", f"{name}: over {MAX_CERTIFICATES} certificates", where=record.name
            )
        try:
            if certificates:
                anchors_of(tuple(certificates))
            for der in certificates:
                check_named_curve(der)
        except TrustError as error:
            raise ConfigError(
                "vendor-invalid", f"{name}: {error.detail}", where=record.name, seen=error.reason
            ) from error


def _folded_names(record: VendorRecord) -> set[str]:
    return {record.name.casefold(), *(alias.casefold() for alias in record.aliases)}


def _pem(certificates: Sequence[bytes]) -> str:
    return pem_from_der(certificates).decode("ascii") if certificates else ""


def _values(record: VendorRecord) -> dict[str, str]:
    return {
        "name": record.name,
        "name_folded": record.name.casefold(),
        "aliases": dump_json(list(record.aliases)),
        "ien": record.ien,
        "idevid_ca": _pem(record.idevid_ca),
        "intermediates": _pem(record.intermediates),
        "voucher_ca": _pem(record.voucher_ca),
        "settings": dump_json(record.settings.to_json()),
    }


def _record(row: Row[Any]) -> VendorRecord:
    return VendorRecord(
        name=row.name,
        aliases=load_texts(row.aliases),
        ien=row.ien,
        idevid_ca=read_bundle(row.idevid_ca, "idevid_ca"),
        intermediates=read_bundle(row.intermediates, "intermediates"),
        voucher_ca=read_bundle(row.voucher_ca, "voucher_ca"),
        settings=VendorSettings.model_validate(load_object(row.settings)),
        key=row.id,
    )
