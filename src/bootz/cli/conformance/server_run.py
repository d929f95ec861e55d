"""What ``bootz conformance server`` does: makes the devices, and plays the cases."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from bootz.cli.base import Cli
from bootz.cli.conformance.server_play import Restart, ask_for_restart, play_all, restart_by
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, Output
from bootz.conformance.report_files import ReportFiles
from bootz.conformance.server.catalogue import all_cases
from bootz.conformance.server.compare import compared
from bootz.conformance.server.material import Material, make_material, open_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.site_record import on_record
from bootz.conformance.server.suite import CaseChoice, ServerCase, ServerRun, ServerVerdict, chosen
from bootz.conformance.verdict import JudgedCase, Judgement, Tried, succeeded, tally
from bootz.device.grpc_client import Timeouts
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.wire.uri import parse_bootz_uri

TITLE = "bootz conformance server"

_CASE_COLUMNS = (
    Column("case"),
    Column("expected"),
    Column("dialect"),
    Column("flow"),
    Column("identity"),
)
_COLUMNS = (
    Column("case"),
    Column("result"),
    Column("expected"),
    Column("seen"),
    Column("seconds", right=True),
)
_COMPARED_COLUMNS = (
    Column("case"),
    Column("first"),
    Column("second"),
    Column("first_seen"),
    Column("second_seen"),
)
_WORDS = {Judgement.FAILED: "FAILED"}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The words of one call, as the command line names them."""

    target: str | None
    compare: tuple[str, str] | None
    material_folders: Sequence[Path]
    pinned_domain_cert: Path | None
    patterns: Sequence[str]
    dialects: Sequence[str]
    flows: Sequence[str]
    identities: Sequence[str]
    listing: bool
    slow: bool
    exact: bool
    strict: bool
    timeout: float
    restart_command: str | None
    restart_prompt: bool
    junit: Path | None
    html: Path | None

    @property
    def targets(self) -> tuple[str, ...]:
        """The servers: one, or two to compare.

        Raises:
            UsageError: none is named, or the options contradict one another.
        """
        if self.compare:
            if self.target is not None or self.restarts:
                raise click.UsageError(
                    "--compare names the servers; leave out --target, --restart-command and "
                    "--restart-prompt"
                )
            return self.compare
        if self.target is None:
            raise click.UsageError("name the server with --target HOST:PORT")
        return (self.target,)

    @property
    def restarts(self) -> bool:
        """Whether the server can be restarted."""
        return self.restart_command is not None or self.restart_prompt

    @property
    def choice(self) -> CaseChoice:
        """Which cases are wanted."""
        return CaseChoice(
            self.patterns,
            self.dialects,
            self.flows,
            self.identities,
            slow=self.slow,
            restart=self.restarts or self.listing,
        )


def run_suite(cli: Cli, options: ServerOptions) -> bool:
    """Play the chosen cases, list them, or make the devices; return whether all is well."""
    cases = chosen(all_cases(), options.choice)
    if options.listing:
        cli.output.rows(_CASE_COLUMNS, [_listed(case) for case in cases])
        return True
    if any(not folder.exists() for folder in options.material_folders):
        _make_devices(cli.output, options)
        return True
    targets = options.targets
    if len(options.material_folders) > len(targets):
        raise click.UsageError("give one --material for each server")
    if options.timeout <= 0:
        raise ConfigError("usage", "seconds must be positive", where="--timeout")
    runs: list[list[ServerVerdict]] = []
    with _devices(cli, options.material_folders) as materials:
        for number, target in enumerate(targets):
            material = materials[min(number, len(materials) - 1)]
            runs.append(_play(target, material, cases, options))
    return _tell(cli.output, targets, runs, options)


def _play(
    target: str, material: Material, cases: Sequence[ServerCase], options: ServerOptions
) -> list[ServerVerdict]:
    player = Player(parse_bootz_uri(f"bootz://{target}"), material, Timeouts(10, options.timeout))
    run = ServerRun(player, all_cases(), exact=options.exact, seconds=options.timeout)
    return asyncio.run(play_all(run, cases, _restart(player, options)))


def _restart(player: Player, options: ServerOptions) -> Restart | None:
    if options.restart_command is not None:
        return restart_by(options.restart_command, player.uri)
    return ask_for_restart(player.uri) if options.restart_prompt else None


def _tell(
    output: Output,
    targets: Sequence[str],
    runs: Sequence[Sequence[ServerVerdict]],
    options: ServerOptions,
) -> bool:
    """Print what came of it, write the reports, and return whether all is well."""
    subjects = [Tried(target, _judged(run)) for target, run in zip(targets, runs, strict=True)]
    if len(runs) == 1:
        output.rows(_COLUMNS, [_case_row(verdict) for verdict in _sorted(runs[0])])
    else:
        rows = compared(*runs)
        output.rows(_COMPARED_COLUMNS, [row.as_row() for row in rows])
        output.message(f"{len(rows)} of {len(runs[0])} cases differ")
    ReportFiles(options.junit, options.html).write(TITLE, subjects, at=now())
    for subject in subjects:
        named = f"{subject.name}: " if len(subjects) > 1 else ""
        output.message(named + tally(subject.cases))
    return all(succeeded(subject.cases, strict=options.strict) for subject in subjects)


def _judged(run: Sequence[ServerVerdict]) -> list[JudgedCase]:
    return [verdict.judged for verdict in run]


def _sorted(verdicts: Sequence[ServerVerdict]) -> list[ServerVerdict]:
    """Return the verdicts with those that are not judged apart, at the end."""
    return sorted(verdicts, key=lambda each: each.judgement is Judgement.NOT_JUDGED)


def _make_devices(output: Output, options: ServerOptions) -> None:
    """Make the devices for a server that is no site of this program, and say what comes next."""
    if len(options.material_folders) > 1:
        raise click.UsageError("create one folder of --material at a time")
    folder = options.material_folders[0]
    if options.pinned_domain_cert is None:
        raise click.UsageError("new --material needs --pinned-domain-cert")
    pinned = load_certificates(options.pinned_domain_cert)[0]
    make_material(folder, pinned, _tag(), now)
    output.message(
        f"created test devices in {folder}; add what {folder}/inventory.json lists to the "
        "server's inventory, then run this again with --target"
    )


def _tag() -> str:
    return f"C{secrets.token_hex(3).upper()}"


@contextmanager
def _devices(cli: Cli, folders: Sequence[Path]) -> Iterator[Sequence[Material]]:
    """Open the devices of folders, or make those that a site of this program knows."""
    if folders:
        yield [open_material(folder, now) for folder in folders]
        return
    site = cli.site()
    with tempfile.TemporaryDirectory(prefix="bootz-conformance-") as temporary:
        made = make_material(Path(temporary) / "m", site.pinned_domain_cert(), _tag(), now)
        with on_record(site, made):
            yield [made]


def _listed(case: ServerCase) -> dict[str, object]:
    return {
        "case": case.name,
        "expected": case.expected,
        "dialect": case.way.dialect.name,
        "flow": case.way.flow,
        "identity": case.identity,
        "slow": case.slow,
        "restart": case.prepare is not None,
        "twins": list(case.twins),
        "claim": case.requirement.claim,
        "source": case.requirement.source.document,
    }


def _case_row(verdict: ServerVerdict) -> dict[str, object]:
    """Return the row of a verdict."""
    case, judged = verdict.case, verdict.judged
    seen = judged.why if judged.judgement is Judgement.NOT_JUDGED else judged.came
    return {
        "case": case.name,
        "result": _WORDS.get(judged.judgement, judged.judgement.value),
        "expected": case.expected,
        "seen": f"{seen} ({verdict.remark})" if verdict.remark else seen,
        "seconds": round(judged.seconds, 3),
        "dialect": case.way.dialect.name,
        "flow": case.way.flow,
        "identity": case.identity,
        "claim": judged.claim,
        "why": judged.why,
    }
