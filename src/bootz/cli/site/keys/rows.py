"""What ``bootz keys`` prints: the keys in force, and what an operator should do about them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from cryptography import x509

from bootz.cli.base import Cli
from bootz.cli.output import Column
from bootz.errors import BootzError
from bootz.server.certificate_hosts import certificate_hosts
from bootz.server.key_roles import KeyRole
from bootz.server.keys.keyring import Keyring
from bootz.server.keys.owner import load_owner_identity, load_p256_identity
from bootz.server.keys.publishing import publish_certificates, site_certificates
from bootz.server.keys.tls_certificates import tls_warnings
from bootz.server.site import Site

COLUMNS = (
    Column("role"),
    Column("name"),
    Column("state"),
    Column("kind"),
    Column("until"),
    Column("days_left", "DAYS LEFT", right=True),
    Column("key", "KEY IS"),
    Column("sha256", "SHA-256"),
)


def key_rows(site: Site, now: datetime) -> Iterator[dict[str, object]]:
    """Return a row for each key in force, and for each earlier trust anchor."""
    for each in site_certificates(site).entries:
        certificate = each.certificate
        yield {
            "role": each.role.value,
            "name": each.name,
            "state": each.state,
            "kind": each.kind,
            "until": certificate.not_valid_after_utc,
            "days_left": each.days_left(now),
            "key": each.key_is,
            "sha256": each.sha256,
            "subject": certificate.subject.rfc4514_string(),
            "hosts": _hosts(certificate) if each.role is KeyRole.TLS else [],
        }


def _hosts(certificate: x509.Certificate) -> list[str]:
    found = certificate_hosts(certificate)
    return [*sorted(found.dns_names), *sorted(map(str, found.addresses))]


def tell_changed(cli: Cli, site: Site, before: Keyring, after: Keyring) -> None:
    """Print the rows of what has changed, and let who may open no key know them."""
    with closing(site.database()) as database:
        publish_certificates(site, database)
    changed = after.names - before.names
    rows = [row for row in key_rows(site, site.clock()) if row["name"] in changed]
    cli.output.rows(COLUMNS, rows)


def warn_of_owner(cli: Cli, site: Site, now: datetime) -> None:
    """Say what an operator should do something about."""
    try:
        warnings = load_owner_identity(site.owner_files(), now).warnings
    except BootzError as error:
        warnings = (f"the owner's key cannot be used: {error} ({error.reason})",)
    try:
        p256 = load_p256_identity(site, now)
        warnings = (*warnings, *(p256.warnings if p256 else ()))
    except BootzError as error:
        warnings = (*warnings, f"the owner's P-256 key cannot be used: {error} ({error.reason})")
    for warning in (*warnings, *tls_warnings(site, now)):
        cli.output.warning(warning)
