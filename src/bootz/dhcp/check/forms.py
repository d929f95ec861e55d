"""The forms of configurations that can be read, and how to tell which one a file has."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bootz.dhcp.check.answers import Model
from bootz.dhcp.check.dnsmasq.keywords import ALONE, EITHER, WITH_VALUE
from bootz.dhcp.check.dnsmasq.model import read_dnsmasq
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.isc.model import read_isc
from bootz.dhcp.check.kea.model import read_kea

Reader = Callable[[bytes, Files], Sequence[Model]]

READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {"kea": read_kea, "isc": read_isc, "dnsmasq": read_dnsmasq}
)
"""How each form is read."""

_HEAD: Final = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)


def form_of(content: bytes) -> str:
    """Return which form a file seems to have; ISC dhcpd's, where nothing tells another one."""
    text = content.decode("latin-1")
    head = _HEAD.match(text)
    if text[head.end() if head else 0 :].startswith(("{", "[", "<?")):
        return "kea"
    for line in text.splitlines():
        key, equals, _ = line.partition("=")
        key = key.strip()
        if (equals and key in WITH_VALUE | EITHER) or (key in ALONE and not equals):
            return "dnsmasq"
    return "isc"
