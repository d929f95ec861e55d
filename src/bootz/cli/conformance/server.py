"""``bootz conformance server``: well-behaved and hostile devices against any Bootz server."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bootz.cli.base import Cli, Verb
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, Output, stderr
from bootz.conformance.junit import Result, junit_report
from bootz.conformance.server.behaved import behaved_cases
from bootz.conformance.server.hostile import hostile_cases
from bootz.conformance.server.hostile_streams import hostile_stream_cases
from bootz.conformance.server.material import Material, make_material, open_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.site_record import on_record
from bootz.conformance.server.suite import Case, Verdict, chosen, play
from bootz.device.grpc_client import Timeouts
from bootz.errors import ConfigError
from bootz.keystore.files import atomic_write, load_certificates
from bootz.wire.uri import parse_bootz_uri

_COLUMNS = (
    Column("case"),
    Column("result"),
    Column("expected"),
    Column("seen"),
    Column("seconds", right=True),
)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("server", cls=Verb)
@click.option("--target", metavar="HOST:PORT", help="Address and port of the server.")
@click.option(
    "--material",
    "material_folder",
    type=_FOLDER,
    metavar="DIR",
    help="Folder of test devices, for a server other than ours; created if missing.",
)
@click.option(
    "--pinned-domain-cert",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Certificate that the vouchers in new --material pin: that of the server's owner.",
)
@click.option(
    "--case",
    "patterns",
    multiple=True,
    metavar="NAME",
    help="Only these cases; * matches anything.",
)
@click.option("--list", "listing", is_flag=True, help="List the cases without running them.")
@click.option("--slow", is_flag=True, help="Run the cases that wait for the 10-second limit too.")
@click.option(
    "--exact/--any-refusal",
    default=True,
    show_default=True,
    help="Check the status code of a refusal; a device only needs to be refused.",
)
@click.option("--timeout", default=30.0, show_default=True, help="Seconds allowed for one case.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write JUnit XML to this file.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    target: str | None,
    material_folder: Path | None,
    pinned_domain_cert: Path | None,
    patterns: Sequence[str],
    listing: bool,
    slow: bool,
    exact: bool,
    timeout: float,
    junit: Path | None,
) -> None:
    """Run test devices against a server and print which cases it passes.

    Against a site of this program (--site) the devices are added to its inventory and removed
    again. For any other server create --material first, let its operator add what inventory.json
    lists, and run the command again. Exit code 0: every case passed.
    """
    cli: Cli = context.obj
    cases = chosen(
        [*behaved_cases(), *hostile_cases(), *hostile_stream_cases()], patterns, slow=slow
    )
    if listing:
        rows = [{"case": case.name, "expected": case.expected} for case in cases]
        cli.output.rows((Column("case"), Column("expected")), rows)
        return
    if material_folder is not None and not material_folder.exists():
        _make(cli.output, material_folder, pinned_domain_cert)
        return
    if target is None:
        raise click.UsageError("name the server with --target HOST:PORT")
    if timeout <= 0:
        raise ConfigError("usage", "seconds must be positive", where="--timeout")
    with _devices(cli, material_folder) as material:
        player = Player(parse_bootz_uri(f"bootz://{target}"), material, Timeouts(10, timeout))
        verdicts = asyncio.run(_play_all(cases, player, exact=exact, seconds=timeout))
    cli.output.rows(_COLUMNS, [_row(verdict) for verdict in verdicts])
    if junit is not None:
        atomic_write(junit, _report(verdicts, target))
    failed = sum(not verdict.passed for verdict in verdicts)
    cli.output.message(f"{len(verdicts) - failed} of {len(verdicts)} cases passed")
    context.exit(1 if failed else 0)


def _report(verdicts: Sequence[Verdict], target: str) -> bytes:
    """Return the JUnit report; a case's group is all of its name but the last part."""
    results = []
    for verdict in verdicts:
        group, _, name = verdict.case.name.rpartition("/")
        flaw = "" if verdict.passed else f"expected {verdict.case.expected}, seen {verdict.seen}"
        output = f"{verdict.remark}: {verdict.seen}" if verdict.remark and not flaw else ""
        results.append(Result(group, name, verdict.seconds, flaw, output=output))
    return junit_report("bootz conformance server", results, target=target)


def _make(output: Output, folder: Path, pinned_domain_cert: Path | None) -> None:
    if pinned_domain_cert is None:
        raise click.UsageError("new --material needs --pinned-domain-cert")
    pinned = load_certificates(pinned_domain_cert)[0]
    make_material(folder, pinned, _tag(), now)
    output.message(
        f"created test devices in {folder}; add what {folder}/inventory.json lists to the "
        "server's inventory, then run this again with --target"
    )


def _tag() -> str:
    return f"C{secrets.token_hex(3).upper()}"


@contextmanager
def _devices(cli: Cli, folder: Path | None) -> Iterator[Material]:
    if folder is not None:
        yield open_material(folder, now)
        return
    site = cli.site()
    with tempfile.TemporaryDirectory(prefix="bootz-conformance-") as temporary:
        made = make_material(Path(temporary) / "m", site.pinned_domain_cert(), _tag(), now)
        with on_record(site, made):
            yield made


async def _play_all(
    cases: Sequence[Case], player: Player, *, exact: bool, seconds: float
) -> list[Verdict]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    verdicts: list[Verdict] = []
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task("playing", total=len(cases))
        for case in cases:
            verdicts.append(await play(case, player, exact=exact, seconds=seconds))
            bar.advance(task)
    return verdicts


def _row(verdict: Verdict) -> dict[str, object]:
    seen = f"{verdict.seen} ({verdict.remark})" if verdict.remark else verdict.seen
    return {
        "case": verdict.case.name,
        "result": "passed" if verdict.passed else "FAILED",
        "expected": verdict.case.expected,
        "seen": seen,
        "seconds": round(verdict.seconds, 3),
    }
