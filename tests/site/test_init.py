"""``bootz init``: a site comes whole, or not at all."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from crash import killed_runs
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from site_world import NOW, Pki
from store.cluster import Cluster

from bootz.cli.main import run
from bootz.errors import BootzError
from bootz.keystore.files import (
    KeyKind,
    generate_key,
    load_certificates,
    write_certificates,
)
from bootz.server.keys.owner import load_owner_state
from bootz.server.keys.tls_certificates import ensure_tls
from bootz.server.site import Site, open_site
from bootz.trust.certificates import AnchorSet, load_certificate, verify_chain
from bootz.trust.issuing import CertificateProfile

Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().err


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    (tmp_path / "pki").mkdir()
    return Pki(tmp_path / "pki")


def check_usable(root: Path) -> Site:
    site = open_site(root)
    state = load_owner_state(site, NOW)
    assert state.trust_anchor
    site.database().close()
    material = ensure_tls(site, NOW)
    assert material.certificate.exists()
    return site


def test_a_site_is_made_and_can_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "deep" / "site"
    assert run(["init", str(root), "--output", "json", "--advertise", "boot.example"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["site"] == str(root)
    site = check_usable(root)
    for path in root.rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.keys_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "bootz.db").stat().st_mode) == 0o600
    keyring = site.keys.read()
    leaf = load_certificate(site.keys.certificates(keyring.tls)[0])
    assert b"boot.example" in leaf.public_bytes(Encoding.DER)
    owner = load_certificate(site.keys.certificates(keyring.owner or "")[0])
    assert getattr(owner.public_key(), "key_size", 0) == 2048


def test_nothing_is_overwritten(tmp_path: Path, said: Said) -> None:
    root = tmp_path / "site"
    assert run(["init", str(root)]) == 0
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert run(["init", str(root)]) == 1
    assert "site-exists" in said()
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("kind", ["file", "full", "link"])
def test_a_place_that_is_taken_is_refused(tmp_path: Path, said: Said, kind: str) -> None:
    place = tmp_path / "place"
    match kind:
        case "file":
            place.write_text("mine")
        case "full":
            place.mkdir()
            (place / "mine").write_text("mine")
        case _:
            (tmp_path / "elsewhere").mkdir()
            place.symlink_to(tmp_path / "elsewhere")
    assert run(["init", str(place)]) == 1
    assert "site-exists" in said()


def test_an_empty_folder_is_taken_and_stays_the_same(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir(mode=0o750)
    before = root.stat().st_ino
    assert run(["init", str(root)]) == 0
    assert root.stat().st_ino == before
    check_usable(root)


@pytest.mark.parametrize("there", [False, True])
def test_kill_9_at_any_step_leaves_no_half_site(tmp_path: Path, there: bool) -> None:
    root = tmp_path / "site"
    if there:
        root.mkdir()
    for _ in killed_runs(["init", str(root)], tmp_path, every=17):
        if (root / "bootz.yaml").exists():
            break
        if there:
            # Killed while things were moved in: no site, and nothing that says it were one.
            for path in root.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        else:
            assert not root.exists()
    else:
        # What the killed ones left behind is gone.
        assert [path.name for path in tmp_path.iterdir()] == ["site"]
    check_usable(root)


def test_a_pki_is_brought(tmp_path: Path, pki: Pki) -> None:
    owner, owner_key = pki.leaf("owner", CertificateProfile.OWNER)
    root = tmp_path / "site"
    words = ["init", str(root), "--pinned-domain-cert", str(pki.ca)]
    assert run([*words, "--owner-cert", str(owner), "--owner-key", str(owner_key)]) == 0
    site = check_usable(root)
    keyring = site.keys.read()
    assert keyring.pinned_domain is not None
    assert not site.keys.has_key(keyring.pinned_domain)
    assert site.pinned_domain_cert() == _der(pki.ca)


def _der(path: Path) -> bytes:
    return load_certificates(path)[0]


def test_with_the_pinned_key_the_owner_certificate_is_issued(tmp_path: Path, pki: Pki) -> None:
    root = tmp_path / "site"
    words = ["--pinned-domain-cert", str(pki.ca), "--pinned-domain-key", str(pki.ca_key)]
    assert run(["init", str(root), *words]) == 0
    site = check_usable(root)
    assert site.pinned_domain_cert() == _der(pki.ca)


def test_an_encrypted_owner_key_stays_where_it_is(tmp_path: Path, pki: Pki) -> None:
    key = generate_key(KeyKind.RSA_2048)
    owner, owner_key, secret = (pki.folder / name for name in ("oc.pem", "oc.key", "secret"))
    write_certificates(owner, [pki.issue(CertificateProfile.OWNER, key)])
    owner_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    )
    secret.write_text("open\n")
    owner_key.chmod(0o600)
    secret.chmod(0o600)
    root = tmp_path / "site"
    words = ["--pinned-domain-cert", str(pki.ca), "--owner-cert", str(owner)]
    words += ["--owner-key", str(owner_key), "--owner-key-passphrase-file", str(secret)]
    assert run(["init", str(root), *words]) == 0
    check_usable(root)
    assert not list((root / "keys" / "owner").glob("*.key"))


def test_a_trust_anchor_is_brought_without_its_key(tmp_path: Path, pki: Pki) -> None:
    hosts = ("localhost",)
    tls, tls_key = pki.leaf("tls", CertificateProfile.SERVER_TLS, hosts=hosts)
    root = tmp_path / "site"
    words = ["init", str(root), "--trust-anchor", str(pki.ca)]
    assert run([*words, "--tls-cert", str(tls), "--tls-key", str(tls_key)]) == 0
    site = check_usable(root)
    leaf, *chain = site.keys.certificates(site.keys.read().tls)
    verify_chain(leaf, chain, AnchorSet.from_der([_der(pki.ca)]), now=NOW)


def test_what_is_brought_must_make_a_whole(tmp_path: Path, pki: Pki, said: Said) -> None:
    root = tmp_path / "site"
    owner, owner_key = map(str, pki.leaf("owner", CertificateProfile.OWNER))
    old, old_key = map(
        str, pki.leaf("old", CertificateProfile.OWNER, until=NOW - timedelta(days=1))
    )
    other = tmp_path / "other"
    other.mkdir()
    foreign = Pki(other, KeyKind.P256)
    foreign_owner, foreign_key = map(str, foreign.leaf("owner", CertificateProfile.OWNER))
    two = tmp_path / "two.pem"
    write_certificates(two, [_der(pki.ca), _der(foreign.ca)])
    bad = tmp_path / "bad.pem"
    bad.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    open_key = tmp_path / "open.key"
    open_key.write_bytes(Path(owner_key).read_bytes())
    open_key.chmod(0o644)
    pinned = ["--pinned-domain-cert", str(pki.ca)]
    cases: list[tuple[str, list[str]]] = [
        ("keys-arguments", pinned),
        ("keys-arguments", ["--owner-cert", owner, "--owner-key", owner_key]),
        ("keys-arguments", [*pinned, "--owner-cert", owner]),
        ("keys-arguments", ["--trust-anchor", str(pki.ca)]),
        ("keys-arguments", ["--tls-key", owner_key]),
        ("key-mismatch", [*pinned, "--owner-cert", owner, "--owner-key", foreign_key]),
        ("key-mismatch", [*pinned, "--pinned-domain-key", owner_key]),
        ("certificate-unfit", [*pinned, "--owner-cert", foreign_owner, "--owner-key", foreign_key]),
        ("certificate-unfit", [*pinned, "--owner-cert", old, "--owner-key", old_key]),
        (
            "certificate-unfit",
            ["--pinned-domain-cert", str(two), "--owner-cert", owner, "--owner-key", owner_key],
        ),
        ("certificate-unfit", ["--trust-anchor", owner, "--trust-anchor-key", owner_key]),
        ("certificate-file-invalid", ["--pinned-domain-cert", str(bad)]),
        ("certificate-file-invalid", ["--pinned-domain-cert", str(tmp_path / "missing")]),
        ("key-permissions", [*pinned, "--owner-cert", owner, "--owner-key", str(open_key)]),
        ("key-missing", [*pinned, "--owner-cert", owner, "--owner-key", str(tmp_path / "no")]),
        ("pkcs11-uri-invalid", [*pinned, "--owner-cert", owner, "--owner-key", "pkcs11:token=x"]),
    ]
    for reason, words in cases:
        assert run(["init", str(root), *words]) == 1, words
        assert f"reason: {reason}." in said(), words
        assert not root.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".unfinished")]


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "nowhere"],
        ["--listen", "300.1.1.1:1"],
        ["--advertise", "no name"],
        ["--images-url", "ftp://x"],
        ["--organization", ""],
        ["--log-format", "xml"],
    ],
)
def test_an_answer_that_does_not_fit_is_a_usage_error(tmp_path: Path, words: list[str]) -> None:
    assert run(["init", str(tmp_path / "site"), *words]) == 2
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "postgresql://u:secret@h/db", "sqlite://", "::::", "sqlite:///a?b=c"]
)
def test_a_database_of_no_use_is_refused(tmp_path: Path, said: Said, url: str) -> None:
    assert run(["init", str(tmp_path / "site"), "--database", url]) == 1
    told = said()
    assert "database-url-invalid" in told
    assert "secret" not in told
    assert not (tmp_path / "site").exists()


@pytest.mark.postgresql
def test_a_site_in_postgresql(tmp_path: Path, cluster: Cluster, said: Said) -> None:
    url = cluster.url()
    root = tmp_path / "site"
    assert run(["init", str(root), "--database", url]) == 0
    check_usable(root)
    assert not (root / "bootz.db").exists()
    assert run(["--site", str(root), "profile", "add", "edge"]) == 0
    # Another site must not come to share what is in it now.
    assert run(["init", str(tmp_path / "other"), "--database", url]) == 1
    assert "database-in-use" in said()
    assert not (tmp_path / "other").exists()


@pytest.mark.postgresql
def test_the_password_stands_in_a_file(tmp_path: Path, cluster: Cluster, said: Said) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    secret.chmod(0o644)
    words = ["--database", cluster.url(), "--database-password-file", str(secret)]
    assert run(["init", str(tmp_path / "site"), *words]) == 1
    assert "key-permissions" in said()
    secret.chmod(0o600)
    assert run(["init", str(tmp_path / "site"), *words]) == 0
    assert "s3cret" not in (tmp_path / "site" / "bootz.yaml").read_text()
    # The site stays usable from another folder.
    check_usable(tmp_path / "site")


@pytest.mark.postgresql
def test_a_database_that_does_not_answer_makes_no_site(tmp_path: Path, said: Said) -> None:
    url = f"postgresql://bootz@/nothing?host={tmp_path}"
    assert run(["init", str(tmp_path / "site"), "--database", url]) == 1
    assert "database-unavailable" in said()
    assert not (tmp_path / "site").exists()


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    root = tmp_path / "site"
    assert run(["init", str(root)]) == 0
    (root / "keys" / "owner" / "1.key").chmod(0o640)
    with pytest.raises(BootzError) as caught:
        load_owner_state(open_site(root), NOW)
    assert caught.value.reason == "owner-identity-unusable"
    assert "key-permissions" in str(caught.value)
    (root / "keys" / "tls" / "1.key").chmod(0o604)
    # The site can issue another one; the open one is not served.
    assert ensure_tls(open_site(root), NOW).key.name == "2.key"
