"""Names of what is in the inventory, as types of arguments: the shell completes them.

A name that is typed is taken as it is; the verb finds what it means, or says that there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from bootz.cli.base import Cli

if TYPE_CHECKING:
    from collections.abc import Sequence


class NameType(click.types.StringParamType):
    """A text for which the shell offers the names of one kind (``listed_names``)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with what was typed, in whatever case."""
        folded = incomplete.casefold()
        offered = (self.offered(row) for row in _names(ctx, self.kind))
        return [CompletionItem(name) for name in offered if name.casefold().startswith(folded)]

    def offered(self, row: Sequence[str]) -> str:
        """Return what is offered for a row of names."""
        return "/".join(row)


class VersionType(NameType):
    """The version of the image that the argument ``name`` names."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the versions of that image."""
        rows = _names(ctx, self.kind)
        versions = (version for name, version in rows if name == ctx.params.get("name"))
        return [CompletionItem(each) for each in versions if each.startswith(incomplete)]


class ImageNameType(NameType):
    """The name of an image, without its version."""

    def offered(self, row: Sequence[str]) -> str:
        """Return the name."""
        return row[0]


SERIAL: Final = NameType("serial")
VENDOR: Final = NameType("vendor")
PROFILE: Final = NameType("profile")
IMAGE: Final = NameType("image")
IMAGE_NAME: Final = ImageNameType("image")
IMAGE_VERSION: Final = VersionType("image")

serial_argument: Final = click.argument("serial", type=SERIAL)
which_vendor: Final = click.option(
    "--vendor", type=VENDOR, help="Manufacturer, if several have this serial number."
)


class ReasonType(click.types.StringParamType):
    """A reason code."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the codes that begin with what was typed."""
        from bootz.reasons import REASONS

        return [CompletionItem(code) for code in sorted(REASONS) if code.startswith(incomplete)]


REASON: Final = ReasonType()


def _names(context: click.Context, kind: str) -> list[tuple[str, ...]]:
    """Return the names of a kind; none where the site cannot be looked at cheaply."""
    from bootz.errors import BootzError
    from bootz.server.glance import glance
    from bootz.server.store.listing import listed_names

    try:
        with glance(context.ensure_object(Cli).site_folder()) as execute:
            return [] if execute is None else list(dict.fromkeys(listed_names(execute, kind)))
    except BootzError:
        # There is no shell to tell: the command itself says it when it runs.
        return []
