"""``bootz chassis``: the routers that are served, what they are and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading, shown_content, writing
from bootz.cli.inventory.chassis.choice import label_choice, where_option
from bootz.cli.inventory.chassis.options import chassis_options
from bootz.cli.names import PROFILE, SERIAL, VENDOR, serial_argument, which_vendor
from bootz.cli.output import Column
from bootz.model.kinds import BootMode

if TYPE_CHECKING:
    from bootz.server.operations.chassis_overview import Overview, Stood
    from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
    from bootz.server.operations.chassis_state import ChassisState


command = noun(
    "chassis",
    "The inventory of routers.",
    elsewhere={
        "check": "bootz.cli.inventory.chassis.check:check_command",
        "hold": "bootz.cli.inventory.chassis.hold:hold",
        "release": "bootz.cli.inventory.chassis.hold:release",
        "render": "bootz.cli.inventory.chassis.render:render_command",
        "replacements": "bootz.cli.inventory.chassis.replacements:replacements",
        "sent": "bootz.cli.inventory.chassis.sent:sent_command",
        "slots": "bootz.cli.inventory.chassis.replacements:slots",
    },
)

_COLUMNS = (
    Column("vendor"),
    Column("serial_number", "SERIAL"),
    Column("part_number", "PART"),
    Column("hostname"),
    Column("cards", right=True),
    Column("boot_mode", "MODE"),
    Column("release"),
    Column("profile"),
    Column("labels"),
    Column("state"),
    Column("since"),
    Column("attempt", "TRY", right=True),
    Column("reason"),
)

STATES = (
    *("failed", "stuck", "on-hold", "applying", "image", "sent", "proved", "connected"),
    *("expected", "ready"),
)
"""The states of ``docs/states.md``, those first that need a person."""
SORTS = ("added", "state", "serial", "hostname", "vendor", "since")


@command.command("add")
@click.argument("serial")
@click.option("--vendor", type=VENDOR, required=True, help="Manufacturer, by name or alias.")
@chassis_options
@click.pass_obj
def add(cli: Cli, /, serial: str, vendor: str, **options: Any) -> None:
    """Add a chassis. SERIAL may be "" for a modular one."""
    from bootz.cli.inventory.chassis.changes import with_options
    from bootz.server.operations.chassis import add_chassis
    from bootz.server.operations.chassis_record import ChassisRecord
    from bootz.server.operations.doubles import find_doubles

    record = with_options(ChassisRecord(vendor, serial), options)
    with writing(cli) as connection:
        added = add_chassis(connection, record)
        doubles = find_doubles(connection, [added.key])
    for double in doubles:
        cli.output.warning(double.told())
    _warn(cli, added)
    cli.output.record(_shown(added))


@command.command("list")
@click.option("--vendor", type=VENDOR, help="Only those of this manufacturer.")
@click.option("--profile", type=PROFILE, help='Only those with this profile; "": without one.')
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Only those with this label; repeatable, then all must match.",
)
@click.option(
    "--state", "states", metavar="STATE[,STATE]", help=f"Only those: {', '.join(STATES)}."
)
@click.option("--sort", type=click.Choice(SORTS), default="added", show_default=True)
@click.pass_obj
def list_(
    cli: Cli,
    vendor: str | None,
    profile: str | None,
    labels: tuple[str, ...],
    states: str | None,
    sort: str,
) -> None:
    """List chassis, with where each stands, why, and since when."""
    from bootz.server.operations.chassis_state import ChassisState

    words = [word.strip().lower() for word in (states or "").split(",") if word.strip()]
    for word in words:
        if word not in STATES:
            told = f"{word!r} is not a state; they are {', '.join(STATES)}"
            raise click.BadParameter(told, param_hint="--state")
    found = _find(
        cli,
        vendor,
        profile,
        label_choice(labels, "--label"),
        states=frozenset(ChassisState(word) for word in words),
        sort=sort,
    )
    cli.output.rows(_COLUMNS, [_listed(each) for each in found.chassis])
    numbers = [f"{number} {state.value}" for state, number in found.counts.items() if number]
    cli.output.message(f"{sum(found.counts.values())} chassis: {', '.join(numbers) or 'none'}")


@command.command("show")
@serial_argument
@which_vendor
@click.pass_obj
def show(cli: Cli, serial: str, vendor: str | None) -> None:
    """Show a chassis, found by its own serial number or a card's."""
    from bootz.server.operations.chassis import find_chassis

    with reading(cli) as connection:
        record = find_chassis(connection, serial, vendor)
    _warn(cli, record)
    cli.output.record(_shown(record))


@command.command("set")
@click.argument("serial", type=SERIAL, required=False)
@which_vendor
@where_option
@click.option("--dry-run", is_flag=True, help="Only show the changes; nothing is stored.")
@click.option("--new-serial", help="New serial number.")
@click.option("--unset-var", multiple=True, metavar="KEY", help="Variable to remove.")
@click.option("--unset-override", multiple=True, metavar="KEY", help="Override to remove.")
@click.option("--unset-label", multiple=True, metavar="KEY", help="Label to remove.")
@chassis_options
@click.pass_obj
def set_(
    cli: Cli, /, serial: str | None, conditions: tuple[str, ...], *, dry_run: bool, **options: Any
) -> None:
    """Change a chassis, or many at once; options that are not given stay as they are.

    With --where, all of the chassis are changed, or none.
    """
    from bootz.cli.inventory.chassis.setting import set_many, set_one

    if (serial is None) == (not conditions):
        raise click.UsageError("name one chassis with SERIAL, or many with --where")
    if serial is None:
        set_many(cli, conditions, options, dry_run=dry_run)
        return
    changed = set_one(cli, serial, options, dry_run=dry_run)
    if changed is not None:
        _warn(cli, changed)
        cli.output.record(_shown(changed))


@command.command("remove")
@serial_argument
@which_vendor
@click.pass_obj
def remove(cli: Cli, serial: str, vendor: str | None) -> None:
    """Remove a chassis; its attempts stay in the journal."""
    from bootz.server.operations.chassis import remove_chassis

    with writing(cli) as connection:
        record = remove_chassis(connection, serial, vendor)
    cli.output.message(f"removed chassis {record.serial_number or serial} of {record.vendor}")


def _warn(cli: Cli, record: ChassisRecord) -> None:
    if record.boot_mode is BootMode.INSECURE:
        cli.output.warning(
            f"{record.serial_number or record.hostname}: INSECURE mode. Its data is sent "
            "unsigned, and the router accepts any server that answers first."
        )
    if record.skip_idevid_serial_check:
        cli.output.warning(
            f"{record.serial_number or record.hostname}: the serial number of the IDevID is "
            "not checked. Any device of this manufacturer can request its data."
        )


def _find(
    cli: Cli,
    vendor: str | None,
    profile: str | None,
    labels: dict[str, str | None],
    *,
    states: frozenset[ChassisState],
    sort: str,
) -> Overview:
    from datetime import UTC, datetime

    from bootz.server.glance import glance
    from bootz.server.operations.chassis_overview import overview
    from bootz.server.operations.step_limits import read_limits
    from bootz.server.store.listing import ListChoice, listed_chassis

    now = datetime.now(UTC)
    if vendor is None and profile is None:
        with glance(cli.site_folder()) as execute:
            if execute is not None:
                limits = read_limits(execute, None)
                listed = listed_chassis(execute, ListChoice(labels=labels))
                return overview(listed, limits, now, states=states, sort=sort)
    from bootz.server.operations.choosing import find_choice
    from bootz.server.store.database import plain

    with reading(cli) as connection:
        choice = find_choice(connection, vendor, profile, labels)
        execute = plain(connection)
        limits = read_limits(execute, cli.site().config.progress)
        return overview(listed_chassis(execute, choice), limits, now, states=states, sort=sort)


def _listed(each: Stood) -> dict[str, object]:
    chassis, standing = each
    return {
        "vendor": chassis.vendor,
        "serial_number": chassis.serial_number,
        "part_number": chassis.part_number,
        "hostname": chassis.hostname,
        "cards": chassis.cards,
        "boot_mode": _shown_mode(chassis.boot_mode),
        "release": chassis.release,
        "profile": chassis.profile,
        "labels": dict(chassis.labels),
        "state": standing.state.value,
        "since": standing.since,
        "attempt": standing.attempt,
        "reason": standing.reason,
        "detail": standing.detail,
        "next": standing.next_action,
    }


def _shown_mode(mode: BootMode) -> str:
    text = str(mode.value)
    return text.upper() if mode is BootMode.INSECURE else text


def _shown(record: ChassisRecord) -> dict[str, object]:
    return {
        "vendor": record.vendor,
        "serial_number": record.serial_number,
        "part_number": record.part_number,
        "hostname": record.hostname,
        "cards": [_shown_card(card) for card in record.cards],
        "boot_mode": _shown_mode(record.boot_mode),
        "release": record.release,
        "profile": record.profile,
        "modular": record.modular,
        "streaming": record.streaming,
        "skip_idevid_serial_check": record.skip_idevid_serial_check,
        "voucher_delivery": record.voucher_delivery,
        "dynamic_config": record.dynamic_config,
        "variables": sorted(record.variables),
        "overrides": shown_content(record.overrides),
        "dhcp": record.dhcp.to_json(),
        "labels": dict(record.labels),
    }


def _shown_card(card: CardRecord) -> dict[str, object]:
    from bootz.server.operations.tpm_record import shown_tpm

    document: dict[str, object] = dict(card.to_document())
    if tpm := shown_tpm(card.tpm):
        document["tpm"] = tpm
    return document
