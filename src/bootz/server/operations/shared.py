"""What many chassis share: vendors, profiles, images; read once and kept while unchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bootz.server.operations.images import ImageRecord, list_images
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, list_profiles
from bootz.server.operations.vendors import VendorRecord, list_vendors
from bootz.server.store.revision import read_revision
from bootz.trust.vendor import Vendor


@dataclass(frozen=True, slots=True)
class SharedRecords:
    """All vendors, profiles and images, by the names that point to them, at one revision."""

    revision: int
    vendors: Mapping[str, VendorRecord]
    profiles: Mapping[str, ProfileRecord]
    images: Mapping[tuple[str, str, str], ImageRecord]
    """By kind, name and version."""
    trusted: tuple[Vendor, ...] = field(repr=False)
    """The vendors as the proofs know them."""
    vendor_names: Mapping[int, str]
    """By the database's keys, as are those of profiles."""
    profile_names: Mapping[int | None, str]
    merged: dict[tuple[str, str | None], ProfileDocument] = field(
        default_factory=dict, repr=False, compare=False
    )
    """A vendor's settings replaced key by key by a profile's, as they are asked for."""


def read_shared(connection: Connection) -> SharedRecords:
    """Read everything shared.

    The revision is read first: a change in between makes the copy newer than it says, and it is
    read again, never kept too long.
    """
    revision = read_revision(connection).shared
    vendors = list_vendors(connection)
    profiles = list_profiles(connection)
    return SharedRecords(
        revision=revision,
        vendors={record.name: record for record in vendors},
        profiles={record.name: record for record in profiles},
        images={(r.kind.value, r.name, r.version): r for r in list_images(connection)},
        trusted=tuple(record.to_vendor() for record in vendors),
        vendor_names={record.key: record.name for record in vendors},
        profile_names={record.key: record.name for record in profiles},
    )
