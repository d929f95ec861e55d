"""The P-256 owner key beside the first one: issued, imported, renewed and retired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crash import killed_runs
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from keystore.softhsm import SoftToken
from site_world import Pki

from bootz.cli.main import run
from bootz.keystore.files import KeyKind, load_certificates, write_certificates
from bootz.keystore.pkcs11 import Pkcs11Signer
from bootz.server.keys.owner import load_owner_state, load_p256_identity
from bootz.server.keys.owner_files import OwnerFiles
from bootz.server.site import Site, open_site
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile

NOW = datetime.now(UTC)

Keys = Callable[..., Any]

STATE = "in force for owner_key: p256"


def p256_files(site: Site) -> OwnerFiles:
    files = site.p256_owner_files()
    assert files is not None
    return files


def shown(keys: Keys) -> dict[str, str]:
    """Return the owner certificates that are shown, by state."""
    return {row["state"]: row["name"] for row in keys("show") if row["role"] == "owner"}


def test_it_is_issued_beside_the_first_and_under_the_same_pinned_certificate(
    site: Site, keys: Keys
) -> None:
    first = site.owner_files().certificate
    (row,) = keys("rotate", "owner-p256")
    assert (row["state"], row["kind"]) == (STATE, "secp256r1")
    assert shown(keys) == {"in force": "owner/1", STATE: "owner/2"}
    p256 = load_p256_identity(site, NOW)
    assert p256 is not None
    assert p256.pinned_domain_cert == site.pinned_domain_cert()
    assert isinstance(
        load_certificate(p256.certificate.certificate).public_key(), ec.EllipticCurvePublicKey
    )
    # By which routers that follow the Go reference take SHA-256.
    assert not p256.warnings
    assert site.owner_files().certificate == first
    assert isinstance(load_certificate(first).public_key(), rsa.RSAPublicKey)


def test_each_is_rotated_by_itself(site: Site, keys: Keys) -> None:
    keys("rotate", "owner-p256")
    keys("rotate", "owner")
    assert shown(keys) == {"in force": "owner/3", STATE: "owner/2"}
    keys("rotate", "owner-p256")
    assert shown(keys) == {"in force": "owner/3", STATE: "owner/4"}
    assert isinstance(
        load_certificate(site.owner_files().certificate).public_key(), rsa.RSAPublicKey
    )
    load_owner_state(site, NOW)
    assert load_p256_identity(site, NOW) is not None


def test_it_is_retired_and_its_key_destroyed(site: Site, keys: Keys) -> None:
    assert keys("retire", "--owner-p256", code=1)["reason"] == "owner-p256-not-listed"
    keys("rotate", "owner-p256")
    assert run(["keys", "retire", "1", "--owner-p256"]) == 2
    keys("retire", "--owner-p256")
    assert shown(keys) == {"in force": "owner/1"}
    assert not (site.keys_folder / "owner" / "2.key").exists()
    assert load_p256_identity(site, NOW) is None


def test_kill_9_leaves_it_or_the_one_before(site: Site, keys: Keys) -> None:
    keys("rotate", "owner-p256")
    before = site.keys.read()
    for _ in killed_runs(["--site", str(site.root), "keys", "rotate", "owner-p256"], site.root):
        assert load_p256_identity(site, NOW) is not None
        load_owner_state(site, NOW)
        if site.keys.read() != before:
            break
    assert site.keys.read() != before


def test_kill_9_leaves_no_key_of_a_retired_one(site: Site, keys: Keys) -> None:
    keys("rotate", "owner-p256")
    key = site.keys_folder / "owner" / "2.key"
    for _ in killed_runs(["--site", str(site.root), "keys", "retire", "--owner-p256"], site.root):
        load_owner_state(site, NOW)
        if site.keys.read().owner_p256 is None:
            break
    assert site.keys.read().owner_p256 is None
    assert not key.exists()


def test_one_of_ones_own_pki_is_imported(site: Site, keys: Keys, pki: Pki) -> None:
    keys("import", "--pinned-domain-cert", pki.ca, "--pinned-domain-key", pki.ca_key)
    owner, key = pki.leaf("p256", CertificateProfile.OWNER, kind=KeyKind.P256)
    keys("import", "--owner-p256-cert", owner, "--owner-p256-key", key)
    assert p256_files(site).certificate == load_certificates(owner)[0]
    assert load_p256_identity(site, NOW) is not None


def test_what_does_not_fit_changes_nothing(site: Site, keys: Keys, pki: Pki) -> None:
    elsewhere, elsewhere_key = pki.leaf("p256", CertificateProfile.OWNER, kind=KeyKind.P256)
    as_rsa, rsa_key = pki.leaf("rsa", CertificateProfile.OWNER)
    p384, p384_key = pki.leaf("p384", CertificateProfile.OWNER, kind=KeyKind.P384)
    before = {path: path.read_bytes() for path in site.keys_folder.rglob("*") if path.is_file()}
    cases: list[tuple[str, list[object]]] = [
        # It leads to another pinned domain certificate.
        ("certificate-unfit", [elsewhere, "--owner-p256-key", elsewhere_key]),
        ("certificate-unfit", [as_rsa, "--owner-p256-key", rsa_key]),
        ("certificate-unfit", [p384, "--owner-p256-key", p384_key]),
        ("key-mismatch", [elsewhere, "--owner-p256-key", rsa_key]),
        ("keys-arguments", [elsewhere]),
        (
            "keys-arguments",
            [elsewhere, "--owner-p256-key-passphrase-file", site.root / "bootz.yaml"],
        ),
    ]
    for reason, words in cases:
        assert keys("import", "--owner-p256-cert", *words, code=1)["reason"] == reason, words
        after = {p: p.read_bytes() for p in site.keys_folder.rglob("*") if p.is_file()}
        assert after == before, words


def test_another_pinned_certificate_takes_it_along_or_away(
    site: Site, keys: Keys, pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    keys("rotate", "owner-p256")
    keys("import", "--pinned-domain-cert", pki.ca, "--pinned-domain-key", pki.ca_key)
    p256 = load_p256_identity(site, NOW)
    assert p256 is not None
    assert p256.pinned_domain_cert == load_certificates(pki.ca)[0]
    # Without that one's key none can be issued here, and the former would be refused by routers.
    (pki.folder / "other").mkdir()
    other = Pki(pki.folder / "other")
    owner, key = other.leaf("owner", CertificateProfile.OWNER)
    words = ["--pinned-domain-cert", other.ca, "--owner-cert", owner, "--owner-key", key]
    assert run(["keys", "import", *map(str, words)]) == 0
    assert "P-256 owner certificate led to the former" in capsys.readouterr().err
    assert load_p256_identity(site, NOW) is None
    assert keys("rotate", "owner-p256", code=1)["reason"] == "keys-elsewhere"


def test_settings_can_name_it_elsewhere(site: Site, keys: Keys, pki: Pki) -> None:
    owner, key = pki.leaf("owner", CertificateProfile.OWNER)
    p256, p256_key = pki.leaf("p256", CertificateProfile.OWNER, kind=KeyKind.P256)
    with (site.root / "bootz.yaml").open("a") as file:
        file.write(
            f"\nowner:\n  pinned_domain_certificate: {pki.ca}\n  certificate: {owner}\n"
            f"  key: {key}\n  p256:\n    certificate: {p256}\n    key: {p256_key}\n"
        )
    opened = open_site(site.root)
    identity = load_p256_identity(opened, NOW)
    assert identity is not None
    assert identity.certificate.certificate == load_certificates(p256)[0]
    assert keys("rotate", "owner-p256", code=1)["reason"] == "keys-elsewhere"
    assert shown(keys) == {"in force": "bootz.yaml", STATE: "bootz.yaml"}


@pytest.mark.softhsm
def test_its_key_can_be_in_a_token(
    site: Site, keys: Keys, pki: Pki, token: SoftToken, tmp_path: Path
) -> None:
    token.make_ec("oc", "secp256r1")
    public = Pkcs11Signer.from_uri(token.uri("oc")).public_key
    owner = tmp_path / "oc.pem"
    write_certificates(owner, [pki.issue_for(CertificateProfile.OWNER, public)])
    keys("import", "--pinned-domain-cert", pki.ca, "--pinned-domain-key", pki.ca_key)
    keys("import", "--owner-p256-cert", owner, "--owner-p256-key", token.uri("oc"))
    identity = load_p256_identity(site, NOW)
    assert identity is not None
    assert identity.store == "pkcs11"
    (row,) = (row for row in keys("show") if row["state"] == STATE)
    assert "pin-source" not in row["key"]
    assert keys("rotate", "owner-p256", code=1)["reason"] == "keys-elsewhere"
