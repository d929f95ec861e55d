"""What every long-lived process of the command does first."""

import resource


def harden() -> None:
    """No core dumps, which would hold keys; and as many connections as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
