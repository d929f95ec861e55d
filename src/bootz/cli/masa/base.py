"""What the verbs of ``bootz masa`` share: the folder they work on, and words for users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from bootz.cli.base import FOLDER, together

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.masa.folder import MasaFolder
    from bootz.masa.ledger.nouns import User
    from bootz.masa.records import Records

masa_option: Final = click.option(
    "--masa",
    type=FOLDER,
    envvar="BOOTZ_MASA",
    default=".",
    metavar="DIR",
    help="Folder of the MASA. Default: $BOOTZ_MASA, otherwise the current directory.",
)

TYPES: Final = ("user", "service-account")

account_options: Final = together(
    click.option("--org", "org_name", required=True, help="Organisation of the account."),
    click.option("--type", "kind", type=click.Choice(TYPES), default="user", show_default=True),
)
"""Say which account of a name is meant."""


class _Opener:
    """Opens a MASA's folder for one verb."""

    @contextmanager
    def opened(self, path: Path) -> Iterator[MasaFolder]:
        """Open a folder and close it at exit."""
        from bootz.masa.folder import open_masa

        folder = open_masa(path, clock=lambda: datetime.now(UTC))
        try:
            yield folder
        finally:
            folder.close()

    @contextmanager
    def records(self, path: Path) -> Iterator[Records]:
        """One transaction over the records of a folder."""
        with self.opened(path) as folder, folder.records() as records:
            yield records


MASA: Final = _Opener()


def user_named(records: Records, username: str, kind: str, org_name: str) -> User:
    """Return the account that a command names.

    Raises:
        BootzError: there is no such organisation.
    """
    from bootz.masa.importing import ACCOUNT_TYPES
    from bootz.masa.ledger.nouns import User

    return User(username, ACCOUNT_TYPES[kind], records.org_id(org_name))
