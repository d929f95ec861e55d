"""What all nouns share: the options that every verb has, and the context they fill.

A noun's file defines ``command``: a ``Noun`` with verbs, or a ``Verb``. Each verb takes the
``Cli`` with ``click.pass_obj``; errors just travel up, ``main`` turns them into words and codes.
"""

import os
import platform
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.output import Output, OutputFormat

if TYPE_CHECKING:
    from bootz.server.site import Site
    from bootz.server.store.actor import Actor


class Cli:
    """The words of one call that do not belong to a verb alone."""

    def __init__(self) -> None:
        self.site_option: Path | None = None
        self.output = Output(OutputFormat.TABLE)

    def site(self) -> "Site":
        """Open the site: ``--site``, else ``BOOTZ_SITE``, else the current directory.

        Raises:
            ConfigError: there is no site, or its configuration does not hold.
        """
        # Here, so that verbs without a site do not pay for what a site needs.
        from bootz.server.site import find_site, open_site

        root = find_site(self.site_option, os.environ, Path.cwd())
        return open_site(root, actor=_actor())


def _actor() -> "Actor":
    """Return whom the audit names: the user of this process, this host, and the command."""
    from bootz.server.store.actor import Actor

    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = "unknown"
    context = click.get_current_context(silent=True)
    doing = "" if context is None else context.command_path.partition(" ")[2]
    return Actor(f"cli:uid={uid}({user})", platform.node(), doing.replace(" ", "."))


def _keep_site(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Cli).site_option = value


def _keep_output(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Cli).output = Output(OutputFormat(value))


def shared_options() -> list[click.Parameter]:
    """Return the options that stand both before a noun and after a verb."""
    return [
        click.Option(
            ["--site"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            expose_value=False,
            callback=_keep_site,
            help="Folder of the site. Default: $BOOTZ_SITE, otherwise the current directory.",
        ),
        click.Option(
            ["--output"],
            type=click.Choice([form.value for form in OutputFormat]),
            expose_value=False,
            callback=_keep_output,
            help="Output format. Default: table.",
        ),
    ]


class Verb(click.Command):
    """A command that also takes the shared options, unless it has its own of that name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {name for parameter in self.params for name in parameter.opts}
        self.params.extend(
            option for option in shared_options() if not own.intersection(option.opts)
        )


class Noun(click.Group):
    """A group of verbs."""

    command_class = Verb

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())


def noun(name: str, summary: str) -> Noun:
    """Return an empty noun; verbs are added with ``@command.command("verb")``."""
    return Noun(name=name, help=summary)


def verb(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command without a noun (``bootz serve``)."""
    return click.command(name, cls=Verb)
