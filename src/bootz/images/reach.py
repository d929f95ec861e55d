"""Whether an image's URL is served, asked as a router would ask: by HTTP, following nothing."""

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

REACH_S: Final = 5.0
"""Seconds for one answer."""


def why_unreachable(url: str, source: str = "") -> str:
    """Ask for the head of a file; return what is wrong, empty where it is served.

    ``source`` is the address of this machine to ask from, such as one on the routers' network;
    empty: the system chooses. The server's certificate is not judged here: routers do that, with
    their own trust anchor.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port
        if parts.scheme not in {"http", "https"} or not host:
            return "it is neither http nor https"
        connection = _connection(parts.scheme, host, port, (source, 0) if source else None)
    except ValueError as error:
        return str(error)
    target = parts.path or "/"
    try:
        connection.request("HEAD", f"{target}?{parts.query}" if parts.query else target)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"the answer is {status}"


def _connection(
    scheme: str, host: str, port: int | None, source: tuple[str, int] | None
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=REACH_S, source_address=source)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(
        host, port, timeout=REACH_S, context=context, source_address=source
    )
