"""The server's TLS certificate: issued under the trust anchor, for all by which it is reached.

While earlier trust anchors are still held by devices, the chain that is sent goes on from the
present anchor's key to them: each anchor is certified by the one before it, and a device ends
the path at whichever it holds. Source:
docs/protocol/pki.md#server-certificate-and-hpke; RFC 5280 section 3.2 (cross-certificates).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.config.site import SiteConfig
from bootz.config.values import parse_endpoint
from bootz.errors import BootzError, ConfigError
from bootz.keystore.clock import check_clock
from bootz.keystore.files import KeyKind, generate_key, random_serial
from bootz.log import get_logger
from bootz.server.certificate_hosts import ServerHosts, certificate_hosts
from bootz.server.interfaces import interface_addresses
from bootz.server.keys.keyring import Keyring, KeyRole, Keys, with_tls
from bootz.server.site import Site
from bootz.trust.certificate_form import extension
from bootz.trust.certificates import AnchorSet, load_certificate, verify_chain
from bootz.trust.issuing import CertificateProfile, IpAddress, issue_certificate
from bootz.trust.keys import PublicKey

BACKDATED: Final = timedelta(days=1)
"""How far certificates reach back, for routers whose clock runs behind."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """Files for a listener (PEM), and when the certificate should be looked at again.

    ``renew_at`` is None where the site cannot issue one by itself; of one that was brought it is
    its end. ``trust_anchor`` is DER.
    """

    certificate: Path
    key: Path
    not_before: datetime
    not_after: datetime
    renew_at: datetime | None
    trust_anchor: bytes

    def flaw(self, now: datetime) -> str:
        """Say why the certificate is not valid now; empty where it is."""
        if now < self.not_before:
            return f"it begins at {self.not_before.isoformat()}"
        return f"it ended at {self.not_after.isoformat()}" if now > self.not_after else ""

    def due(self, now: datetime) -> bool:
        """Tell whether the site has to issue another one: judged at both ends."""
        return self.renew_at is not None and (now >= self.renew_at or now < self.not_before)


def server_hosts(config: SiteConfig, listen: Sequence[str] = ()) -> ServerHosts:
    """Return what a certificate that is issued here names: all hosts of the settings, and loopback.

    ``listen`` replaces the addresses of the settings.

    Raises:
        Unavailable: it listens on all addresses, and the kernel does not list them.
    """
    loopback = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    named = _resolved(_hosts(config, listen))
    return ServerHosts(named.dns_names | {"localhost"}, named.addresses | loopback)


def used_hosts(config: SiteConfig, listen: Sequence[str] = ()) -> ServerHosts:
    """Return by what routers may come: what a site listens on, advertises, and serves images from.

    What only this machine itself can reach counts where the Bootz server listens on it by name.

    Raises:
        Unavailable: it listens on all addresses, and the kernel does not list them.
    """
    named = _resolved(_hosts(config, listen))
    asked = {parse_endpoint(text).host for text in listen or config.listen}
    return ServerHosts(
        named.dns_names,
        frozenset(
            each
            for each in named.addresses
            if str(each) in asked or not (each.is_loopback or each.is_link_local)
        ),
    )


def _hosts(config: SiteConfig, listen: Sequence[str]) -> list[str]:
    endpoints = (*(listen or config.listen), *config.images.https)
    hosts = [parse_endpoint(text).host for text in endpoints] + list(config.advertised)
    base = urlsplit(config.images.base_url or "")
    if base.scheme == "https" and base.hostname:
        hosts.append(base.hostname)
    return hosts


def _resolved(hosts: Iterable[str]) -> ServerHosts:
    """Return names and addresses; in place of an unspecified address, those of all interfaces."""
    names: set[str] = set()
    addresses: set[IpAddress] = set()
    for host in hosts:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            names.add(host.lower())
            continue
        if address.is_unspecified:
            addresses.update(
                each for each in interface_addresses() if each.version == address.version
            )
        else:
            addresses.add(address)
    return ServerHosts(frozenset(names), frozenset(addresses))


def issue_tls(
    keys: Keys,
    trust_anchors: Sequence[str],
    hosts: ServerHosts,
    *,
    organization: str,
    life: timedelta,
    now: datetime,
) -> str:
    """Write a new TLS key (P-256) and chain, and return their name.

    Raises:
        ConfigError: ``keys-elsewhere``, ``clock-behind``, or the anchor's files do not hold.
        Unavailable: the files cannot be written.
    """
    key = generate_key(KeyKind.P256)
    chain = issue_server_chain(
        keys,
        trust_anchors,
        key.public_key(),
        hosts,
        subject=certificate_name(organization, "Bootz server"),
        life=life,
        now=now,
    )
    return keys.store(KeyRole.TLS, chain, key)


def issue_server_chain(
    keys: Keys,
    trust_anchors: Sequence[str],
    public_key: PublicKey,
    hosts: ServerHosts,
    *,
    subject: x509.Name,
    life: timedelta,
    now: datetime,
) -> tuple[bytes, ...]:
    """Return a server certificate for a key, and the path to earlier anchors (DER).

    Raises:
        ConfigError: ``keys-elsewhere``, ``clock-behind``, or the anchor's files do not hold.
    """
    present = trust_anchors[0]
    if not keys.has_key(present):
        raise ConfigError(
            "keys-elsewhere", "the trust anchor's key is not in the site", where=present
        )
    anchor = load_certificate(keys.certificates(present)[0])
    check_clock(anchor, now, where=present)
    if anchor.not_valid_after_utc <= now:
        raise ConfigError(
            "certificate-unfit",
            "the trust anchor is out of date",
            where=present,
            expected="valid now",
            seen=f"until {anchor.not_valid_after_utc.isoformat()}",
        )
    leaf = issue_certificate(
        profile=CertificateProfile.SERVER_TLS,
        subject=subject,
        public_key=public_key,
        issuer_name=anchor.subject,
        issuer_key=keys.private_key(present),
        serial_number=random_serial(),
        not_before=max(now - BACKDATED, anchor.not_valid_before_utc),
        not_after=min(now + life, anchor.not_valid_after_utc),
        dns_names=sorted(hosts.dns_names),
        ip_addresses=sorted(hosts.addresses, key=lambda each: (each.version, int(each))),
        issuer_key_identifier=subject_key_identifier(anchor),
    )
    return (leaf, *keys.path_to_old_anchors(trust_anchors))


def ensure_tls(site: Site, now: datetime, *, listen: Sequence[str] = ()) -> TlsMaterial:
    """Return the TLS files to serve with; a new certificate is issued where one is due.

    It is due when it nears its end, misses a name or address, or does not lead to every trust
    anchor that devices may hold. One that the operator brought is replaced only when it cannot
    serve any more; until then the log warns. Call it at start, on reload, and at ``renew_at``.

    Args:
        site: the site.
        now: aware UTC.
        listen: addresses in place of those in the settings (``bootz serve --listen``).

    Raises:
        ConfigError: what there is cannot serve, and no other can be issued.
        Unavailable: files cannot be written.
    """
    keys, settings = site.keys, site.config.tls
    hosts = server_hosts(site.config, listen)
    renew_before = timedelta(days=settings.renew_before_days)
    with keys.changing():
        keyring = keys.read()
        own = keys.has_key(keyring.trust_anchors[0])
        brought = keyring.tls_brought or not own
        unusable = _why_unusable(keys, keyring, now)
        due = unusable
        if due is None:
            certificate = load_certificate(keys.certificates(keyring.tls)[0])
            wanted = used_hosts(site.config, listen) if brought else hosts
            due = why_due(certificate, wanted, now + renew_before)
        if due is not None and own and (unusable is not None or not brought):
            name = issue_tls(
                keys,
                keyring.trust_anchors,
                hosts,
                organization=site.config.organization,
                life=timedelta(days=settings.validity_days),
                now=now,
            )
            keyring = with_tls(keyring, name)
            keys.write(keyring)
            log.info("tls-certificate-issued", because=due)
        elif due is not None:
            # Brought by the operator: served as long as it can be, and the operator is told.
            log.warning("tls-certificate-due", because=due, certificate=keyring.tls)
    leaf = load_certificate(keys.certificates(keyring.tls)[0])
    end = leaf.not_valid_after_utc
    return TlsMaterial(
        certificate=keys.path(keyring.tls, "pem"),
        key=keys.path(keyring.tls, "key"),
        not_before=leaf.not_valid_before_utc,
        not_after=end,
        renew_at=_renew_at(end, renew_before, now, brought=keyring.tls_brought) if own else None,
        trust_anchor=keys.certificates(keyring.trust_anchors[0])[0],
    )


def check_tls(keys: Keys, keyring: Keyring, now: datetime) -> None:
    """Check that key and chain belong together and lead to every trust anchor.

    Raises:
        ConfigError: they do not.
        CertificateError: a trust anchor does not vouch for the chain now.
    """
    leaf, *chain = keys.certificates(keyring.tls)
    if load_certificate(leaf).public_key() != keys.private_key(keyring.tls).public_key():
        raise ConfigError("key-mismatch", "is not the certificate's key", where=keyring.tls)
    for name in keyring.trust_anchors:
        anchor = keys.certificates(name)[0]
        # An earlier anchor that has ended is held by no device that could still verify.
        if name is keyring.trust_anchors[0] or load_certificate(anchor).not_valid_after_utc > now:
            verify_chain(leaf, chain, AnchorSet.from_der([anchor]), now=now)


def certificate_name(organization: str, role: str) -> x509.Name:
    """Return the subject of a certificate that is made here."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, role),
        ]
    )


def subject_key_identifier(certificate: x509.Certificate) -> bytes:
    """Return a certificate's SubjectKeyIdentifier, empty without one."""
    found = extension(certificate, x509.SubjectKeyIdentifier)
    return b"" if found is None else found.digest


def _renew_at(end: datetime, before: timedelta, now: datetime, *, brought: bool) -> datetime:
    # An anchor near its own end gives short certificates, which must not renew in a circle.
    return max(end if brought else end - before, now + timedelta(hours=1))


def tls_warnings(site: Site, now: datetime) -> tuple[str, ...]:
    """Return what an operator should know of a TLS certificate that was brought.

    Raises:
        ConfigError: files do not hold.
        Unavailable: it listens on all addresses, and the kernel does not list them.
    """
    keyring = site.keys.read()
    if not keyring.tls_brought:
        return ()
    certificate = load_certificate(site.keys.certificates(keyring.tls)[0])
    soon = now + timedelta(days=site.config.tls.renew_before_days)
    due = why_due(certificate, used_hosts(site.config), soon)
    return () if due is None else (f"the TLS certificate: {due}",)


def _why_unusable(keys: Keys, keyring: Keyring, now: datetime) -> str | None:
    """Return why the certificate cannot serve, None if it can."""
    try:
        check_tls(keys, keyring, now)
    except BootzError as error:
        return str(error)
    return None


def why_due(certificate: x509.Certificate, hosts: ServerHosts, soon: datetime) -> str | None:
    """Return why a certificate that can serve should be replaced."""
    if certificate.not_valid_after_utc <= soon:
        return f"it ends at {certificate.not_valid_after_utc.isoformat()}"
    missing = hosts.beyond(certificate_hosts(certificate))
    return f"it does not name {', '.join(missing)}" if missing else None
