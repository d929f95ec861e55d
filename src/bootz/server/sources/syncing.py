"""A sync of one source: pulled, checked again, compared, and applied in one transaction."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from bootz.config.site import SiteConfig
from bootz.config.sources import SourceSettings
from bootz.errors import BootzError, ConfigError, UnknownChassis
from bootz.keystore.protected import read_secret
from bootz.server.operations.step_limits import read_limits
from bootz.server.sources.client import BearerToken, SourceClient, all_of, open_source
from bootz.server.sources.comparing import unasked
from bootz.server.sources.locking import one_sync
from bootz.server.sources.markers import note_failure, read_markers
from bootz.server.sources.nautobot import Nautobot
from bootz.server.sources.netbox import NetBox
from bootz.server.sources.planning import RefusedSync, Synced, SyncOrder, apply_pulled
from bootz.server.sources.pulled import Pulled, PulledDevice, copy_path, read_copy, write_copy
from bootz.server.sources.selecting import check_selected
from bootz.server.store.actor import Actor
from bootz.server.store.database import Database, plain

_ASKED_AT_ONCE: Final = 8
Product = NetBox | Nautobot


@dataclass(frozen=True, slots=True)
class SourceRoom:
    """What a sync works with: the site's folder and settings, its database, and a clock."""

    root: Path
    config: SiteConfig
    database: Database
    clock: Callable[[], datetime]

    def settings(self, name: str) -> SourceSettings:
        """Return the settings of a source.

        Raises:
            UnknownChassis: ``source-not-found``.
        """
        for source in self.config.sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self.config.sources) or "none"
        raise UnknownChassis(
            "source-not-found", "there is no such source", where=name, expected=known
        )


def product_of(client: SourceClient) -> Product:
    """Return the product that a source's settings name."""
    return NetBox(client) if client.settings.kind == "netbox" else Nautobot(client)


def read_token(room: SourceRoom, settings: SourceSettings) -> BearerToken:
    """Return the token of a source.

    Raises:
        ConfigError: ``key-permissions`` and the like: the file, or ``source-unauthorized``: its
            text cannot be a token.
    """
    path = room.root / settings.token_file
    try:
        text = read_secret(path).decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable() or " " in text:
        raise ConfigError("source-unauthorized", "the file holds no token", where=str(path))
    return BearerToken(text)


def read_roots(room: SourceRoom, settings: SourceSettings) -> ssl.SSLContext | None:
    """Return the TLS settings for a source; None: the system's roots.

    Raises:
        ConfigError: ``site-config-invalid``: the file of CAs cannot be read.
    """
    if settings.ca_file is None:
        return None
    path = room.root / settings.ca_file
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "site-config-invalid", f"cannot be read: {error}", where=str(path)
        ) from error


async def sync(
    room: SourceRoom, settings: SourceSettings, order: SyncOrder, actor: Actor | None = None
) -> Synced:
    """Pull a source, and bring the inventory to what it says.

    Raises:
        BootzError: nothing was changed, but for the note of the failure.
    """
    with one_sync(room.database, room.root, settings.name), _noted(room, settings, order):
        token, tls = read_token(room, settings), read_roots(room, settings)
        async with open_source(settings, token, tls) as client:
            with _of_the_form(settings):
                product = product_of(client)
                await product.open()
                pulled = await product.pull(room.clock())
                for device in pulled.devices:
                    check_selected(device, settings)
                if not order.dry_run:
                    await asyncio.to_thread(write_copy, copy_path(room.root, settings.name), pulled)
                absent = await _absent(room, settings, product, pulled)
        return await asyncio.to_thread(
            _apply, room, settings, order, pulled, absent, actor, reached=True
        )


def sync_from_copy(
    room: SourceRoom, settings: SourceSettings, order: SyncOrder, actor: Actor | None = None
) -> Synced:
    """Apply the last good copy again; what is not in it is left alone.

    Raises:
        BootzError: nothing was changed.
    """
    with one_sync(room.database, room.root, settings.name):
        pulled = read_copy(copy_path(room.root, settings.name))
        for device in pulled.devices:
            check_selected(device, settings)
        return _apply(room, settings, order, pulled, {}, actor, reached=False)


@contextmanager
def _of_the_form(settings: SourceSettings) -> Iterator[None]:
    """Turn what only an object of another form can cause into one error.

    Raises:
        ConfigError: ``source-not-json``.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            "source-not-json",
            "an object has another form than the API's",
            where=settings.name,
            seen=type(error).__name__,
        ) from error


@contextmanager
def _noted(room: SourceRoom, settings: SourceSettings, order: SyncOrder) -> Iterator[None]:
    try:
        yield
    except BootzError as error:
        if not order.dry_run:
            rows = error.rows if isinstance(error, RefusedSync) else None
            with room.database.write() as connection:
                note_failure(connection, settings.name, error, room.clock(), rows)
        raise


async def _absent(
    room: SourceRoom, settings: SourceSettings, product: Product, pulled: Pulled
) -> dict[str, PulledDevice | None]:
    """Ask for each marked device that is not selected, by its id."""
    with room.database.read() as connection:
        markers = read_markers(connection, settings.name)
    selected = frozenset(device.id for device in pulled.devices)
    wanted = unasked(markers, selected)
    # An empty answer is refused whatever else is there.
    if not pulled.devices:
        return {}
    found: dict[str, PulledDevice | None] = {}
    for at in range(0, len(wanted), _ASKED_AT_ONCE):
        chunk = wanted[at : at + _ASKED_AT_ONCE]
        devices = await all_of(*(product.device(marker.device) for marker in chunk))
        found.update(zip((marker.device for marker in chunk), devices, strict=True))
    return found


def _apply(
    room: SourceRoom,
    settings: SourceSettings,
    order: SyncOrder,
    pulled: Pulled,
    absent: dict[str, PulledDevice | None],
    actor: Actor | None,
    *,
    reached: bool,
) -> Synced:
    def run(connection: Connection) -> Synced:
        limits = read_limits(plain(connection), room.config.progress)
        return apply_pulled(
            connection,
            pulled,
            absent,
            settings,
            order,
            limits=limits,
            now=room.clock(),
            reached=reached,
        )

    with room.database.write(actor) as connection:
        synced = run(connection)
        if order.dry_run or not synced.wrote:
            connection.rollback()
    return synced
