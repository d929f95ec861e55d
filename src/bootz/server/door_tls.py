"""The certificate of the operator's door, as everyone may read it: no key is opened here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bootz.config.site import SiteConfig
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.trust.certificates import load_certificate

DOOR_FOLDER: Final = Path("door")
DOOR_CERTIFICATE: Final = DOOR_FOLDER / "door.pem"
DOOR_KEY: Final = DOOR_FOLDER / "door.key"
"""Below the site's folder: what ``operator.tls`` names where the site issued them."""


def is_issued_here(root: Path, config: SiteConfig) -> bool:
    """Tell whether the door serves with the files that the site issues for it."""
    tls = config.operator.tls
    return tls is not None and root / tls.certificate == root / DOOR_CERTIFICATE


def door_chain(root: Path, config: SiteConfig) -> Sequence[bytes]:
    """Return the door's certificate and those above it (DER); empty where it has no TLS.

    Raises:
        ConfigError: ``certificate-file-invalid``.
    """
    tls = config.operator.tls
    return () if tls is None else load_certificates(root / tls.certificate)


def door_dates(chain: Sequence[bytes], now: datetime) -> str:
    """Say how long the door's certificate holds.

    Raises:
        ConfigError: ``door-certificate-due``: it is not valid now.
    """
    certificate = load_certificate(chain[0])
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        raise ConfigError(
            "door-certificate-due",
            f"it holds from {begins.isoformat()} to {ends.isoformat()}",
            where="operator.tls",
        )
    return f"{(certificate.not_valid_after_utc - now) // timedelta(days=1)} days left"
