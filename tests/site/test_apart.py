"""Two whole servers that share a PostgreSQL and nothing else: each has its own token and images."""

from __future__ import annotations

import json
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from keystore.softhsm import SoftToken
from served import served
from site_world import Pki
from store.cluster import Cluster

from bootz.cli.main import run
from bootz.keystore.files import KeyKind, write_certificates
from bootz.keystore.pkcs11 import Pkcs11Signer
from bootz.trust.issuing import CertificateProfile

pytestmark = [pytest.mark.postgresql, pytest.mark.softhsm]

SERIALS = ("FX1", "FX2")
IMAGE = b"BOOTZ-IMAGE demo-os 2.0\n" * 5000
FREE = ("--images-http", "127.0.0.1:0", "--images-https", "127.0.0.1:0")


def shell(*words: object) -> None:
    assert run([*map(str, words)]) == 0, words


def with_token(folder: Path, pki: Pki, label: str) -> list[object]:
    """Return the words of ``init`` that name a new token's key and its certificate."""
    token = SoftToken(folder / label, label=label)
    token.make_rsa("oc")
    owner = folder / f"{label}.pem"
    public = Pkcs11Signer.from_uri(token.uri("oc")).public_key
    write_certificates(owner, [pki.issue_for(CertificateProfile.OWNER, public)])
    return [*FREE, "--owner-cert", owner, "--owner-key", token.uri("oc")]


def fill(folder: Path, site: Path, pinned: Path) -> None:
    """Put two routers with an image on record."""
    maker = folder / "maker"
    shell("manufacturer", "init", maker, "--name", "Acme")
    shell("--site", site, "vendor", "add", "Acme", "--ca", maker / "keys" / "ca.pem")
    (folder / "demo-os.img").write_bytes(IMAGE)
    image = ("image", "add", folder / "demo-os.img", "--name", "demo-os", "--version", "2.0")
    shell("--site", site, *image)
    inventory = {
        "profiles": [{"name": "p", "image": {"name": "demo-os", "version": "2.0"}}],
        "chassis": [
            {"vendor": "Acme", "serial_number": serial, "profile": "p"} for serial in SERIALS
        ],
    }
    (folder / "inventory.yaml").write_text(yaml.safe_dump(inventory))
    shell("--site", site, "import", folder / "inventory.yaml")
    for serial in SERIALS:
        made = ("--manufacturer", maker, "--serial", serial)
        shell("router", "manufacture", folder / serial, *made)
        voucher = folder / f"{serial}.vcj"
        shell("voucher", "issue", *made, "--pinned-domain-cert", pinned, "--to", voucher)
        shell("--site", site, "voucher", "import", voucher)


def test_each_server_signs_with_its_own_token_and_serves_its_own_copies(
    tmp_path: Path,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki", KeyKind.RSA_2048)
    one, two = tmp_path / "one", tmp_path / "two"
    shared = ["--database", cluster.url(), "--pinned-domain-cert", pki.ca]

    def boot(serial: str, address: str) -> None:
        capsys.readouterr()
        words = ["--uri", f"bootz://{address}", "--max-attempts", "1", "--output", "json"]
        assert run(["router", "boot", str(tmp_path / serial), *words]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "BOOTZ_OK"

    with ExitStack() as second, ExitStack() as first:
        shell("init", one, *shared, *with_token(tmp_path, pki, "token1"))
        fill(tmp_path, one, pki.ca)
        server = first.enter_context(served(one))
        boot("FX1", server.address)
        anchor = one / "keys" / "trust-anchor"
        anchors = ["--trust-anchor", anchor / "1.pem", "--trust-anchor-key", anchor / "1.key"]
        # From here on SOFTHSM2_CONF names the other token alone, also for the second server.
        shell("init", two, "--join", *shared, *anchors, *with_token(tmp_path, pki, "token2"))
        settings = yaml.safe_load((two / "bootz.yaml").read_text())
        settings["images"]["fetch_from"] = [f"https://{server.told['image_https'][0]}"]
        (two / "bootz.yaml").write_text(yaml.safe_dump(settings))
        other = second.enter_context(served(two))
        digest = sha256(IMAGE).hexdigest()
        assert other.wait_for("image-fetched")["sha256"] == digest
        first.close()
        boot("FX2", other.address)
    (copy,) = (two / "images").rglob(f"{digest}*")
    assert copy.read_bytes() == IMAGE
    for site in (one, two):
        assert not list(site.rglob("owner/*.key"))
    assert len({path.read_bytes() for path in tmp_path.glob("token?.pem")}) == 2
