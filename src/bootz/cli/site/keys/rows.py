"""What ``bootz keys`` prints: the keys in force, and what an operator should do about them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from bootz.cli.base import Cli
from bootz.cli.output import Column
from bootz.errors import BootzError
from bootz.server.keys.keyring import Keyring
from bootz.server.keys.owner import load_owner_identity
from bootz.server.keys.roles import KeyRole
from bootz.server.keys.tls_certificates import certificate_hosts, tls_warnings
from bootz.server.site import Site
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.keys import describe_key

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
    keys = site.keys
    keyring = keys.read()
    owner = site.owner_files()
    elsewhere = site.config.owner is not None
    yield _row(
        KeyRole.PINNED_DOMAIN,
        "bootz.yaml" if elsewhere else keyring.pinned_domain,
        owner.pinned_domain_cert,
        now,
        key="here"
        if not elsewhere and keys.has_key(keyring.pinned_domain or "")
        else "not in the site",
    )
    yield _row(
        KeyRole.OWNER,
        "bootz.yaml" if elsewhere else keyring.owner,
        owner.certificate,
        now,
        key=owner.key if elsewhere or keyring.owner_key else "here",
    )
    for name in keyring.trust_anchors:
        present = name == keyring.trust_anchors[0]
        yield _row(
            KeyRole.TRUST_ANCHOR,
            name,
            keys.certificates(name)[0],
            now,
            state="in force" if present else "earlier, still accepted",
            key="here" if keys.has_key(name) else "not in the site" if present else "destroyed",
        )
    yield _row(KeyRole.TLS, keyring.tls, keys.certificates(keyring.tls)[0], now, key="here")


def _row(
    role: KeyRole,
    name: str | None,
    der: bytes,
    now: datetime,
    *,
    state: str = "in force",
    key: str,
) -> dict[str, object]:
    certificate = load_certificate(der)
    until = certificate.not_valid_after_utc
    return {
        "role": role.value,
        "name": name,
        "state": state,
        "kind": describe_key(certificate.public_key()),
        "until": until,
        "days_left": (until - now) // timedelta(days=1),
        "key": key,
        "sha256": fingerprint(der),
        "subject": certificate.subject.rfc4514_string(),
        "hosts": _hosts(certificate) if role is KeyRole.TLS else [],
    }


def _hosts(certificate: x509.Certificate) -> list[str]:
    found = certificate_hosts(certificate)
    return [*sorted(found.dns_names), *sorted(map(str, found.addresses))]


def tell_changed(cli: Cli, site: Site, before: Keyring, after: Keyring) -> None:
    """Print the rows of what has changed."""
    changed = after.names - before.names
    rows = [row for row in key_rows(site, site.clock()) if row["name"] in changed]
    cli.output.rows(COLUMNS, rows)


def warn_of_owner(cli: Cli, site: Site, now: datetime) -> None:
    """Say what an operator should do something about."""
    try:
        warnings = load_owner_identity(site.owner_files(), now).warnings
    except BootzError as error:
        warnings = (f"the owner's key cannot be used: {error} ({error.reason})",)
    for warning in (*warnings, *tls_warnings(site, now)):
        cli.output.warning(warning)
