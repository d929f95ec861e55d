"""The entry point: finds the noun, and maps every error to words and an exit code, once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType

import click

from bootz.cli.base import COMPLETION_VARIABLE, Cli, Noun, load_command
from bootz.errors import BootzError, OptionError

NOUNS = MappingProxyType(
    {
        "lab": ("bootz.cli.lab", "Run the whole system on this machine."),
        "init": ("bootz.cli.site.init", "Create a site: configuration, database, keys."),
        "serve": ("bootz.cli.site.serve", "Run the Bootz server of a site."),
        "watch": ("bootz.cli.site.watch.command", "Show the state of every router, live."),
        "attempts": ("bootz.cli.site.attempts", "Show the attempts of a chassis, check by check."),
        "stranger": (
            "bootz.cli.site.stranger",
            "Callers that are not on record: claim one, or ignore it.",
        ),
        "board": ("bootz.cli.site.board", "Run the operator's door of a site alone."),
        "user": ("bootz.cli.site.user", "People who may use the operator's door."),
        "token": ("bootz.cli.site.token", "Tokens of programs that use the operator's door."),
        "webhook": ("bootz.cli.site.webhook", "What happens, told to other programs."),
        "vendor": ("bootz.cli.inventory.vendor", "Manufacturers and their CA bundles."),
        "chassis": ("bootz.cli.inventory.chassis.group", "The inventory of routers."),
        "profile": (
            "bootz.cli.inventory.profile",
            "Configuration, image and other data for a class of routers.",
        ),
        "image": ("bootz.cli.inventory.image", "Software images, SMUs and patches."),
        "voucher": ("bootz.cli.voucher.group", "Ownership vouchers."),
        "keys": ("bootz.cli.site.keys.group", "The site's keys and certificates."),
        "db": ("bootz.cli.site.db", "The site's database: its version, and its upgrade."),
        "journal": ("bootz.cli.site.journal", "How long attempts and events are kept."),
        "backup": ("bootz.cli.site.backup", "Write a site to one file, while it serves."),
        "status": ("bootz.cli.site.status", "Which parts are well, and which servers live."),
        "restore": ("bootz.cli.site.restore", "Make the site of a backup elsewhere."),
        "support": ("bootz.cli.site.support", "Write a bundle for whoever helps, no secret."),
        "audit": ("bootz.cli.site.audit", "Who changed what, from where, and how it ended."),
        "import": ("bootz.cli.inventory.import_", "Import an inventory, in one transaction."),
        "export": ("bootz.cli.inventory.export", "Export the inventory."),
        "source": (
            "bootz.cli.inventory.source",
            "Sources of truth: NetBox and Nautobot.",
        ),
        "dhcp": (
            "bootz.cli.dhcp.group",
            "Lead routers to their server by DHCP: write, check, test.",
        ),
        "reasons": ("bootz.cli.reasons", "Explain reason codes and what to do next."),
        "manufacturer": ("bootz.cli.manufacturer", "Manufacturer for labs: CA and vouchers."),
        "masa": ("bootz.cli.masa.group", "Voucher service of a manufacturer (MASA, OVGS)."),
        "router": ("bootz.cli.router.group", "Emulated routers, for any Bootz server."),
        "conformance": (
            "bootz.cli.conformance.group",
            "Black-box test suites for servers and routers.",
        ),
        "completion": ("bootz.cli.completion", "Let a shell complete what is typed."),
        "bench": ("bootz.cli.bench", "Measure the cost of an onboarding."),
    }
)
"""Each noun's module, which has ``command``, and its summary; loaded only when it is used."""

_COLUMNS, _MARGIN, _LEAST = 80, 2, 50
"""Columns of a help text: at most, and where there is no terminal; left free; at least."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class _Bootz(Noun):
    """The root: its commands are modules, found by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all nouns in the order in which a newcomer meets them."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a noun's module."""
        row = NOUNS.get(cmd_name)
        return None if row is None else load_command(f"{row[0]}:command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in NOUNS.items()])


@click.group(cls=_Bootz, name="bootz", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bootz")
def bootz() -> None:
    """Bootz: secure zero-touch bootstrapping of routers."""


def help_width() -> int:
    """Return the width of help texts, in columns.

    It is what click would find, without ``shutil`` and the compressors that it loads.
    """
    try:
        columns = max(int(os.environ.get("COLUMNS", "")), 0)
    except ValueError:
        columns = 0
    if not columns and sys.__stdout__ is not None:
        with suppress(AttributeError, ValueError, OSError):
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns
    return max(min(columns or _COLUMNS, _COLUMNS) - _MARGIN, _LEAST)


def run(arguments: Sequence[str]) -> int:
    """Run one call of the command and return its exit code; prints, never raises."""
    cli = Cli()
    if COMPLETION_VARIABLE in os.environ:
        # A shell asks: what it gets is made by the classes there.
        import_module("bootz.cli.completion")
    try:
        code = bootz.main(
            list(arguments),
            prog_name="bootz",
            standalone_mode=False,
            obj=cli,
            terminal_width=help_width(),
        )
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE if isinstance(error, click.UsageError) else EXIT_FAILED
    except BootzError as error:
        cli.output.error(error)
        return EXIT_USAGE if isinstance(error, OptionError) else EXIT_FAILED
    except BrokenPipeError:
        # The reader (head, less) has left; what it wanted is done.
        sys.stdout = None
        return 0
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
