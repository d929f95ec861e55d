"""The configuration that is being typed: the whole as it would be, and what was entered; pure."""

import re

from bootz.device.server_data import parse_server_line
from bootz.errors import ConfigError
from bootz.wire.server_data import without_server_data

_HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_MAX_SHOWN = 200


class Candidate:
    """Changes since the configuration mode began.

    ``merged`` is the running configuration with them. ``entered`` is what they make of an empty
    one: all that is left after ``commit replace``.
    """

    def __init__(self, running: str) -> None:
        self.merged = running
        self.entered = ""

    def set_server(self, line: str) -> None:
        """Take ``ztp bootz-server …`` in place of other server data.

        Raises:
            ConfigError: a router would not take the line.
        """
        data = parse_server_line(line)
        self.drop_server()
        self.merged += f"{data.line}\n"
        self.entered += f"{data.line}\n"

    def drop_server(self) -> None:
        """Remove the server data, in whichever form they are."""
        self.merged = without_server_data(self.merged)
        self.entered = without_server_data(self.entered)

    def set_hostname(self, name: str) -> None:
        """Take a host name in place of another.

        Raises:
            ConfigError: it is not one.
        """
        if not _HOSTNAME.fullmatch(name):
            raise ConfigError(
                "console-command",
                "this is not a host name",
                where="hostname",
                seen=name[:_MAX_SHOWN],
            )
        self.drop_hostname()
        self.merged = f"hostname {name}\n{self.merged}"
        self.entered = f"hostname {name}\n{self.entered}"

    def drop_hostname(self) -> None:
        """Remove the host name."""
        self.merged = _without_hostname(self.merged)
        self.entered = _without_hostname(self.entered)


def _without_hostname(text: str) -> str:
    kept = [line for line in text.splitlines() if not line.startswith("hostname ")]
    return "".join(f"{line}\n" for line in kept)
