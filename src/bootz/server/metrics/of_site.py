"""What the database knows of a site: chassis by state, vouchers by their end, webhooks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from bootz.config.serving import ProgressSettings
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.tally import ChassisTally
from bootz.server.operations.webhooks import Webhook, list_webhooks
from bootz.server.store.revision import ByRevision
from bootz.server.store.schema import SERIAL, VENDOR, VOUCHER
from bootz.sql.times import from_text

_NEWEST: Final = (
    select(VOUCHER.c.vendor_id, func.max(VOUCHER.c.expires_on).label("expires_on"))
    .join(
        SERIAL,
        (SERIAL.c.vendor_id == VOUCHER.c.vendor_id)
        & (SERIAL.c.serial_folded == VOUCHER.c.serial_folded),
    )
    .group_by(VOUCHER.c.vendor_id, VOUCHER.c.serial_folded)
    # One without an end, the newest or not, never ends.
    .having(func.count() == func.count(VOUCHER.c.expires_on))
    .subquery()
)
_EARLIEST: Final = (
    select(VENDOR.c.name, func.min(_NEWEST.c.expires_on).label("expires_on"))
    .join(_NEWEST, _NEWEST.c.vendor_id == VENDOR.c.id)
    .group_by(VENDOR.c.name)
)


@dataclass(frozen=True, slots=True)
class SiteGauges:
    """Chassis by state and vendor; of each vendor the earliest end of a voucher in use.

    Of several vouchers of one serial number the one that ends last is in use. ``webhooks`` have
    what they delivered, and what has not arrived.
    """

    chassis: Iterable[tuple[ChassisState, str, int]]
    voucher_expiry: Iterable[tuple[str, datetime]]
    webhooks: Iterable[Webhook]


class SiteMemory:
    """What a process remembers of a site, so that its gauges cost what has changed."""

    def __init__(self) -> None:
        self.tally: Final = ChassisTally()
        self.voucher_ends: Final = ByRevision(_voucher_ends)


def site_gauges(
    connection: Connection, memory: SiteMemory, progress: ProgressSettings, now: datetime
) -> SiteGauges:
    """Return the gauges of a site at ``now`` (aware UTC)."""
    counted = memory.tally.count(connection, progress, now).chassis
    return SiteGauges(
        # Zeros too: a series that comes and goes makes alerts flap.
        [(state, vendor, number) for (state, vendor), number in counted.items()],
        memory.voucher_ends.get(connection),
        list_webhooks(connection),
    )


def _voucher_ends(connection: Connection) -> list[tuple[str, datetime]]:
    """Return of each vendor the earliest end of a voucher in use."""
    return [(row.name, from_text(row.expires_on)) for row in connection.execute(_EARLIEST)]
