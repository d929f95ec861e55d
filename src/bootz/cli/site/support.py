"""``bootz support``: a file for whoever helps, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, verb

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from bootz.errors import BootzError
    from bootz.server.site import Site
    from bootz.server.store.database import Database

_MOST_CHASSIS = 200


@verb("support")
@click.argument("file", type=FILE, required=False)
@click.pass_obj
def command(cli: Cli, file: Path | None) -> None:
    """Write a bundle (.tar.gz) for whoever helps with a fault of this site.

    Versions, settings, certificates, the latest attempts, events and audit entries, what the
    preflight says of chassis that need a person, and what is counted. It has no key, password,
    token, voucher or configuration of a router; look through it before you send it.

    Default: bootz-support-TIME.tar.gz in the current directory.
    """
    from contextlib import ExitStack, closing
    from datetime import UTC, datetime
    from pathlib import Path

    from bootz.errors import BootzError, ConflictError
    from bootz.keystore.files import atomic_write
    from bootz.server.support import bundle, site_parts

    site, now = cli.site(), datetime.now(UTC)
    name = f"bootz-support-{now:%Y%m%dT%H%M%SZ}"
    place = file or Path(f"{name}.tar.gz")
    if place.exists():
        raise ConflictError("file-exists", "it is there already", where=str(place))
    database: Database | BootzError
    with ExitStack() as opened:
        try:
            database = opened.enter_context(closing(site.database()))
        except BootzError as error:
            database = error
        parts = {
            **site_parts(site.root, site.config, database, now),
            "preflight.json": _preflight(site, database, now),
        }
        content, missing = bundle(parts, name, now)
        atomic_write(place, content, mode=0o600)
    cli.output.record({"file": str(place), "parts": list(parts), "missing": missing})


def _preflight(site: Site, database: Database | BootzError, now: datetime) -> Callable[[], object]:
    """Return what gathers the checks of chassis that need a person, the first of them."""

    def part() -> object:
        if isinstance(database, Exception):
            raise database
        from bootz.cli.inventory.chassis.check import preflight_reports
        from bootz.server.operations.chassis_overview import overview
        from bootz.server.operations.chassis_state import ChassisState
        from bootz.server.operations.step_limits import read_limits
        from bootz.server.store.database import plain
        from bootz.server.store.listing import listed_chassis

        with database.read() as connection:
            execute = plain(connection)
            limits = read_limits(execute, site.config.progress)
            found = overview(listed_chassis(execute), limits, now, sort="state").chassis
            keys = [
                each.chassis.key for each in found if each.standing.state is not ChassisState.READY
            ]
            reports = preflight_reports(
                connection, site, keys[:_MOST_CHASSIS], server=True, network=False, ntp=None
            )
        return [
            {
                "chassis": report.name,
                "checks": [
                    {
                        "check": each.name,
                        "outcome": each.outcome.value,
                        "evidence": each.evidence,
                        "reason": each.reason,
                    }
                    for each in report.checks
                ],
            }
            for report in reports
        ]

    return part
