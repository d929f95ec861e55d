"""Sockets that are bound to the addresses of a listener."""

import asyncio
import socket

from bootz.errors import Unavailable


def peer_address(host: str, port: int) -> str:
    """Return host and port as one text, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket that is bound to an address, and does not listen yet.

    ``shared``: other processes of this user may bind it, too (SO_REUSEPORT); connections then go
    to those that listen.

    Raises:
        Unavailable: the address cannot be bound.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        raise Unavailable(
            "listen-failed",
            f"cannot listen: {error.strerror or error}",
            where=peer_address(host, port),
        ) from error
    return bound
