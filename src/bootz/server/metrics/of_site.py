"""What the database knows of a site: chassis by state, vouchers by their end, webhooks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from bootz.config.serving import ProgressSettings
from bootz.server.operations.chassis_overview import overview
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.step_limits import read_limits
from bootz.server.operations.webhooks import Webhook, list_webhooks
from bootz.server.store.database import plain
from bootz.server.store.listing import listed_chassis
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


def site_gauges(connection: Connection, progress: ProgressSettings, now: datetime) -> SiteGauges:
    """Return the gauges of a site at ``now`` (aware UTC)."""
    execute = plain(connection)
    found = overview(listed_chassis(execute), read_limits(execute, progress), now).chassis
    counted = Counter((each.standing.state, each.chassis.vendor) for each in found)
    vendors = connection.scalars(select(VENDOR.c.name))
    return SiteGauges(
        # Zeros too: a series that comes and goes makes alerts flap.
        [
            (state, vendor, counted[state, vendor])
            for vendor in sorted(vendors)
            for state in ChassisState
        ],
        [(row.name, from_text(row.expires_on)) for row in connection.execute(_EARLIEST)],
        list_webhooks(connection),
    )
