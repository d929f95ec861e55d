"""A MASA's folder: its configuration, keys and database in one place."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind, atomic_write, sync_folder
from bootz.keystore.loading import load_signer
from bootz.masa.config import (
    CONFIG_NAME,
    DATABASE_NAME,
    MasaConfig,
    SigningKey,
    load_config,
    write_config,
)
from bootz.masa.issuing import VoucherIssuer
from bootz.masa.keys import VOUCHER_SIGNER, Root, load_voucher_keys, make_keys
from bootz.masa.ledger.access import Rules
from bootz.masa.records import Records
from bootz.masa.revocation import RevocationLists
from bootz.masa.service import MasaService
from bootz.masa.store.database import MasaDatabase, open_database, open_engine
from bootz.sql.engine import LOCK_SECONDS

Clock = Callable[[], datetime]
"""The time now, aware UTC."""


class MasaFolder:
    """An opened folder; whoever opens it closes it."""

    def __init__(
        self, path: Path, config: MasaConfig, database: MasaDatabase, clock: Clock
    ) -> None:
        self.path = path
        self.config = config
        self.database = database
        self._clock = clock

    @property
    def rules(self) -> Rules:
        """What the ledger needs of the configuration."""
        return Rules(frozenset(self.config.iens), assigner_may_grant=self.config.assigner_may_grant)

    def now(self) -> datetime:
        """Return the time now."""
        return self._clock()

    @contextmanager
    def records(self) -> Iterator[Records]:
        """The manufacturer's records, in one transaction that an error undoes."""
        with self.database.write() as connection:
            yield Records(connection, rules=self.rules, now=self._clock())

    def make_service(self) -> MasaService:
        """Return the service of this folder, with its keys loaded.

        Raises:
            BootzError: a key cannot be loaded.
        """
        keys = load_voucher_keys(self.path, self.config, self._clock())
        issuer = VoucherIssuer(keys, clock=self._clock, encoding=self.config.econtent_type)
        lists = self.config.revocation_lists
        return MasaService(
            self.database,
            issuer,
            rules=self.rules,
            clock=self._clock,
            revocation=RevocationLists(self.path / lists) if lists else None,
        )

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_masa(path: Path, *, clock: Clock, lock_seconds: float = LOCK_SECONDS) -> MasaFolder:
    """Open a folder that ``make_masa`` made.

    ``lock_seconds`` bounds the wait for another process's transaction.

    Raises:
        BootzError: there is none, or it cannot be opened.
    """
    config = load_config(path)
    database = open_database(path / DATABASE_NAME, lock_seconds=lock_seconds)
    return MasaFolder(path, config, database, clock)


def database_engine(path: Path) -> Engine:
    """Return an engine for a folder's database, whatever the version of its tables.

    Raises:
        ConfigError: there is no MASA, or no database.
    """
    load_config(path)
    return open_engine(path / DATABASE_NAME)


def make_masa(
    path: Path,
    *,
    name: str,
    iens: Sequence[str],
    hosts: Sequence[str],
    kind: KeyKind,
    now: datetime,
    root: Root | None = None,
    signer_key: str | None = None,
) -> MasaConfig:
    """Make a MASA's folder: configuration, keys (0600), an empty database.

    Args:
        path: the folder.
        name: the manufacturer's.
        iens: the enterprise numbers that are served.
        hosts: names and addresses of the server.
        kind: of the keys that are made.
        now: aware UTC.
        root: who certifies; None makes a root of its own.
        signer_key: a PKCS#11 URI of the key that signs vouchers; None makes one in a file.

    It is built aside and put in place whole: a crash leaves a MASA or none.

    Raises:
        BootzError: something is there already, or an argument does not fit.
    """
    for ien in iens:
        if not ien.isdecimal() or len(ien) > 10:
            raise ConfigError("masa-record-invalid", "is a decimal number", where="ien", seen=ien)
    # Before anything is written: a token may refuse.
    public_key = None if signer_key is None else load_signer(signer_key).public_key
    key = SigningKey(certificate=f"{VOUCHER_SIGNER}.pem", key=signer_key or f"{VOUCHER_SIGNER}.key")
    config = MasaConfig(name=name, iens=dict.fromkeys(iens, key))
    place = path.absolute()
    with _built_aside(place) as folder:
        (folder / "keys").mkdir(mode=0o700)
        make_keys(folder, name, kind=kind, hosts=hosts, now=now, root=root, signer_key=public_key)
        open_database(folder / DATABASE_NAME, create=True).close()
        atomic_write(folder / CONFIG_NAME, write_config(config))
    return config


@contextmanager
def _built_aside(place: Path) -> Iterator[Path]:
    """Give a new folder beside the place, and rename it there at the end."""
    aside = place.with_name(f".{place.name}.unfinished")
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise ConfigError("file-exists", "something exists there already", where=str(place))
        place.parent.mkdir(parents=True, exist_ok=True)
        # What a crash left.
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        yield aside
        aside.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        raise ConfigError(
            "file-unreadable", f"cannot be made: {error.strerror}", where=str(place)
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
