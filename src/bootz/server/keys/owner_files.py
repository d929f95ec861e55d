"""Where an owner's certificates and key are: in the site, or wherever the settings say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootz.config.site import OwnerKeySettings, OwnerSettings
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.server.keys.keyring import Keys


@dataclass(frozen=True, slots=True)
class OwnerFiles:
    """The owner's certificates (DER) and where the key is; the key is not loaded.

    ``key`` is the path of a file or a PKCS#11 URI.
    """

    pinned_domain_cert: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(repr=False)
    key: str
    passphrase_file: Path | None = None


def read_owner_files(root: Path, settings: OwnerSettings | None, keys: Keys) -> OwnerFiles:
    """Return the owner's certificates: those that the settings name, else those of the site.

    Args:
        root: the site's folder, below which relative paths are.
        settings: what ``bootz.yaml`` says of keys that are kept elsewhere, None if nothing.
        keys: the site's keys.

    Raises:
        ConfigError: a file cannot be read, or does not hold what it should.
    """
    if settings is not None:
        return _elsewhere(root, settings, _pinned(root, settings))
    keyring = keys.read()
    if keyring.owner is None or keyring.pinned_domain is None:
        raise ConfigError(
            "keyring-damaged",
            "lists no owner certificate, and bootz.yaml does not name one either",
            where=str(keys.folder),
        )
    pinned = only_certificate(keys.certificates(keyring.pinned_domain))
    return _of_site(
        keys, keyring.owner, keyring.owner_key, keyring.owner_passphrase_file, pinned=pinned
    )


def read_p256_owner_files(
    root: Path, settings: OwnerSettings | None, keys: Keys
) -> OwnerFiles | None:
    """Return the P-256 owner certificate beside the first one, None where there is none.

    Arguments and errors are those of ``read_owner_files``.
    """
    if settings is not None:
        if settings.p256 is None:
            return None
        return _elsewhere(root, settings.p256, _pinned(root, settings))
    keyring = keys.read()
    if keyring.owner_p256 is None or keyring.pinned_domain is None:
        return None
    return _of_site(
        keys,
        keyring.owner_p256,
        keyring.owner_p256_key,
        keyring.owner_p256_passphrase_file,
        pinned=only_certificate(keys.certificates(keyring.pinned_domain)),
    )


def _pinned(root: Path, settings: OwnerSettings) -> bytes:
    return only_certificate(load_certificates(root / settings.pinned_domain_certificate))


def _elsewhere(root: Path, settings: OwnerKeySettings, pinned: bytes) -> OwnerFiles:
    own = load_certificates(root / settings.certificate)
    in_token = settings.key.startswith(PKCS11_SCHEME)
    key = settings.key if in_token else str(root / settings.key)
    passphrase = settings.passphrase_file and root / settings.passphrase_file
    return OwnerFiles(pinned, own[0], own[1:], key, passphrase)


def _of_site(
    keys: Keys, name: str, key: str | None, passphrase: str | None, *, pinned: bytes
) -> OwnerFiles:
    own = keys.certificates(name)
    return OwnerFiles(
        pinned,
        own[0],
        own[1:],
        key or str(keys.path(name, "key")),
        None if passphrase is None else Path(passphrase),
    )


def only_certificate(certificates: Sequence[bytes]) -> bytes:
    """Return the one certificate that a file with a pinned domain certificate must hold.

    Raises:
        ConfigError: ``certificate-unfit``.
    """
    if len(certificates) != 1:
        raise ConfigError(
            "certificate-unfit",
            "a voucher pins exactly one certificate",
            where="pinned domain certificate",
            expected="1 certificate",
            seen=str(len(certificates)),
        )
    return certificates[0]
