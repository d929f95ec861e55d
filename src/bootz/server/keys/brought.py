"""Keys and certificates of an operator who has a PKI: read from files, checked, used.

Nothing is stored before everything that was brought makes a whole: an owner certificate leads to
the pinned domain certificate, keys belong to their certificates, and the TLS certificate leads to
every trust anchor that devices may hold.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import KeyKind, PrivateKey, load_certificates, load_private_key
from bootz.keystore.loading import load_signer
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.server.keys.keyring import Keyring, KeyRole, Keys, with_tls
from bootz.server.keys.owner import check_key, check_p256
from bootz.server.keys.owner_files import only_certificate
from bootz.server.keys.rotation import (
    change_keyring,
    make_owner,
    make_pinned_domain,
    make_trust_anchor,
    new_tls,
    store_trust_anchor,
    without_p256,
)
from bootz.server.keys.tls_certificates import check_tls
from bootz.server.site import Site
from bootz.trust.certificates import AnchorSet, verify_chain


@dataclass(frozen=True, slots=True)
class Brought:
    """Certificates (DER, the leaf first), and the key where it comes along.

    ``used_from`` is a PKCS#11 URI or the path of an encrypted file, for an owner's key that stays
    where it is; ``passphrase_file`` opens the latter.
    """

    certificates: tuple[bytes, ...] = field(repr=False)
    key: PrivateKey | None = field(default=None, repr=False)
    used_from: str | None = None
    passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True)
class BroughtKeys:
    """What an operator brings; None is left as it is, or made. ``owner_p256`` is never made."""

    pinned_domain: Brought | None = None
    owner: Brought | None = None
    owner_p256: Brought | None = None
    trust_anchor: Brought | None = None
    tls: Brought | None = None


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where an operator has them; an owner's key may be a PKCS#11 URI. None: not brought."""

    pinned_domain_cert: Path | None = None
    pinned_domain_key: Path | None = None
    owner_cert: Path | None = None
    owner_key: str | None = None
    owner_passphrase_file: Path | None = None
    owner_p256_cert: Path | None = None
    owner_p256_key: str | None = None
    owner_p256_passphrase_file: Path | None = None
    trust_anchor: Path | None = None
    trust_anchor_key: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def read(self) -> BroughtKeys:
        """Read the files.

        Raises:
            ConfigError: one cannot be read, or lacks the file that belongs to it.
        """
        for name, needs in (
            ("pinned_domain_key", "pinned_domain_cert"),
            ("owner_cert", "owner_key"),
            ("owner_key", "owner_cert"),
            ("owner_passphrase_file", "owner_key"),
            ("owner_p256_cert", "owner_p256_key"),
            ("owner_p256_key", "owner_p256_cert"),
            ("owner_p256_passphrase_file", "owner_p256_key"),
            ("trust_anchor_key", "trust_anchor"),
            ("tls_cert", "tls_key"),
            ("tls_key", "tls_cert"),
        ):
            if getattr(self, name) is not None and getattr(self, needs) is None:
                raise ConfigError(
                    "keys-arguments", f"is needed with {_option(name)}", where=_option(needs)
                )
        return BroughtKeys(
            pinned_domain=_read(self.pinned_domain_cert, self.pinned_domain_key),
            owner=_read_owner(self.owner_cert, self.owner_key, self.owner_passphrase_file),
            owner_p256=_read_owner(
                self.owner_p256_cert, self.owner_p256_key, self.owner_p256_passphrase_file
            ),
            trust_anchor=_read(self.trust_anchor, self.trust_anchor_key),
            tls=_read(self.tls_cert, self.tls_key),
        )


def create_keys(site: Site, brought: BroughtKeys, now: datetime) -> Keyring:
    """Put the keys of a new site in force: those that are brought, and new ones for the rest.

    The owner certificate that is made is RSA-2048 under an RSA issuer with SHA-256, which every
    dialect's router can verify (docs/protocol/pki.md#signatures).

    Raises:
        BootzError: what is brought does not hold, or files cannot be written.
    """
    keys, organization = site.keys, site.config.organization
    with keys.changing():
        owners = brought.owner is not None or brought.owner_p256 is not None
        if brought.pinned_domain is None and owners:
            raise _missing(
                "--pinned-domain-cert", "the certificate to which the owner certificate chains"
            )
        pinned_domain = (
            make_pinned_domain(keys, organization, now)
            if brought.pinned_domain is None
            else _store(keys, KeyRole.PINNED_DOMAIN, brought.pinned_domain)
        )
        keyring = Keyring(("",), "", pinned_domain)
        keyring = _with_owner_p256(site, _with_owner(site, keyring, brought, now), brought)
        anchor = (
            make_trust_anchor(keys, organization, now)
            if brought.trust_anchor is None
            else _store(keys, KeyRole.TRUST_ANCHOR, brought.trust_anchor)
        )
        keyring = replace(keyring, trust_anchors=(anchor,))
        keyring = _with_tls(site, keyring, brought, now)
        _check(site, keyring, now)
        keys.write(keyring)
    return keyring


def import_keys(
    site: Site, brought: BroughtKeys, now: datetime, *, keep_earlier: bool = True
) -> Keyring:
    """Put keys that are brought in force beside those that the site has.

    A new pinned domain certificate with its key gets a new owner certificate, and a new P-256 one
    if there was one; without its key, none that is not brought stays. A new trust anchor
    is certified by the one before it, so that devices which hold that one are served on; with
    ``keep_earlier`` False they are not, and the key of the one before is not needed.

    Raises:
        BootzError: what is brought does not hold, or does not go with what the site has.
    """

    def change(keyring: Keyring) -> Keyring:
        owners = (brought.pinned_domain, brought.owner, brought.owner_p256)
        if any(owners) and site.config.owner is not None:
            raise ConfigError(
                "keys-elsewhere",
                "bootz.yaml names the owner's certificates and key; change them there, or remove "
                "`owner` from it first",
                where="owner",
            )
        if brought.pinned_domain is not None:
            name = _store(site.keys, KeyRole.PINNED_DOMAIN, brought.pinned_domain)
            keyring = replace(keyring, pinned_domain=name)
            keyring = _anew_p256(site, keyring, now)
        if brought.pinned_domain is not None or brought.owner is not None:
            keyring = _with_owner(site, keyring, brought, now)
        keyring = _with_owner_p256(site, keyring, brought)
        if brought.trust_anchor is not None:
            _check_brought(KeyRole.TRUST_ANCHOR, brought.trust_anchor)
            name = store_trust_anchor(
                site.keys,
                brought.trust_anchor.certificates[0],
                brought.trust_anchor.key,
                before=keyring.trust_anchors[0] if keep_earlier else None,
                now=now,
            )
            earlier = keyring.trust_anchors if keep_earlier else ()
            keyring = replace(keyring, trust_anchors=(name, *earlier))
        if brought.trust_anchor is not None or brought.tls is not None:
            keyring = _with_tls(site, keyring, brought, now)
        _check(site, keyring, now)
        return keyring

    return change_keyring(site, change)


def _with_owner(site: Site, keyring: Keyring, brought: BroughtKeys, now: datetime) -> Keyring:
    """Return the list with the owner certificate that is brought, or a new one."""
    if keyring.pinned_domain is None:
        raise _missing(
            "--pinned-domain-cert", "the certificate to which the owner certificate chains"
        )
    keys, pinned_domain = site.keys, keyring.pinned_domain
    if brought.owner is None:
        if not keys.has_key(pinned_domain):
            raise _missing(
                "--owner-cert and --owner-key",
                "without the pinned domain certificate's key no owner certificate can be issued "
                "here",
            )
        name = make_owner(keys, pinned_domain, site.config.organization, now)
        return replace(keyring, owner=name, owner_key=None, owner_passphrase_file=None)
    own = brought.owner
    return replace(
        keyring,
        owner=_store(keys, KeyRole.OWNER, own),
        owner_key=own.used_from,
        owner_passphrase_file=_text(own.passphrase_file),
    )


def _with_owner_p256(site: Site, keyring: Keyring, brought: BroughtKeys) -> Keyring:
    """Return the list with the P-256 owner certificate that is brought, if one is."""
    own = brought.owner_p256
    if own is None:
        return keyring
    check_p256(own.certificates[0])
    return replace(
        keyring,
        owner_p256=_store(site.keys, KeyRole.OWNER, own),
        owner_p256_key=own.used_from,
        owner_p256_passphrase_file=_text(own.passphrase_file),
    )


def _anew_p256(site: Site, keyring: Keyring, now: datetime) -> Keyring:
    """Return the list with a P-256 owner certificate of the new pinned one, if there was one.

    The former leads to the former pinned certificate, and no router would accept it.
    """
    if keyring.owner_p256 is None:
        return keyring
    keyring, keys = without_p256(keyring), site.keys
    if keyring.pinned_domain is None or not keys.has_key(keyring.pinned_domain):
        return keyring
    organization = site.config.organization
    name = make_owner(keys, keyring.pinned_domain, organization, now, kind=KeyKind.P256)
    return replace(keyring, owner_p256=name)


def _with_tls(site: Site, keyring: Keyring, brought: BroughtKeys, now: datetime) -> Keyring:
    keys = site.keys
    if brought.tls is not None:
        path = keys.path_to_old_anchors(keyring.trust_anchors)
        whole = Brought((*brought.tls.certificates, *path), brought.tls.key)
        return with_tls(keyring, _store(keys, KeyRole.TLS, whole), brought=True)
    if not keys.has_key(keyring.trust_anchors[0]):
        raise _missing(
            "--tls-cert and --tls-key",
            "without the trust anchor's key no TLS certificate can be issued here",
        )
    return with_tls(keyring, new_tls(site, keyring, now))


def _check(site: Site, keyring: Keyring, now: datetime) -> None:
    """Check that a list makes a whole; the files are there, and nothing is in force yet."""
    keys = site.keys
    _check_anchor(keys.certificates(keyring.trust_anchors[0])[0], now)
    try:
        check_tls(keys, keyring, now)
    except BootzError as error:
        raise _unfit("TLS certificate", error) from error
    if keyring.owner is None or keyring.pinned_domain is None:
        return
    pinned = only_certificate(keys.certificates(keyring.pinned_domain))
    for what, name, key, passphrase in (
        ("owner", keyring.owner, keyring.owner_key, keyring.owner_passphrase_file),
        (
            "P-256 owner",
            keyring.owner_p256,
            keyring.owner_p256_key,
            keyring.owner_p256_passphrase_file,
        ),
    ):
        if name is None:
            continue
        own = keys.certificates(name)
        try:
            verify_chain(own[0], own[1:], AnchorSet.from_der([pinned]), now=now)
        except BootzError as error:
            raise _unfit(f"{what} certificate", error) from error
        if key is not None:
            path = None if passphrase is None else Path(passphrase)
            signer = load_signer(key, passphrase_file=path)
            check_key(signer.public_key, own[0], where=f"{what} key")


def _check_anchor(certificate: bytes, now: datetime) -> None:
    try:
        # An anchor that vouches for itself is in its dates and of a form that devices take.
        verify_chain(certificate, (), AnchorSet.from_der([certificate]), now=now)
    except BootzError as error:
        raise _unfit("trust anchor", error) from error


def _store(keys: Keys, role: KeyRole, brought: Brought) -> str:
    _check_brought(role, brought)
    return keys.store(role, brought.certificates, brought.key)


def _check_brought(role: KeyRole, brought: Brought) -> None:
    match role:
        case KeyRole.PINNED_DOMAIN:
            only_certificate(brought.certificates)
        case KeyRole.TRUST_ANCHOR if len(brought.certificates) != 1:
            raise ConfigError(
                "certificate-unfit",
                "must be exactly one certificate, because devices get one",
                where="trust anchor",
                expected="1 certificate",
                seen=str(len(brought.certificates)),
            )
        case _:
            pass
    if brought.key is not None:
        check_key(brought.key.public_key(), brought.certificates[0], where=f"{role.value} key")


def _read(certificates: Path | None, key: Path | None) -> Brought | None:
    if certificates is None:
        return None
    return Brought(load_certificates(certificates), None if key is None else load_private_key(key))


def _read_owner(
    certificates: Path | None, key: str | None, passphrase_file: Path | None
) -> Brought | None:
    if certificates is None or key is None:
        return None
    if key.startswith(PKCS11_SCHEME):
        return Brought(load_certificates(certificates), used_from=key)
    if passphrase_file is not None:
        # An encrypted key stays encrypted: it is used from where it is.
        return Brought(
            load_certificates(certificates),
            used_from=str(Path(key).absolute()),
            passphrase_file=passphrase_file.absolute(),
        )
    return _read(certificates, Path(key))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _missing(option: str, why: str) -> ConfigError:
    return ConfigError("keys-arguments", why, where=option)


def _unfit(what: str, error: BootzError) -> ConfigError:
    return ConfigError(
        "certificate-unfit",
        f"{error.detail} ({error.reason})",
        where=what,
        expected=error.expected,
        seen=error.seen,
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-').replace('-passphrase', '-key-passphrase')}"
