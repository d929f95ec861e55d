"""``bootz keys``: rotation, import and retirement, each whole or not at all."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crash import killed_runs
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID
from keystore.softhsm import PIN, SoftToken
from served import Served, served
from site_world import Pki

from bootz.cli.main import run
from bootz.keystore.files import load_certificates
from bootz.server.keys.owner import load_owner_identity
from bootz.server.keys.tls_certificates import check_tls
from bootz.server.site import Site, open_site
from bootz.trust.certificates import load_certificate, pem_from_der
from bootz.trust.issuing import CertificateProfile
from bootz.trust.signature import SignatureError, verify_response_signature

NOW = datetime.now(UTC)

Keys = Callable[..., Any]


def anchor(site: Site) -> bytes:
    return site.keys.certificates(site.keys.read().trust_anchors[0])[0]


def is_served(site: Site, held: bytes) -> bool:
    """A device that holds this anchor connects to a server with the site's TLS files."""
    keyring = site.keys.read()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(site.keys.path(keyring.tls, "pem"), site.keys.path(keyring.tls, "key"))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=held)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    ours, theirs = socket.socketpair()
    ours.settimeout(30)
    theirs.settimeout(30)

    def serve() -> None:
        try:
            server.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(theirs, server_hostname="localhost").close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        theirs.close()
        thread.join()
    return True


def check_usable(site: Site) -> None:
    check_tls(site.keys, site.keys.read(), NOW)
    load_owner_identity(site.owner_files(), NOW)


def test_a_device_with_an_earlier_anchor_is_served_until_that_is_retired(
    site: Site, keys: Keys
) -> None:
    first = anchor(site)
    keys("rotate", "trust-anchor")
    second = anchor(site)
    keys("rotate", "trust-anchor")
    third = anchor(site)
    keys("rotate", "tls")
    assert [is_served(site, held) for held in (first, second, third)] == [True] * 3
    keys("retire", 1)
    assert [is_served(site, held) for held in (first, second, third)] == [False, True, True]
    keys("retire")
    assert [is_served(site, held) for held in (first, second, third)] == [False, False, True]
    assert keys("retire", code=1)["reason"] == "trust-anchor-not-listed"
    assert keys("retire", 3, code=1)["reason"] == "trust-anchor-not-listed"


def reaches(server: Served, held: bytes) -> bool:
    """A device that holds this anchor connects to the running server."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.set_alpn_protocols(["h2"])
    client.load_verify_locations(cadata=held)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with socket.create_connection(server.pair, timeout=30) as raw:
        try:
            client.wrap_socket(raw, server_hostname="127.0.0.1").close()
        except ssl.SSLCertVerificationError:
            return False
    return True


def test_a_running_server_takes_new_keys_without_a_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "site"
    free = ["--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0"]
    assert run(["init", str(root), *free]) == 0
    site = open_site(root)
    first = anchor(site)
    with served(root) as server:
        assert reaches(server, first)
        for words in (["rotate", "trust-anchor"], ["rotate", "owner"], ["rotate", "tls"]):
            assert run(["--site", str(root), "keys", *words]) == 0
            server.wait_for("reloaded")
            assert reaches(server, first)
            assert reaches(server, anchor(site))
        assert run(["--site", str(root), "keys", "retire"]) == 0
        server.wait_for("reloaded")
        assert not reaches(server, first)
        assert reaches(server, anchor(site))


def test_an_earlier_anchors_key_is_destroyed(site: Site, keys: Keys) -> None:
    name = site.keys.read().trust_anchors[0]
    keys("rotate", "trust-anchor")
    assert not site.keys.has_key(name)
    states = {row["name"]: (row["state"], row["key"]) for row in keys("show")}
    assert states[name] == ("earlier, still accepted", "destroyed")


def test_the_owner_is_rotated_and_vouchers_stay(site: Site, keys: Keys) -> None:
    pinned, before = site.pinned_domain_cert(), site.owner_files().certificate
    keys("rotate", "owner")
    identity = load_owner_identity(site.owner_files(), NOW)
    assert identity.pinned_domain_cert == pinned
    assert identity.certificate.certificate != before


def test_the_owners_key_is_of_the_kind_that_is_chosen_and_keeps_it(site: Site, keys: Keys) -> None:
    keys("rotate", "owner", "--key", "p256")
    identity = load_owner_identity(site.owner_files(), NOW)
    signature = asyncio.run(identity.sign(b"data"))
    verify_response_signature(identity.certificate.certificate, signature, b"data")
    with pytest.raises(SignatureError):
        verify_response_signature(identity.certificate.certificate, signature, b"other")
    public = load_certificate(identity.certificate.certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    # By which the Go reference's router takes SHA-256, as we sign.
    hashed = load_certificate(identity.certificate.certificate).signature_algorithm_oid
    assert hashed == SignatureAlgorithmOID.RSA_WITH_SHA256
    assert not identity.warnings
    keys("rotate", "owner")
    again = load_owner_identity(site.owner_files(), NOW).certificate.certificate
    assert isinstance(load_certificate(again).public_key(), ec.EllipticCurvePublicKey)
    keys("rotate", "owner", "--key", "rsa-2048")
    back = load_owner_identity(site.owner_files(), NOW).certificate.certificate
    assert isinstance(load_certificate(back).public_key(), rsa.RSAPublicKey)
    assert run(["keys", "rotate", "tls", "--key", "p256"]) == 2


def test_nothing_printed_is_secret(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["show"], ["rotate", "owner"], ["show", "--output", "json"]):
        assert run(["keys", *words]) == 0
    captured = capsys.readouterr()
    assert "PRIVATE" not in captured.out + captured.err


@pytest.mark.parametrize("words", [["rotate", "owner"], ["rotate", "trust-anchor"], ["retire"]])
def test_kill_9_at_any_step_leaves_the_old_keys_or_the_new(
    site: Site, keys: Keys, words: list[str]
) -> None:
    if words == ["retire"]:
        keys("rotate", "trust-anchor")
    before = site.keys.read()
    held = anchor(site)
    done = 0
    for _ in killed_runs(["--site", str(site.root), "keys", *words], site.root, every=2):
        check_usable(site)
        if site.keys.read() != before:
            done += 1
            break
        assert is_served(site, held)
    check_usable(site)
    assert site.keys.read() != before
    assert is_served(site, held)


def test_an_owner_certificate_is_imported(site: Site, keys: Keys, pki: Pki) -> None:
    owner, owner_key = pki.leaf("owner", CertificateProfile.OWNER)
    words = ["--pinned-domain-cert", pki.ca, "--owner-cert", owner, "--owner-key", owner_key]
    rows = keys("import", *words)
    assert {row["role"] for row in rows} == {"pinned-domain", "owner"}
    assert site.pinned_domain_cert() == load_certificates(pki.ca)[0]
    check_usable(site)
    # Its key stayed away, so that no other can be issued here.
    assert keys("rotate", "owner", code=1)["reason"] == "keys-elsewhere"


def test_an_owner_certificate_alone_goes_with_the_pinned_one_that_is_there(
    site: Site, keys: Keys, pki: Pki
) -> None:
    words = ["--pinned-domain-cert", pki.ca, "--pinned-domain-key", pki.ca_key]
    keys("import", *words)
    owner, owner_key = pki.leaf("owner", CertificateProfile.OWNER)
    keys("import", "--owner-cert", owner, "--owner-key", owner_key)
    assert site.owner_files().certificate == load_certificates(owner)[0]
    check_usable(site)


def test_a_trust_anchor_is_imported_and_the_earlier_one_served(
    site: Site, keys: Keys, pki: Pki
) -> None:
    first = anchor(site)
    keys("import", "--trust-anchor", pki.ca, "--trust-anchor-key", pki.ca_key)
    assert anchor(site) == load_certificates(pki.ca)[0]
    assert is_served(site, first)
    assert is_served(site, anchor(site))


def test_earlier_anchors_can_be_dropped(site: Site, keys: Keys, pki: Pki) -> None:
    first = anchor(site)
    words = ["--trust-anchor", pki.ca, "--trust-anchor-key", pki.ca_key, "--drop-earlier"]
    keys("import", *words)
    assert not is_served(site, first)
    assert is_served(site, anchor(site))


def test_a_tls_certificate_of_ones_own_is_served(site: Site, keys: Keys, pki: Pki) -> None:
    tls, tls_key = pki.leaf("tls", CertificateProfile.SERVER_TLS, hosts=("localhost",))
    words = ["import", "--trust-anchor", pki.ca, "--tls-cert", tls, "--tls-key", tls_key]
    first = anchor(site)
    keys(*words)
    assert is_served(site, load_certificates(pki.ca)[0])
    assert is_served(site, first)
    # Without the anchor's key no other certificate can be issued.
    assert keys("rotate", "tls", code=1)["reason"] == "keys-elsewhere"
    assert keys("rotate", "trust-anchor", code=1)["reason"] == "keys-elsewhere"
    # And yet the earlier anchor can be retired: the certificate loses its path to it.
    keys("retire")
    assert is_served(site, load_certificates(pki.ca)[0])
    assert not is_served(site, first)


def test_what_does_not_fit_changes_nothing(
    site: Site, keys: Keys, pki: Pki, tmp_path: Path
) -> None:
    owner, owner_key = pki.leaf("owner", CertificateProfile.OWNER)
    tls, tls_key = pki.leaf("tls", CertificateProfile.SERVER_TLS)
    open_key = tmp_path / "open.key"
    open_key.write_bytes(owner_key.read_bytes())
    open_key.chmod(0o644)
    before = {path: path.read_bytes() for path in site.keys_folder.rglob("*") if path.is_file()}
    cases: list[tuple[str, list[object]]] = [
        ("certificate-unfit", ["--owner-cert", owner, "--owner-key", owner_key]),
        ("keys-arguments", ["--pinned-domain-cert", pki.ca]),
        ("key-permissions", ["--owner-cert", owner, "--owner-key", open_key]),
        ("certificate-unfit", ["--tls-cert", tls, "--tls-key", tls_key]),
        ("key-mismatch", ["--tls-cert", tls, "--tls-key", owner_key]),
        ("keys-arguments", ["--trust-anchor", pki.ca]),
        ("certificate-unfit", ["--trust-anchor", owner, "--trust-anchor-key", owner_key]),
        ("key-mismatch", ["--trust-anchor", pki.ca, "--trust-anchor-key", owner_key]),
    ]
    for reason, words in cases:
        assert keys("import", *words, code=1)["reason"] == reason, words
        after = {p: p.read_bytes() for p in site.keys_folder.rglob("*") if p.is_file()}
        assert after == before, words
    assert run(["keys", "import"]) == 2


def test_settings_that_name_the_owner_are_not_undermined(site: Site, keys: Keys, pki: Pki) -> None:
    owner, owner_key = pki.leaf("owner", CertificateProfile.OWNER)
    with (site.root / "bootz.yaml").open("a") as file:
        file.write(
            f"\nowner:\n  pinned_domain_certificate: {pki.ca}\n  certificate: {owner}\n"
            f"  key: {owner_key}\n"
        )
    rows = {row["role"]: row for row in keys("show")}
    assert rows["owner"]["name"] == "bootz.yaml"
    for words in (
        ["rotate", "owner"],
        ["import", "--owner-cert", owner, "--owner-key", owner_key],
    ):
        assert keys(*words, code=1)["reason"] == "keys-elsewhere"


@pytest.mark.softhsm
def test_an_owner_key_in_a_token_signs_answers(
    site: Site, keys: Keys, pki: Pki, token: SoftToken, tmp_path: Path
) -> None:
    from bootz.keystore.pkcs11 import Pkcs11Signer

    token.make_rsa("oc")
    public = Pkcs11Signer.from_uri(token.uri("oc")).public_key
    certificate = pki.issue_for(CertificateProfile.OWNER, public)
    owner = tmp_path / "oc.pem"
    owner.write_bytes(pem_from_der([certificate]))
    words = ["--pinned-domain-cert", pki.ca, "--owner-cert", owner, "--owner-key", token.uri("oc")]
    rows = {row["role"]: row for row in keys("import", *words)}
    assert rows["owner"]["key"].startswith("pkcs11:")
    assert PIN not in json.dumps(rows)
    identity = load_owner_identity(site.owner_files(), NOW)
    signature = identity._signer.sign_blocking(b"data")
    import base64

    verify_response_signature(certificate, base64.b64encode(signature).decode(), b"data")
    assert load_certificate(identity.certificate.certificate).public_key() == public
    # A token that holds another key is not put in force.
    other, _ = pki.leaf("other", CertificateProfile.OWNER)
    words = ["import", "--owner-cert", other, "--owner-key", token.uri("oc")]
    assert keys(*words, code=1)["reason"] == "key-mismatch"
