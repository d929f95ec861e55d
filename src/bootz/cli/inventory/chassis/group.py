"""``bootz chassis``: the routers that are served, what they are and what they get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import reading, shown_content, writing
from bootz.cli.inventory.chassis.options import chassis_options
from bootz.cli.names import PROFILE, VENDOR, serial_argument, which_vendor
from bootz.cli.output import Column
from bootz.model.kinds import BootMode

if TYPE_CHECKING:
    from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
    from bootz.server.store.listing import ListedChassis


command = noun(
    "chassis",
    "The inventory of routers.",
    elsewhere={
        "render": "bootz.cli.inventory.chassis.render:render_command",
        "replacements": "bootz.cli.inventory.chassis.replacements:replacements",
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
)


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

    record = with_options(ChassisRecord(vendor, serial), options)
    with writing(cli) as connection:
        added = add_chassis(connection, record)
    _warn(cli, added)
    cli.output.record(_shown(added))


@command.command("list")
@click.option("--vendor", type=VENDOR, help="Only those of this manufacturer.")
@click.option("--profile", type=PROFILE, help="Only those with this profile.")
@click.pass_obj
def list_(cli: Cli, vendor: str | None, profile: str | None) -> None:
    """List chassis."""
    cli.output.rows(_COLUMNS, [_listed(each) for each in _find(cli, vendor, profile)])


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
@serial_argument
@which_vendor
@click.option("--new-serial", help="New serial number.")
@click.option("--unset-var", multiple=True, metavar="KEY", help="Variable to remove.")
@click.option("--unset-override", multiple=True, metavar="KEY", help="Override to remove.")
@chassis_options
@click.pass_obj
def set_(
    cli: Cli,
    /,
    serial: str,
    vendor: str | None,
    new_serial: str | None,
    unset_var: tuple[str, ...],
    unset_override: tuple[str, ...],
    **options: Any,
) -> None:
    """Change a chassis; options that are not given stay as they are."""
    from bootz.cli.inventory.chassis.changes import with_options
    from bootz.server.operations.chassis import find_chassis, set_chassis
    from bootz.server.operations.profile_document import Content

    with writing(cli) as connection:
        before = find_chassis(connection, serial, vendor)
        overrides = before.overrides.to_json()
        for key in unset_override:
            overrides.pop(key, None)
        kept = replace(
            before,
            serial_number=before.serial_number if new_serial is None else new_serial,
            variables={k: v for k, v in before.variables.items() if k not in unset_var},
            overrides=Content.parse(overrides, where=f"overrides of {serial}"),
        )
        changed = set_chassis(connection, serial, with_options(kept, options), before.vendor)
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


def _find(cli: Cli, vendor: str | None, profile: str | None) -> list[ListedChassis]:
    from bootz.server.glance import glance
    from bootz.server.store.listing import listed_chassis

    if vendor is None and profile is None:
        with glance(cli.site_folder()) as execute:
            if execute is not None:
                return list(listed_chassis(execute))
    from bootz.server.operations.chassis import chosen_chassis

    with reading(cli) as connection:
        return chosen_chassis(connection, vendor, profile)


def _listed(each: ListedChassis) -> dict[str, object]:
    return {**each._asdict(), "boot_mode": _shown_mode(each.boot_mode)}


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
    }


def _shown_card(card: CardRecord) -> dict[str, object]:
    from bootz.server.operations.tpm_record import shown_tpm

    document: dict[str, object] = dict(card.to_document())
    if tpm := shown_tpm(card.tpm):
        document["tpm"] = tpm
    return document
