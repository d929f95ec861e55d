"""A Kea configuration of one family, read."""

from dataclasses import dataclass, field
from typing import Final

from bootz.dhcp.check.answers import CheckNote
from bootz.dhcp.check.kea.nouns import (
    KeaClass,
    KeaHost,
    Place,
    Shared,
    Subnet,
)
from bootz.dhcp.check.kea.options import Definitions
from bootz.protocol.dhcp_offer import Family

ROOTS: Final = {Family.IPV4: "Dhcp4", Family.IPV6: "Dhcp6"}


@dataclass(slots=True)
class KeaConfig:
    """A configuration of one family. ``refused``: why Kea does not start with it."""

    family: Family
    where: str
    top: Place
    definitions: Definitions
    subnets: list[Subnet] = field(default_factory=list)
    networks: list[Shared] = field(default_factory=list)
    classes: dict[str, KeaClass] = field(default_factory=dict)
    hosts: list[KeaHost] = field(default_factory=list)
    by_name: dict[tuple[str, bytes], KeaHost] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    mac_sources: tuple[str, ...] = ()
    refused: list[CheckNote] = field(default_factory=list)
    notes: list[CheckNote] = field(default_factory=list)
    doubts: list[CheckNote] = field(default_factory=list)
