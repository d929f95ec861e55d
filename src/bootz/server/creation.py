"""Making a site: built aside, and put in place whole."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from bootz.config.file import CONFIG_NAME
from bootz.config.reading import write_config
from bootz.config.site import SiteConfig
from bootz.errors import ConfigError, ConflictError
from bootz.keystore.files import atomic_write
from bootz.server.keys.brought import BroughtKeys, create_keys
from bootz.server.keys.publishing import check_agreement, publish_certificates
from bootz.server.placing import building, check_place, put_in_place, unwritable
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.schema import META

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
    with building(root) as folder:
        check_place(root)
        site = Site(folder, config, lambda: now)
        atomic_write(folder / CONFIG_NAME, write_config(config), mode=0o644)
        site.keys_folder.mkdir(mode=0o700)
        create_keys(site, brought, now)
        site.images_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        begin(site)
        try:
            put_in_place(folder, root)
        except OSError as error:
            raise unwritable(root, error) from error
    return Site(root, config)


def _check_unused(database: Database) -> None:
    """Refuse a database with another site's inventory; every change of one raises its revision."""
    with database.read() as connection:
        rows = connection.execute(select(META.c.key, META.c.value))
        values = {row.key: row.value for row in rows}
    if values.get("revision") != 1 or values.get("journal") != 0:
        raise ConflictError("database-in-use", "it contains another site's inventory or journal")
