"""The operator's door's own TLS certificate, under the site's trust anchor.

The door opens no key of the owner: whoever may read ``keys/`` issues this one for it, outside of
that folder, and gives the files to the user that the door runs as. It is renewed for the key that
it has, so that no key is touched: a server does so before the end, and the door takes it over.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import BootzError, Unavailable
from bootz.keystore.files import (
    KeyKind,
    generate_key,
    load_certificates,
    write_certificates,
    write_private_key,
)
from bootz.log import get_logger
from bootz.server.certificate_hosts import ServerHosts
from bootz.server.door_tls import DOOR_CERTIFICATE, DOOR_FOLDER, DOOR_KEY, is_issued_here
from bootz.server.keys.keyring import Keyring, Keys
from bootz.server.keys.tls_certificates import (
    certificate_name,
    issue_server_chain,
    server_hosts,
    why_due,
)
from bootz.server.site import Site
from bootz.server.snapshot import Snapshot
from bootz.trust.certificates import load_certificate
from bootz.trust.keys import PublicKey

log = get_logger()

_LOOK_S: Final = 600.0
"""Seconds between two looks at the certificate; after a change of settings or keys, at once."""


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
    key = generate_key(KeyKind.P256)
    chain = _chain(site, site.keys.read(), key.public_key(), now)
    folder = site.root / DOOR_FOLDER
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "file-unwritable", f"cannot be made: {error.strerror}", where=str(folder)
        ) from error
    write_private_key(site.root / DOOR_KEY, key, overwrite=True)
    write_certificates(site.root / DOOR_CERTIFICATE, chain)
    return site.root / DOOR_CERTIFICATE


def renew_door(site: Site, now: datetime) -> str:
    """Issue the door's certificate again where it is due; return why, empty where it is not.

    It is due when it nears its end, misses a name or address, or is not of the present trust
    anchor. Only what the site issued itself is renewed, for the same key.

    Raises:
        ConfigError: a file does not hold, or ``keys-elsewhere``.
        Unavailable: it cannot be written.
    """
    path = site.root / DOOR_CERTIFICATE
    if not is_issued_here(site.root, site.config) or not path.exists():
        return ""
    keys = site.keys
    # Of several processes the first issues it, and the others find it there.
    with keys.changing():
        keyring = keys.read()
        certificate = load_certificate(load_certificates(path)[0])
        issuer = _issuer(keys, keyring, certificate)
        key = certificate.public_key()
        if issuer is None or not isinstance(key, PublicKey):
            return ""
        soon = now + timedelta(days=site.config.tls.renew_before_days)
        because = why_due(certificate, door_hosts(site.config), soon)
        if because is None and now < certificate.not_valid_before_utc:
            because = f"it begins at {certificate.not_valid_before_utc.isoformat()}"
        if because is None and issuer != keyring.trust_anchors[0]:
            because = f"it is of {issuer}, which is not the present trust anchor"
        if because is None:
            return ""
        chain = _chain(site, keyring, key, now)
        write_certificates(path, chain)
    return because


class DoorRenewal:
    """Renews the door's certificate while a server runs.

    Args:
        monotonic: seconds that only ever rise.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: Snapshot | None = None
        self._next = monotonic()

    async def tend(self, snapshot: Snapshot) -> None:
        """Look whether it is due, with the settings and keys in force. Call it often."""
        if snapshot is self._seen and self._monotonic() < self._next:
            return
        self._seen, self._next = snapshot, self._monotonic() + _LOOK_S
        site = snapshot.site
        try:
            because = await asyncio.to_thread(renew_door, site, site.clock())
        except BootzError as error:
            log.warning("door-certificate-not-renewed", reason=error.reason, detail=str(error))
        else:
            if because:
                log.info("door-certificate-issued", because=because)


def _chain(site: Site, keyring: Keyring, public_key: PublicKey, now: datetime) -> tuple[bytes, ...]:
    return issue_server_chain(
        site.keys,
        keyring.trust_anchors,
        public_key,
        door_hosts(site.config),
        subject=certificate_name(site.config.organization, "Bootz door"),
        life=timedelta(days=site.config.tls.validity_days),
        now=now,
    )


def _issuer(keys: Keys, keyring: Keyring, certificate: x509.Certificate) -> str | None:
    """Return which of the site's trust anchors issued a certificate, None for another's.

    So that a file which was put there is not certified for whoever put it there.
    """
    for name in keyring.trust_anchors:
        try:
            certificate.verify_directly_issued_by(load_certificate(keys.certificates(name)[0]))
        except (ValueError, TypeError, InvalidSignature):
            continue
        return name
    return None
