"""``bootz router card|insert|pull|replace|power``: hands at a modular chassis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, PATH, Cli, Verb, one_of
from bootz.cli.manufacturer import KEY_KINDS, key_option, now
from bootz.cli.output import Output
from bootz.device.kinds import Power
from bootz.model.kinds import CardKind

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.device.hardware import BuiltCard

_router = click.argument("folder", metavar="DIR", type=PATH)
_slot = click.argument("slot", metavar="SLOT")


@click.command("card", cls=Verb)
@click.argument("card_folder", metavar="CARD", type=PATH)
@click.option(
    "--manufacturer",
    "maker_folder",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Folder of the manufacturer that issues the identity.",
)
@click.option("--serial", required=True, help="Serial number.")
@click.option("--part-number", default="BOOTZ-RP", show_default=True, help="Part number.")
@click.option(
    "--kind",
    "card_kind",
    type=one_of(CardKind),
    default=CardKind.CONTROL.value,
    show_default=True,
    help="Route processor or line card.",
)
@key_option
@click.option(
    "--vendor-anchor",
    "vendor_anchors",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Further CA that vouchers may lead to.",
)
@click.option(
    "--tampered", is_flag=True, help="Build a card whose key does not match its identity."
)
@click.pass_obj
def card_command(
    cli: Cli,
    card_folder: Path,
    *,
    maker_folder: Path,
    serial: str,
    part_number: str,
    card_kind: str,
    kind: str,
    vendor_anchors: Sequence[Path],
    tampered: bool,
) -> None:
    """Build a card that is not in a chassis yet; the folder is its hardware."""
    from bootz.device.card_folder import CardParts
    from bootz.device.hardware import BuiltCard
    from bootz.device.slots import make_card
    from bootz.keystore.files import generate_key, load_certificates
    from bootz.manufacturer.room import Manufacturer

    maker = Manufacturer.open(maker_folder, clock=now)
    issued = maker.issue_identity(serial, part_number, kind=KEY_KINDS[kind])
    anchors = [der for path in vendor_anchors for der in load_certificates(path)]
    key = generate_key(KEY_KINDS[kind]) if tampered else issued.key
    card = BuiltCard("", serial, part_number, kind=CardKind(card_kind))
    make_card(card_folder, card, CardParts(key, issued.chain, [maker.anchor, *anchors]))
    _show(cli.output, card)


@click.command("insert", cls=Verb)
@_router
@_slot
@click.argument("card_folder", metavar="CARD", type=PATH)
@click.pass_obj
def insert_command(cli: Cli, folder: Path, slot: str, card_folder: Path) -> None:
    """Insert the card of folder CARD into an empty slot, whether the router is running or not."""
    from bootz.device.hardware import Hardware
    from bootz.device.slots import insert

    _show(cli.output, insert(Hardware.open(folder), slot, card_folder))


@click.command("pull", cls=Verb)
@_router
@_slot
@click.argument("card_folder", metavar="CARD", type=PATH)
@click.pass_obj
def pull_command(cli: Cli, folder: Path, slot: str, card_folder: Path) -> None:
    """Remove a card from its slot and put it into the new folder CARD."""
    from bootz.device.hardware import Hardware
    from bootz.device.slots import pull

    _show(cli.output, pull(Hardware.open(folder), slot, card_folder))


@click.command("replace", cls=Verb)
@_router
@_slot
@click.argument("card_folder", metavar="CARD", type=PATH)
@click.option(
    "--old",
    type=PATH,
    required=True,
    metavar="OLD",
    help="New folder for the card that is removed.",
)
@click.pass_obj
def replace_command(cli: Cli, folder: Path, slot: str, card_folder: Path, old: Path) -> None:
    """Replace the card in a slot by the one of folder CARD."""
    from bootz.device.hardware import Hardware
    from bootz.device.slots import exchange

    _show(cli.output, exchange(Hardware.open(folder), slot, card_folder, old))


@click.command("power", cls=Verb)
@_router
@_slot
@click.argument("power", type=one_of(Power))
@click.pass_obj
def power_command(cli: Cli, folder: Path, slot: str, power: str) -> None:
    """Switch the power of a slot; a card that gets power again is treated as new."""
    from bootz.device.hardware import Hardware
    from bootz.device.slots import switch

    _show(cli.output, switch(Hardware.open(folder), slot, Power(power)))


def _show(output: Output, card: BuiltCard) -> None:
    output.record(
        {
            **({"slot": card.name} if card.name else {}),
            "serial_number": card.serial_number,
            "part_number": card.part_number,
            "kind": card.kind,
            "powered": card.powered,
        }
    )
