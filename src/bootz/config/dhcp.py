"""Settings of what `bootz dhcp` writes for all chassis."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import Field

from bootz.config.values import BootzUriText, FrozenSettings


class DhcpSubnetSettings(FrozenSettings):
    """A link on which DHCP serves routers: at most one name-server, which Bootz demands."""

    subnet: IPv4Network | IPv6Network
    gateway: IPv4Address | None = None
    name_server: IPv4Address | IPv6Address | None = None
    interface: Annotated[str, Field(max_length=15)] = ""


class DhcpSiteSettings(FrozenSettings):
    """What `bootz dhcp` writes for all chassis; addresses stand with each chassis."""

    subnets: tuple[DhcpSubnetSettings, ...] = Field(
        (),
        description="Subnets: subnet, and optionally gateway, name_server (one), interface. "
        "Default: those of the chassis's addresses.",
    )
    uris: tuple[BootzUriText, ...] = Field(
        (),
        max_length=16,
        description="bootz URIs handed out to routers, in order. "
        "Default: the advertised names and addresses.",
    )
    lease_seconds: int = Field(3600, ge=60, le=1 << 31, description="Lease time in seconds.")
    kea4: str = Field(
        "", description="Kea's DHCPv4 control channel: a socket, or http://HOST:PORT."
    )
    kea6: str = Field(
        "", description="Kea's DHCPv6 control channel: a socket, or http://HOST:PORT."
    )
