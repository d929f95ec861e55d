"""What every long-lived process of the command does first."""

import ctypes
import resource
from typing import Final

from bootz.log import get_logger

log = get_logger()

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_OWN_PAGES_BYTES: Final = 192 << 10
_KEPT_FREE_BYTES: Final = 4 << 20
"""Parameters of glibc's mallopt(3), and what they are set to."""

OTHER_FILES = 256
"""Descriptors of a service beside its connections: files, databases, listening sockets."""


def harden(connections: int = 0) -> None:
    """No core dumps, which would hold keys; and as many connections as the system allows.

    ``connections`` are those that the settings allow at once; the log says where they do not fit.
    """
    _keep_buffers_apart()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < connections + OTHER_FILES:
        log.warning(
            "descriptors-few",
            allowed=most,
            needed=connections + OTHER_FILES,
            detail="raise the limit of open files (ulimit -n, LimitNOFILE of systemd), "
            "or lower limits.max_connections and limits.max_waiting",
        )


def _keep_buffers_apart() -> None:
    """Let large buffers have pages of their own, of which only what is used is taken.

    The event loop keeps a buffer of 256 KiB for each TLS connection and uses a page or two of it.
    glibc would soon put them where handshakes have left pages behind: 30 KiB more for each.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not glibc
        return
    mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES_BYTES)
    # Left alone it would follow the other one no more, and memory would go back at every turn.
    mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE_BYTES)
