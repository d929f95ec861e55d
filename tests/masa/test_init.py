"""``bootz masa init``: keys of its own, under a manufacturer's CA, or in a token."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from crash import killed_runs
from cryptography.hazmat.primitives.serialization import Encoding
from keystore.softhsm import LIBRARY, PIN, SoftToken
from masa.world import IEN
from pkcs11.util.ec import encode_named_curve_parameters
from pki import make_pair

from bootz.cli.main import run
from bootz.errors import ConfigError
from bootz.keystore.files import load_certificates
from bootz.masa.folder import open_masa
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.trust.voucher import verify_voucher


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run([*words, "--output", "json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out or "null")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert run([*words, "--output", "json"]) == 1
    reason: str = json.loads(capsys.readouterr().err.splitlines()[-1])["error"]["reason"]
    return reason


def issue(capsys: pytest.CaptureFixture[str], masa: Path) -> bytes:
    """Enter a customer and answer one request."""
    at = ("--masa", str(masa))
    pin = make_pair("domain", ca=True)
    file = masa.parent / "pin.pem"
    file.write_bytes(pin.certificate.public_bytes(Encoding.PEM))
    told(capsys, "masa", "org", "add", "acme", *at)
    told(capsys, "masa", "serial", "add", "SN1", "--ien", IEN, "--org", "acme", *at)
    told(capsys, "masa", "cert", "add", "acme", str(file), *at)
    request = masa.parent / "request.json"
    import base64

    pinned = base64.b64encode(pin.der).decode()
    request.write_text(json.dumps({"serial-number": "SN1", "pinned-domain-cert": pinned}))
    voucher = masa.parent / "SN1.vcj"
    told(capsys, "masa", "voucher", "issue", str(request), "-o", str(voucher), *at)
    return voucher.read_bytes()


def test_vouchers_under_the_ca_of_the_factory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker, masa = tmp_path / "maker", tmp_path / "masa"
    made = told(capsys, "manufacturer", "init", str(maker), "--name", "Acme Labs")
    told(capsys, "masa", "init", str(masa), "--ien", IEN, "--manufacturer", str(maker))
    anchor = load_certificates(Path(made["ca_certificate"]))
    assert load_certificates(masa / "keys" / "root.pem") == anchor
    assert not (masa / "keys" / "root.key").exists()
    assert (masa / "masa.yaml").read_text().startswith("name: Acme Labs\n")
    voucher = verify_voucher(issue(capsys, masa), VendorCAs(AnchorSet.from_der(anchor)), now=None)
    assert voucher.content.serial_number == "SN1"


def test_a_root_that_exists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, leaf = make_pair("root", ca=True), make_pair("leaf")
    files = {name: pair.save(tmp_path, name) for name, pair in (("root", root), ("leaf", leaf))}
    for _, key in files.values():
        key.chmod(0o600)
    words = ("masa", "init", str(tmp_path / "masa"), "--ien", IEN, "--root-cert")
    certificate, key = map(str, files["root"])
    other, other_key = map(str, files["leaf"])
    assert refused(capsys, *words, certificate, "--root-key", other_key) == "key-mismatch"
    assert refused(capsys, *words, other, "--root-key", other_key) == "certificate-unfit"
    assert run([*words, certificate]) == 2
    assert not (tmp_path / "masa").exists()
    told(capsys, *words, certificate, "--root-key", key)
    assert refused(capsys, *words, certificate, "--root-key", key) == "file-exists"
    assert issue(capsys, tmp_path / "masa")


def test_a_crash_leaves_a_masa_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masa = tmp_path / "masa"
    for _ in killed_runs(["masa", "init", str(masa), "--ien", IEN], tmp_path, every=11):
        if masa.exists():
            break
    assert issue(capsys, masa)


def test_a_clock_before_the_keys_serves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masa = tmp_path / "masa"
    told(capsys, "masa", "init", str(masa), "--name", "Acme", "--ien", "9")
    opened = open_masa(masa, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(ConfigError) as caught:
        opened.make_service()
    assert caught.value.reason == "clock-behind"
    opened.close()


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("mine")
    words = ("masa", "init", str(tmp_path), "--ien", IEN)
    assert refused(capsys, *words) == "file-exists"
    assert (tmp_path / "notes").read_text() == "mine"
    words = ("masa", "init", str(tmp_path / "masa"), "--ien", "nine")
    assert refused(capsys, *words) == "masa-record-invalid"
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.softhsm
def test_a_key_in_a_token_signs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    token = SoftToken(tmp_path / "hsm", "maker")
    library = pkcs11.lib(str(LIBRARY))
    library.reinitialize()
    with library.get_token(token_label="maker").open(rw=True, user_pin=PIN) as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        parameters.generate_keypair(label="vouchers", store=True)
    masa = tmp_path / "masa"
    words = ("masa", "init", str(masa), "--ien", IEN, "--signer-key")
    assert refused(capsys, *words, token.uri("nothing")) == "pkcs11-token-refused"
    assert not masa.exists()
    told(capsys, *words, token.uri("vouchers"))
    assert not (masa / "keys" / "voucher-signer.key").exists()
    anchors = load_certificates(masa / "keys" / "root.pem")
    assert verify_voucher(issue(capsys, masa), VendorCAs(AnchorSet.from_der(anchors)), now=None)
