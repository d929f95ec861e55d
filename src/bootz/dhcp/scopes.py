"""What an existing configuration tells routers, whatever server it is for: scopes with settings."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bootz.dhcp.records import DhcpPlan
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family


@dataclass(slots=True)
class Scope:
    """A place in a configuration: global, a subnet, a class, a host.

    ``name_servers`` None: it says nothing, and what is around it counts; so for ``boot_file``.
    ``redirect`` are the octets of option 143 or 136; ``clients`` the names by which a host is
    known, as (kind, plain hex). ``notes`` are (code, words) of what the reader noticed.
    """

    where: str
    family: Family
    name_servers: list[str] | None = None
    boot_file: str | None = None
    redirect: bytes | None = None
    clients: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    around: "Scope | None" = None

    def effective_name_servers(self) -> list[str]:
        """Return those that a client here is told."""
        if self.name_servers is not None:
            return self.name_servers
        return self.around.effective_name_servers() if self.around else []

    def effective_boot_file(self) -> str:
        """Return the boot file that a client here is told, with its server."""
        if self.boot_file is not None:
            return self.boot_file
        return self.around.effective_boot_file() if self.around else ""


Reader = Callable[[str], list[Scope]]


def known_names(plan: DhcpPlan) -> dict[tuple[str, str], str]:
    """Return the names of all cards, as (kind, plain hex), with their device."""
    names: dict[tuple[str, str], str] = {}
    for device in plan.devices:
        for card in device.cards:
            if card.mac:
                names["hw-address", card.mac.hex()] = device.name
            names["client-id", card.sent_client_id.hex()] = device.name
            for duid in card.sent_duids:
                names["duid", duid.hex()] = device.name
    return names


def unreadable(detail: str, where: str) -> ConfigError:
    """Return the error of a configuration that cannot be read."""
    return ConfigError("dhcp-config-unreadable", detail, where=where)
