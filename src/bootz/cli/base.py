"""What all nouns share: the options that every verb has, and the context they fill.

A noun's file defines ``command``: a ``Noun`` with verbs, or a ``Verb``. Each verb takes the
``Cli`` with ``click.pass_obj``; errors just travel up, ``main`` turns them into words and codes.

A file that defines verbs imports click and what is as light; what a verb works with is imported
by the verb when it runs. So a ``--help`` costs no more than click does.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from bootz.cli.output import Output, OutputFormat

if TYPE_CHECKING:
    from enum import Enum
    from pathlib import Path

    from bootz.server.site import Site
    from bootz.server.store.actor import Actor


_F = TypeVar("_F", bound=Callable[..., Any])


class PathType(click.Path):
    """A path, given to the verb as ``pathlib.Path``."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        """Return the path."""
        from pathlib import Path

        return Path(value)


COMPLETION_VARIABLE: Final = "_BOOTZ_COMPLETE"
"""By which a shell asks; click makes the same name of that of the command."""

PATH: Final = PathType()
FILE: Final = PathType(dir_okay=False)
FOLDER: Final = PathType(file_okay=False)
EXISTING_FILE: Final = PathType(dir_okay=False, exists=True)
EXISTING_FOLDER: Final = PathType(file_okay=False, exists=True)


def one_of(words: type[Enum]) -> click.Choice[str]:
    """Return the choice among the values of an enumeration."""
    return click.Choice([member.value for member in words])


class ReleaseName(click.types.StringParamType):
    """A release, by the name of its dialect, of IOS XR or of openconfig/bootz."""

    name = "release"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Return what stands for it in a help text."""
        return "RELEASE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of the dialect."""
        from bootz.model.releases import release_named

        try:
            return release_named(value).value
        except ValueError as error:
            self.fail(str(error), param, ctx)


RELEASE: Final = ReleaseName()


def together(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Make one decorator of several options, which appear in the help in this order."""

    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class Cli:
    """The words of one call that do not belong to a verb alone."""

    def __init__(self) -> None:
        self.site_option: Path | None = None
        self.output = Output(OutputFormat.TABLE)
        self._site: Site | None = None

    def site(self) -> Site:
        """Open the site.

        Raises:
            ConfigError: there is no site, or its configuration does not hold.
        """
        from bootz.server.site import open_site

        if self._site is None:
            self._site = open_site(self.site_folder(), actor=acting_user())
        return self._site

    def site_folder(self) -> Path:
        """Return the folder of the site: ``--site``, else ``BOOTZ_SITE``, else the current one.

        Raises:
            ConfigError: there is no site.
        """
        from pathlib import Path

        from bootz.server.site_folder import find_site

        return find_site(self.site_option, os.environ, Path.cwd())


def acting_user() -> Actor:
    """Return whom the audit names: the user of this process, this host, and the command."""
    import platform
    import pwd

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
            type=FOLDER,
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
    """A group of verbs; those that are defined elsewhere are loaded when they are asked for.

    Args:
        elsewhere: where a verb is that another module defines, as ``MODULE:NAME``.
    """

    command_class = Verb

    def __init__(
        self, *args: Any, elsewhere: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())
        self._elsewhere = elsewhere or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return sorted([*self.commands, *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, None if there is no such verb."""
        place = self._elsewhere.get(cmd_name)
        return super().get_command(ctx, cmd_name) if place is None else load_command(place)


def load_command(place: str) -> click.Command:
    """Return the command at ``MODULE:NAME``."""
    module, _, name = place.partition(":")
    command: click.Command = getattr(importlib.import_module(module), name)
    return command


def noun(name: str, summary: str, elsewhere: Mapping[str, str] | None = None) -> Noun:
    """Return a noun; further verbs are added with ``@command.command("verb")``."""
    return Noun(name=name, help=summary, elsewhere=elsewhere)


def verb(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command without a noun (``bootz serve``)."""
    return click.command(name, cls=Verb)
