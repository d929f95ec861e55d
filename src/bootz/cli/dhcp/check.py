"""``bootz dhcp check``: the mistakes that make a turn-up fail, in a configuration that exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.inventory.base import read_file
from bootz.cli.output import Column
from bootz.errors import BootzError, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.dhcp.check.findings import Finding
    from bootz.dhcp.records import DhcpPlan
    from bootz.protocol.dhcp_offer import Family
    from bootz.wire.uri import BootzUri

CONNECT_TIMEOUT = 3.0
MAX_CONNECTS = 64
"""Servers that are tried; a configuration may name any number."""

_FORMS = ("kea", "isc", "dnsmasq")
_COLUMNS = (
    Column("severity"),
    Column("code"),
    Column("where"),
    Column("detail"),
    Column("next"),
)


@click.command("check", cls=Verb)
@click.argument("file", type=PATH)
@click.option("--form", type=click.Choice(_FORMS), help="Format of the file. Default: detected.")
@click.option("--no-connect", is_flag=True, help="Do not test whether the servers answer.")
@click.option("--no-daemon", is_flag=True, help="Do not run the DHCP server's own check.")
@click.option("--no-inventory", is_flag=True, help="Do not compare with the site's inventory.")
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    form: str | None,
    *,
    no_connect: bool,
    no_daemon: bool,
    no_inventory: bool,
) -> None:
    """Check a configuration of Kea, ISC dhcpd or dnsmasq. Exit code 1: routers would fail.

    For each router of the inventory, or of the file if there is no inventory, it works out what
    the server would send. What the file alone does not tell is reported as not-evaluated.
    """
    import asyncio

    from bootz.dhcp.check.checking import check_models, uris_of
    from bootz.dhcp.check.files import Files
    from bootz.dhcp.check.findings import Severity
    from bootz.dhcp.check.forms import READERS, form_of
    from bootz.protocol.dhcp_offer import Family

    cli: Cli = context.obj
    content = read_file(file)
    form = form or form_of(content)
    own: list[Finding] = []
    try:
        models = READERS[form](content, Files(file.parent))
    except ConfigError:
        # The server's own words help most where nothing can be read.
        if not no_daemon:
            family = Family.IPV6 if b"Dhcp6" in content else Family.IPV4
            for finding in _own(cli, form, [family], file, content):
                cli.output.warning(f"{finding.where}: {finding.detail}")
        raise
    if not no_daemon:
        # dnsmasq has both families in one file.
        families = [each.family for each in models][: 1 if form == "dnsmasq" else None]
        own += _own(cli, form, families, file, content)
    plan = None if no_inventory else _plan(cli)
    unreachable = {} if no_connect else asyncio.run(_unreachable(uris_of(models, plan)))
    findings = (*own, *check_models(models, plan, unreachable))
    cli.output.rows(
        _COLUMNS,
        [
            {
                "severity": finding.severity,
                "code": finding.code,
                "where": finding.where,
                "detail": finding.detail,
                "next": finding.remedy,
            }
            for finding in findings
        ],
    )
    if not findings:
        cli.output.message(f"{file}: no problem found")
    context.exit(1 if any(each.severity is Severity.ERROR for each in findings) else 0)


def _own(
    cli: Cli, form: str, families: Sequence[Family], file: Path, content: bytes
) -> list[Finding]:
    """Return what the DHCP server's own program says; if it cannot be asked, that is told."""
    from bootz.dhcp.check.daemons import own_check

    found: list[Finding] = []
    for family in families:
        told = own_check(form, family, file.absolute(), content)
        if told.words:
            cli.output.message(told.words)
        found += told.findings
    return found


def _plan(cli: Cli) -> DhcpPlan | None:
    """Return the site's plan, None where there is no site; that is told."""
    from bootz.cli.dhcp.plan import whole_plan
    from bootz.dhcp.records import sound_part

    try:
        plan = whole_plan(cli)
    except BootzError as error:
        cli.output.warning(f"not compared with an inventory: {error}")
        return None
    for fault in sound_part(plan).faults:
        cli.output.warning(f"in the inventory: {fault}")
    return plan


async def _unreachable(uris: Sequence[BootzUri]) -> dict[BootzUri, str]:
    import asyncio

    async def attempt(uri: BootzUri) -> str:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, writer = await asyncio.open_connection(uri.host, uri.port)
        except TimeoutError:
            return f"nothing within {CONNECT_TIMEOUT:g} s"
        except OSError as error:
            return error.strerror or str(error)
        writer.close()
        return ""

    tried = list(uris)[:MAX_CONNECTS]
    told = await asyncio.gather(*map(attempt, tried))
    return {uri: words for uri, words in zip(tried, told, strict=True) if words}
