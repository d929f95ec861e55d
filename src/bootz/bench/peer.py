"""What a server shows of itself in TLS, before anything is measured."""

import socket
import ssl
from typing import Final

from cryptography import x509

from bootz.errors import Unavailable
from bootz.trust.keys import describe_key

_PATIENCE_S: Final = 10.0


def tls_key_of(address: tuple[str, int]) -> str:
    """Return kind and size of a server's TLS key, such as ``RSA-2048``; nothing is verified.

    Raises:
        Unavailable: it does not answer with TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection(address, _PATIENCE_S) as plain,
            context.wrap_socket(plain) as connection,
        ):
            der = connection.getpeercert(binary_form=True)
    except OSError as error:
        raise Unavailable(
            "bench-server-failed",
            f"it does not answer with TLS: {error.strerror or error}",
            where=f"{address[0]}:{address[1]}",
        ) from error
    return describe_key(x509.load_der_x509_certificate(der or b"").public_key())
