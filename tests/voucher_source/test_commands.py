"""``bootz voucher``: fetch, renew, missing, expiring, request, bundle, export."""

from __future__ import annotations

import base64
import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from masa.world import IEN, NOW
from operations.shell import Shell
from pki import make_pair
from store.world import maker, owner
from voucher_source.party import Manufacturer

from bootz.masa.ledger.nouns import ComponentName, TpmData
from bootz.trust.bundle import read_bundle
from bootz.trust.request import parse_voucher_request
from bootz.trust.voucher import parse_unverified_voucher


@pytest.fixture
def site(shell: Shell, manufacturer: Manufacturer, tmp_path: Path) -> Shell:
    shell.ok("vendor", "set", "Acme", *manufacturer.words(tmp_path / "token"))
    for serial in ("FX1", "fx2"):
        shell.ok("chassis", "add", serial, "--vendor", "Acme")
    return shell


def outcomes(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["serial_number"]: row.get("reason") or row["outcome"] for row in rows}


def missing(site: Shell) -> list[str]:
    return [row["serial_number"] for row in site.json("voucher", "missing")]


def test_what_is_missing_is_fetched(site: Shell, manufacturer: Manufacturer) -> None:
    assert missing(site) == ["FX1", "fx2"]
    rows = site.json("voucher", "fetch")
    assert outcomes(rows) == {"FX1": "stored", "fx2": "stored"}
    # Without case the same card; a router compares exactly.
    assert any("FX2" in str(row["warnings"]) or row["warnings"] for row in rows)
    assert missing(site) == []
    assert site.json("voucher", "fetch") == []
    assert manufacturer.issued() == 2
    (row,) = site.json("voucher", "list", "--serial", "FX1")
    assert row["signer"] == "CN=Example Vendor voucher signer,O=Example Vendor"
    assert row["days_left"] == 1


def test_insecure_chassis_need_no_voucher(site: Shell) -> None:
    site.ok("chassis", "set", "FX1", "--boot-mode", "insecure")
    assert missing(site) == ["fx2"]
    assert site.refused("voucher", "fetch", "FX1") == "voucher-card-unknown"


def test_a_card_that_the_manufacturer_does_not_know_fails_alone(site: Shell) -> None:
    site.ok("chassis", "add", "ZZ9", "--vendor", "Acme")
    code, out, err = site.run("voucher", "fetch", "--output", "json")
    assert (code, json.loads(err.splitlines()[-1])["error"]["reason"]) == (
        1,
        "voucher-fetch-incomplete",
    )
    assert outcomes(json.loads(out)) == {"FX1": "stored", "fx2": "stored", "ZZ9": "masa-refused"}
    assert missing(site) == ["ZZ9"]


def test_renewal(site: Shell, manufacturer: Manufacturer) -> None:
    site.ok("voucher", "fetch", "FX1")
    assert site.json("voucher", "renew") == []
    expiring = site.json("voucher", "expiring")
    assert [row["serial_number"] for row in expiring] == ["FX1"]
    assert site.json("voucher", "expiring", "--days", "0") == []
    # The registration ends when the voucher does: nothing would be won.
    assert outcomes(site.json("voucher", "renew", "--within", "9")) == {"FX1": "kept"}
    assert outcomes(site.json("voucher", "renew", "FX1")) == {"FX1": "stored"}
    assert manufacturer.issued() == 2
    assert len(site.json("voucher", "list")) == 2


def test_a_vendor_without_a_source(site: Shell) -> None:
    site.ok("vendor", "set", "Acme", "--ovgs", "")
    code, out, _ = site.run("voucher", "fetch", "--output", "json")
    assert code == 1
    assert set(outcomes(json.loads(out)).values()) == {"voucher-source-missing"}
    assert {row["source"] for row in site.json("voucher", "missing")} == {"none"}


def test_a_registration_of_another_certificate_is_told_and_nothing_issued(
    site: Shell, manufacturer: Manufacturer
) -> None:
    with manufacturer.folder.records() as records:
        other = records.add_certificate(
            "org-acme",
            owner("rival").der,
            revocation_checks=False,
            expires_at=NOW + timedelta(days=1),
        )
    site.ok("vendor", "set", "Acme", "--cert-id", other.cert_id)
    code, out, _ = site.run("voucher", "fetch", "--output", "json")
    assert code == 1
    assert set(outcomes(json.loads(out)).values()) == {"masa-pins-other"}
    assert manufacturer.issued() == 0


def test_tokens(site: Shell, tmp_path: Path, manufacturer: Manufacturer) -> None:
    token = tmp_path / "token"
    token.write_text("masa_wrong-wrong-wrong")
    code, out, err = site.run("voucher", "fetch", "FX1", "--output", "json")
    assert outcomes(json.loads(out)) == {"FX1": "masa-token-refused"}
    assert "wrong-wrong" not in out + err
    token.unlink()
    code, out, _ = site.run("voucher", "fetch", "FX1", "--output", "json")
    assert (code, outcomes(json.loads(out))) == (1, {"FX1": "key-missing"})
    assert manufacturer.issued() == 0


def test_a_service_that_is_down(shell: Shell, manufacturer: Manufacturer, tmp_path: Path) -> None:
    words = manufacturer.words(tmp_path / "token")
    words[words.index("--ovgs") + 1] = "127.0.0.1:1"
    shell.ok("vendor", "set", "Acme", *words)
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme")
    code, out, _ = shell.run("voucher", "fetch", "--output", "json")
    assert (code, outcomes(json.loads(out))) == (1, {"FX1": "masa-unreachable"})


def test_tpm_keys_come_with_vouchers(site: Shell, manufacturer: Manufacturer) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certificate = make_pair("ek")
    manufacturer.sell("FX7", tpm=TpmData(platform_primary_key=spki))
    manufacturer.sell("FX8", tpm=TpmData(ek_certificate=certificate.der))
    manufacturer.sell("FX9", tpm=TpmData(endorsement_key=spki))
    for serial in ("FX7", "FX8", "FX9"):
        site.ok("chassis", "add", serial, "--vendor", "Acme")
    assert set(outcomes(site.json("voucher", "fetch")).values()) == {"stored"}

    def tpm(serial: str) -> dict[str, str]:
        (card,) = site.json("chassis", "show", serial)["cards"]
        return dict(card["tpm"])

    assert set(tpm("FX7")) == {"version", "ppk"}
    assert set(tpm("FX8")) == {"version", "ek", "ek_certificate"}
    assert tpm("FX9")["version"] == "1.2"
    assert tpm("FX7")["ppk"] == tpm("FX9")["ek"]


def test_an_ek_whose_certificate_nobody_vouches_for_is_not_kept(
    site: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    root, forged = make_pair("tpm vendor", ca=True), make_pair("forged")
    (tmp_path / "ek.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    manufacturer.sell("FX7", tpm=TpmData(ek_certificate=forged.der))
    manufacturer.sell("FX8", tpm=TpmData(ek_certificate=make_pair("ek", root).der))
    source = site.json("vendor", "show", "Acme")["settings"]["voucher_source"]
    file = site.file("source.yaml", json.dumps({**source, "ek_roots": str(tmp_path / "ek.pem")}))
    site.ok("vendor", "set", "Acme", "--voucher-source", file)
    for serial in ("FX7", "FX8"):
        site.ok("chassis", "add", serial, "--vendor", "Acme")
    rows = {row["serial_number"]: row for row in site.json("voucher", "fetch", "FX7", "FX8")}
    assert rows["FX7"]["outcome"] == rows["FX8"]["outcome"] == "stored"
    assert "tpm-ek-untrusted" in rows["FX7"]["warnings"][0]
    assert "tpm" not in site.json("chassis", "show", "FX7")["cards"][0]
    assert "ek" in site.json("chassis", "show", "FX8")["cards"][0]["tpm"]


@pytest.mark.parametrize("where", ["answer", "setting"])
def test_an_ek_below_an_issuing_ca_leads_to_the_root_alone(
    site: Shell, manufacturer: Manufacturer, tmp_path: Path, where: str
) -> None:
    root = make_pair("tpm vendor", ca=True)
    issuing = make_pair("tpm issuing", root, ca=True)
    ek = make_pair("ek", issuing)
    (tmp_path / "roots.p7b").write_bytes(
        pkcs7.serialize_certificates([root.certificate], Encoding.DER)
    )
    (tmp_path / "issuing.pem").write_bytes(issuing.certificate.public_bytes(Encoding.PEM))
    behind = issuing.der if where == "answer" else b""
    manufacturer.sell("FX7", tpm=TpmData(ek_certificate=ek.der + behind + b"\xff" * 100))
    source = site.json("vendor", "show", "Acme")["settings"]["voucher_source"]
    source["ek_roots"] = str(tmp_path / "roots.p7b")

    def fetched() -> tuple[list[str], bool]:
        file = site.file("source.yaml", json.dumps(source))
        site.ok("vendor", "set", "Acme", "--voucher-source", file)
        (row,) = site.json("voucher", "fetch", "FX7")
        (card,) = site.json("chassis", "show", "FX7")["cards"]
        return row["warnings"], "ek" in card.get("tpm", {})

    site.ok("chassis", "add", "FX7", "--vendor", "Acme")
    if where == "setting":
        (warning,), kept = fetched()
        assert ("tpm-ek-untrusted" in warning, kept) == (True, False)
        source["ek_intermediates"] = str(tmp_path / "issuing.pem")
    assert fetched() == ([], True)


def test_a_folder_is_a_source_too(site: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    ca = site.file("acme.der", maker().ca)
    site.ok("vendor", "set", "Acme", "--voucher-ca", ca, "--voucher-folder", str(folder))
    code, out, _ = site.run("voucher", "fetch", "--output", "json")
    assert set(outcomes(json.loads(out)).values()) == {"voucher-source-lacks"}
    good = maker().voucher("FX1", owner().der)
    (folder / "FX1.vcj").write_bytes(good)
    (folder / "wrong.vcj").write_bytes(maker().voucher("FX1", owner("rival").der))
    (folder / "junk.vcj").write_bytes(b"junk")
    (folder / "junk.tar").write_bytes(bytes(10240))
    with tarfile.open(folder / "order.tar", "w") as tar:
        member = tarfile.TarInfo("any")
        rogue = maker("Rogue").voucher("FX2", owner().der)
        member.size = len(rogue)
        (tmp_path / "rogue").write_bytes(rogue)
        with (tmp_path / "rogue").open("rb") as file:
            tar.addfile(member, file)
    code, out, _ = site.run("voucher", "fetch", "--output", "json")
    assert (code, outcomes(json.loads(out))) == (
        1,
        {"FX1": "stored", "fx2": "ov-untrusted-signer"},
    )
    assert missing(site) == ["fx2"]


def test_a_request_by_mail_is_answered_by_a_masa(
    site: Shell, manufacturer: Manufacturer, tmp_path: Path
) -> None:
    from bootz.cli.main import run

    path = tmp_path / "request.json"
    site.ok("voucher", "request", "--missing", "--expires", "1", "-o", str(path))
    items = json.loads(path.read_text())
    assert [item["serial-number"] for item in items] == ["FX1", "fx2"]
    assert base64.b64decode(items[0]["pinned-domain-cert"]) == owner().der
    tar = tmp_path / "answer.tar"
    folder = str(manufacturer.folder.path)
    assert run(["masa", "voucher", "issue", str(path), "-o", str(tar), "--masa", folder]) == 0
    site.capsys.readouterr()
    rows = site.json("voucher", "import", str(tar), "--dry-run")
    assert outcomes(rows) == {"FX1": "stored", "FX2": "stored"}
    assert missing(site) == ["FX1", "fx2"]
    site.ok("voucher", "import", str(tar))
    assert missing(site) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Serial Number\nSN1\nSN2\n", ()),
        ("# order 4711\nPID,Serial Number,Qty\nR-1,SN1,1\n\n# more\nR-1,SN2,1\n", ()),
        ("PID;S/N\nR-1;SN1\nR-1;SN2\n", ("--column", "s/n")),
        ("Line\tChassis\n1\tSN1\n2\tSN2\n", ("--column", "Chassis")),
        ("Chassis\nSN1\nSN2\n", ("--column", "Chassis")),
        ("SN1\n# SN9\nSN2\n", ()),
        ("SN1 # the first\nSN2\t// and the second\n", ()),
        ("Order,4711,\nDate,2026-11-29,\n\nPID,Serial Number,Qty\nR-1,SN1,1\nR-1,SN2,1\n", ()),
        ("Order;4711\nPID;Chassis\nR-1;SN1\nR-1;SN2\n", ("--column", "Chassis")),
        ('"serial"\r\n="SN1"\r\n"SN2"\r\n', ()),
        ('"PID","Serial Number"\n"R-1","SN1"\n"","SN2"\n', ()),
        ('"PID";"Serial Number"\n"R-1, new";"SN1"\n"";"SN2"\n', ()),
        ('"PID"\t"Chassis"\n"R-1"\t"SN1"\n"R-1"\t"SN2"\n', ("--column", "Chassis")),
    ],
)
def test_the_serial_numbers_of_a_purchase_order_are_found(
    shell: Shell, text: str, words: tuple[str, ...]
) -> None:
    order = shell.file("order.csv", text)
    items = json.loads(shell.ok("voucher", "request", "--serials-file", order, *words))
    assert [item["serial-number"] for item in items] == ["SN1", "SN2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Serial Number\nSN1\nTotal\n", ()),
        ("Serial Number,Qty\nSN1,1\n,2\n", ()),
        ("Serial Number\nSN1 SN2\n", ()),
        ("Serial Number\nSN1#SN2\n", ()),
        ("Order,4711\n" * 20 + "PID,Serial Number\nR-1,SN1\n", ()),
        ("Serial Number\n4.09E+11\n", ()),
        ("Serial Number\n" + "9" * 65 + "\n", ()),
        ("PID,Chassis\nR-1,SN1\n", ()),
        ("PID,Chassis\nR-1,SN1\n", ("--column", "Serial")),
        ("SN1,1\nSN2,1\n", ()),
        ('"PID","Chassis"\n"R-1","SN1"\n', ()),
        ('"PID","Serial Number"\n"R-1","SN1\n', ()),
        ('PID,Serial Number\nR-1,"SN1"x\n', ()),
    ],
)
def test_what_is_not_a_serial_number_is_refused(
    shell: Shell, text: str, words: tuple[str, ...]
) -> None:
    order = shell.file("order.csv", text)
    shell.refused("voucher", "request", "--serials-file", order, *words)


def test_requests(shell: Shell, tmp_path: Path) -> None:
    one = parse_voucher_request(shell.ok("voucher", "request", "SN1").encode())
    assert (one.serial_number, one.expires_on, one.idevid_issuer) == ("SN1", None, None)
    order = shell.file("order.txt", "SN1\n\nSN2\nsn1\n")
    items = json.loads(shell.ok("voucher", "request", "SN9", "--serials-file", order))
    assert [item["serial-number"] for item in items] == ["SN9", "sn1", "SN2"]
    words = ("voucher", "request", "SN1", "--expires", "1", "--renew-until")
    two = parse_voucher_request(shell.ok(*words, "300").encode())
    assert two.last_renewal_date is not None
    refused = (
        ("SN1", "--expires", "2000"),
        ("SN1", "--expires", "2001-01-01"),
        ("SN1", "--renew-until", "9"),
        ("a\tb",),
        ("x" * 65,),
    )
    for words in refused:
        assert shell.refused("voucher", "request", *words) == "voucher-request-unfit"
    assert shell.run("voucher", "request")[0] == 2
    idevid = shell.file("idevid.der", make_pair("device", make_pair("ca", ca=True)).der)
    assert (
        shell.refused("voucher", "request", "SN1", "--idevid-cert", idevid)
        == "voucher-request-unfit"
    )


def test_bundles_and_exports(shell: Shell, tmp_path: Path) -> None:
    shell.ok(
        *("chassis", "add", "M1", "--vendor", "Acme", "--modular"),
        *("--card", "RP0", "--card", "RP1"),
    )
    for serial in ("RP0", "RP1", "odd name"):
        vcj = shell.file("v.vcj", maker().voucher(serial, owner().der))
        shell.ok("voucher", "import", vcj)
    old = maker().voucher("RP0", owner().der, created=NOW - timedelta(days=9))
    shell.ok("voucher", "import", shell.file("old.vcj", old))
    first, again = tmp_path / "a.tar", tmp_path / "b.tar"
    told = shell.json("voucher", "bundle", "M1", "odd name", "-o", str(first))
    assert told["serial_numbers"] == ["RP0", "RP1", "odd name"]
    shell.ok("voucher", "bundle", "odd name", "rp1", "RP0", "-o", str(again))
    assert first.read_bytes() == again.read_bytes()
    contents = read_bundle(first.read_bytes())
    found = {parse_unverified_voucher(raw).serial_number: raw for _, raw in contents.entries}
    assert set(found) == {"RP0", "RP1", "odd name"}
    assert found["RP0"] != old
    assert shell.refused("voucher", "bundle", "RP9", "-o", str(again)) == "voucher-not-found"
    shell.ok("voucher", "export", "M1", "--to", str(tmp_path / "out"))
    assert (tmp_path / "out" / "RP1.vcj").read_bytes() == found["RP1"]
    rows = shell.json("voucher", "import", str(first))
    assert {row["outcome"] for row in rows} == {"same"}


def test_it_comes_again_after_a_pause(site: Shell, manufacturer: Manufacturer) -> None:
    site.ok("voucher", "fetch", "FX1")
    with manufacturer.folder.records() as records:
        records.remove_component(ComponentName(IEN, "FX2"))
    code, _, _ = site.run("voucher", "fetch")
    assert code == 1
    manufacturer.sell("FX2")
    site.ok("voucher", "fetch")
    assert missing(site) == []
