"""By what routers reach a server, and what of that a certificate names."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from bootz.trust.certificate_form import extension
from bootz.trust.issuing import IpAddress


@dataclass(frozen=True, slots=True)
class ServerHosts:
    """All by which routers may reach the server."""

    dns_names: frozenset[str]
    addresses: frozenset[IpAddress]

    def beyond(self, covered: "ServerHosts") -> list[str]:
        """Return what of these is not covered, sorted."""
        return [
            *(name for name in sorted(self.dns_names) if not _covers(covered.dns_names, name)),
            *sorted(str(address) for address in self.addresses - covered.addresses),
        ]


def missing_hosts(covered: ServerHosts, hosts: Iterable[str]) -> list[str]:
    """Return which of these names and addresses, as a person writes them, are not covered."""
    names: set[str] = set()
    addresses: set[IpAddress] = set()
    for host in hosts:
        try:
            addresses.add(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            names.add(host.lower())
    return ServerHosts(frozenset(names), frozenset(addresses)).beyond(covered)


def _covers(dns_names: frozenset[str], name: str) -> bool:
    """Tell whether a name is there, itself or by a wildcard (RFC 9525 section 6.3)."""
    return name in dns_names or f"*.{name.partition('.')[2]}" in dns_names


def certificate_hosts(certificate: x509.Certificate) -> ServerHosts:
    """Return what a certificate's subjectAltName covers; wildcards are taken as they stand."""
    names = extension(certificate, x509.SubjectAlternativeName)
    if names is None:
        return ServerHosts(frozenset(), frozenset())
    addresses = [
        each
        for each in names.get_values_for_type(x509.IPAddress)
        if isinstance(each, ipaddress.IPv4Address | ipaddress.IPv6Address)
    ]
    dns_names = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return ServerHosts(frozenset(dns_names), frozenset(addresses))
