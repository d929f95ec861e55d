"""What a running Kea would send a router in its redirect option, wherever that stands.

The option need not stand at the reservation: a pool, subnet, shared network, class or the global
list may have it. Worked out as ``bootz dhcp check`` does for a file (docs/dhcp.md).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bootz.dhcp.check.answers import Sent
from bootz.dhcp.check.clients import Address, Client, clients_of_card
from bootz.dhcp.check.doubts import World, explore
from bootz.dhcp.check.files import MAX_OCTETS, Files
from bootz.dhcp.check.kea.model import KeaModel, read_kea
from bootz.dhcp.records import DhcpCard
from bootz.dhcp.render_kea import CODES
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family

_NO_FOLDER: Final = Path("/nonexistent")
"""What a running server shows includes no files."""


@dataclass(frozen=True, slots=True)
class ServedOption:
    """The option in each case that the configuration leaves open; None: it is not sent.

    ``doubts`` are the questions between the cases, in words; ``whole``: all cases were tried.
    """

    cases: tuple[Sent | None, ...]
    doubts: tuple[str, ...] = ()
    whole: bool = True


class ServedOptions:
    """Answers for one family of one Kea server.

    Raises:
        ConfigError: ``dhcp-config-unreadable``: the configuration cannot be followed.
    """

    def __init__(self, configuration: Mapping[str, Any], family: Family) -> None:
        name = "Dhcp4" if family is Family.IPV4 else "Dhcp6"
        # Octets stand as characters, as Kea keeps them.
        text = json.dumps({name: configuration[name]}, ensure_ascii=False)
        content = text.encode("utf-8", "surrogatepass")
        if len(content) > MAX_OCTETS:
            raise ConfigError("dhcp-config-unreadable", "it is too large", where="Kea")
        self._model: KeaModel = read_kea(content, Files(_NO_FOLDER))[0]
        self._family = family

    def redirect(self, card: DhcpCard, name: str, link: Address) -> ServedOption:
        """Return the redirect option of a card on the link of an address."""
        base = Client(name, self._family, link=link)
        variants = tuple(clients_of_card(base, card))

        def evaluate(world: World) -> Sent | None:
            *others, last = variants
            client = next(
                (each for each in others if world.holds(f"it sends {each.told_duid()}", name)),
                last,
            )
            answer = self._model.answer(client, world)
            return None if answer.silence else answer.options.get(CODES[self._family])

        explored = explore(evaluate)
        doubts = tuple(doubt.what for doubt in explored.doubts)
        return ServedOption(tuple(dict.fromkeys(explored.outcomes)), doubts, explored.whole)
