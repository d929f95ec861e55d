"""What the verbs of ``bootz masa`` share: the folder they work on, and words for users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from bootz.cli.base import FOLDER

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

type_option: Final = click.option(
    "--type", "kind", type=click.Choice(TYPES), default="user", show_default=True
)


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


def user_named(username: str, kind: str, org_id: str) -> User:
    """Return the triple that a command names."""
    from bootz.masa.importing import ACCOUNT_TYPES
    from bootz.masa.ledger.nouns import User

    return User(username, ACCOUNT_TYPES[kind], org_id)
