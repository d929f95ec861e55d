"""The mistakes that a check can find, with their weight and what to do.

Source: docs/dhcp.md "Check what you have".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final


class Severity(Enum):
    """Whether a router stays unconfigured, or only may."""

    ERROR = "error"
    WARNING = "warning"


_RENDERED: Final = "Write it as `bootz dhcp render` does."
_READERS: Final = (
    "Devices paired with Bootz v0.1 read bare text; later ones follow RFC 8572 and need two octets "
    "of length before each URI. Set which form yours read: --redirect-shape text or rfc8572."
)

RULES: Final[Mapping[str, tuple[Severity, str]]] = MappingProxyType(
    {
        "refused": (
            Severity.ERROR,
            "The server does not start with this file. Correct the named place.",
        ),
        "serves-no-router": (
            Severity.ERROR,
            "No router gets an answer. Add a subnet and the routers: `bootz dhcp render`.",
        ),
        "not-served": (Severity.ERROR, f"The router gets no address. {_RENDERED}"),
        "no-redirect": (Severity.ERROR, f"The router finds no bootstrap server. {_RENDERED}"),
        "host-without-redirect": (
            Severity.WARNING,
            "If it is a router, it finds no bootstrap server; compare with the inventory.",
        ),
        "text-redirect": (Severity.WARNING, _READERS),
        "u8-redirect": (
            Severity.WARNING,
            f"Devices that follow RFC 8572 need lengths of two octets. {_RENDERED}",
        ),
        "framed-redirect": (
            Severity.ERROR,
            "The platform is set to another form; see --redirect-shape.",
        ),
        "bad-redirect": (Severity.ERROR, f"No router can use it. {_RENDERED}"),
        "bad-entry": (Severity.WARNING, f"Routers skip this entry. {_RENDERED}"),
        "several-name-servers": (
            Severity.ERROR,
            "Hand out exactly one: routers apply no configuration from a lease with more.",
        ),
        "boot-file-beside": (
            Severity.WARNING,
            "Routers in secure mode ignore the boot file; others boot from it, without Bootz.",
        ),
        "path-doubled": (
            Severity.WARNING,
            "Remove the path from the URI: the device adds the path of the method itself.",
        ),
        "has-path": (
            Severity.WARNING,
            "A path is used in logs only; remove it if it was meant for something else.",
        ),
        "unreachable": (Severity.ERROR, "Check address, port, and that `bootz serve` listens."),
        "name-without-server": (
            Severity.ERROR,
            "Hand out a name-server, or a URI with an address.",
        ),
        "too-large": (
            Severity.WARNING,
            "Whether it fits in a message depends on the server and the link: `bootz dhcp probe`.",
        ),
        "will-be-cut": (
            Severity.WARNING,
            "It is sent as several option instances, which some devices cannot join.",
        ),
        "unknown-client": (
            Severity.WARNING,
            "Add the chassis to the inventory, or remove the reservation.",
        ),
        "device-missing": (Severity.WARNING, "Render or sync the configuration."),
        "option-definition": (Severity.WARNING, "Remove it; code and hex data need no definition."),
        "by-release": (
            Severity.WARNING,
            'Write "csv-format": false and hex: each release of Kea sends the same then.',
        ),
        "strangers-served": (Severity.WARNING, "Answer known routers only."),
        "not-evaluated": (Severity.WARNING, "Ask the server itself: `bootz dhcp probe`."),
    }
)
"""Each mistake with its weight and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where, what, and what to do next; ``weight`` where it is not the rule's."""

    code: str
    where: str
    detail: str
    weight: Severity | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.weight or RULES[self.code][0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return RULES[self.code][1]
