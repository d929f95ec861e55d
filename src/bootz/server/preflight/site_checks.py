"""What all chassis share: the owner's certificates, the server's, the clock."""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import Connection, func, select

from bootz.config.site import SiteConfig
from bootz.errors import BootzError
from bootz.server.certificate_hosts import certificate_hosts, missing_hosts
from bootz.server.key_roles import KeyRole
from bootz.server.preflight.findings import (
    PreflightCheck,
    PreflightOutcome,
    PreflightReport,
    check_dates,
    failed,
    passed,
    warned,
)
from bootz.server.preflight.terms import PreflightTerms
from bootz.trust.certificates import AnchorSet, load_certificate, verify_chain
from bootz.trust.owner import odd_algorithm

SKEW_TOLD: Final = timedelta(seconds=5)
"""Clocks that are further apart are told."""
SKEW_HARMS: Final = timedelta(minutes=5)
"""Clocks that are further apart make certificates and vouchers begin too late or end too soon."""

SITE: Final = "site"
"""The name of the report of what all chassis share."""


def check_site(connection: Connection, terms: PreflightTerms) -> PreflightReport:
    """Return the checks of what all chassis share."""
    return PreflightReport(
        SITE,
        [
            *_owner("owner", terms.certificates.owner, terms),
            *_owner_p256(terms),
            *(_server(terms) if terms.server else ()),
            *_door(terms),
            _database_clock(connection, terms.now),
            *_ntp(terms),
        ],
    )


def _owner(prefix: str, chain: Sequence[bytes], terms: PreflightTerms) -> Iterator[PreflightCheck]:
    """Judge an owner certificate: where it leads, its dates, and whether routers verify it."""
    pinned = terms.certificates.pinned_domain
    yield _under_pinned(f"{prefix}-certificate", chain, pinned, terms.now)
    yield check_dates(
        f"{prefix}-certificate-dates", (*chain, pinned), terms.now, reason="oc-expired"
    )
    odd = odd_algorithm(load_certificate(chain[0]))
    if odd:
        yield warned(f"{prefix}-algorithm", odd, "owner-algorithm-odd")
    else:
        yield passed(f"{prefix}-algorithm", "routers of every dialect verify what its key signs")


def _under_pinned(
    name: str, chain: Sequence[bytes], pinned: bytes, now: datetime
) -> PreflightCheck:
    own, *between = chain
    if own == pinned:
        return passed(name, "it is the pinned domain certificate itself")
    try:
        verify_chain(own, between, AnchorSet.from_der((pinned,)), now=now)
    except BootzError as error:
        return failed(name, str(error), "oc-not-under-pdc")
    return passed(name, "it chains to the pinned domain certificate")


def _owner_p256(terms: PreflightTerms) -> Iterator[PreflightCheck]:
    p256 = terms.certificates.owner_p256
    if p256 is not None:
        yield from _owner("owner-p256", p256.chain, terms)


def _server(terms: PreflightTerms) -> Iterator[PreflightCheck]:
    tls = terms.certificates.in_force(KeyRole.TLS)
    yield check_dates("tls-certificate", tls.chain[:1], terms.now, reason="tls-material-unusable")
    yield _chain(terms, tls.chain)
    yield _names(terms.config, tls.certificate, brought=tls.brought)


def _door(terms: PreflightTerms) -> Iterator[PreflightCheck]:
    """Judge the certificate of the operator's door: no router meets it, and so it stops none."""
    try:
        chain = terms.door()
    except BootzError as error:
        yield warned("door-certificate", str(error), error.reason)
        return
    if chain:
        found = check_dates("door-certificate", chain[:1], terms.now, reason="door-certificate-due")
        held = found.outcome is PreflightOutcome.PASSED
        yield found if held else warned(found.name, found.evidence, found.reason)


def _chain(terms: PreflightTerms, chain: Sequence[bytes]) -> PreflightCheck:
    anchors = AnchorSet.from_der((terms.certificates.trust_anchor,))
    try:
        verify_chain(chain[0], chain[1:], anchors, now=terms.now)
    except BootzError as error:
        return failed("tls-trust-anchor", str(error), "tls-material-unusable")
    return passed("tls-trust-anchor", "routers verify it with the trust anchor that they get")


def _names(config: SiteConfig, certificate: x509.Certificate, *, brought: bool) -> PreflightCheck:
    named = advertised_hosts(config)
    if not named:
        words = "no name is advertised: routers come by the address that DHCP tells them"
        return passed("tls-certificate-names", words)
    missing = missing_hosts(certificate_hosts(certificate), named)
    if not missing:
        return passed("tls-certificate-names", f"it names {', '.join(named)}")
    words = f"it does not name {', '.join(missing)}"
    if brought:
        return failed("tls-certificate-names", words, "tls-name-missing")
    return warned(
        "tls-certificate-names",
        f"{words}; the server issues one that does when it starts or is reloaded",
        "tls-name-missing",
    )


def advertised_hosts(config: SiteConfig) -> list[str]:
    """Return by what names and addresses routers are told to come, by the settings alone."""
    base = urlsplit(config.images.base_url or "")
    hosts = [*config.advertised, *(each.host for each in config.endpoints)]
    if base.scheme == "https" and base.hostname:
        hosts.append(base.hostname)
    return [host for host in dict.fromkeys(hosts) if not _is_unspecified(host)]


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine alone, whatever network it is on."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_unspecified
    except ValueError:
        return False


def _database_clock(connection: Connection, now: datetime) -> PreflightCheck:
    if connection.dialect.name == "sqlite":
        return passed("clock-database", "the database is on this machine")
    told = connection.scalar(select(func.clock_timestamp()))
    if not isinstance(told, datetime):
        return warned("clock-database", "the database does not say its time")
    return _skew("clock-database", "the database", (told - now).total_seconds())


def _ntp(terms: PreflightTerms) -> Iterator[PreflightCheck]:
    if terms.ntp is None:
        return
    try:
        offset = terms.ntp()
    except BootzError as error:
        yield warned("clock-ntp", str(error), error.reason)
        return
    yield _skew("clock-ntp", "the time server", offset)


def _skew(name: str, whose: str, seconds: float) -> PreflightCheck:
    ahead = "ahead of" if seconds >= 0 else "behind"
    words = f"{whose} is {abs(seconds):.1f} s {ahead} this machine's clock"
    if abs(seconds) > SKEW_HARMS.total_seconds():
        return failed(name, words, "clock-skewed")
    if abs(seconds) > SKEW_TOLD.total_seconds():
        return warned(name, words, "clock-skewed")
    return passed(name, words)
