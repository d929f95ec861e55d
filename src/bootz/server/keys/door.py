"""The operator's door's own TLS certificate, under the site's trust anchor.

The door opens no key of the owner: whoever may read ``keys/`` issues this one for it, outside of
that folder, and gives the files to the user that the door runs as.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import ConfigError, Unavailable
from bootz.keystore.clock import check_clock
from bootz.keystore.files import (
    KeyKind,
    generate_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.server.certificate_hosts import ServerHosts
from bootz.server.keys.tls_certificates import (
    BACKDATED,
    certificate_name,
    server_hosts,
    subject_key_identifier,
)
from bootz.server.site import Site
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile, issue_certificate

FOLDER: Final = Path("door")
CERTIFICATE: Final = FOLDER / "door.pem"
KEY: Final = FOLDER / "door.key"
"""Where the files are, below the site's folder; what ``operator.tls`` names."""


def door_hosts(config: SiteConfig) -> ServerHosts:
    """Return by what people reach the door: the hosts of ``operator.listen``, and loopback.

    Raises:
        Unavailable: it listens on all addresses, and the kernel does not list them.
    """
    shown = config.model_copy(update={"images": config.images.model_copy(update={"https": ()})})
    return server_hosts(shown, [str(parse_endpoint(each)) for each in config.operator.listen])


def issue_door(site: Site, now: datetime) -> Path:
    """Write a new key (P-256) and a certificate for the door; return the certificate's path.

    Raises:
        ConfigError: ``keys-elsewhere``, ``clock-behind``, or the anchor's files do not hold.
        Unavailable: the files cannot be written.
    """
    keys = site.keys
    present = keys.read().trust_anchors[0]
    if not keys.has_key(present):
        raise ConfigError(
            "keys-elsewhere", "the trust anchor's key is not in the site", where=present
        )
    anchor = load_certificate(keys.certificates(present)[0])
    check_clock(anchor, now, where=present)
    hosts = door_hosts(site.config)
    key = generate_key(KeyKind.P256)
    leaf = issue_certificate(
        profile=CertificateProfile.SERVER_TLS,
        subject=certificate_name(site.config.organization, "Bootz door"),
        public_key=key.public_key(),
        issuer_name=anchor.subject,
        issuer_key=keys.private_key(present),
        serial_number=random_serial(),
        not_before=max(now - BACKDATED, anchor.not_valid_before_utc),
        not_after=min(
            now + timedelta(days=site.config.tls.validity_days), anchor.not_valid_after_utc
        ),
        dns_names=sorted(hosts.dns_names),
        ip_addresses=sorted(hosts.addresses, key=lambda each: (each.version, int(each))),
        issuer_key_identifier=subject_key_identifier(anchor),
    )
    folder = site.root / FOLDER
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "file-unwritable", f"cannot be made: {error.strerror}", where=str(folder)
        ) from error
    write_private_key(site.root / KEY, key, overwrite=True)
    write_certificates(site.root / CERTIFICATE, [leaf])
    return site.root / CERTIFICATE
