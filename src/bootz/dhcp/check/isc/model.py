"""A configuration of ISC dhcpd as a model that answers routers."""

from collections.abc import Sequence

from bootz.dhcp.check.answers import CheckedAnswer, CheckNote
from bootz.dhcp.check.clients import Address, Client, Host
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.isc.nouns import IscHost
from bootz.dhcp.check.isc.reading import IscConfig, read_config
from bootz.dhcp.check.isc.serving import Conversation
from bootz.dhcp.check.isc.statements import read_statements
from bootz.protocol.dhcp_offer import Family


class IscModel:
    """What dhcpd does with a configuration, with -6 where it is written for that."""

    def __init__(self, config: IscConfig) -> None:
        self._config = config
        self.name = "dhcpd" if config.family is Family.IPV4 else "dhcpd -6"
        self.family = config.family
        self.notes: Sequence[CheckNote] = [*config.refused, *config.notes]
        self.doubts: Sequence[CheckNote] = config.doubts
        self.hosts: Sequence[Host] = [
            Host(host.group.where, names, host.fixed[0] if host.fixed else None)
            for host in config.hosts
            if (names := _names(host, config.family))
        ]

    def answer(self, client: Client, world: World) -> CheckedAnswer:
        """Return what a router gets in a world."""
        return Conversation(self._config, client, world).answer()

    def serves(self, link: Address) -> bool:
        """Return whether a subnet has an address."""
        return any(link in each.network for net in self._config.links for each in net.subnets)


def read_isc(content: bytes, files: Files) -> list[IscModel]:
    """Return the model of a configuration of dhcpd.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    return [IscModel(read_config(read_statements(content, files)))]


def _names(host: IscHost, family: Family) -> tuple[tuple[str, str], ...]:
    names = [("hw-address", host.mac.hex())] if host.mac else []
    if host.uid:
        names.append(("client-id" if family is Family.IPV4 else "duid", host.uid.hex()))
    return tuple(names)
