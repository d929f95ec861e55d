"""``bootz keys``: what the site signs with, and its change without a restart.

Nothing here prints a private key. A running server looks after its keys by itself; SIGHUP makes
it look at once.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import click
from cryptography import x509

from bootz.cli.base import Cli, noun
from bootz.cli.output import Column
from bootz.cli.site.keys.options import key_file_options
from bootz.errors import BootzError
from bootz.server.keys.brought import KeyFiles, import_keys
from bootz.server.keys.keyring import Keyring, Role
from bootz.server.keys.owner import load_owner_identity
from bootz.server.keys.rotation import (
    retire_trust_anchors,
    rotate_owner,
    rotate_tls,
    rotate_trust_anchor,
)
from bootz.server.keys.tls_certificates import certificate_hosts
from bootz.server.operations.vouchers import count_pinned
from bootz.server.site import Site
from bootz.trust.certificates import fingerprint, load_certificate
from bootz.trust.keys import describe_key

command = noun("keys", "The site's keys and certificates.")

_COLUMNS = (
    Column("role"),
    Column("name"),
    Column("state"),
    Column("kind"),
    Column("until"),
    Column("days_left", "DAYS LEFT", right=True),
    Column("key", "KEY IS"),
    Column("sha256", "SHA-256"),
)

_ROTATED: Final = {
    Role.OWNER: (
        "The next answer is signed with the new owner certificate. Routers accept it because it "
        "chains to the same pinned domain certificate; the vouchers stay valid."
    ),
    Role.TRUST_ANCHOR: (
        "Routers that start now get the new trust anchor. Those that have an earlier one can "
        "still connect, because it certifies the new one. When all of them have reported, run "
        "`bootz keys retire`."
    ),
    Role.TLS: "New connections get the new certificate; routers verify it with their trust anchor.",
}
_ROTATE: Final = {
    Role.OWNER: rotate_owner,
    Role.TRUST_ANCHOR: rotate_trust_anchor,
    Role.TLS: rotate_tls,
}
_NOTICED: Final = "A running server picks this up by itself; SIGHUP makes it do so at once."


@command.command("show")
@click.pass_obj
def show(cli: Cli) -> None:
    """Show the keys and certificates in use, their expiry, and where each key is stored."""
    site = cli.site()
    now = site.clock()
    cli.output.rows(_COLUMNS, list(_rows(site, now)))
    _warn(cli, site, now)
    pinned = fingerprint(site.pinned_domain_cert())
    database = site.database()
    try:
        with database.read() as connection:
            counted = Counter(count_pinned(connection))
    finally:
        database.close()
    others = sum(count for each, count in counted.items() if each != pinned)
    cli.output.message(f"Stored vouchers that pin this site's certificate: {counted[pinned]}.")
    if others:
        cli.output.warning(
            f"{others} stored vouchers pin another certificate and cannot be used here; "
            "ask the manufacturer for new ones"
        )


@command.command("import")
@key_file_options
@click.option(
    "--drop-earlier",
    is_flag=True,
    help="With --trust-anchor: stop serving devices that have an earlier trust anchor.",
)
@click.pass_obj
def import_(cli: Cli, /, *, drop_earlier: bool, **options: Any) -> None:
    """Use keys and certificates of your own PKI.

    A new pinned domain certificate needs new vouchers. A new trust anchor is certified by the
    present one, so routers that have the present one can still connect.
    """
    files = KeyFiles(**options)
    if files == KeyFiles():
        raise click.UsageError(
            "give at least one certificate; --help lists which options belong together"
        )
    site = cli.site()
    now = site.clock()
    before = site.keys.read()
    after = import_keys(site, files.read(), now, keep_earlier=not drop_earlier)
    _told(cli, site, before, after)
    if after.pinned_domain != before.pinned_domain:
        cli.output.warning(
            "vouchers that pin the former certificate can no longer be used: ask the "
            "manufacturer for vouchers that pin the new one, and import them"
        )
    _warn(cli, site, now)
    cli.output.message(_NOTICED)


@command.command("rotate")
@click.argument("role", type=click.Choice([role.value for role in _ROTATE]))
@click.pass_obj
def rotate(cli: Cli, role: str) -> None:
    """Replace the owner's key, the trust anchor or the TLS key, without a restart."""
    site = cli.site()
    before = site.keys.read()
    which = Role(role)
    after = _ROTATE[which](site, site.clock())
    _told(cli, site, before, after)
    cli.output.message(f"{_ROTATED[which]} {_NOTICED}")


@command.command("retire")
@click.argument("number", type=click.IntRange(1), required=False)
@click.pass_obj
def retire(cli: Cli, number: int | None) -> None:
    """Stop serving routers that have the earlier trust anchor NUMBER, or one before it.

    NUMBER is that of `trust-anchor/NUMBER` in `bootz keys show`. Default: all earlier ones.
    """
    site = cli.site()
    before = site.keys.read()
    after = retire_trust_anchors(site, site.clock(), number=number)
    gone = [name for name in before.trust_anchors if name not in after.trust_anchors]
    _told(cli, site, before, after)
    cli.output.message(
        f"Retired: {', '.join(gone)}. Routers that have one of these refuse the server from now on "
        f"and must be bootstrapped again. {_NOTICED}"
    )


def _rows(site: Site, now: datetime) -> Iterator[dict[str, object]]:
    keys = site.keys
    keyring = keys.read()
    owner = site.owner_files()
    elsewhere = site.config.owner is not None
    yield _row(
        Role.PINNED_DOMAIN,
        "bootz.yaml" if elsewhere else keyring.pinned_domain,
        owner.pinned_domain_cert,
        now,
        key="here"
        if not elsewhere and keys.has_key(keyring.pinned_domain or "")
        else "not in the site",
    )
    yield _row(
        Role.OWNER,
        "bootz.yaml" if elsewhere else keyring.owner,
        owner.certificate,
        now,
        key=owner.key if elsewhere or keyring.owner_key else "here",
    )
    for name in keyring.trust_anchors:
        present = name == keyring.trust_anchors[0]
        yield _row(
            Role.TRUST_ANCHOR,
            name,
            keys.certificates(name)[0],
            now,
            state="in force" if present else "earlier, still accepted",
            key="here" if keys.has_key(name) else "not in the site" if present else "destroyed",
        )
    yield _row(Role.TLS, keyring.tls, keys.certificates(keyring.tls)[0], now, key="here")


def _row(
    role: Role,
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
        "hosts": _hosts(certificate) if role is Role.TLS else [],
    }


def _hosts(certificate: x509.Certificate) -> list[str]:
    found = certificate_hosts(certificate)
    return [*sorted(found.dns_names), *sorted(map(str, found.addresses))]


def _told(cli: Cli, site: Site, before: Keyring, after: Keyring) -> None:
    """Print the rows of what has changed."""
    changed = after.names - before.names
    rows = [row for row in _rows(site, site.clock()) if row["name"] in changed]
    cli.output.rows(_COLUMNS, rows)


def _warn(cli: Cli, site: Site, now: datetime) -> None:
    """Say what an operator should do something about."""
    try:
        warnings = load_owner_identity(site.owner_files(), now).warnings
    except BootzError as error:
        warnings = (f"the owner's key cannot be used: {error} ({error.reason})",)
    for warning in warnings:
        cli.output.warning(warning)
