"""A site whose owner's key never leaves a token, from ``init`` to a router that works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from keystore.softhsm import SoftToken
from served import served
from site_world import Pki

from bootz.cli.main import run
from bootz.keystore.files import KeyKind, write_certificates
from bootz.keystore.pkcs11 import Pkcs11Signer
from bootz.trust.issuing import CertificateProfile

pytestmark = pytest.mark.softhsm


def shell(*words: object) -> None:
    assert run([*map(str, words)]) == 0, words


def test_a_router_onboards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    token = SoftToken(tmp_path / "hsm", label="served")
    token.make_rsa("oc")
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki", KeyKind.RSA_2048)
    public = Pkcs11Signer.from_uri(token.uri("oc")).public_key
    owner = tmp_path / "oc.pem"
    write_certificates(owner, [pki.issue_for(CertificateProfile.OWNER, public)])
    site, maker, router = (tmp_path / name for name in ("site", "maker", "router"))
    free = ["--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0"]
    own = ["--pinned-domain-cert", pki.ca, "--owner-cert", owner, "--owner-key", token.uri("oc")]
    shell("init", site, *free, *own)
    shell("manufacturer", "init", maker, "--name", "Acme")
    shell("router", "manufacture", router, "--manufacturer", maker, "--serial", "FX1")
    voucher = tmp_path / "FX1.vcj"
    shell(
        *("voucher", "issue", "--manufacturer", maker, "--serial", "FX1", "--expires", "9"),
        *("--pinned-domain-cert", pki.ca, "--to", voucher),
    )
    at = ("--site", site)
    shell(*at, "vendor", "add", "Acme", "--ca", maker / "keys" / "ca.pem")
    shell(*at, "chassis", "add", "FX1", "--vendor", "Acme")
    shell(*at, "voucher", "import", voucher)
    with served(site) as server:
        capsys.readouterr()
        words = ["--uri", f"bootz://{server.address}", "--max-attempts", "1", "--output", "json"]
        code = run(["router", "boot", str(router), *words])
        told = capsys.readouterr()
    assert code == 0, told.err
    assert json.loads(told.out)["status"] == "BOOTZ_OK"
    assert not list(site.rglob("owner/*.key"))
