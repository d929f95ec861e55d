"""Making a site's keys, rotating them, and retiring trust anchors.

Each verb leaves the site usable wherever it is interrupted (see ``keyring``).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from bootz.config.site import SiteConfig
from bootz.errors import BootzError, ConfigError, UnknownChassis
from bootz.keystore.clock import check_clock
from bootz.keystore.files import KeyKind, PrivateKey, generate_key, random_serial
from bootz.server.keys.keyring import Keyring, KeyRole, Keys, with_tls
from bootz.server.keys.tls_certificates import (
    BACKDATED,
    certificate_name,
    issue_tls,
    server_hosts,
    subject_key_identifier,
)
from bootz.server.site import Site
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile, issue_certificate, issue_root

PINNED_DOMAIN_LIFE: Final = timedelta(days=30 * 365)
"""Long: to change what vouchers pin, every voucher must be issued again."""

OWNER_LIFE: Final = timedelta(days=5 * 365)
TRUST_ANCHOR_LIFE: Final = timedelta(days=20 * 365)


def make_pinned_domain(keys: Keys, organization: str, now: datetime) -> str:
    """Write a pinned domain certificate, a CA, with its key; return its name.

    Raises:
        Unavailable: the files cannot be written.
    """
    key, certificate = _make_ca(organization, "Bootz pinned domain", KeyKind.RSA_2048, now)
    return keys.store(KeyRole.PINNED_DOMAIN, [certificate], key)


def make_owner(
    keys: Keys,
    pinned_domain: str,
    organization: str,
    now: datetime,
    *,
    kind: KeyKind = KeyKind.RSA_2048,
) -> str:
    """Write an owner certificate under the pinned domain certificate; return its name.

    ``kind`` is that of its key: every router of the site must be able to verify it.

    Source: docs/protocol/pki.md#signatures.

    Raises:
        ConfigError: ``keys-elsewhere``, or the issuer's files do not hold.
        Unavailable: the files cannot be written.
    """
    if not keys.has_key(pinned_domain):
        raise ConfigError(
            "keys-elsewhere",
            "the pinned domain certificate's key is not in the site",
            where=pinned_domain,
        )
    issuer = load_certificate(keys.certificates(pinned_domain)[0])
    check_clock(issuer, now, where=pinned_domain)
    key = generate_key(kind)
    certificate = issue_certificate(
        profile=CertificateProfile.OWNER,
        subject=certificate_name(organization, "Bootz owner"),
        public_key=key.public_key(),
        issuer_name=issuer.subject,
        issuer_key=keys.private_key(pinned_domain),
        serial_number=random_serial(),
        not_before=max(now - BACKDATED, issuer.not_valid_before_utc),
        not_after=min(now + OWNER_LIFE, issuer.not_valid_after_utc),
        issuer_key_identifier=subject_key_identifier(issuer),
    )
    return keys.store(KeyRole.OWNER, [certificate], key)


def make_trust_anchor(
    keys: Keys, organization: str, now: datetime, *, before: str | None = None
) -> str:
    """Write a trust anchor, a CA, certified by the one ``before`` it too; return its name.

    Raises:
        ConfigError: ``keys-elsewhere``: the key of the anchor before is needed.
        Unavailable: the files cannot be written.
    """
    # The name tells generations apart, for people and for path building.
    role = f"Bootz server trust anchor {now:%Y-%m-%d} {random_serial() & 0xFFFF:04x}"
    key, certificate = _make_ca(organization, role, KeyKind.P256, now)
    return store_trust_anchor(keys, certificate, key, before=before, now=now)


def store_trust_anchor(
    keys: Keys, certificate: bytes, key: PrivateKey | None, *, before: str | None, now: datetime
) -> str:
    """Write a trust anchor's files; return its name.

    Raises:
        ConfigError: the anchor before it cannot certify it.
        Unavailable: the files cannot be written.
    """
    cross = None if before is None else _certify(keys, before, certificate, now)
    return keys.store(KeyRole.TRUST_ANCHOR, [certificate], key, cross=cross)


def rotate_owner(site: Site, now: datetime, *, kind: KeyKind | None = None) -> Keyring:
    """Issue a new owner certificate and key; the next answer is signed with it.

    ``kind`` is that of the key; None: P-256 where the present one is, else RSA-2048.

    Raises:
        ConfigError: the owner's keys are not kept here (``keys-elsewhere``).
    """

    def change(keyring: Keyring) -> Keyring:
        chosen = kind or _kind_of(site.keys, keyring.owner)
        return replace(keyring, owner=_next_owner(site, keyring, keyring.owner_key, chosen, now))

    return change_keyring(site, change)


def rotate_owner_p256(site: Site, now: datetime) -> Keyring:
    """Issue a P-256 owner certificate and key beside the first, new or in place of the last one.

    It signs for routers whose record says ``owner_key: p256``; the first signs for all others.

    Raises:
        ConfigError: the pinned domain certificate's key is not kept here (``keys-elsewhere``).
    """

    def change(keyring: Keyring) -> Keyring:
        used_from = keyring.owner_p256_key
        return replace(keyring, owner_p256=_next_owner(site, keyring, used_from, KeyKind.P256, now))

    return change_keyring(site, change)


def _next_owner(
    site: Site, keyring: Keyring, used_from: str | None, kind: KeyKind, now: datetime
) -> str:
    """Write the owner certificate that takes the place of one whose key is ``used_from``."""
    if site.config.owner is not None or keyring.pinned_domain is None:
        raise ConfigError(
            "keys-elsewhere", "bootz.yaml names the owner's keys elsewhere", where="owner"
        )
    if used_from is not None:
        raise ConfigError(
            "keys-elsewhere", "the owner's key is not kept in the site", where="owner"
        )
    organization = site.config.organization
    return make_owner(site.keys, keyring.pinned_domain, organization, now, kind=kind)


def retire_owner_p256(site: Site) -> Keyring:
    """Sign with the P-256 owner key no longer: the first one signs for all routers again.

    A key in the site is destroyed before the list is replaced, so that it is gone whenever the
    list says so: a server that finds it gone signs with the first one.

    Raises:
        UnknownChassis: ``owner-p256-not-listed``: the site has none.
    """

    def change(keyring: Keyring) -> Keyring:
        if keyring.owner_p256 is None:
            raise UnknownChassis(
                "owner-p256-not-listed", "the site has no P-256 owner key", where="owner"
            )
        site.keys.path(keyring.owner_p256, "key").unlink(missing_ok=True)
        return without_p256(keyring)

    return change_keyring(site, change)


def without_p256(keyring: Keyring) -> Keyring:
    """Return the list without the P-256 owner certificate."""
    return replace(keyring, owner_p256=None, owner_p256_key=None, owner_p256_passphrase_file=None)


def _kind_of(keys: Keys, owner: str | None) -> KeyKind:
    """Return the kind of key that takes the place of an owner's."""
    if owner is None:
        return KeyKind.RSA_2048
    key = load_certificate(keys.certificates(owner)[0]).public_key()
    curve = key.curve if isinstance(key, ec.EllipticCurvePublicKey) else None
    return KeyKind.P256 if isinstance(curve, ec.SECP256R1) else KeyKind.RSA_2048


def rotate_trust_anchor(site: Site, now: datetime) -> Keyring:
    """Make a new trust anchor, and a TLS certificate that leads to it and to the old ones.

    Raises:
        ConfigError: the present anchor's key is not kept here.
    """

    def change(keyring: Keyring) -> Keyring:
        name = make_trust_anchor(
            site.keys, site.config.organization, now, before=keyring.trust_anchors[0]
        )
        changed = replace(keyring, trust_anchors=(name, *keyring.trust_anchors))
        return with_tls(changed, new_tls(site, changed, now))

    return change_keyring(site, change)


def rotate_tls(site: Site, now: datetime) -> Keyring:
    """Issue a new TLS certificate and key.

    Raises:
        ConfigError: the trust anchor's key is not kept here.
    """
    return change_keyring(site, lambda keyring: with_tls(keyring, new_tls(site, keyring, now)))


def retire_trust_anchors(site: Site, now: datetime, *, number: int | None = None) -> Keyring:
    """Serve devices no longer that hold the earlier anchor ``number`` or one before it.

    Args:
        site: the site.
        now: aware UTC.
        number: as in ``trust-anchor/<number>``; None means all but the present.

    Raises:
        UnknownChassis: ``trust-anchor-not-listed``: no such earlier anchor.
        ConfigError: files do not hold.
    """

    def change(keyring: Keyring) -> Keyring:
        earlier = keyring.trust_anchors[1:]
        name = (
            earlier[0] if number is None and earlier else f"{KeyRole.TRUST_ANCHOR.value}/{number}"
        )
        if name not in earlier:
            raise UnknownChassis(
                "trust-anchor-not-listed",
                "is not an earlier trust anchor that is still accepted",
                where="trust-anchor" if number is None else name,
            )
        kept = keyring.trust_anchors[: keyring.trust_anchors.index(name)]
        changed = replace(keyring, trust_anchors=kept)
        if site.keys.has_key(kept[0]) and not keyring.tls_brought:
            return with_tls(changed, new_tls(site, changed, now))
        return with_tls(changed, _same_tls(site.keys, keyring, kept), brought=True)

    return change_keyring(site, change)


def _same_tls(keys: Keys, keyring: Keyring, kept: tuple[str, ...]) -> str:
    """Write the TLS certificate that was brought without its path to retired anchors."""
    path = set(keys.path_to_old_anchors(keyring.trust_anchors))
    own = [der for der in keys.certificates(keyring.tls) if der not in path]
    chain = (*own, *keys.path_to_old_anchors(kept))
    return keys.store(KeyRole.TLS, chain, keys.private_key(keyring.tls))


def change_keyring(site: Site, change: Callable[[Keyring], Keyring]) -> Keyring:
    """Put a changed list in force, under the lock; ``change`` gets the present one.

    Raises:
        BootzError: what ``change`` raises; or the files cannot be read or written.
    """
    keys = site.keys
    with keys.changing():
        before = keys.read()
        try:
            keyring = change(before)
        except BootzError:
            # Not even a key that is in no list is left behind.
            keys.drop_unlisted(before)
            raise
        keys.write(keyring)
    return keyring


def new_tls(site: Site, keyring: Keyring, now: datetime) -> str:
    """Write a TLS certificate and key for the site's settings; return its name.

    Raises:
        ConfigError: the trust anchor's key is not kept here.
        Unavailable: the files cannot be written.
    """
    config: SiteConfig = site.config
    return issue_tls(
        site.keys,
        keyring.trust_anchors,
        server_hosts(config),
        organization=config.organization,
        life=timedelta(days=config.tls.validity_days),
        now=now,
    )


def _make_ca(
    organization: str, role: str, kind: KeyKind, now: datetime
) -> tuple[PrivateKey, bytes]:
    key = generate_key(kind)
    name = certificate_name(organization, role)
    life = PINNED_DOMAIN_LIFE if kind is KeyKind.RSA_2048 else TRUST_ANCHOR_LIFE
    certificate = issue_root(
        name,
        key,
        serial_number=random_serial(),
        not_before=now - BACKDATED,
        not_after=now + life,
    )
    return key, certificate


def _certify(keys: Keys, before: str, certificate: bytes, now: datetime) -> bytes:
    if not keys.has_key(before):
        raise ConfigError(
            "keys-elsewhere",
            "the present trust anchor's key is not in the site, so that it cannot certify "
            "the next one",
            where=before,
        )
    issuer = load_certificate(keys.certificates(before)[0])
    check_clock(issuer, now, where=before)
    subject = load_certificate(certificate)
    cross = issue_certificate(
        profile=CertificateProfile.ROOT_CA,
        subject=subject.subject,
        public_key=subject.public_key(),
        issuer_name=issuer.subject,
        issuer_key=keys.private_key(before),
        serial_number=random_serial(),
        not_before=max(now - BACKDATED, issuer.not_valid_before_utc),
        not_after=min(subject.not_valid_after_utc, issuer.not_valid_after_utc),
        issuer_key_identifier=subject_key_identifier(issuer),
    )
    own = subject_key_identifier(subject)
    if own and own != subject_key_identifier(load_certificate(cross)):
        # The TLS certificate names its issuer's key by one identifier; both paths need the same.
        raise ConfigError(
            "certificate-unfit",
            "its subjectKeyIdentifier is not the SHA-1 of its key, so devices that have the "
            "earlier trust anchor could not connect; --drop-earlier gives them up",
            where="trust anchor",
            expected="RFC 5280 section 4.2.1.2, method 1",
        )
    return cross
