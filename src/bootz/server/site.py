"""A site: the folder in which an owner keeps configuration, database, keys and images.

bootz.yaml    settings; the file that makes the folder a site
bootz.db      inventory, vouchers, journal (unless they are in PostgreSQL)
keys/         what ``keyring.json`` lists
images/       the image store
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from bootz.config.file import CONFIG_NAME
from bootz.config.reading import load_config
from bootz.config.site import SiteConfig
from bootz.server.database_url import database_url
from bootz.server.keys.keyring import KEYRING_NAME, Keys
from bootz.server.keys.owner_files import OwnerFiles, read_owner_files, read_p256_owner_files
from bootz.server.site_folder import find_site
from bootz.server.store.actor import SERVER, Actor
from bootz.server.store.database import Database, open_database, open_engine
from bootz.sql.engine import LOCK_SECONDS


def utc_now() -> datetime:
    """Return the time now, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """An opened site. ``clock`` returns aware UTC."""

    root: Path
    config: SiteConfig
    clock: Callable[[], datetime] = field(default=utc_now, repr=False)
    actor: Actor = SERVER
    """Whom the audit names for changes."""

    @property
    def images_folder(self) -> Path:
        """Where the image store keeps its files."""
        return self.root / self.config.images.folder

    @property
    def keys_folder(self) -> Path:
        """Where the site keeps its keys, mode 0700."""
        return self.root / "keys"

    @property
    def keys(self) -> Keys:
        """The site's keys."""
        return Keys(self.keys_folder)

    def database(self, *, create: bool = False, lock_seconds: float = LOCK_SECONDS) -> Database:
        """Open the database; the caller closes it.

        ``lock_seconds`` bounds the wait for another process's transaction.

        Raises:
            ConfigError: the URL does not hold.
            Unavailable: it does not answer.
        """
        return open_database(
            database_url(self.root, self.config.database),
            create=create,
            lock_seconds=lock_seconds,
            actor=self.actor,
        )

    def database_engine(self) -> Engine:
        """Return an engine for the database, whatever the version of its tables.

        Raises:
            ConfigError: the URL does not hold.
            Unavailable: there is no such file.
        """
        return open_engine(database_url(self.root, self.config.database))

    def owner_files(self) -> OwnerFiles:
        """Return the owner's certificates, and where the key is.

        Raises:
            ConfigError: a file cannot be read, or does not hold what it should.
        """
        return read_owner_files(self.root, self.config.owner, self.keys)

    def p256_owner_files(self) -> OwnerFiles | None:
        """Return the P-256 owner certificate beside the first one, None where there is none.

        Raises:
            ConfigError: a file cannot be read, or does not hold what it should.
        """
        return read_p256_owner_files(self.root, self.config.owner, self.keys)

    def pinned_domain_cert(self) -> bytes:
        """Return the DER of the certificate that this owner's vouchers must pin.

        Raises:
            ConfigError: it cannot be read.
        """
        return self.owner_files().pinned_domain_cert

    def keys_stamp(self) -> object:
        """Return something that differs after the keys in use have changed; cheap."""
        return _stamp(self.keys_folder / KEYRING_NAME)


def open_site(
    root: Path, *, clock: Callable[[], datetime] = utc_now, actor: Actor = SERVER
) -> Site:
    """Open a site that ``bootz init`` made.

    Raises:
        ConfigError: there is none, or its settings do not hold.
    """
    find_site(root, {}, Path.cwd())
    return Site(root, load_config(root / CONFIG_NAME), clock, actor)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)
