"""Which chassis are meant: by vendor, profile and labels, as an operator names them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from bootz.server.operations.labels import fold_key
from bootz.server.operations.profiles import find_profile
from bootz.server.operations.vendors import find_vendor
from bootz.server.store.listing import NO_PROFILE, ListChoice


def find_choice(
    connection: Connection,
    vendor: str | None = None,
    profile: str | None = None,
    labels: Mapping[str, str | None] | None = None,
) -> ListChoice:
    """Return a choice by names; None does not choose.

    ``profile`` empty chooses chassis without one; a label whose value is None has any value.

    Raises:
        UnknownChassis: no such vendor or profile.
    """
    chosen = None
    if profile is not None:
        chosen = find_profile(connection, profile).key if profile else NO_PROFILE
    return ListChoice(
        None if vendor is None else find_vendor(connection, vendor).key,
        chosen,
        {fold_key(key): value for key, value in (labels or {}).items()},
    )
