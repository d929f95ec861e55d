"""The bounds of the image server, in one frozen object."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What one peer, and all peers together, may cost. Times in seconds, sizes in bytes.

    ``idle_timeout`` bounds the time until the headers of the next request are complete;
    ``stall_timeout`` the time in which a peer must take ``chunk_bytes``. Memory is bounded by
    some ``chunk_bytes`` for each connection.
    """

    max_connections: int = 2048
    max_connections_per_address: int = 256
    max_handshakes: int = 48
    max_waiting: int = 1024
    handshake_timeout: float = 10.0
    goodbye_timeout: float = 3.0
    idle_timeout: float = 30.0
    stall_timeout: float = 60.0
    chunk_bytes: int = 256 << 10
    max_line_bytes: int = 4096
    max_headers: int = 64
    backlog: int = 65535
    progress_interval: float = 20.0
    """Seconds after which a download that goes on is told of again."""
    readers: int = 4
    """Threads that read files for all connections together."""
