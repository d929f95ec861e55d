"""The port behind which a card keeps its identity key: files today, a TPM elsewhere."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bootz.errors import ConfigError


class CardIdentity(Protocol):
    """A card's IDevID: who it is, and the use of the key that proves it."""

    @property
    def certificates(self) -> Sequence[bytes]:
        """The IDevID and what leads from it to the vendor's CA, DER, leaf first."""
        ...

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make a TLS client present this identity.

        Raises:
            ConfigError: certificate and key do not fit, or the key cannot serve TLS.
        """
        ...


class FileIdentity:
    """An identity in two files, because ``ssl`` takes keys only as files."""

    def __init__(self, chain: Path, key: Path, certificates: Sequence[bytes]) -> None:
        self._chain = chain
        self._key = key
        self._certificates = tuple(certificates)

    @property
    def certificates(self) -> Sequence[bytes]:
        """The IDevID and what leads from it to the vendor's CA, DER, leaf first."""
        return self._certificates

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make a TLS client present this identity.

        Raises:
            ConfigError: certificate and key do not fit together, or cannot be read.
        """
        try:
            # Without a password callback OpenSSL would prompt on the terminal.
            context.load_cert_chain(self._chain, self._key, password=lambda: b"")
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                "hardware-identity",
                f"certificate and key cannot be loaded: {getattr(error, 'reason', None) or error}",
                where=str(self._chain),
            ) from error
