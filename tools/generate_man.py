"""Writes the manual page bootz(1) out of the commands themselves, to stdout.

The build of the package runs it (``hatch_build.py``), so that the page is that of the commands it
comes with. It needs click and nothing else.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from bootz import __version__
from bootz.cli.main import bootz

_SHARED = ("--site", "--output", "--help")
"""Options that every command has; the page has them once."""

_OPENING = """\
.\\" Lines of the left edge alone: the names of options are long and are not broken.
.ad l
.nh
.SH NAME
bootz \\- secure zero-touch bootstrapping of routers
.SH SYNOPSIS
.B bootz
.RI [ options ]
.I command
.RI [ arguments ]
.SH DESCRIPTION
Bootz takes a router from factory state to managed state over a network that is
not trusted: the server knows the router, the router knows its owner, and what
the router applies is signed and fresh.
.B bootz
is the server, the voucher service, the DHCP side, an emulated router, and the
operator's way to each of them.
.PP
Data goes to standard output, messages to standard error.
Most commands work on a site: a folder that
.B bootz init
creates.
"""

_CLOSING = """\
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
Failed; the error has a reason code, which
.B bootz reasons
explains.
.TP
.B 2
Wrong usage.
.SH ENVIRONMENT
.TP
.B BOOTZ_SITE
The folder of the site, where
.B \\-\\-site
is not given.
.TP
.B BOOTZ_MASA
The folder of the MASA, where
.B \\-\\-masa
is not given.
.SH FILES
.TP
.I bootz.yaml
In the folder of a site: its settings, each with its explanation.
"""


def main() -> None:
    """Write the page."""
    sys.stdout.write(page())


def page() -> str:
    """Return the page; its date is that of SOURCE_DATE_EPOCH, otherwise today."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    lines = [f'.TH BOOTZ 1 {date:%Y-%m-%d} "bootz {__version__}" "User Commands"']
    lines += [_OPENING.rstrip("\n"), ".SH OPTIONS"]
    root = click.Context(bootz, info_name="bootz", **bootz.context_settings)
    lines += _options(bootz, root)
    lines += [
        ".PP",
        "The options",
        ".BR \\-\\-site ,",
        ".B \\-\\-output",
        "and",
        ".B \\-\\-help",
        "go with every command.",
        ".SH COMMANDS",
    ]
    for command, context in _commands(bootz, root):
        lines += [f".SS {_escaped(' '.join([context.command_path, *_usage(command, context)]))}"]
        lines += _paragraphs(command.help or "")
        lines += _options(command, context, besides=_SHARED)
    return "\n".join([*lines, _CLOSING])


def _commands(
    group: click.Group, parent: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None:
            raise RuntimeError(f"{name} is listed and not there")
        context = click.Context(command, parent, info_name=name)
        yield command, context
        if isinstance(command, click.Group):
            yield from _commands(command, context)


def _usage(command: click.Command, context: click.Context) -> list[str]:
    return [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]


def _options(
    command: click.Command, context: click.Context, besides: tuple[str, ...] = ()
) -> list[str]:
    lines: list[str] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and not {*parameter.opts} & {*besides}:
            lines += [".TP", f".B {_breakable(record[0])}", *_filled(record[1])]
    return lines


def _breakable(option: str) -> str:
    """Return an option with its values, among which a line may end."""
    return _escaped(option).replace("|", "|\\:")


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines.append(".PP")
        if paragraph.startswith("\b"):
            kept = paragraph.removeprefix("\b").strip("\n").split("\n")
            lines += [".nf", *(_line(_escaped(line)) for line in kept), ".fi"]
        else:
            lines += _filled(paragraph)
    # A heading opens a paragraph by itself.
    return lines[1:]


def _filled(text: str) -> list[str]:
    words = " ".join(_escaped(text).split())
    lines = textwrap.wrap(words, 76, break_on_hyphens=False, break_long_words=False)
    return list(map(_line, lines))


def _line(escaped: str) -> str:
    """Return a line of text, of which no first letter is taken for a request."""
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    """Return text as it stands, in whatever encoding the page is read."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    escaped = escaped.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in escaped)


if __name__ == "__main__":
    main()
