"""Which part of a site is well, and why another is not: asked of the database alone.

The door opens no key: of the owner's identity it knows the certificates (``publishing.py``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from bootz.errors import BootzError, ConfigError
from bootz.reasons import REASONS
from bootz.server.door_tls import door_dates
from bootz.server.key_roles import KeyRole
from bootz.server.operations.site_certificates import SiteCertificates, read_site_certificates
from bootz.server.operations.vendors import list_vendors
from bootz.server.store.database import Database
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.trust.certificates import AnchorSet, verify_chain


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part. ``reason`` is a code of ``bootz reasons``, empty where the part is well."""

    part: str
    detail: str
    reason: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.reason

    @property
    def next_action(self) -> str:
        """What a person does next, empty where nothing is to be done."""
        row = REASONS.get(self.reason)
        return "" if row is None else row.action


_Look = Callable[[Connection, datetime], str]


def site_health(
    database: Database, now: datetime, door: Callable[[], Sequence[bytes]] = tuple
) -> Sequence[PartHealth]:
    """Return every part; those that cannot be looked at are not well.

    ``door`` reads the certificate of the operator's door (DER, those above it after it); empty:
    it has no TLS.
    """
    try:
        with database.read() as connection:
            found = [_looked(connection, part, look, now) for part, look in _PARTS.items()]
    except BootzError as error:
        return [PartHealth("database", str(error), error.reason)]
    return [*found, *_door(door, now)]


def _door(read: Callable[[], Sequence[bytes]], now: datetime) -> Iterator[PartHealth]:
    try:
        chain = read()
        if chain:
            yield PartHealth("door-certificate", door_dates(chain, now))
    except BootzError as error:
        yield PartHealth("door-certificate", str(error), error.reason)


def _looked(connection: Connection, part: str, look: _Look, now: datetime) -> PartHealth:
    try:
        return PartHealth(part, look(connection, now))
    except BootzError as error:
        return PartHealth(part, str(error), error.reason)


def _database(connection: Connection, _now: datetime) -> str:
    return f"{connection.dialect.name} answers"


def _schema(connection: Connection, _now: datetime) -> str:
    SITE_SCHEMA.check(SITE_SCHEMA.found(connection), SITE_SCHEMA.oldest_program(connection))
    return f"version {SITE_SCHEMA.found(connection)}"


def _owner(connection: Connection, now: datetime) -> str:
    found = read_site_certificates(connection)
    p256 = found.owner_p256
    for own, *between in (found.owner, *(() if p256 is None else (p256.chain,))):
        if own != found.pinned_domain:
            verify_chain(own, between, AnchorSet.from_der((found.pinned_domain,)), now=now)
    return "the owner certificate chains to the pinned domain certificate"


def _certificates(connection: Connection, now: datetime) -> str:
    return ", ".join(_dates(read_site_certificates(connection), now))


def _dates(found: SiteCertificates, now: datetime) -> Iterator[str]:
    for role in KeyRole:
        each = found.in_force(role)
        if flaw := each.flaw(now):
            reason = "tls-material-unusable" if role is KeyRole.TLS else "oc-expired"
            raise ConfigError(reason, flaw, where=role.value)
        yield f"{role.value}: {each.days_left(now)} days left"
    if (p256 := found.owner_p256) is not None:
        if flaw := p256.flaw(now):
            raise ConfigError("oc-expired", flaw, where=p256.name)
        yield f"owner, P-256: {p256.days_left(now)} days left"


def _sources(connection: Connection, _now: datetime) -> str:
    # Reading a vendor checks its settings, the source's among them.
    named = [each.name for each in list_vendors(connection) if each.settings.voucher_source]
    return f"fetched from {', '.join(named)}" if named else "vouchers come by import alone"


_PARTS: Final[dict[str, _Look]] = {
    "database": _database,
    "schema": _schema,
    "owner-identity": _owner,
    "certificates": _certificates,
    "voucher-sources": _sources,
}
