"""What the server works with until the next reload: read and checked as one, swapped as one."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bootz.config.site import SiteConfig
from bootz.errors import Unavailable
from bootz.log import get_logger
from bootz.server.keys.owner import load_owner_state, load_p256_identity
from bootz.server.keys.tls_certificates import TlsMaterial, ensure_tls
from bootz.server.onboarding.service import OwnerState
from bootz.server.site import Site
from bootz.transport.tls import server_context

log = get_logger()

_CORRECTED: Final = timedelta(minutes=1)
"""A clock may be set back so far, by those who keep it right, without having been wrong."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Settings, keys and TLS contexts that belong together.

    ``owner`` is None while the owner's key cannot be used; ``flaw`` then says why. While only its
    P-256 key cannot be, ``flaw`` says so, and the first key signs for all.
    ``keys_stamp`` differs from the site's once keys have changed; ``loaded_at`` is what the clock
    showed then; ``clients`` are the CAs (DER) whose devices pass TLS.
    """

    site: Site
    owner: OwnerState | None
    flaw: Unavailable | None
    tls: TlsMaterial
    grpc: ssl.SSLContext
    https: ssl.SSLContext
    keys_stamp: object
    loaded_at: datetime
    clients: tuple[bytes, ...] = field(repr=False)

    def due(self, now: datetime) -> bool:
        """Tell whether it must be loaded again, though no key has changed.

        A clock that shows an earlier time than at loading had jumped ahead: what was issued or
        signed then begins in the future.
        """
        jumped = now < self.loaded_at - _CORRECTED
        return self.flaw is not None or jumped or self.tls.due(now)

    @property
    def config(self) -> SiteConfig:
        """The settings."""
        return self.site.config

    def owner_state(self) -> OwnerState:
        """Return what the owner answers with.

        Raises:
            Unavailable: ``owner-identity-unusable``.
        """
        if self.owner is None:
            raise self.flaw or Unavailable("owner-identity-unusable", "is not loaded")
        return self.owner


def load_snapshot(
    site: Site, clients: Sequence[bytes], now: datetime, before: Snapshot | None = None
) -> Snapshot:
    """Read keys and make TLS contexts; a TLS certificate that is due is issued. Blocks.

    Where the owner's key cannot be used, what ``before`` has goes on being used: a token that
    does not answer must not take away what still works. In place of the P-256 key the first one
    signs: every router verifies it.

    Raises:
        ConfigError: what there is cannot serve TLS.
        Unavailable: files cannot be written.
    """
    tls = ensure_tls(site, now)
    stamp = site.keys_stamp()
    owner, flaw = None, None
    try:
        owner = load_owner_state(site, now)
        owner = replace(owner, p256=load_p256_identity(site, now))
    except Unavailable as error:
        log.error(error.reason, detail=str(error), expected=error.expected)
        if owner is None and before is not None:
            owner = before.owner
        flaw = error
    return Snapshot(
        site=site,
        owner=owner,
        flaw=flaw,
        tls=tls,
        grpc=grpc_context(tls, clients),
        https=server_context(tls.certificate, tls.key, protocols=("http/1.1",)),
        keys_stamp=stamp,
        loaded_at=now,
        clients=tuple(clients),
    )


def grpc_context(tls: TlsMaterial, clients: Sequence[bytes]) -> ssl.SSLContext:
    """Return the TLS context of the Bootz port.

    Raises:
        ConfigError: certificate and key cannot be loaded.
    """
    return server_context(tls.certificate, tls.key, client_anchors=clients)
