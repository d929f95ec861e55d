"""What ``bootz conformance device`` does: gathers what the suite needs, and plays the cases."""

import asyncio
import shlex
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from bootz.cli.base import Cli
from bootz.cli.conformance.device_link import operated_device
from bootz.cli.conformance.device_material import read_device_content
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, stderr
from bootz.conformance.device.adapter import DeviceAdapter
from bootz.conformance.device.answers import DeviceContent
from bootz.conformance.device.cases import CASES, Case, choose_cases
from bootz.conformance.device.emulated import EmulatedRouter
from bootz.conformance.device.json_lines import JsonLinesAdapter
from bootz.conformance.device.material import (
    Authority,
    KeptVouchers,
    Owner,
    SignedVouchers,
    Vouchers,
    load_authority,
)
from bootz.conformance.device.report import judged_cases, verdict_row
from bootz.conformance.device.run import Bench, CaseVerdict, play_cases
from bootz.conformance.report_files import ReportFiles
from bootz.conformance.verdict import Tried, succeeded, tally
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.processes import WarmCommand
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.wire.dialects import CURRENT
from bootz.wire.names import FlowName

_COLUMNS = (
    Column("case"),
    Column("title"),
    Column("dialect"),
    Column("result"),
    Column("passed", "CHECKS", right=True),
    Column("skipped", right=True),
    Column("seconds", right=True),
    Column("why"),
)
_LISTED = (Column("case"), Column("title"), Column("flow"), Column("given", "THE SERVER GIVES"))


def run_suite(
    cli: Cli,
    patterns: Sequence[str],
    dialects: Sequence[str],
    reports: tuple[Path | None, Path | None],
    own_seconds: Sequence[str],
    options: dict[str, Any],
    *,
    listing: bool,
    strict: bool,
) -> bool:
    """Play the chosen cases, or list them; return whether the run is good."""
    own = _own_seconds(own_seconds)
    if min([options["seconds"], *own.values()]) <= 0:
        raise ConfigError("usage", "seconds must be positive", where="--timeout")
    cases = choose_cases(patterns)
    if listing:
        cli.output.rows(
            _LISTED,
            [
                {"case": c.id, "title": c.title, "flow": c.flow, "given": c.given.value}
                for c in (cases or CASES)
            ],
        )
        return True
    # Streams there are in one dialect alone.
    plays = [
        (case, dialect)
        for case, dialect in product(cases, dict.fromkeys(dialects))
        if case.flow == FlowName.UNARY.value or dialect == CURRENT.name
    ]
    if not plays:
        raise ConfigError(
            "conformance-case-unknown", "streams need --dialect current", where="--dialect"
        )
    at = now()
    verdicts = asyncio.run(_play(cli, plays, options, own))
    judged = judged_cases(verdicts)
    subject = Tried(options["adapter"] or options["interface"] or "an emulated router", judged)
    ReportFiles(*reports).write("bootz conformance device", [subject], at=at)
    cli.output.rows(_COLUMNS, [verdict_row(verdict, verdicts) for verdict in verdicts])
    cli.output.message(tally(judged))
    return succeeded(judged, strict=strict)


async def _play(
    cli: Cli,
    plays: Sequence[tuple[Case, str]],
    options: dict[str, Any],
    own_seconds: dict[str, float],
) -> tuple[CaseVerdict, ...]:
    """Play cases, each in a dialect, and return the verdicts."""
    on_link = options["interface"] is not None
    opened = operated_device(cli, options) if on_link else _device(options)
    async with opened as (adapter, bench):
        # Who operates a device has a countdown of its own.
        with Progress(console=stderr(), transient=True, disable=on_link) as progress:
            task = progress.add_task("playing cases", total=len(plays))

            def tell(verdict: CaseVerdict) -> None:
                word = "passed" if verdict.passed else "FAILED"
                progress.console.print(f"{verdict.case.id} {verdict.dialect} {word}")
                progress.advance(task)

            return await play_cases(plays, adapter, bench, on_verdict=tell, own_seconds=own_seconds)


@asynccontextmanager
async def _device(options: dict[str, Any]) -> AsyncIterator[tuple[DeviceAdapter, Bench]]:
    """Run the adapter, and gather what the suite needs for its device."""
    if options["adapter"] is None:
        for name in ("vendor_ca", "voucher_dir", "voucher_signer"):
            if options[name]:
                raise click.UsageError(f"--{name.replace('_', '-')} is for --adapter")
        async with AsyncExitStack() as stack:
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix="bootz-conformance-"))
            folder = Path(made)
            maker = folder / "manufacturer"
            call = await stack.enter_async_context(WarmCommand())
            await call("manufacturer", "init", str(maker))
            keys = maker / "keys"
            ca = load_certificates(keys / "ca.pem")
            signer = load_authority(keys / "vouchers.pem", keys / "vouchers.key", ca)
            bench = _bench(options, ca, signer)
            yield EmulatedRouter(folder / "routers", maker, call), bench
        return
    if not options["vendor_ca"]:
        raise click.UsageError("--adapter needs --vendor-ca")
    anchors = [der for path in options["vendor_ca"] for der in load_certificates(path)]
    given = None
    if options["voucher_signer"] is not None:
        if options["voucher_key"] is None:
            raise click.UsageError("--voucher-signer needs --voucher-key")
        given = load_authority(options["voucher_signer"], options["voucher_key"])
    bench = _bench(options, anchors, given)
    command_words = shlex.split(options["adapter"])
    async with JsonLinesAdapter(command_words, seconds=bench.seconds) as adapter:
        yield adapter, bench


def _bench(options: dict[str, Any], anchors: Sequence[bytes], signer: Authority | None) -> Bench:
    advertised = options["advertise"] or options["listen"]
    if advertised in {"0.0.0.0", "::"}:  # noqa: S104 -- what must not be advertised
        raise click.UsageError("--listen on every address needs --advertise HOST")
    owner = Owner.make(advertised, owner=_owner(options))
    vouchers: Vouchers
    if options["voucher_dir"] is not None:
        if options["pinned_domain_cert"] is None:
            raise click.UsageError(
                "--voucher-dir needs --pinned-domain-cert, --owner-certificate and --owner-key"
            )
        vouchers = KeptVouchers(options["voucher_dir"])
    elif signer is not None:
        vouchers = SignedVouchers(signer, owner.pinned)
    else:
        raise click.UsageError("give --voucher-signer with --voucher-key, or --voucher-dir")
    return Bench(
        owner=owner,
        vouchers=vouchers,
        vendor_anchors=VendorCAs(AnchorSet.from_der(anchors)),
        content=read_device_content(options, DeviceContent.make()),
        listen=options["listen"],
        port=options["port"],
        advertised=advertised,
        interface=options["router_interface"],
        seconds=options["seconds"],
    )


def _owner(options: dict[str, Any]) -> tuple[bytes, Authority] | None:
    names = ("pinned_domain_cert", "owner_certificate", "owner_key")
    given = [options[name] for name in names]
    if not any(given):
        return None
    if not all(given):
        raise click.UsageError(
            "--pinned-domain-cert, --owner-certificate and --owner-key go together"
        )
    return load_certificates(given[0])[0], load_authority(given[1], given[2])


def _own_seconds(words: Sequence[str]) -> dict[str, float]:
    """Read ``ID=SECONDS``; a group gives its seconds to each of its cases."""
    own: dict[str, float] = {}
    for word in words:
        pattern, _, number = word.partition("=")
        try:
            seconds = float(number)
        except ValueError:
            raise click.UsageError(f"--case-timeout {word}: not ID=SECONDS") from None
        own.update(dict.fromkeys((case.id for case in choose_cases([pattern])), seconds))
    return own
