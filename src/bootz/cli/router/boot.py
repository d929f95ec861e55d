"""``bootz router boot``: powers routers on, several at once in one process."""

import asyncio
import json
import secrets
import signal
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bootz.cli.base import Cli, Verb
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, Output
from bootz.cli.router.dhcp import SourceFor, source_options, sources
from bootz.cli.router.tpm import contacts, flow_option
from bootz.device.board import Board, BootOptions, Notify
from bootz.device.download import DownloadOptions
from bootz.device.grpc_client import Timeouts
from bootz.device.hardware import Hardware
from bootz.device.record import boot_record
from bootz.device.source import FixedUris, NoSource
from bootz.device.state import BootzStatus, Phase
from bootz.device.workflow import BootResult, Router
from bootz.errors import BootzError, ConfigError
from bootz.wire.dialects import DIALECTS, dialect_by_name

_COLUMNS = (
    Column("serial_number", "SERIAL"),
    Column("dialect"),
    Column("result"),
    Column("status"),
    Column("attempts", right=True),
    Column("reason"),
    Column("seconds", right=True),
)


@click.command("boot", cls=Verb)
@click.argument(
    "folders",
    metavar="DIR...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@source_options
@click.option(
    "--dialect",
    "dialect_name",
    type=click.Choice([row.name for row in DIALECTS]),
    default="current",
    show_default=True,
    help="The release of the interface that the router was built against.",
)
@flow_option
@click.option("--insecure", is_flag=True, help="Send no nonce and do not verify ownership.")
@click.option(
    "--retry-wait", default=10.0, show_default=True, help="Average pause between attempts."
)
@click.option(
    "--max-attempts",
    default=0,
    show_default=True,
    help="0: no limit. One attempt tries every URI.",
)
@click.option(
    "--report-wait",
    default=1.0,
    show_default=True,
    help="Average of the first pause; doubled each time.",
)
@click.option("--report-attempts", default=0, show_default=True, help="0: no limit.")
@click.option(
    "--card-wait",
    default=10.0,
    show_default=True,
    help="Average pause before a refused card is asked for again; doubled each time.",
)
@click.option("--stay", is_flag=True, help="Keep running: handle cards and the console.")
@click.option("--connect-timeout", default=10.0, show_default=True, help="Seconds.")
@click.option("--call-timeout", default=30.0, show_default=True, help="Seconds.")
@click.option(
    "--image-stall",
    default=30.0,
    show_default=True,
    help="Seconds without data before a download is aborted.",
)
@click.option(
    "--image-tries", default=5, show_default=True, help="Tries in a row that bring no new data."
)
@click.option(
    "--image-wait",
    default=2.0,
    show_default=True,
    help="Average of the first pause between those tries; doubled each time.",
)
@click.option(
    "--progress",
    type=click.Choice(["text", "json-lines", "none"]),
    default="text",
    show_default=True,
    help="Format of the progress on stderr.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    folders: Sequence[Path],
    *,
    dialect_name: str,
    flow: str,
    insecure: bool,
    retry_wait: float,
    max_attempts: int,
    report_wait: float,
    report_attempts: int,
    card_wait: float,
    stay: bool,
    connect_timeout: float,
    call_timeout: float,
    image_stall: float,
    image_tries: int,
    image_wait: float,
    progress: str,
    **discovery: Any,
) -> None:
    """Power on routers, all at once. Exit code 0: each is up (BOOTZ_OK, or no Bootz to run).

    With --stay they keep running until Ctrl-C or SIGTERM, and handle events: cards that are
    inserted, replaced or switched (`bootz router insert`), and orders from `bootz router console`.
    """
    cli: Cli = context.obj
    numbers = (retry_wait, max_attempts, report_wait, report_attempts, card_wait, image_wait)
    if min(numbers) < 0 or min(connect_timeout, call_timeout, image_stall, image_tries) <= 0:
        raise ConfigError("usage", "times and counts cannot be negative", where="boot")
    options = BootOptions(
        FixedUris(()),
        dialect_by_name(dialect_name),
        insecure=insecure,
        retry_wait=retry_wait,
        max_attempts=max_attempts,
        report_wait=report_wait,
        report_attempts=report_attempts,
        card_wait=card_wait,
        timeouts=Timeouts(connect_timeout, call_timeout),
        download=DownloadOptions(connect_timeout, image_stall, image_tries, image_wait),
    )
    opened = [Hardware.open(folder) for folder in folders]
    if not (discovery["uris"] or discovery["dhcp_interfaces"]) and all(map(_has_server, opened)):
        found: Sequence[SourceFor] = [lambda _hardware, _notify: NoSource()] * len(opened)
    else:
        found = sources(discovery, folders)
    routers = list(zip(opened, found, strict=True))
    tell = _forms(cli.output)[progress]
    records = asyncio.run(
        _power_on_all(routers, options, flow, tell, alone=len(routers) == 1, stay=stay)
    )
    if len(records) == 1:
        cli.output.record(records[0])
    else:
        cli.output.rows(_COLUMNS, records)
    context.exit(0 if all(_works(record) for record in records) else 1)


def _works(record: Mapping[str, object]) -> bool:
    return record["status"] is BootzStatus.OK or record["result"] == BootResult.NORMAL_BOOT.value


def _has_server(hardware: Hardware) -> bool:
    """Tell whether a router knows by itself where its server is."""
    state = hardware.load_state()
    return state.no_dhcp is not None or state.phase is Phase.OPERATIONAL


async def _power_on_all(
    routers: Sequence[tuple[Hardware, SourceFor]],
    options: BootOptions,
    flow: str,
    tell: Notify,
    *,
    alone: bool,
    stay: bool,
) -> Sequence[Mapping[str, object]]:
    """Run routers side by side; one whose hardware fails does not stop the others."""
    stop = asyncio.Event()
    if stay:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def run(hardware: Hardware, source_for: SourceFor) -> Mapping[str, object]:
        serial = hardware.record.serial_number or hardware.record.active.serial_number

        def notify(event: str, fields: Mapping[str, object]) -> None:
            tell(event, {"serial_number": serial, **fields})

        try:
            source = source_for(hardware, notify)
            download = replace(options.download, locate=source.locate)
            own = replace(options, source=source, download=download)
            return await _power_on(hardware, own, flow, notify, stop if stay else None)
        except BootzError as error:
            if alone:
                raise
            told = {"reason": error.reason, "detail": str(error)}
            notify("hardware-failed", told)
            return {
                "serial_number": serial,
                "result": BootResult.FAILED.value,
                "status": "",
                "reason": error.reason,
                "message": str(error),
            }

    return await asyncio.gather(*(run(*router) for router in routers))


async def _power_on(
    hardware: Hardware,
    options: BootOptions,
    flow: str,
    notify: Notify,
    stop: asyncio.Event | None,
) -> Mapping[str, object]:
    """Run one router; with ``stop`` it stays until that is set."""
    board = Board(
        hardware,
        options,
        contacts(hardware, options, flow),
        clock=now,
        make_nonce=secrets.token_urlsafe,
        notify=notify,
    )
    router = Router(board)
    started = time.monotonic()
    if stop is None:
        result = await router.boot()
    else:
        result = await _until(stop, router.boot(stay=True))
    seconds = time.monotonic() - started
    return boot_record(hardware, hardware.load_state(), result, seconds)


async def _until(stop: asyncio.Event, booting: Coroutine[Any, Any, BootResult]) -> BootResult:
    boot, stopped = asyncio.ensure_future(booting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({boot, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return boot.result() if boot.done() else BootResult.STOPPED
    finally:
        boot.cancel()
        stopped.cancel()
        await asyncio.gather(boot, stopped, return_exceptions=True)


def _forms(output: Output) -> Mapping[str, Notify]:
    """Return how each step is told, by the words of ``--progress``."""

    def json_line(event: str, fields: Mapping[str, object]) -> None:
        sys.stderr.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stderr.flush()

    def text_line(event: str, fields: Mapping[str, object]) -> None:
        serial, *words = (
            f"{value}" if name == "serial_number" else f"{name}={value}"
            for name, value in fields.items()
        )
        output.message(" ".join([serial, event, *words]))

    def silence(_event: str, _fields: Mapping[str, object]) -> None:
        return

    return {"json-lines": json_line, "text": text_line, "none": silence}
