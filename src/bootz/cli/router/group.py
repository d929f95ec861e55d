"""``bootz router``: emulated routers, for any Bootz server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, noun

if TYPE_CHECKING:
    from pathlib import Path

command = noun(
    "router",
    "Emulated routers, for any Bootz server.",
    elsewhere={
        **{verb: f"bootz.cli.router.{verb}:command" for verb in ("manufacture", "boot", "console")},
        **{
            verb: f"bootz.cli.router.slots:{verb}_command"
            for verb in ("card", "insert", "pull", "replace", "power")
        },
    },
)

_folder = click.argument("folder", metavar="DIR", type=PATH)


@command.command("show")
@_folder
@click.option("--configuration", is_flag=True, help="Show the running configuration instead.")
@click.pass_obj
def show(cli: Cli, folder: Path, *, configuration: bool) -> None:
    """Show a router: its cards, its software, and /system/bootz/state."""
    import json

    from bootz.device.hardware import Hardware
    from bootz.device.record import state_record

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
    from bootz.device.hardware import Hardware

    hardware = Hardware.open(folder)
    with hardware.powered():
        hardware.reset()
    cli.output.message(f"{folder} is in factory state")
