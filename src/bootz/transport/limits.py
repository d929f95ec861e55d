"""The bounds of a listener, in one frozen object."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """What one peer, and all peers together, may cost. Times in seconds, sizes in bytes.

    ``request_timeout`` bounds a unary call from its headers to its answer; ``idle_timeout`` the
    time a connection may live without a call. At the bounds of connections and handshakes others
    wait, ``max_waiting`` of them, and beyond that in the kernel's queue of ``backlog``.
    """

    max_message_bytes: int = 1 << 20
    max_connections: int = 4096
    max_connections_per_address: int = 1024
    max_streams_per_connection: int = 16
    max_handshakes: int = 48
    max_waiting: int = 12288
    handshake_timeout: float = 10.0
    goodbye_timeout: float = 3.0
    idle_timeout: float = 60.0
    request_timeout: float = 30.0
    backlog: int = 65535

    @property
    def database_seconds(self) -> float:
        """How long a call waits for the database, or a transaction for another process's.

        A call that reads and is put on record waits twice, and has time left to say why it failed.
        """
        return self.request_timeout / 3


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What streaming calls may cost. ``idle_timeout``: seconds until the next message is whole."""

    max_open: int = 4096
    idle_timeout: float = 60.0
