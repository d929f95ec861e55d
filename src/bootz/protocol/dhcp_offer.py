"""What a DHCP answer means to a router: its lease, its servers, and what is wrong with it.

Source: docs/protocol/workflow.md W1 to W3; docs/protocol/dhcp.md#the-routers-client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bootz.errors import BootzError, PolicyError, WireError
from bootz.protocol.dhcp_words import Family as Family
from bootz.protocol.dhcp_words import NameServerPolicy as NameServerPolicy
from bootz.wire.redirect import Redirect, RedirectShape, decode_redirect
from bootz.wire.uri import BootzUri

DEFAULT_LEASE: Final = 3600
"""Seconds, where a server names no time."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer or a lease, as one server gave it. Times in seconds.

    ``redirect`` None: the option is absent; ``payload`` has its joined octets. ``server`` is the
    server's identifier as it came, ``boot_file`` what a router in secure mode ignores.
    ``failure`` is the server's own word that there is no address.
    """

    family: Family
    server: bytes
    address: IPv4Address | IPv6Address | None
    prefix_length: int
    gateway: IPv4Address | None
    name_servers: tuple[IPv4Address | IPv6Address, ...]
    lease_time: int
    renewal_time: int
    rebinding_time: int
    redirect: Redirect | None
    payload: bytes = b""
    boot_file: str = ""
    preference: int = 0
    failure: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def server_name(self) -> str:
        """The server as a person reads it: an address, or a DUID in hex."""
        if self.family is Family.IPV4 and len(self.server) == 4:
            return str(IPv4Address(self.server))
        return self.server.hex(":")

    def uris(self) -> tuple[BootzUri, ...]:
        """Return the servers that can be reached: without a name-server only addresses."""
        found = self.redirect.uris if self.redirect else ()
        if self.name_servers:
            return found
        return tuple(uri for uri in found if uri.address is not None)

    def ignored(self) -> tuple[str, ...]:
        """Return every entry of the redirect that does not count, with its reason."""
        if self.redirect is None:
            return ()
        told = [
            f"{'option' if not entry.position else f'entry {entry.position}'}: {entry.flaw.value}"
            + (f" ({entry.detail})" if entry.detail else "")
            for entry in self.redirect.ignored
        ]
        usable = self.uris()
        told += [
            f"{uri}: a host name, but there is no name-server"
            for uri in self.redirect.uris
            if uri not in usable
        ]
        return tuple(told)


def check_offer(offer: Offer, policy: NameServerPolicy = NameServerPolicy.FAIL) -> None:
    """Refuse an answer with which a router in secure mode cannot go on.

    Raises:
        PolicyError: ``dhcp-refused``, ``dhcp-multiple-name-servers``, ``dhcp-no-redirect``.
        WireError: ``dhcp-bad-redirect``.
    """
    where = f"{offer.family.value} server {offer.server_name}"
    if offer.failure or offer.address is None:
        raise PolicyError("dhcp-refused", offer.failure or "it offers no address", where=where)
    if len(offer.name_servers) > 1 and policy is NameServerPolicy.FAIL:
        raise PolicyError(
            "dhcp-multiple-name-servers",
            ", ".join(map(str, offer.name_servers)),
            where=where,
            expected="at most one",
            seen=str(len(offer.name_servers)),
        )
    code = "option 143" if offer.family is Family.IPV4 else "option 136"
    if offer.redirect is None:
        raise PolicyError("dhcp-no-redirect", f"{code} is not there", where=where)
    if not offer.uris():
        raise WireError(
            "dhcp-bad-redirect",
            "; ".join(offer.ignored()) or "no URI",
            where=f"{code} of {where}",
            seen=offer.payload[:64].hex(),
        )


def fault_of(offer: Offer, policy: NameServerPolicy = NameServerPolicy.FAIL) -> BootzError | None:
    """Return what ``check_offer`` raises, None for a usable answer."""
    try:
        check_offer(offer, policy)
    except BootzError as error:
        return error
    return None


def best_offer(offers: Sequence[Offer], policy: NameServerPolicy) -> Offer | None:
    """Return the offer to take: a usable one, then that of the highest preference, then the first.

    One without a usable redirect is taken too, so that the ACK says for good that there is none;
    one without an address never.
    """
    with_address = [offer for offer in offers if offer.address is not None and not offer.failure]
    ranked = sorted(
        with_address,
        key=lambda offer: (fault_of(offer, policy) is None, offer.preference),
        reverse=True,
    )
    return ranked[0] if ranked else None


def read_redirect(payload: bytes | None, *, strict: bool) -> tuple[Redirect | None, list[str]]:
    """Read the option where it is there, with warnings for what real devices may not read."""
    if payload is None:
        return None, []
    redirect = decode_redirect(payload, strict=strict)
    warnings = []
    if redirect.shape in {RedirectShape.TEXT, RedirectShape.U8}:
        warnings.append(
            f"the redirect is written as {redirect.shape.value}, not as RFC 8572 has it"
        )
    return redirect, warnings
