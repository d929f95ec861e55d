"""Where an owner's certificates and key are: in the site, or wherever the settings say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootz.config.site import OwnerSettings
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
        own = load_certificates(root / settings.certificate)
        pinned = load_certificates(root / settings.pinned_domain_certificate)
        elsewhere = settings.key.startswith(PKCS11_SCHEME)
        key = settings.key if elsewhere else str(root / settings.key)
        passphrase = settings.passphrase_file and root / settings.passphrase_file
        return OwnerFiles(only_certificate(pinned), own[0], own[1:], key, passphrase)
    keyring = keys.read()
    if keyring.owner is None or keyring.pinned_domain is None:
        raise ConfigError(
            "keyring-damaged",
            "lists no owner certificate, and bootz.yaml does not name one either",
            where=str(keys.folder),
        )
    own = keys.certificates(keyring.owner)
    pinned = keys.certificates(keyring.pinned_domain)
    key = keyring.owner_key or str(keys.path(keyring.owner, "key"))
    secret = keyring.owner_passphrase_file
    return OwnerFiles(
        only_certificate(pinned),
        own[0],
        own[1:],
        key,
        None if secret is None else Path(secret),
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
