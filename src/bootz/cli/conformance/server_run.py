"""What ``bootz conformance server`` does: makes the devices, and plays the cases."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bootz.cli.base import Cli
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, Output, stderr
from bootz.conformance.junit import junit_report
from bootz.conformance.server.behaved import behaved_cases
from bootz.conformance.server.hostile import hostile_cases
from bootz.conformance.server.hostile_streams import hostile_stream_cases
from bootz.conformance.server.material import Material, make_material, open_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.site_record import on_record
from bootz.conformance.server.suite import ServerCase, ServerVerdict, chosen, play
from bootz.conformance.verdict import JudgedCase, Judgement
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


def run_suite(
    cli: Cli,
    target: str | None,
    material_folder: Path | None,
    pinned_domain_cert: Path | None,
    patterns: Sequence[str],
    junit: Path | None,
    timeout: float,
    *,
    listing: bool,
    slow: bool,
    exact: bool,
) -> bool:
    """Play the chosen cases, list them, or make the devices; return whether all is well."""
    cases = chosen(
        [*behaved_cases(), *hostile_cases(), *hostile_stream_cases()], patterns, slow=slow
    )
    if listing:
        rows = [{"case": case.name, "expected": case.expected} for case in cases]
        cli.output.rows((Column("case"), Column("expected")), rows)
        return True
    if material_folder is not None and not material_folder.exists():
        _make_devices(cli.output, material_folder, pinned_domain_cert)
        return True
    if target is None:
        raise click.UsageError("name the server with --target HOST:PORT")
    if timeout <= 0:
        raise ConfigError("usage", "seconds must be positive", where="--timeout")
    with _devices(cli, material_folder) as material:
        player = Player(parse_bootz_uri(f"bootz://{target}"), material, Timeouts(10, timeout))
        verdicts = asyncio.run(_play_all(cases, player, exact=exact, seconds=timeout))
    cli.output.rows(_COLUMNS, [_case_row(verdict) for verdict in verdicts])
    if junit is not None:
        atomic_write(junit, _junit_of(verdicts, target))
    failed = sum(not verdict.passed for verdict in verdicts)
    cli.output.message(f"{len(verdicts) - failed} of {len(verdicts)} cases passed")
    return not failed


def _junit_of(verdicts: Sequence[ServerVerdict], target: str) -> bytes:
    """Return the JUnit report; a case's group is all of its name but the last part."""
    results = []
    for verdict in verdicts:
        group, _, name = verdict.case.name.rpartition("/")
        flaw = "" if verdict.passed else f"expected {verdict.case.expected}, seen {verdict.seen}"
        results.append(
            JudgedCase(
                group,
                name,
                Judgement.PASSED if verdict.passed else Judgement.FAILED,
                verdict.seconds,
                expected=verdict.case.expected,
                came=verdict.seen,
                why=flaw,
                notes=verdict.remark,
            )
        )
    return junit_report("bootz conformance server", results, target=target)


def _make_devices(output: Output, folder: Path, pinned_domain_cert: Path | None) -> None:
    """Make the devices for a server that is no site of this program, and say what comes next."""
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
    """Open the devices of a folder, or make those that a site of this program knows."""
    if folder is not None:
        yield open_material(folder, now)
        return
    site = cli.site()
    with tempfile.TemporaryDirectory(prefix="bootz-conformance-") as temporary:
        made = make_material(Path(temporary) / "m", site.pinned_domain_cert(), _tag(), now)
        with on_record(site, made):
            yield made


async def _play_all(
    cases: Sequence[ServerCase], player: Player, *, exact: bool, seconds: float
) -> list[ServerVerdict]:
    """Play cases one after the other."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    verdicts: list[ServerVerdict] = []
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task("playing", total=len(cases))
        for case in cases:
            verdicts.append(await play(case, player, exact=exact, seconds=seconds))
            bar.advance(task)
    return verdicts


def _case_row(verdict: ServerVerdict) -> dict[str, object]:
    """Return the row of a verdict."""
    seen = f"{verdict.seen} ({verdict.remark})" if verdict.remark else verdict.seen
    return {
        "case": verdict.case.name,
        "result": "passed" if verdict.passed else "FAILED",
        "expected": verdict.case.expected,
        "seen": seen,
        "seconds": round(verdict.seconds, 3),
    }
