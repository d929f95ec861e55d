"""``bootz chassis check``: go or no-go for chassis, before they are powered on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, Verb
from bootz.cli.inventory.base import key_and_value
from bootz.cli.names import SERIAL, which_vendor
from bootz.cli.output import Column, Output, OutputFormat, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from bootz.server.preflight.findings import PreflightReport
    from bootz.server.site import Site

_COLUMNS = (
    Column("chassis"),
    Column("check"),
    Column("outcome"),
    Column("evidence"),
    Column("reason"),
    Column("next"),
)

_JUNIT = "junit"
"""The form of ``--output`` that this command has beside those of all."""


@click.command("check", cls=Verb)
@click.argument("serials", nargs=-1, type=SERIAL, metavar="[SERIAL]...")
@which_vendor
@click.option("--all", "everything", is_flag=True, help="All chassis of the site.")
@click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Those that have this label."
)
@click.option("--passed", "with_passed", is_flag=True, help="Also show what passed.")
@click.option("--junit", type=FILE, metavar="FILE", help="Also write the checks as JUnit XML.")
@click.option(
    "--output",
    "form",
    type=click.Choice([*(each.value for each in OutputFormat), _JUNIT]),
    help="Output format. Default: table.",
)
@click.option(
    "--no-server",
    is_flag=True,
    help="Another Bootz server serves the routers: leave out what is told of ours.",
)
@click.option(
    "--no-network",
    is_flag=True,
    help="Ask nothing over the network: neither image URLs nor Kea.",
)
@click.option(
    "--from",
    "source",
    default="",
    metavar="ADDRESS",
    help="Address of this machine to ask image URLs from, such as one on the routers' network.",
)
@click.option("--ntp", metavar="HOST", help="Also compare the clock with this time server.")
@click.pass_obj
def check_command(
    cli: Cli,
    serials: tuple[str, ...],
    vendor: str | None,
    labels: tuple[str, ...],
    junit: Path | None,
    form: str | None,
    source: str,
    ntp: str | None,
    *,
    everything: bool,
    with_passed: bool,
    no_server: bool,
    no_network: bool,
) -> None:
    """Try everything that can fail without the router; exit code 1 where it is no-go.

    Certificates of owner, server and vendor, the voucher of each card, images byte by byte and
    by URL, every template in the dialect of the chassis, Kea's reservations, what the last
    `bootz dhcp probe` met, the clocks.
    """
    from bootz.errors import ConfigError
    from bootz.keystore.files import atomic_write

    if form not in (None, _JUNIT):
        cli.output = Output(OutputFormat(form))
    if source:
        _check_address(source)
    if sum((bool(serials), everything, bool(labels))) != 1:
        raise click.UsageError("give SERIAL, --label or --all")
    site = cli.site()
    database = site.database()
    try:
        with database.read() as connection:
            keys = _keys(
                connection, serials, vendor, dict(key_and_value(t, "--label") for t in labels)
            )
            reports = preflight_reports(
                connection,
                site,
                keys,
                server=not no_server,
                network=not no_network,
                ntp=ntp,
                source=source,
            )
    finally:
        database.close()
    shows_all = with_passed or cli.output.form is not OutputFormat.TABLE
    rows = [
        {
            "chassis": report.name,
            "check": each.name,
            "outcome": each.outcome.value,
            "evidence": each.evidence,
            "reason": each.reason,
            "next": each.next_action,
        }
        for report in reports
        for each in report.checks
        if shows_all or each.outcome.value != "passed"
    ]
    if form == _JUNIT:
        write_text(_as_junit(reports).decode())
    else:
        cli.output.rows(_COLUMNS, rows)
    if junit is not None:
        atomic_write(junit, _as_junit(reports), mode=0o644)
    wrong = [report.name for report in reports if not report.go]
    if wrong:
        shown = ", ".join(wrong[:10]) + (f" and {len(wrong) - 10} more" if len(wrong) > 10 else "")
        raise ConfigError("preflight-no-go", f"no-go for {shown}", where="preflight")
    cli.output.message(f"go: {len(reports) - 1} chassis")


def _check_address(text: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error


def preflight_reports(
    connection: Connection,
    site: Site,
    keys: list[int],
    *,
    server: bool,
    network: bool,
    ntp: str | None,
    source: str = "",
) -> list[PreflightReport]:
    """Return the checks of the site, then those of each chassis."""
    import time
    from functools import partial

    from bootz.cli.inventory.chassis.preflight import DepotFiles, dhcp_checks, ntp_offset
    from bootz.cli.inventory.chassis.preview import reached_address
    from bootz.cli.site.image_target import image_target
    from bootz.images.reach import why_unreachable
    from bootz.server.door_tls import door_chain
    from bootz.server.keys.publishing import site_certificates
    from bootz.server.preflight.chassis_checks import check_chassis
    from bootz.server.preflight.site_checks import check_site
    from bootz.server.preflight.terms import PreflightTerms
    from bootz.server.rendering.preview import PreviewTerms
    from bootz.server.rendering.reached import reached_of

    certificates = site_certificates(site)
    now = site.clock()
    terms = PreflightTerms(
        config=site.config,
        certificates=certificates,
        images=DepotFiles.of(site.root, site.config),
        preview=PreviewTerms(
            reached_of(site.config, image_target),
            certificates.trust_anchor,
            reached_address(None, site.config),
        ),
        now=now,
        server=server,
        door=partial(door_chain, site.root, site.config),
        dhcp=dhcp_checks(connection, site.config, site.root, now, ask=network, server=server),
        url_probe=partial(why_unreachable, source=source) if network else None,
        ntp=ntp_offset(ntp, time.time) if ntp else None,
    )
    return [check_site(connection, terms), *check_chassis(connection, keys, terms)]


def _keys(
    connection: Connection, serials: tuple[str, ...], vendor: str | None, labels: dict[str, str]
) -> list[int]:
    from bootz.server.operations.chassis import find_chassis
    from bootz.server.store.database import plain
    from bootz.server.store.listing import ListChoice, listed_chassis

    if serials:
        found = [find_chassis(connection, serial, vendor).key for serial in serials]
        return list(dict.fromkeys(found))
    return [each.key for each in listed_chassis(plain(connection), ListChoice(labels=labels))]


def _as_junit(reports: list[PreflightReport]) -> bytes:
    from bootz.conformance.junit import junit_report
    from bootz.conformance.verdict import JudgedCase, Judgement

    results = [
        JudgedCase(report.name, each.name, Judgement.FAILED, why=each.evidence, notes=each.evidence)
        if each.outcome.value == "failed"
        else JudgedCase(report.name, each.name, Judgement.PASSED, notes=each.evidence)
        for report in reports
        for each in report.checks
    ]
    return junit_report("bootz chassis check", results)
