"""TLS of the operator's door: its files, taken over when they are replaced, without a restart."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from bootz.config.operator import OperatorTlsSettings
from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import load_certificates
from bootz.keystore.protected import read_protected
from bootz.trust.certificates import load_certificate

log = structlog.get_logger()

_LOOK_S: Final = 1.0
"""Seconds between two looks at the files."""
_SOON: Final = timedelta(days=14)
"""A certificate that ends sooner is told in the log, once a day."""
_TELL: Final = timedelta(days=1)


class DoorTls:
    """The context with which the door serves.

    Args:
        root: the site's folder.
        settings: where certificate and key are.

    Raises:
        ConfigError: they cannot be used, or others can read or replace the key.
    """

    def __init__(self, root: Path, settings: OperatorTlsSettings) -> None:
        self._certificate = root / settings.certificate
        self._key = root / settings.key
        self._stamp = self._stamped()
        self.context = _fresh()
        self._load(self.context)
        self._told: datetime | None = None

    async def keep(self, clock: Callable[[], datetime]) -> None:
        """Take replaced files over, and tell of an end that is near, until it is cancelled."""
        while True:
            await asyncio.to_thread(self.look, clock())
            await asyncio.sleep(_LOOK_S)

    def look(self, now: datetime) -> None:
        """Take the files over if they were replaced; what cannot be used changes nothing."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                # A pair that does not belong together would leave the context with half of it.
                self._load(_fresh())
                self._load(self.context)
            except BootzError as error:
                log.error("door-certificate-not-taken", reason=error.reason, detail=str(error))
            else:
                self._told = None
                log.info("door-certificate-taken")
        self._tell_end(now)

    def _tell_end(self, now: datetime) -> None:
        if self._told is not None and now - self._told < _TELL:
            return
        self._told = now
        try:
            certificate = load_certificate(load_certificates(self._certificate)[0])
        except BootzError as error:
            log.error("door-certificate-not-read", reason=error.reason, detail=str(error))
            return
        ends = certificate.not_valid_after_utc
        if ends - now < _SOON:
            log.warning(
                "door-certificate-due", reason="door-certificate-due", not_after=ends.isoformat()
            )

    def _stamped(self) -> object:
        return [_stamp(self._certificate), _stamp(self._key)]

    def _load(self, context: ssl.SSLContext) -> None:
        # Refused before OpenSSL reads it, if others can read it or replace it.
        read_protected(self._key)
        try:
            context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "site-config-invalid",
                f"certificate and key cannot be used: {error}",
                where="operator.tls",
            ) from error


def _fresh() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_ino, found.st_size
