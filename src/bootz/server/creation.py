"""Making a site: built aside, and put in place whole.

A crash at any point leaves either no site or all of it: what is not finished lies in a hidden
folder beside the place, without the name of a site, and the next attempt there removes it.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select

from bootz.config.file import CONFIG_NAME
from bootz.config.reading import write_config
from bootz.config.site import SiteConfig
from bootz.errors import ConfigError, ConflictError, Unavailable
from bootz.keystore.files import atomic_write, sync_folder
from bootz.server.keys.brought import BroughtKeys, create_keys
from bootz.server.keys.publishing import check_agreement, publish_certificates
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.schema import META

_UNFINISHED: Final = ".unfinished"

Fill = Callable[[Site, Database], None]
"""Puts the first things into a site that is not in place yet; ``site.root`` is elsewhere then."""


def create_site(
    root: Path,
    config: SiteConfig,
    brought: BroughtKeys,
    now: datetime,
    *,
    fill: Fill | None = None,
) -> Site:
    """Make a site in ``root``, which does not exist yet or is an empty folder.

    Raises:
        ConflictError: ``site-exists``, or the database is in use.
        BootzError: keys do not hold, the database does not answer, or ``fill`` fails.
    """

    def begin(site: Site) -> None:
        database = site.database(create=True)
        try:
            _check_unused(database)
            publish_certificates(site, database)
            if fill is not None:
                fill(site, database)
        finally:
            database.close()

    return _make(root, config, brought, now, begin)


def join_site(root: Path, config: SiteConfig, brought: BroughtKeys, now: datetime) -> Site:
    """Make a folder for a further server of the site whose PostgreSQL ``config`` names.

    Raises:
        ConfigError: ``database-url-invalid``: SQLite has one server;
            ``servers-disagree``: the site has another pinned domain certificate or trust anchor.
        ConflictError: ``site-exists``.
        BootzError: keys do not hold, or the database does not answer.
    """

    def begin(site: Site) -> None:
        database = site.database()
        try:
            if database.embedded:
                raise ConfigError(
                    "database-url-invalid",
                    "only servers of one PostgreSQL serve a site together",
                    where="--database",
                    expected="postgresql",
                    seen="sqlite",
                )
            check_agreement(site, database)
        finally:
            database.close()

    return _make(root, config, brought, now, begin)


def _make(
    root: Path,
    config: SiteConfig,
    brought: BroughtKeys,
    now: datetime,
    begin: Callable[[Site], None],
) -> Site:
    root = root.absolute()
    with _building(root) as folder:
        _check_place(root)
        site = Site(folder, config, lambda: now)
        atomic_write(folder / CONFIG_NAME, write_config(config), mode=0o644)
        site.keys_folder.mkdir(mode=0o700)
        create_keys(site, brought, now)
        site.images_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        begin(site)
        try:
            _put_in_place(folder, root)
        except OSError as error:
            raise _unwritable(root, error) from error
    return Site(root, config)


@contextmanager
def _building(root: Path) -> Iterator[Path]:
    """Give a folder beside the place; gone afterwards, unless it has become the site."""
    parent = root.parent
    folder = parent / f".{root.name}.{secrets.token_hex(8)}{_UNFINISHED}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unwritable(parent, error) from error
    try:
        # One at a time, so that what is unfinished was left behind by a crash.
        fcntl.flock(opened, fcntl.LOCK_EX)
        for left in parent.iterdir():
            if left.name.startswith(f".{root.name}.") and left.name.endswith(_UNFINISHED):
                shutil.rmtree(left, ignore_errors=True)
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        raise _unwritable(root, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(opened)


def _check_place(root: Path) -> None:
    if not os.path.lexists(root):
        return
    if root.is_symlink() or not root.is_dir():
        raise ConflictError("site-exists", "this is not a folder", where=str(root))
    if any(root.iterdir()):
        words = "it is a site already" if (root / CONFIG_NAME).exists() else "it is not empty"
        raise ConflictError("site-exists", words, where=str(root))


def _check_unused(database: Database) -> None:
    """Refuse a database with another site's inventory; every change of one raises its revision."""
    with database.read() as connection:
        rows = connection.execute(select(META.c.key, META.c.value))
        values = {row.key: row.value for row in rows}
    if values.get("revision") != 1 or values.get("journal") != 0:
        raise ConflictError("database-in-use", "it contains another site's inventory or journal")


def _put_in_place(folder: Path, root: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
    sync_folder(folder)
    if not root.exists():
        folder.rename(root)
        sync_folder(root.parent)
        return
    # A folder that was there may be a mount, or the shell's own: it stays the same one. The
    # settings make it a site, so they come last.
    names = sorted((path.name for path in folder.iterdir()), key=lambda name: name == CONFIG_NAME)
    for name in names:
        (folder / name).rename(root / name)
        sync_folder(root)


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable("file-unwritable", f"cannot be written: {error.strerror}", where=str(path))
