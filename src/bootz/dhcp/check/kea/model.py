"""A configuration of kea-dhcp4 or kea-dhcp6 as a model that answers routers."""

from collections.abc import Mapping, Sequence
from typing import Any

from bootz.dhcp.check.answers import CheckedAnswer, CheckNote
from bootz.dhcp.check.clients import Address, Client, Host
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.kea.config import ROOTS, KeaConfig
from bootz.dhcp.check.kea.document import Document, read_document
from bootz.dhcp.check.kea.nouns import BY_RELAY
from bootz.dhcp.check.kea.reading import read_config
from bootz.dhcp.check.kea.serving import Conversation
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family


class KeaModel:
    """What one family's server does with a configuration."""

    def __init__(self, config: KeaConfig) -> None:
        self._config = config
        self.name = config.where
        self.family = config.family
        self.notes: Sequence[CheckNote] = [
            *config.refused,
            *config.notes,
            *_unheard(config),
            *_unlooked(config),
        ]
        self.doubts: Sequence[CheckNote] = config.doubts
        every = [(host, subnet) for subnet in config.subnets for host in subnet.hosts]
        looked_at = any(subnet.modes.everywhere for subnet in config.subnets)
        everywhere = config.hosts if looked_at else []
        all_hosts = [*every, *((host, None) for host in everywhere)]
        self.hosts: Sequence[Host] = [
            Host(
                host.where,
                ((host.kind, host.octets.hex()),),
                host.address or (subnet.network[0] if subnet is not None else None),
            )
            for host, subnet in all_hosts
            if host.kind not in BY_RELAY
        ]

    def answer(self, client: Client, world: World) -> CheckedAnswer:
        """Return what a router gets in a world."""
        return Conversation(self._config, client, world).answer()

    def serves(self, link: Address) -> bool:
        """Return whether a subnet has an address."""
        return any(link in subnet.network for subnet in self._config.subnets)


def read_kea(content: bytes, files: Files) -> list[KeaModel]:
    """Return the model of a configuration of Kea.

    Raises:
        ConfigError: ``dhcp-config-unreadable``.
    """
    document = read_document(content, files)
    root = document.root
    if not isinstance(root, dict):
        raise ConfigError("dhcp-config-unreadable", "it is not an object", where="document")
    found = [
        KeaModel(_config(document, root, name, family))
        for family, name in ROOTS.items()
        if name in root
    ]
    if not found:
        raise ConfigError(
            "dhcp-config-unreadable", "it has neither Dhcp4 nor Dhcp6", where="document"
        )
    return found


def _config(document: Document, root: Mapping[str, Any], name: str, family: Family) -> KeaConfig:
    inner = root[name]
    config = read_config(document, inner if isinstance(inner, dict) else {}, family)
    others = [key for key in root if key != name]
    if others:
        words = f"{', '.join(map(repr, others))[:80]} beside {name}: a file is for one server"
        config.refused.append(CheckNote("refused", "document", words))
    return config


def _unlooked(config: KeaConfig) -> list[CheckNote]:
    """Tell of global reservations that no subnet looks at."""
    if any(subnet.modes.everywhere for subnet in config.subnets):
        return []
    words = "no subnet looks at global reservations (reservations-global)"
    return [CheckNote("host-without-redirect", host.where, words) for host in config.hosts]


def _unheard(config: KeaConfig) -> list[CheckNote]:
    """Tell of subnets on whose link Kea may not hear: in DHCPv6 the interface tells the link."""
    if config.family is Family.IPV4:
        return []
    words = "it names no interface: only routers behind a relay are served"
    return [
        CheckNote("not-evaluated", subnet.where, words)
        for subnet in config.subnets
        if not subnet.interface and not (subnet.shared and subnet.shared.interface)
    ]
