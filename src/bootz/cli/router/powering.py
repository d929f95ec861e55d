"""What ``bootz router boot`` does: runs routers side by side, and tells each step."""

import asyncio
import json
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bootz.cli.base import Cli
from bootz.cli.manufacturer import now
from bootz.cli.output import Column, Output
from bootz.cli.router.sources import SourceFor, sources
from bootz.device.board import Board, BootOptions
from bootz.device.contact import Contact, UnaryContact
from bootz.device.download import DownloadOptions
from bootz.device.events import Notify
from bootz.device.grpc_client import Dialer, Timeouts
from bootz.device.hardware import Hardware
from bootz.device.names import locating
from bootz.device.onboarding import BootResult
from bootz.device.record import boot_record
from bootz.device.source import FixedUris, NoSource
from bootz.device.state import BootzStatus, Phase
from bootz.device.stream_contact import StreamContact
from bootz.device.workflow import Router
from bootz.errors import BootzError, ConfigError
from bootz.wire.dialects import CURRENT, Dialect, dialect_by_name
from bootz.wire.flows import STREAM_FLOWS
from bootz.wire.names import FlowName

_COLUMNS = (
    Column("serial_number", "SERIAL"),
    Column("dialect"),
    Column("result"),
    Column("status"),
    Column("attempts", right=True),
    Column("reason"),
    Column("seconds", right=True),
)


_WAITS: Final = ("retry_wait", "report_wait", "card_wait")


def power_on(cli: Cli, folders: Sequence[Path], options: Mapping[str, Any]) -> bool:
    """Power on routers and print how each ended; return whether each is in service.

    Raises:
        BootzError: an option does not fit, or a router's hardware fails.
    """
    not_negative = (*_WAITS, "max_attempts", "report_attempts", "image_wait")
    positive = ("connect_timeout", "call_timeout", "image_stall", "image_tries")
    if (
        min(options[name] for name in not_negative) < 0
        or min(options[name] for name in positive) <= 0
    ):
        raise ConfigError("usage", "times and counts cannot be negative", where="boot")
    connect, stall = options["connect_timeout"], options["image_stall"]
    boot = BootOptions(
        FixedUris(()),
        dialect_by_name(options["dialect"]),
        insecure=options["insecure"],
        max_attempts=options["max_attempts"],
        report_attempts=options["report_attempts"],
        timeouts=Timeouts(connect, options["call_timeout"]),
        download=DownloadOptions(connect, stall, options["image_tries"], options["image_wait"]),
        **{name: options[name] for name in _WAITS},
    )
    opened = [Hardware.open(folder) for folder in folders]
    if not (options["uris"] or options["dhcp_interfaces"]) and all(map(_has_server, opened)):
        found: Sequence[SourceFor] = [lambda _hardware, _notify: NoSource()] * len(opened)
    else:
        found = sources(options, folders)
    routers = list(zip(opened, found, strict=True))
    tell = _tellers(cli.output)[options["progress"]]
    records = asyncio.run(
        _power_on_all(
            routers, boot, options["flow"], tell, alone=len(routers) == 1, stay=options["stay"]
        )
    )
    if len(records) == 1:
        cli.output.record(records[0])
    else:
        cli.output.rows(_COLUMNS, records)
    return all(map(_works, records))


def _works(record: Mapping[str, object]) -> bool:
    """Tell whether a router is in service after its power-on."""
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
            download = replace(options.download, locate=locating(hardware, source))
            own = replace(options, source=source, download=download)
            return await _run(hardware, own, flow, notify, stop if stay else None)
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


async def _run(
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


def _tellers(output: Output) -> Mapping[str, Notify]:
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


def contacts(
    hardware: Hardware, options: BootOptions, flow_name: str
) -> Callable[[Dialect], Contact]:
    """Return what makes the way of speaking of a router.

    Raises:
        ConfigError: streams in a dialect that has none, or unary calls with a key in a TPM.
        BootzError: a key cannot be read.
    """
    card = hardware.record.active
    locate = locating(hardware, options.source)
    if flow_name == FlowName.UNARY.value:
        dialer = Dialer(options.timeouts, hardware.identity(card), locate)
        return lambda dialect: UnaryContact(dialer, dialect)
    if options.dialect is not CURRENT:
        raise ConfigError(
            "usage",
            f"the release {options.dialect.name} has no streams",
            where="--flow",
            expected=f"--dialect {CURRENT.name}",
            seen=options.dialect.name,
        )
    dialer = Dialer(options.timeouts, locate=locate)
    contact = StreamContact(
        next(flow for flow in STREAM_FLOWS if flow.name == flow_name),
        hardware.card(card).prover(),
        dialer,
    )
    return lambda _: contact
