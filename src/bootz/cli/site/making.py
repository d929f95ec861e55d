"""What ``bootz init`` does: makes the site that the options describe, and says what was made."""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from bootz.cli.base import Cli
from bootz.cli.inventory.importing import show_applied
from bootz.cli.site.reference import import_reference, warn_of_reference
from bootz.config.site import SiteConfig
from bootz.server.creation import create_site
from bootz.server.importing.applying import Applied
from bootz.server.importing.reference.reading import Reference
from bootz.server.keys.brought import BroughtKeys
from bootz.server.keys.owner import load_owner_identity
from bootz.server.keys.tls_certificates import tls_warnings
from bootz.server.operations.texts import faults_of
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.trust.certificates import fingerprint, load_certificate


def site_from_reference(
    cli: Cli,
    folder: Path,
    options: dict[str, Any],
    reference: Reference,
    brought: BroughtKeys,
    images: Sequence[Path],
) -> Site:
    """Make a site of a configuration of the reference, whole or not at all."""
    if reference.listen is not None and not options["listen"]:
        options = options | {"listen": (reference.listen,)}
    own = reference.keys
    keys = BroughtKeys(
        pinned_domain=brought.pinned_domain or own.pinned_domain,
        owner=brought.owner or own.owner,
        owner_p256=brought.owner_p256,
        trust_anchor=brought.trust_anchor or own.trust_anchor,
        tls=brought.tls,
    )
    imported: list[Applied] = []

    def fill(site: Site, database: Database) -> None:
        applied = import_reference(
            site, database, reference, images, pinned_domain_cert=site.pinned_domain_cert()
        )
        if applied.faults:
            # Told here, and the site is not put in place.
            show_applied(cli, applied)
        imported.append(applied)

    site = create_site(folder, chosen_config(options), keys, datetime.now(UTC), fill=fill)
    warn_of_reference(cli, reference)
    for applied in imported:
        for warning in applied.warnings:
            cli.output.warning(warning)
    return site


def tell_made(cli: Cli, site: Site, now: datetime, *, fresh: bool) -> None:
    """Print what was made, and what comes next."""
    identity = load_owner_identity(site.owner_files(), now)
    for warning in (*identity.warnings, *tls_warnings(site, now)):
        cli.output.warning(warning)
    keys = site.keys
    keyring = keys.read()
    cli.output.record(
        {
            "site": site.root,
            "organization": site.config.organization,
            "listen": list(site.config.listen),
            "database": site.config.database.url,
            "pinned_domain_cert": keyring.pinned_domain and keys.path(keyring.pinned_domain, "pem"),
            "pinned_domain_sha256": fingerprint(identity.pinned_domain_cert),
            "owner_until": load_certificate(identity.certificate.certificate).not_valid_after_utc,
            "trust_anchor": keys.path(keyring.trust_anchors[0], "pem"),
            "trust_anchor_sha256": fingerprint(keys.certificates(keyring.trust_anchors[0])[0]),
        }
    )
    where = shlex.quote(str(site.root))
    cli.output.message(
        "Vouchers must pin the pinned domain certificate: give that file to your manufacturers. "
        f"Next: bootz --site {where} vendor add NAME --ca FILE; then bootz --site {where} serve."
        if fresh
        else f"Next: bootz --site {where} serve."
    )


def chosen_config(options: dict[str, Any]) -> SiteConfig:
    """Return the settings that the options choose.

    Raises:
        UsageError: an answer does not fit.
    """
    given: dict[str, object] = {
        "organization": options["organization"],
        "listen": options["listen"] or None,
        "advertised": options["advertise"] or None,
        "database": {
            "url": options["database"],
            "password_file": _absolute(options["database_password_file"]),
        },
        "images": {
            "http": options["images_http"] or None,
            "https": options["images_https"] or None,
            "base_url": options["images_url"],
        },
        "log": {"format": options["log_format"]},
    }
    try:
        return SiteConfig.model_validate(_chosen(given))
    except ValidationError as error:
        raise click.UsageError(faults_of(error)) from None


def _chosen(given: dict[str, object]) -> dict[str, object]:
    """Return what was answered; the file explains the rest as default."""
    chosen: dict[str, object] = {}
    for name, value in given.items():
        kept = _chosen(value) if isinstance(value, dict) else value
        if kept is not None and kept != {}:
            chosen[name] = kept
    return chosen


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()
