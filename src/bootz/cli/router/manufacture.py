"""``bootz router manufacture``: builds routers, which are folders."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, PATH, Cli, Verb
from bootz.cli.manufacturer import KEY_KINDS, key_option, now
from bootz.cli.output import Column, stderr
from bootz.cli.router.tpm import tpm_options
from bootz.model.kinds import CardKind

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.device.hardware import BuiltCard, Hardware, NewCard

SLOTS = ("RP0", "RP1", *(f"LC{number}" for number in range(8)))

_COLUMNS = (Column("serial_number", "SERIAL"), Column("manufacturer"), Column("part_number"))


@click.command("manufacture", cls=Verb)
@click.argument("folder", metavar="DIR", type=PATH)
@click.option(
    "--manufacturer",
    "maker_folder",
    type=PATH,
    metavar="DIR",
    help="Folder of the manufacturer that issues the identity.",
)
@click.option(
    "--serial",
    "serial_numbers",
    multiple=True,
    required=True,
    help="Serial number. With several, each router gets a folder of that name below DIR.",
)
@click.option("--part-number", default="BOOTZ-8000", show_default=True, help="Part number.")
@key_option
@tpm_options
@click.option("--idevid-cert", type=FILE, metavar="FILE", help="Existing identity certificate.")
@click.option("--idevid-key", type=FILE, metavar="FILE", help="Private key of --idevid-cert.")
@click.option(
    "--vendor-anchor",
    "vendor_anchors",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="CA that vouchers must lead to. With --manufacturer: in addition to its own.",
)
@click.option("--vendor-name", default="", help="Name of the manufacturer; for --idevid-cert.")
@click.option(
    "--image",
    "factory_image",
    nargs=2,
    metavar="NAME VERSION",
    default=("factory", "0"),
    show_default=True,
    help="Software installed at the factory.",
)
@click.option(
    "--secure-mode/--no-secure-mode",
    default=True,
    show_default=True,
    help="Whether Bootz runs at power-on.",
)
@click.option(
    "--strict-images", is_flag=True, help="Accept only image files that begin with BOOTZ-IMAGE."
)
@click.option(
    "--legacy",
    is_flag=True,
    help="Accept vouchers by the certificate forms that a vendor's setting `legacy` accepts.",
)
@click.option(
    "--hardware-tam/--no-hardware-tam",
    default=True,
    show_default=True,
    help="Whether the hardware has a trust anchor module; without one Bootz does not start.",
)
@click.option("--modular", is_flag=True, help="Build a chassis with slots: RP0, RP1, LC0 to LC7.")
@click.option(
    "--card",
    "cards",
    multiple=True,
    metavar="SLOT=SERIAL",
    help="With --modular: card in a slot; repeatable. RP0 is required.",
)
@click.pass_obj
def command(
    cli: Cli,
    folder: Path,
    *,
    maker_folder: Path | None,
    serial_numbers: Sequence[str],
    part_number: str,
    kind: str,
    identity: str,
    tpm: str | None,
    idevid_cert: Path | None,
    idevid_key: Path | None,
    vendor_anchors: Sequence[Path],
    vendor_name: str,
    factory_image: tuple[str, str],
    secure_mode: bool,
    strict_images: bool,
    legacy: bool,
    hardware_tam: bool,
    modular: bool,
    cards: Sequence[str],
) -> None:
    """Build a router of fixed form or with slots; the folder is its hardware."""
    from rich.progress import Progress

    from bootz.cli.router.cards import card_with_tpm, described
    from bootz.cli.router.identity import existing_identity
    from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware, NewCard
    from bootz.device.record import state_record
    from bootz.device.state import InstalledImage, RouterState
    from bootz.keystore.files import load_certificates
    from bootz.manufacturer.room import Manufacturer

    in_slots = _in_slots(cards, modular=modular)
    if modular and (maker_folder is None or len(serial_numbers) > 1):
        raise click.UsageError("--modular needs --manufacturer and one serial number")
    maker = None
    description = described(identity, tpm)
    if description is not None and maker_folder is None:
        raise click.UsageError("a TPM needs --manufacturer")
    if maker_folder is not None and idevid_cert is None:
        maker = Manufacturer.open(maker_folder, clock=now)
        vendor_name = vendor_name or maker.name
    elif maker_folder is not None or idevid_cert is None or idevid_key is None:
        raise click.UsageError(
            "give either --manufacturer, or --idevid-cert with --idevid-key and --vendor-anchor"
        )
    elif len(serial_numbers) > 1:
        raise click.UsageError("--idevid-cert is for one router only")
    anchors = [der for path in vendor_anchors for der in load_certificates(path)]
    state = RouterState(image=InstalledImage(*factory_image))
    built: list[Hardware] = []
    quiet = len(serial_numbers) == 1
    with (
        ExitStack() as stack,
        Progress(console=stderr(), transient=True, disable=quiet) as progress,
    ):
        for serial in progress.track(serial_numbers, description="manufacturing routers"):
            records = in_slots or (BuiltCard("RP0", serial, part_number),)
            place = folder if len(serial_numbers) == 1 else folder / serial
            new: list[NewCard] = []
            for record in records:
                if maker is not None and description is not None:
                    card = stack.enter_context(
                        card_with_tpm(record, maker, description, KEY_KINDS[kind], anchors, place)
                    )
                elif maker is not None:
                    issued = maker.issue_identity(
                        record.serial_number, record.part_number, kind=KEY_KINDS[kind]
                    )
                    card = NewCard(record, issued.key, issued.chain, [maker.anchor, *anchors])
                elif idevid_cert is not None and idevid_key is not None:
                    card = existing_identity(record, idevid_cert, idevid_key, vendor_anchors)
                new.append(card)
            chassis = BuiltChassis(
                vendor_name,
                serial,
                records,
                part_number,
                modular=modular,
                secure_mode=secure_mode,
                strict_images=strict_images,
                slots=SLOTS if modular else (),
                hardware_tam=hardware_tam,
                legacy=legacy,
            )
            built.append(Hardware.manufacture(place, chassis, new, state))
    shown = [state_record(hardware, state) for hardware in built]
    if len(shown) == 1:
        cli.output.record(shown[0])
    else:
        cli.output.rows(_COLUMNS, shown)


def _in_slots(texts: Sequence[str], *, modular: bool) -> tuple[BuiltCard, ...]:
    """Read ``--card``; the cards are in the order of the slots."""
    from bootz.device.hardware import BuiltCard

    if not modular:
        if texts:
            raise click.UsageError("--card needs --modular")
        return ()
    serials: dict[str, str] = {}
    for text in texts:
        slot, equals, serial = text.partition("=")
        if not equals or not serial or slot not in SLOTS or slot in serials:
            raise click.UsageError(
                f"--card {text}: write SLOT=SERIAL, each slot once, of {', '.join(SLOTS)}"
            )
        serials[slot] = serial
    if SLOTS[0] not in serials:
        raise click.UsageError("a modular chassis needs a route processor: --card RP0=SERIAL")
    return tuple(
        BuiltCard(
            slot,
            serials[slot],
            f"BOOTZ-{slot[:2]}",
            slot,
            CardKind.CONTROL if slot.startswith("RP") else CardKind.LINE,
        )
        for slot in SLOTS
        if slot in serials
    )
