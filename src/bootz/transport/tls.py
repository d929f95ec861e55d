"""The server's side of TLS: a client certificate is asked for and not demanded.

Source: docs/protocol/pki.md#tls; RFC 8446 section 4.3.2.
"""

import ssl
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bootz.errors import ConfigError
from bootz.trust.certificates import pem_from_der


@dataclass(frozen=True, slots=True)
class RefusedHandshake:
    """Why a handshake failed; ``certificate``: because of the client's certificate.

    ``purpose``: that certificate is genuine, but its key usages are not those of a TLS client.
    """

    reason: str
    certificate: bool
    purpose: bool = False


_INVALID_PURPOSE: Final = 26
"""X509_V_ERR_INVALID_PURPOSE of OpenSSL (x509_vfy.h)."""

_RECORD_BYTES: Final = 16_384
"""Octets of the longest TLS record's content."""

refusal_sink: ContextVar[Callable[[RefusedHandshake], None] | None] = ContextVar(
    "refusal_sink", default=None
)
"""Where the handshake of the connection that is being accepted tells its refusal."""


class _AlertingSSLObject(ssl.SSLObject):
    """Sends the alert of a refused handshake before the connection ends, and says why.

    The event loops drop the outgoing bytes when ``do_handshake`` raises, so that a device with
    a refused certificate would see a reset and no alert. Pretending once to want more input
    makes the loop flush them; the kept error is raised at the next call.
    """

    _kept: ssl.SSLError | None = None

    # uvloop asks for these once for each connection: without a frame of Python around them each
    # call costs half.
    @property
    def read(self) -> Callable[..., Any]:
        """OpenSSL's own function, for one record at most: uvloop asks for 256 KiB at a time.

        So much would be allocated each time, and OpenSSL gives one record in any case.
        """
        read = self._sslobj.read  # type: ignore[attr-defined]
        return lambda most, *buffer: read(min(most, _RECORD_BYTES), *buffer)

    @property
    def write(self) -> Callable[..., Any]:
        """OpenSSL's own function, which takes what ``SSLObject.write`` takes."""
        return self._sslobj.write  # type: ignore[attr-defined,no-any-return]

    def do_handshake(self) -> None:
        """Continue the handshake.

        Raises:
            ssl.SSLError: it failed, or wants more input.
        """
        if self._kept is not None:
            raise self._kept
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self._kept = error
            sink = refusal_sink.get()
            if sink is not None:
                if isinstance(error, ssl.SSLCertVerificationError):
                    purpose = error.verify_code == _INVALID_PURPOSE
                    sink(RefusedHandshake(error.verify_message, certificate=True, purpose=purpose))
                else:
                    sink(RefusedHandshake(error.reason or "protocol error", certificate=False))
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "alert to be flushed") from error


def server_context(
    certificate: Path,
    key: Path,
    *,
    client_anchors: Sequence[bytes] | None = None,
    protocols: Sequence[str] = ("h2",),
) -> ssl.SSLContext:
    """Build a server's TLS context.

    Args:
        certificate: PEM file with the server's chain, leaf first.
        key: PEM file with its key.
        client_anchors: DER of all CAs whose clients pass; None asks for no certificate.
        protocols: what is offered by ALPN (RFC 7301), the preferred one first.

    Raises:
        ConfigError: certificate and key cannot be loaded, or do not belong together.
    """
    # Not create_default_context: it honours SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(protocols))
    # A resumed session has lost the client's chain.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.sslobject_class = _AlertingSSLObject
    try:
        # Without a password callback OpenSSL would prompt on the terminal for an encrypted key.
        context.load_cert_chain(certificate, key, password=lambda: b"")
        if client_anchors is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            if client_anchors:
                # As PEM: a run of DER ends where OpenSSL's queue has an error, even a stale one.
                context.load_verify_locations(cadata=pem_from_der(client_anchors).decode("ascii"))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            "tls-material-unusable",
            f"certificate and key cannot be loaded: {getattr(error, 'reason', None) or error}",
            where=str(certificate),
        ) from error
    return context
