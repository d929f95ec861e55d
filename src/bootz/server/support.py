"""What helps someone else to find a fault of a site, without its secrets.

Each part is gathered by itself: one that cannot be had is replaced by the reason, because who asks
for help has a site on which something does not work. Source: docs/operator.md#support.
"""

import io
import json
import platform
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from bootz import __version__
from bootz.config.site import SiteConfig
from bootz.errors import BootzError
from bootz.model.checks import Check
from bootz.server.metrics.exposition import exposed
from bootz.server.metrics.folder import FOLDER, read_numbers
from bootz.server.metrics.of_site import SiteGauges, SiteMemory, site_gauges
from bootz.server.operations.audit import AuditFilter, latest_entries
from bootz.server.operations.secrets import fingerprinter, hidden, masked, masked_urls
from bootz.server.operations.site_certificates import read_site_certificates
from bootz.server.operations.webhooks import list_webhooks
from bootz.server.store.attempts import events_after, last_event, latest_attempts
from bootz.server.store.database import Database
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.server.store.schema import METADATA

EVENTS: Final = 2000
ATTEMPTS: Final = 200
ENTRIES: Final = 200
"""How many of the latest are told."""

Part = Callable[[], object]


def site_parts(
    root: Path, config: SiteConfig, database: Database | BootzError, now: datetime
) -> Mapping[str, Part]:
    """Return the parts of a bundle, by the names of their files.

    ``database``: the site's, or why it could not be opened. Then settings and what was counted are
    told without it, and each other part by that reason.
    """

    def reading(told: Callable[[Connection], object]) -> Part:
        def part() -> object:
            if isinstance(database, BootzError):
                raise database
            with database.read() as connection:
                return told(connection)

        return part

    def settings(connection: Connection | None) -> object:
        fingerprint = hidden if connection is None else fingerprinter(connection)
        # No URL should have a password; a site that does not work may have one all the same.
        told = masked_urls(config.model_dump(mode="json"), fingerprint)
        return masked(told, fingerprint)

    def counters(connection: Connection | None) -> str:
        gauges = (
            SiteGauges(chassis=(), voucher_expiry=(), webhooks=())
            if connection is None
            else site_gauges(connection, SiteMemory(), config.progress, now)
        )
        text, _ = exposed(read_numbers(root / FOLDER), gauges, "")
        return text.decode()

    def also_without(told: Callable[[Connection | None], object]) -> Part:
        return (lambda: told(None)) if isinstance(database, BootzError) else reading(told)

    return {
        "versions.json": lambda: _versions(now),
        "settings.json": also_without(settings),
        "database.json": reading(_database),
        "certificates.json": reading(lambda connection: _certificates(connection, now)),
        "attempts.json": reading(_attempts),
        "events.json": reading(_events),
        "audit.json": reading(_audit),
        "webhooks.json": reading(_webhooks),
        "metrics.txt": also_without(counters),
    }


def bundle(parts: Mapping[str, Part], name: str, now: datetime) -> tuple[bytes, Mapping[str, str]]:
    """Return a tar file (gzip) with each part as a file in a folder ``name``.

    The second is why a part could not be had, by its file: the error's reason.
    """
    written = io.BytesIO()
    missing: dict[str, str] = {}
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for file, part in parts.items():
            content, failed = _content(part)
            if failed:
                missing[file] = failed
            info = tarfile.TarInfo(f"{name}/{file}")
            info.size = len(content)
            info.mode = 0o600
            info.mtime = int(now.timestamp())
            tar.addfile(info, io.BytesIO(content))
    return written.getvalue(), missing


def _content(part: Part) -> tuple[bytes, str]:
    """Return the text of a part, and why it could not be had."""
    failed = ""
    try:
        told = part()
    except BootzError as error:
        failed = error.reason
        told = {"error": failed, "detail": str(error)}
    except Exception as error:
        # Of a defect its kind alone: its words may be of what is secret.
        failed = type(error).__name__
        told = {"error": failed}
    if isinstance(told, str):
        return told.encode(), failed
    return json.dumps(told, indent=1, default=str).encode() + b"\n", failed


def _versions(now: datetime) -> object:
    return {
        "at": now.isoformat(),
        "bootz": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": dict(
            sorted({each.name: each.version for each in distributions() if each.name}.items())
        ),
    }


def _database(connection: Connection) -> object:
    rows = {
        table.name: connection.scalar(select(func.count()).select_from(table))
        for table in METADATA.sorted_tables
    }
    return {
        "engine": connection.dialect.name,
        "server_version": ".".join(map(str, connection.dialect.server_version_info or ())),
        "schema": SITE_SCHEMA.found(connection),
        "rows": rows,
    }


def _certificates(connection: Connection, now: datetime) -> object:
    return [
        {
            "role": each.role.value,
            "name": each.name,
            "state": each.state,
            "key_is": each.key_is,
            "kind": each.kind,
            "sha256": each.sha256,
            "days_left": each.days_left(now),
            "flaw": each.flaw(now),
        }
        for each in read_site_certificates(connection).entries
    ]


def _attempts(connection: Connection) -> object:
    return [
        {**asdict(each), "state": each.state.value, "checks": _checks(each.checks)}
        for each in latest_attempts(connection, most=ATTEMPTS)
    ]


def _checks(checks: Iterable[Check]) -> Sequence[object]:
    return [{**asdict(each), "outcome": each.outcome.value} for each in checks]


def _events(connection: Connection) -> object:
    events = events_after(connection, max(0, last_event(connection) - EVENTS), most=EVENTS)
    return [{**asdict(each), "kind": each.kind.value, "state": each.state.value} for each in events]


def _audit(connection: Connection) -> object:
    # Not what was before and after: it may be a router's configuration.
    return [
        {
            "id": entry.id,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "verb": entry.verb,
            "object": entry.object,
            "outcome": entry.outcome,
        }
        for entry in latest_entries(connection, AuditFilter(), most=ENTRIES)
    ]


def _webhooks(connection: Connection) -> object:
    # Of a URL its host alone: what comes after may be a secret of the receiver's.
    return [
        {**each.to_document(), "url": urlsplit(each.url).netloc}
        for each in list_webhooks(connection)
    ]
