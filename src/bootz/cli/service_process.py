"""What every long-lived process of the command does first."""

import resource

from bootz.log import get_logger

log = get_logger()

OTHER_FILES = 256
"""Descriptors of a service beside its connections: files, databases, listening sockets."""


def harden(connections: int = 0) -> None:
    """No core dumps, which would hold keys; and as many connections as the system allows.

    ``connections`` are those that the settings allow at once; the log says where they do not fit.
    """
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
