"""Makes a site out of a backup: all of it, in a place where nothing was, or nothing."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import delete
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bootz.config.file import CONFIG_NAME, DEFAULT_DATABASE
from bootz.config.reading import parse_config, write_config
from bootz.config.serving import DatabaseSettings
from bootz.config.site import SiteConfig
from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import atomic_write
from bootz.server.backup.form import DATABASE, IMAGES, Manifest, OnBytes, ReadBackup, invalid
from bootz.server.backup.private import unpack
from bootz.server.backup.reading import read_backup
from bootz.server.backup.tables import fill
from bootz.server.database_url import database_url
from bootz.server.operations.audit import note
from bootz.server.placing import building, check_place, put_in_place, unwritable
from bootz.server.site import Site
from bootz.server.store.actor import Actor
from bootz.server.store.database import open_database, open_engine
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import SERVER
from bootz.sql.engine import Begin, sqlite_engine, transaction
from bootz.sql.upgrade import upgrade

_UNAVAILABLE: Final = "database-unavailable"

Open = Callable[[bytes], bytes]
"""Decrypts the keys."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup; ``upgraded_from`` is the version of its tables, if it was older."""

    manifest: Manifest
    root: Path
    database: str
    with_keys: bool
    upgraded_from: int | None


def restore(
    file: Path,
    root: Path,
    now: datetime,
    *,
    open_private: Open | None,
    database: str | None = None,
    actor: Actor,
    progress: OnBytes | None = None,
) -> Restored:
    """Make the site of a backup in ``root``, which does not exist yet or is an empty folder.

    Args:
        file: the backup.
        root: where the site will be.
        now: for the audit.
        open_private: decrypts the keys; None restores without them.
        database: URL of the database, in place of the one in the settings; a PostgreSQL one has no
            tables yet.
        actor: whom the audit of the restored site names.
        progress: told the bytes that were read, and all.

    Raises:
        ConflictError: ``site-exists``, or the database is in use.
        ConfigError: the backup is damaged, its keys cannot be opened, or the URL does not do.
        Unavailable: something cannot be read or written.
    """
    root = root.absolute()
    check_place(root)
    with building(root) as folder:
        check_place(root)
        read = read_backup(file, folder, progress=progress)
        config = _settings(read, database)
        if open_private is not None and read.private:
            unpack(open_private(read.private), folder)
        copy = folder / DATABASE
        upgraded_from = _bring_up_to_date(copy, now, file)
        _place_images(folder, config)
        content = read.settings if database is None else write_config(config)
        atomic_write(folder / CONFIG_NAME, content, mode=0o644)
        site = Site(folder, config, lambda: now, actor)
        _note(copy, read.manifest, actor)
        embedded = make_url(config.database.url).get_backend_name() == "sqlite"
        if embedded:
            _place_file(copy, folder, config)
        else:
            engine = open_engine(database_url(folder, config.database))
            try:
                fill(copy, engine)
            finally:
                engine.dispose()
            copy.unlink()
        site.images_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            put_in_place(folder, root)
        except OSError as error:
            raise unwritable(root, error) from error
    return Restored(
        read.manifest,
        root,
        config.database.url,
        open_private is not None and bool(read.private),
        upgraded_from,
    )


def _settings(read: ReadBackup, database: str | None) -> SiteConfig:
    """Return the settings, with the database where it is to be."""
    config = parse_config(read.settings)
    if database is not None:
        before = make_url(config.database.url).get_backend_name()
        same = _engine_of(database) == before
        settings = DatabaseSettings(
            url=database, password_file=config.database.password_file if same else None
        )
        return config.model_copy(update={"database": settings})
    if _engine_of(config.database.url) != "sqlite":
        raise ConfigError(
            "backup-database",
            "the site's database was PostgreSQL; nothing says where it is to be now",
            where="--database",
            expected="the URL of an empty PostgreSQL database, or " + DEFAULT_DATABASE,
        )
    path = Path(str(make_url(config.database.url).database))
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(
            "backup-database",
            "the site's database was a file outside of its folder",
            where="--database",
            expected=DEFAULT_DATABASE,
            seen=config.database.url,
        )
    return config


def _engine_of(url: str) -> str:
    try:
        return make_url(url).get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise ConfigError("database-url-invalid", "cannot be read", where="--database") from error


def _bring_up_to_date(copy: Path, now: datetime, file: Path) -> int | None:
    """Check the database of a backup, and upgrade its tables where they are older."""
    engine = sqlite_engine(copy)
    try:
        with transaction(engine, Begin.READ, unavailable=_UNAVAILABLE) as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            if found != "ok":
                raise invalid("its database is damaged", str(file))
        done = upgrade(engine, SITE_SCHEMA, now)
    except BootzError as error:
        if error.reason == _UNAVAILABLE:
            raise invalid("its database cannot be read", str(file)) from error
        raise
    finally:
        engine.dispose()
    if done.copy is not None:
        done.copy.unlink()
    return done.before if done.steps else None


def _note(copy: Path, manifest: Manifest, actor: Actor) -> None:
    database = open_database(f"sqlite:///{copy}", actor=actor)
    try:
        with database.write() as connection:
            # Of processes that served the other site.
            connection.execute(delete(SERVER))
            about = {"made_at": manifest.made_at, "bootz": manifest.bootz}
            note(connection, "site.restore", "site", after=about)
    finally:
        database.close()


def _place_images(folder: Path, config: SiteConfig) -> None:
    """Move the images to where the settings have them, below the site or elsewhere."""
    found, wanted = folder / IMAGES.rstrip("/"), folder / config.images.folder
    if found == wanted or not found.is_dir():
        return
    wanted.mkdir(mode=0o755, parents=True, exist_ok=True)
    for path in found.iterdir():
        if not (wanted / path.name).exists():
            shutil.move(path, wanted / path.name)
    shutil.rmtree(found)


def _place_file(copy: Path, folder: Path, config: SiteConfig) -> None:
    target = folder / str(make_url(config.database.url).database)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for end in ("-wal", "-shm"):
        copy.with_name(copy.name + end).unlink(missing_ok=True)
    copy.rename(target)
