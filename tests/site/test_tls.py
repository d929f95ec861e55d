"""The server's TLS certificate: for all by which it is reached, renewed before it ends."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from site_world import NOW, Pki

from bootz.cli.main import run
from bootz.config.site import SiteConfig
from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind, generate_key
from bootz.server.certificate_hosts import certificate_hosts
from bootz.server.interfaces import interface_addresses
from bootz.server.keys.owner import load_owner_identity, owner_warnings
from bootz.server.keys.rotation import TRUST_ANCHOR_LIFE, rotate_tls
from bootz.server.keys.tls_certificates import (
    ensure_tls,
    server_hosts,
    used_hosts,
)
from bootz.server.site import Site, open_site
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile


@pytest.fixture
def site(tmp_path: Path) -> Site:
    assert run(["init", str(tmp_path / "site")]) == 0
    return open_site(tmp_path / "site")


def names(site: Site) -> set[str]:
    hosts = certificate_hosts(load_certificate(site.keys.certificates(site.keys.read().tls)[0]))
    return {*hosts.dns_names, *map(str, hosts.addresses)}


def test_the_machine_has_its_loopback_address() -> None:
    assert ipaddress.ip_address("127.0.0.1") in interface_addresses()


def test_it_is_renewed_in_time_and_not_before(site: Site) -> None:
    first = ensure_tls(site, NOW)
    assert first.renew_at is not None
    assert ensure_tls(site, first.renew_at - timedelta(hours=1)).key == first.key
    second = ensure_tls(site, first.renew_at + timedelta(hours=1))
    assert second.key != first.key
    assert second.not_after > first.not_after
    # The one before stays until the next, because a server may be about to load it.
    assert first.key.exists()


def test_it_names_what_the_settings_name(site: Site) -> None:
    before = ensure_tls(site, NOW)
    config = SiteConfig(
        listen=("0.0.0.0:1", "192.0.2.7:2", "Host.example:3"),
        advertised=("boot.example.net", "2001:db8::7"),
    )
    other = Site(site.root, config)
    after = ensure_tls(other, NOW)
    assert after.key != before.key
    assert {
        *("127.0.0.1", "::1", "localhost", "192.0.2.7", "host.example"),
        *("boot.example.net", "2001:db8::7"),
    } <= names(site)
    assert {str(each) for each in interface_addresses() if each.version == 4} <= names(site)
    assert ensure_tls(other, NOW).key == after.key
    assert "boot.example.net" in server_hosts(config).dns_names


def test_listening_elsewhere_makes_a_certificate_for_there(site: Site) -> None:
    ensure_tls(site, NOW, listen=["192.0.2.99:1"])
    assert "192.0.2.99" in names(site)


@pytest.mark.parametrize("damage", ["missing", "garbage", "other", "open"])
def test_a_damaged_one_is_replaced(site: Site, damage: str) -> None:
    keyring = site.keys.read()
    key = site.keys.path(keyring.tls, "key")
    match damage:
        case "missing":
            key.unlink()
        case "garbage":
            key.write_bytes(b"no key")
        case "other":
            rotate_tls(site, NOW)
            key.rename(site.keys.path(site.keys.read().tls, "key"))
        case _:
            key.chmod(0o644)
    before = site.keys.read().tls
    ensure_tls(site, NOW)
    assert site.keys.read().tls != before


def test_an_anchor_near_its_end_does_not_make_it_renew_in_a_circle(site: Site) -> None:
    late = NOW + TRUST_ANCHOR_LIFE - timedelta(days=5)
    material = ensure_tls(site, late)
    assert material.not_after <= late + timedelta(days=6)
    assert material.renew_at is not None
    assert material.renew_at > late
    with pytest.raises(ConfigError) as caught:
        ensure_tls(site, NOW + TRUST_ANCHOR_LIFE + timedelta(days=1))
    assert caught.value.reason == "certificate-unfit"


def test_one_that_was_brought_is_served_and_the_operator_told(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki")
    tls, key = pki.leaf("tls", CertificateProfile.SERVER_TLS, hosts=("elsewhere.example",))
    words = ["--trust-anchor", str(pki.ca), "--tls-cert", str(tls), "--tls-key", str(key)]
    assert run(["init", str(tmp_path / "site"), *words]) == 0
    site = open_site(tmp_path / "site")
    with structlog.testing.capture_logs() as logs:
        material = ensure_tls(site, NOW)
    assert material.renew_at is None
    assert [each["event"] for each in logs] == ["tls-certificate-due"]


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., Site]:
    """A site with the trust anchor's key, and a TLS certificate below it from elsewhere."""
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki")

    def bring(
        *hosts: str, listen: str = "127.0.0.1:15006", until: datetime = NOW + timedelta(days=300)
    ) -> Site:
        tls, key = pki.leaf("tls", CertificateProfile.SERVER_TLS, hosts=hosts, until=until)
        words = ["--trust-anchor", str(pki.ca), "--trust-anchor-key", str(pki.ca_key)]
        words += ["--tls-cert", str(tls), "--tls-key", str(key), "--listen", listen]
        assert run(["init", str(tmp_path / "site"), *words]) == 0
        return open_site(tmp_path / "site")

    return bring


def test_one_that_was_brought_stays_though_it_does_not_name_loopback(
    brought: Callable[..., Site], capsys: pytest.CaptureFixture[str]
) -> None:
    site = brought("192.0.2.7", "*.example.net", listen="192.0.2.7:15006")
    assert "does not name" not in capsys.readouterr().err
    config = SiteConfig(listen=("192.0.2.7:15006",), advertised=("boot.example.net",))
    with structlog.testing.capture_logs() as logs:
        material = ensure_tls(Site(site.root, config), NOW)
    assert (material.certificate.name, logs) == ("1.pem", [])
    assert names(site) == {"192.0.2.7", "*.example.net"}
    # It is looked at again at its end, not before.
    assert material.renew_at == material.not_after


def test_what_one_that_was_brought_does_not_cover_is_a_warning(
    brought: Callable[..., Site], capsys: pytest.CaptureFixture[str]
) -> None:
    site = brought("192.0.2.7", listen="[::1]:15006")
    assert "the TLS certificate: it does not name ::1" in capsys.readouterr().err
    config = SiteConfig(listen=("192.0.2.7:1", "192.0.2.8:1"), advertised=("a.example", "b.c.d"))
    with structlog.testing.capture_logs() as logs:
        ensure_tls(Site(site.root, config), NOW)
    assert names(site) == {"192.0.2.7"}
    assert [(each["event"], each["because"]) for each in logs] == [
        ("tls-certificate-due", "it does not name a.example, b.c.d, 192.0.2.8")
    ]
    assert run(["--site", str(site.root), "keys", "show"]) == 0
    assert "it does not name ::1" in capsys.readouterr().err


def test_one_that_was_brought_is_replaced_when_it_can_serve_no_longer(
    brought: Callable[..., Site],
) -> None:
    end = NOW + timedelta(days=5)
    site = brought("127.0.0.1", until=end)
    with structlog.testing.capture_logs() as logs:
        ensure_tls(site, NOW)
    assert [each["event"] for each in logs] == ["tls-certificate-due"]
    assert site.keys.read().tls_brought
    ensure_tls(site, end + timedelta(minutes=1))
    assert not site.keys.read().tls_brought
    assert "::1" in names(site)


def test_listening_on_all_addresses_does_not_ask_a_brought_one_for_loopback(
    brought: Callable[..., Site],
) -> None:
    hosts = [str(each) for each in interface_addresses() if each.version == 4]
    site = brought(*(host for host in hosts if not host.startswith("127.")), "x.example")
    config = SiteConfig(listen=("0.0.0.0:15006",))
    with structlog.testing.capture_logs() as logs:
        ensure_tls(Site(site.root, config), NOW)
    assert logs == []
    assert "127.0.0.1" not in {str(each) for each in used_hosts(config).addresses}
    assert "127.0.0.1" in {str(each) for each in server_hosts(config).addresses}


def test_the_owners_warnings(tmp_path: Path, site: Site) -> None:
    identity = load_owner_identity(site.owner_files(), NOW)
    assert identity.warnings == ()
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki", KeyKind.P384)
    key = generate_key(KeyKind.P384)
    agreed = [pki.issue(CertificateProfile.OWNER, key)]
    assert owner_warnings(agreed, NOW) == ()
    (odd,) = owner_warnings([pki.issue(CertificateProfile.OWNER, generate_key(KeyKind.P256))], NOW)
    assert "Go reference" in odd
    soon = [pki.issue(CertificateProfile.OWNER, key, until=NOW + timedelta(days=3, hours=1))]
    (ends,) = owner_warnings(soon, NOW)
    assert "ends in 3 days" in ends
