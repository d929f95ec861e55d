"""The public side of ``keys/``, written to the database whenever it changes.

The operator's door reads it there: it opens no key, and may run on another machine.
"""

from collections.abc import Iterator

from bootz.errors import ConfigError
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.server.key_roles import KeyRole
from bootz.server.operations.site_certificates import (
    EARLIER,
    IN_FORCE,
    P256_BESIDE,
    SiteCertificate,
    SiteCertificates,
    published,
    read_site_certificates,
    store_site_certificates,
)
from bootz.server.site import Site
from bootz.server.store.database import Database


def site_certificates(site: Site) -> SiteCertificates:
    """Return the certificates of a site, from its folder; no key is opened.

    Raises:
        ConfigError: the list of keys or a file does not hold.
    """
    return SiteCertificates.of(_entries(site))


def publish_certificates(site: Site, database: Database) -> None:
    """Write them to the database, where they differ from what is there.

    Raises:
        ConfigError: the list of keys or a file does not hold.
        Unavailable: the database does not answer.
    """
    entries = site_certificates(site).entries
    with database.read() as connection:
        # Most often nothing is new, and then nothing waits for a writer.
        if published(connection) == entries:
            return
    with database.write() as connection:
        store_site_certificates(connection, entries)


def check_agreement(site: Site, database: Database) -> None:
    """Check that a site has the pinned domain certificate and trust anchor that are published.

    A server that others join has them there. With another pinned certificate no voucher of the
    site would do; with another anchor a router's report would fail at the next server.

    Raises:
        ConfigError: ``servers-disagree``.
        Unavailable: ``certificates-unpublished``, or the database does not answer.
    """
    own = site_certificates(site)
    with database.read() as connection:
        others = read_site_certificates(connection)
    for role in (KeyRole.PINNED_DOMAIN, KeyRole.TRUST_ANCHOR):
        here, there = own.in_force(role).sha256, others.in_force(role).sha256
        if here != there:
            raise ConfigError(
                "servers-disagree",
                f"the {role.value} certificate is not that of the site's other servers",
                where="keys",
                expected=f"sha256 {there}",
                seen=f"sha256 {here}",
            )


def _entries(site: Site) -> Iterator[SiteCertificate]:
    keys = site.keys
    keyring = keys.read()
    owner = site.owner_files()
    elsewhere = site.config.owner is not None
    pinned = "" if elsewhere else keyring.pinned_domain or ""
    yield SiteCertificate(
        KeyRole.PINNED_DOMAIN,
        pinned or "bootz.yaml",
        IN_FORCE,
        "here" if pinned and keys.has_key(pinned) else "not in the site",
        (owner.pinned_domain_cert,),
    )
    for files, name, used_from, state in (
        (owner, keyring.owner, keyring.owner_key, IN_FORCE),
        (site.p256_owner_files(), keyring.owner_p256, keyring.owner_p256_key, P256_BESIDE),
    ):
        if files is not None:
            yield SiteCertificate(
                KeyRole.OWNER,
                "bootz.yaml" if elsewhere else name or "",
                state,
                _place(files.key) if elsewhere or used_from else "here",
                (files.certificate, *files.intermediates),
            )
    for name in keyring.trust_anchors:
        present = name == keyring.trust_anchors[0]
        yield SiteCertificate(
            KeyRole.TRUST_ANCHOR,
            name,
            IN_FORCE if present else EARLIER,
            "here" if keys.has_key(name) else "not in the site" if present else "destroyed",
            keys.certificates(name)[:1],
        )
    yield SiteCertificate(
        KeyRole.TLS,
        keyring.tls,
        IN_FORCE,
        "here",
        keys.certificates(keyring.tls),
        brought=keyring.tls_brought,
    )


def _place(key: str) -> str:
    """Return where a key is; of a PKCS#11 URI without what opens it (RFC 7512 section 2.4)."""
    return key.partition("?")[0] if key.startswith(PKCS11_SCHEME) else key
