"""``bootz dhcp check``: the mistakes that make a turn-up fail, in a configuration that exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, Verb
from bootz.cli.inventory.base import read_file
from bootz.cli.output import Column
from bootz.errors import BootzError

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.dhcp.records import DhcpPlan
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
@click.option("--no-inventory", is_flag=True, help="Do not compare with the site's inventory.")
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    form: str | None,
    *,
    no_connect: bool,
    no_inventory: bool,
) -> None:
    """Check a configuration of Kea, ISC dhcpd or dnsmasq. Exit code 1: routers would fail."""
    import asyncio

    from bootz.dhcp.lint import Severity, check_scopes, uris_of
    from bootz.dhcp.read_dnsmasq import read_dnsmasq
    from bootz.dhcp.read_isc import read_isc
    from bootz.dhcp.read_kea import read_kea
    from bootz.dhcp.scopes import unreadable

    cli: Cli = context.obj
    try:
        text = read_file(file).decode()
    except UnicodeDecodeError as error:
        raise unreadable("it is not UTF-8", str(file)) from error
    readers = dict(zip(_FORMS, (read_kea, read_isc, read_dnsmasq), strict=True))
    scopes = readers[form or _form_of(text)](text)
    plan = None if no_inventory else _plan(cli)
    unreachable = {} if no_connect else asyncio.run(_unreachable(uris_of(scopes)))
    findings = check_scopes(scopes, plan, unreachable)
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


def _form_of(text: str) -> str:
    if '"Dhcp4"' in text or '"Dhcp6"' in text:
        return "kea"
    lines = [line.strip() for line in text.splitlines()]
    if any(line.startswith(("dhcp-option", "dhcp-range=", "dhcp-host=")) for line in lines):
        return "dnsmasq"
    return "isc"


def _plan(cli: Cli) -> DhcpPlan | None:
    """Return the site's plan, None where there is no site or it does not hold; that is told."""
    from bootz.cli.dhcp.plan import read_plan

    try:
        return read_plan(cli)
    except BootzError as error:
        cli.output.warning(f"not compared with an inventory: {error}")
        return None


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
