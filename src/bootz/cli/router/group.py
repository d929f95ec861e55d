"""``bootz router``: emulated routers, for any Bootz server."""

import json
from pathlib import Path

import click

from bootz.cli.base import Cli, noun
from bootz.cli.router import boot, console, manufacture, slots
from bootz.device.hardware import Hardware
from bootz.device.record import state_record

command = noun("router", "Emulated routers, for any Bootz server.")
command.add_command(manufacture.command)
command.add_command(boot.command)
command.add_command(console.command)
for hand in slots.COMMANDS:
    command.add_command(hand)

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


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
    """Factory reset: the next power-on starts Bootz again; the software is kept."""
    hardware = Hardware.open(folder)
    with hardware.powered():
        hardware.reset()
    cli.output.message(f"{folder} is in factory state")
