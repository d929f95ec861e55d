"""A configuration of dnsmasq as a model that answers routers, one for each family that it has."""

from collections.abc import Sequence

from bootz.dhcp.check.answers import CheckedAnswer, CheckNote
from bootz.dhcp.check.clients import Address, Client, Host
from bootz.dhcp.check.dnsmasq.lines import read_lines
from bootz.dhcp.check.dnsmasq.nouns import DnsmasqConfig, DnsmasqHost
from bootz.dhcp.check.dnsmasq.reading import read_config
from bootz.dhcp.check.dnsmasq.serving import Conversation, is_suffix
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.files import Files
from bootz.protocol.dhcp_offer import Family


class DnsmasqModel:
    """What dnsmasq does in one family."""

    def __init__(self, config: DnsmasqConfig, family: Family, *, with_notes: bool) -> None:
        self._config = config
        self.name = f"dnsmasq {family.value}"
        self.family = family
        self.notes: Sequence[CheckNote] = [*config.refused, *config.notes] if with_notes else []
        self.doubts: Sequence[CheckNote] = config.doubts
        self.hosts: Sequence[Host] = [
            Host(host.where, names, self._link(host))
            for host in config.hosts
            if not host.ignored and (names := self._names(host))
        ]

    def answer(self, client: Client, world: World) -> CheckedAnswer:
        """Return what a router gets in a world."""
        return Conversation(self._config, client, world).answer()

    def serves(self, link: Address) -> bool:
        """Return whether a range may be for the link of an address."""
        client = Client("", self.family, link=link)
        return bool(Conversation(self._config, client, World()).ranges_here())

    def _link(self, host: DnsmasqHost) -> Address | None:
        if self.family is Family.IPV4:
            return host.address4
        first = host.addresses6[0] if host.addresses6 else None
        return None if first is not None and is_suffix(first) else first

    def _names(self, host: DnsmasqHost) -> tuple[tuple[str, str], ...]:
        """Return the names of a host that is of this family, as far as they are one client's."""
        four = self.family is Family.IPV4
        six = bool(host.addresses6)
        if (six and host.address4 is None) if four else (host.address4 is not None and not six):
            return ()
        # Of a pattern of MAC addresses one stands for all of them.
        names = [
            ("hw-address", bytes(octet or 0 for octet in mac.octets).hex()) for mac in host.macs
        ]
        if host.client is not None:
            kind = "client-id" if four else "duid"
            names.append((kind, host.client.hex()))
            if four and host.client[:1] != b"\0":
                names.append((kind, (b"\0" + host.client).hex()))
        return tuple(names)


def read_dnsmasq(content: bytes, files: Files) -> list[DnsmasqModel]:
    """Return the models of a configuration of dnsmasq.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    config = read_config(read_lines(content, files))
    families = [
        family
        for family in Family
        if any(each.family is family for each in config.ranges)
        or any(host.address4 if family is Family.IPV4 else host.addresses6 for host in config.hosts)
    ]
    return [
        DnsmasqModel(config, family, with_notes=number == 0)
        for number, family in enumerate(families or [Family.IPV4])
    ]
