"""What TLS and TCP tell of a peer."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

from bootz.transport.binding import peer_address
from bootz.transport.proxy_header import Announced


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A connection's other end. ``certificates`` are DER, leaf first, empty without one.

    ``address`` is host and port as text, ``host`` the host alone; ``reached_at`` the address and
    port of this side.
    """

    address: str
    host: str
    reached_at: tuple[str, int]
    certificates: tuple[bytes, ...] = field(default=(), repr=False)


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    leaf = tls.getpeercert(binary_form=True)
    if leaf is None:
        return ()
    if hasattr(tls, "get_unverified_chain"):  # public from Python 3.13, as DER
        sent: list[Any] = list(tls.get_unverified_chain() or ())
    else:
        inner = tls._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
        sent = [item and item.public_bytes(2) for item in inner.get_unverified_chain() or ()]
    others = [der for der in sent if der and der != leaf]
    return (leaf, *others)


def peer_info(transport: asyncio.BaseTransport, announced: Announced | None = None) -> PeerInfo:
    """Return what is known of the peer of a connection.

    ``announced`` is what a load balancer told; then both ends are those of the router's own
    connection, which ends at the balancer.
    """
    if announced is not None:
        peer, own = announced.source, announced.destination
    else:
        peer = transport.get_extra_info("peername") or ("unknown", 0)
        own = transport.get_extra_info("sockname") or ("", 0)
    tls = transport.get_extra_info("ssl_object")
    host = str(peer[0])
    return PeerInfo(
        address=peer_address(host, int(peer[1])),
        host=host,
        reached_at=(str(own[0]), int(own[1])),
        certificates=() if tls is None else _chain(tls),
    )
