"""``bootz router``: emulated routers, for any Bootz server."""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from bootz.cli.base import Cli, noun
from bootz.cli.manufacturer import KEY_KINDS, key_option, now
from bootz.cli.output import Output
from bootz.cli.router_identity import existing_identity
from bootz.device.contact import UnaryContact
from bootz.device.grpc_client import Timeouts
from bootz.device.hardware import CardRecord, ChassisRecord, Hardware, NewCard
from bootz.device.installer import DownloadOptions
from bootz.device.record import boot_record, state_record
from bootz.device.state import BootzStatus, InstalledImage, RouterState
from bootz.device.workflow import BootOptions, BootResult, Notify, Router
from bootz.errors import ConfigError
from bootz.manufacturer.room import Manufacturer
from bootz.wire.dialects import DIALECTS, Dialect, dialect_by_name
from bootz.wire.uri import parse_bootz_uri

command = noun("router", "Emulated routers, for any Bootz server.")

_FILE = click.Path(path_type=Path, dir_okay=False)
_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@command.command("manufacture")
@_folder
@click.option(
    "--manufacturer",
    "maker_folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The manufacturer's folder: it issues the identity.",
)
@click.option("--serial", "serial_number", required=True, help="The serial number.")
@click.option("--part-number", default="BOOTZ-8000", show_default=True, help="The part number.")
@key_option
@click.option("--idevid-cert", type=_FILE, metavar="FILE", help="An identity that exists.")
@click.option("--idevid-key", type=_FILE, metavar="FILE", help="The key of --idevid-cert.")
@click.option(
    "--vendor-anchor",
    "vendor_anchors",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="A CA that vouchers must lead to; for --idevid-cert.",
)
@click.option("--vendor-name", default="", help="The manufacturer's name; for --idevid-cert.")
@click.option(
    "--image",
    "factory_image",
    nargs=2,
    metavar="NAME VERSION",
    default=("factory", "0"),
    show_default=True,
    help="The software that the factory installs.",
)
@click.option(
    "--secure-mode/--no-secure-mode",
    default=True,
    show_default=True,
    help="Whether Bootz runs at power-on.",
)
@click.option("--strict-images", is_flag=True, help="Take only files that begin with BOOTZ-IMAGE.")
@click.pass_obj
def manufacture(
    cli: Cli,
    folder: Path,
    *,
    maker_folder: Path | None,
    serial_number: str,
    part_number: str,
    kind: str,
    idevid_cert: Path | None,
    idevid_key: Path | None,
    vendor_anchors: Sequence[Path],
    vendor_name: str,
    factory_image: tuple[str, str],
    secure_mode: bool,
    strict_images: bool,
) -> None:
    """Build a router of fixed form: a folder that is its hardware."""
    record = CardRecord("RP0", serial_number, part_number)
    if maker_folder is not None and idevid_cert is None:
        maker = Manufacturer.open(maker_folder, clock=now)
        issued = maker.issue_identity(serial_number, part_number, kind=KEY_KINDS[kind])
        card = NewCard(record, issued.key, issued.chain, [maker.anchor])
        vendor_name = vendor_name or maker.name
    elif maker_folder is None and idevid_cert is not None and idevid_key is not None:
        card = existing_identity(record, idevid_cert, idevid_key, vendor_anchors)
    else:
        raise click.UsageError(
            "give either --manufacturer, or --idevid-cert with --idevid-key and --vendor-anchor"
        )
    chassis = ChassisRecord(
        vendor_name,
        serial_number,
        (record,),
        part_number,
        secure_mode=secure_mode,
        strict_images=strict_images,
    )
    state = RouterState(image=InstalledImage(*factory_image))
    hardware = Hardware.manufacture(folder, chassis, [card], state)
    cli.output.record(state_record(hardware, state))


@command.command("boot")
@_folder
@click.option(
    "--uri",
    "uris",
    multiple=True,
    required=True,
    metavar="bootz://HOST:PORT",
    help="A bootstrap server; several are tried in turn.",
)
@click.option(
    "--dialect",
    "dialect_name",
    type=click.Choice([row.name for row in DIALECTS]),
    default="current",
    show_default=True,
    help="The release of the interface that the router was built against.",
)
@click.option("--insecure", is_flag=True, help="Send no nonce and check no ownership.")
@click.option("--retry-wait", default=10.0, show_default=True, help="Seconds between attempts.")
@click.option("--max-attempts", default=0, show_default=True, help="0: without end.")
@click.option("--report-wait", default=1.0, show_default=True, help="First wait; it doubles.")
@click.option("--report-attempts", default=0, show_default=True, help="0: without end.")
@click.option("--connect-timeout", default=10.0, show_default=True, help="Seconds.")
@click.option("--call-timeout", default=30.0, show_default=True, help="Seconds.")
@click.option("--image-stall", default=30.0, show_default=True, help="Seconds without a byte.")
@click.option("--image-tries", default=5, show_default=True, help="Tries of one download.")
@click.option("--image-wait", default=2.0, show_default=True, help="Seconds between tries.")
@click.option(
    "--progress",
    type=click.Choice(["text", "json-lines", "none"]),
    default="text",
    show_default=True,
    help="How each step is told on stderr.",
)
@click.pass_context
def boot(
    context: click.Context,
    folder: Path,
    *,
    uris: Sequence[str],
    dialect_name: str,
    insecure: bool,
    retry_wait: float,
    max_attempts: int,
    report_wait: float,
    report_attempts: int,
    connect_timeout: float,
    call_timeout: float,
    image_stall: float,
    image_tries: int,
    image_wait: float,
    progress: str,
) -> None:
    """Power the router on. Exit code 0: it works (BOOTZ_OK, or no Bootz to run)."""
    cli: Cli = context.obj
    numbers = (retry_wait, max_attempts, report_wait, report_attempts, image_wait)
    if min(numbers) < 0 or min(connect_timeout, call_timeout, image_stall, image_tries) <= 0:
        raise ConfigError("usage", "waits, times and counts cannot be negative", where="boot")
    options = BootOptions(
        tuple(parse_bootz_uri(uri) for uri in uris),
        dialect_by_name(dialect_name),
        insecure=insecure,
        retry_wait=retry_wait,
        max_attempts=max_attempts,
        report_wait=report_wait,
        report_attempts=report_attempts,
        timeouts=Timeouts(connect_timeout, call_timeout),
        download=DownloadOptions(connect_timeout, image_stall, image_tries, image_wait),
    )
    hardware = Hardware.open(folder)
    identity = hardware.identity(hardware.record.active)

    def contact_for(dialect: Dialect) -> UnaryContact:
        return UnaryContact(identity, dialect, options.timeouts)

    router = Router(
        hardware,
        options,
        contact_for,
        clock=now,
        make_nonce=secrets.token_urlsafe,
        notify=_notifier(progress, cli.output, hardware.record.serial_number),
    )
    started = time.monotonic()
    result = asyncio.run(router.boot())
    seconds = time.monotonic() - started
    state = hardware.load_state()
    cli.output.record(boot_record(hardware, state, result, seconds))
    works = state.status is BootzStatus.OK or result is BootResult.NORMAL_BOOT
    context.exit(0 if works else 1)


@command.command("show")
@_folder
@click.option("--configuration", is_flag=True, help="Show the running configuration instead.")
@click.pass_obj
def show(cli: Cli, folder: Path, *, configuration: bool) -> None:
    """Show a router: its cards, its software, and /system/bootz/state."""
    hardware = Hardware.open(folder)
    state = hardware.load_state()
    if not configuration:
        cli.output.record(state_record(hardware, state))
    elif state.running:
        cli.output.document(json.loads(hardware.kept("configurations", state.running)))
    else:
        cli.output.message("the router has no configuration")


@command.command("reset")
@_folder
@click.pass_obj
def reset(cli: Cli, folder: Path) -> None:
    """Factory reset: the next power-on starts Bootz again; the software stays."""
    hardware = Hardware.open(folder)
    with hardware.powered():
        hardware.reset()
    cli.output.message(f"{folder} is in factory state")


def _notifier(form: str, output: Output, serial_number: str) -> Notify:
    def json_line(event: str, fields: Mapping[str, object]) -> None:
        line = {"event": event, "serial_number": serial_number, **fields}
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()

    def text_line(event: str, fields: Mapping[str, object]) -> None:
        words = " ".join(f"{name}={value}" for name, value in fields.items())
        output.message(f"{serial_number} {event} {words}".rstrip())

    def silence(_event: str, _fields: Mapping[str, object]) -> None:
        return

    forms: Mapping[str, Callable[[str, Mapping[str, object]], None]] = {
        "json-lines": json_line,
        "text": text_line,
        "none": silence,
    }
    return forms[form]
