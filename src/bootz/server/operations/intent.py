"""What the operator wants for one chassis, everything merged: the one source of every answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import Connection

from bootz.errors import UnknownChassis
from bootz.model.chassis import Release
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.images import ImageKind
from bootz.server.operations.profile_document import (
    Content,
    ExternalImage,
    ImageRef,
    ProfileDocument,
)
from bootz.server.operations.shared import SharedRecords, read_shared
from bootz.server.operations.vendors import VendorRecord


@dataclass(frozen=True, slots=True)
class IntendedImage:
    """A file that a router installs; ``url`` empty: it is in the site's own store.

    ``size`` in bytes, 0 where it is not known; ``sha256`` is lower-case hex, empty where unknown.
    """

    kind: ImageKind
    name: str
    version: str
    sha256: str
    size: int = 0
    file_name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ChassisIntent:
    """Everything that decides what a chassis gets.

    ``document`` is the vendor's settings, replaced key by key by the profile, and that by the
    chassis's overrides; ``variables`` the profile's, replaced key by key by the chassis's.
    """

    chassis: ChassisRecord
    vendor: VendorRecord
    document: ProfileDocument = field(repr=False)
    variables: Mapping[str, JsonValue] = field(repr=False)
    image: IntendedImage | None
    smus: tuple[IntendedImage, ...]
    patches: tuple[IntendedImage, ...]
    release: Release

    @property
    def url_tag(self) -> str:
        """The tag by which downloads of this chassis are known."""
        return self.chassis.url_tag


def chassis_intent(connection: Connection, chassis_key: int) -> ChassisIntent:
    """Return what is wanted for a chassis.

    Raises:
        UnknownChassis: the chassis, or an image that is named, is not on record.
    """
    return build_intent(chassis_by_key(connection, chassis_key), read_shared(connection))


def build_intent(chassis: ChassisRecord, shared: SharedRecords) -> ChassisIntent:
    """Merge what is on record of a chassis with what it shares with others.

    Raises:
        UnknownChassis: vendor, profile or an image is not among the shared records.
    """
    vendor = shared.vendors.get(chassis.vendor)
    if vendor is None:
        raise UnknownChassis("vendor-not-found", "the vendor was removed", where=chassis.vendor)
    profile = ProfileDocument()
    if chassis.profile is not None:
        found = shared.profiles.get(chassis.profile)
        if found is None:
            raise UnknownChassis(
                "profile-not-found", "the profile was removed", where=chassis.profile
            )
        profile = found.document
    document = merged_document(chassis, vendor, profile, shared)
    return ChassisIntent(
        chassis=chassis,
        vendor=vendor,
        document=document,
        variables={**profile.variables, **chassis.variables},
        image=_image(document.image, shared),
        smus=tuple(_on_record(ImageKind.SMU, ref, shared) for ref in document.smus),
        patches=tuple(_on_record(ImageKind.PATCH, ref, shared) for ref in document.patches),
        release=release_of(chassis.release, profile),
    )


def merged_document(
    chassis: ChassisRecord, vendor: VendorRecord, profile: ProfileDocument, shared: SharedRecords
) -> ProfileDocument:
    """Return the vendor's settings, replaced by the profile, and that by the chassis's overrides.

    ``vendor`` and ``profile`` are those of ``shared`` that the chassis names.
    """
    base = shared.merged.get((chassis.vendor, chassis.profile))
    if base is None:
        base = ProfileDocument().overridden_by(_vendor_content(vendor)).overridden_by(profile)
        shared.merged[chassis.vendor, chassis.profile] = base
    return base.overridden_by(chassis.overrides)


def release_of(own: Release | None, profile: ProfileDocument) -> Release:
    """Return which release a chassis runs: its own word, else the profile's, else the newest."""
    return own or profile.release or Release.CURRENT


def _vendor_content(vendor: VendorRecord) -> Content:
    settings = vendor.settings.to_json()
    # The others are of trust, of vouchers and of patience; a router gets nothing of them.
    return Content.model_validate(
        {name: value for name, value in settings.items() if name in Content.model_fields}
    )


def _image(wanted: ImageRef | ExternalImage | None, shared: SharedRecords) -> IntendedImage | None:
    match wanted:
        case None:
            return None
        case ImageRef():
            return _on_record(ImageKind.IMAGE, wanted, shared)
        case ExternalImage():
            return IntendedImage(
                ImageKind.IMAGE, wanted.name, wanted.version, wanted.sha256, url=wanted.url
            )


def _on_record(kind: ImageKind, ref: ImageRef, shared: SharedRecords) -> IntendedImage:
    record = shared.images.get((kind.value, ref.name, ref.version))
    if record is None:
        raise UnknownChassis(
            "image-not-found", f"{kind.value} {ref.name} {ref.version} was removed", where="image"
        )
    return IntendedImage(
        kind, record.name, record.version, record.sha256, record.size, record.file_name
    )
