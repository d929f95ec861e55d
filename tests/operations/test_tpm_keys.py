"""TPM keys in the inventory: stored per card, from files and from a manufacturer's records."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection
from store.fresh import fresh_database
from store.world import maker, owner

from bootz.cli.main import run
from bootz.errors import ConfigError, UnknownChassis
from bootz.keystore.files import write_certificates
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.chassis import CardRecord, ChassisRecord, add_chassis, find_chassis
from bootz.server.operations.tpm_keys import store_tpm_keys
from bootz.server.operations.vendors import add_vendor
from bootz.trust.certificates import fingerprint


def spki(name: str) -> bytes:
    key = owner(name).key.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


EK, PPK = spki("ek"), spki("ppk")


def test_what_the_manufacturer_says_is_added_to_what_is_known(connection: Connection) -> None:
    cards = (CardRecord("RP0", slot="0"), CardRecord("RP1"))
    add_chassis(connection, ChassisRecord("Acme", "CH1", modular=True, cards=cards))
    store_tpm_keys(connection, "rp0", TpmRecord(TpmVersion.TPM20, ppk=PPK))
    changed = store_tpm_keys(connection, "RP0", TpmRecord(ek_certificate=owner("ek").der))
    assert changed == find_chassis(connection, "CH1")
    # The EK is taken from its certificate.
    expected = TpmRecord(TpmVersion.TPM20, EK, PPK, None, owner("ek").der)
    assert changed.cards == (CardRecord("RP0", slot="0", tpm=expected), cards[1])


@pytest.mark.parametrize(
    ("tpm", "told"),
    [
        (TpmRecord(ek=b"x"), "tpm.ek"),
        (TpmRecord(key=b"x" * 5000), "tpm.key"),
        (TpmRecord(ek_certificate=b"x"), "tpm.ek_certificate"),
        (TpmRecord(ek=PPK, ek_certificate=owner("ek").der), "tpm.ek is not"),
        (TpmRecord(TpmVersion.TPM12, ppk=PPK), "tpm.ppk"),
    ],
)
def test_what_is_no_key(connection: Connection, tpm: TpmRecord, told: str) -> None:
    add_chassis(connection, ChassisRecord("Acme", "FX1"))
    with pytest.raises(ConfigError, match=told):
        store_tpm_keys(connection, "FX1", tpm)
    assert find_chassis(connection, "FX1").cards[0].tpm == TpmRecord()


def test_the_padding_of_an_nv_index_is_not_kept(connection: Connection) -> None:
    add_chassis(connection, ChassisRecord("Acme", "FX1"))
    padded = owner("ek").der + b"\xff" * 700
    (card,) = store_tpm_keys(connection, "FX1", TpmRecord(ek_certificate=padded)).cards
    assert (card.tpm.ek, card.tpm.ek_certificate) == (EK, owner("ek").der)
    text = base64.b64encode(owner("ek").der + bytes(700)).decode()
    document = {
        "vendor": "Acme",
        "serial_number": "FX2",
        "cards": [{"serial_number": "FX2", "tpm": {"ek_certificate": text}}],
    }
    read = ChassisRecord.from_document(document)
    assert add_chassis(connection, read).cards[0].tpm == card.tpm


def test_a_chassis_with_slots_is_no_card(connection: Connection) -> None:
    add_chassis(connection, ChassisRecord("Acme", "CH1", modular=True, cards=(CardRecord("RP0"),)))
    for serial in ("CH1", "unknown"):
        with pytest.raises(UnknownChassis):
            store_tpm_keys(connection, serial, TpmRecord(ek=EK))


def test_keys_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ek = tmp_path / "ek.pem"
    ek.write_bytes(
        owner("ek").key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "ppk.der").write_bytes(PPK)
    write_certificates(tmp_path / "ek.crt", [owner("ek").der])
    (tmp_path / "bootz.yaml").write_text("site: {}\n" if False else "")
    (tmp_path / "bootz.yaml").write_text(
        "owner: {certificate: oc.pem, key: oc.key, pinned_domain_certificate: oc.pem}\n"
    )
    write_certificates(tmp_path / "oc.pem", [owner().der])
    database = fresh_database(tmp_path / "bootz.db")
    with database.write() as connection:
        add_vendor(connection, maker().vendor)

    def call(*words: str) -> tuple[int, str]:
        code = run(["--site", str(tmp_path), "chassis", *words, "--output", "json"])
        out, err = capsys.readouterr()
        return code, out or err

    code, out = call("add", "FX1", "--vendor", "Acme", "--tpm-ek", str(ek), "--tpm-version", "2.0")
    assert code == 0, out
    shown = json.loads(out)["cards"][0]["tpm"]
    assert shown == {"version": "2.0", "ek": fingerprint(EK)}
    code, out = call("set", "FX1", "--tpm-ppk", f"fx1={tmp_path / 'ppk.der'}")
    assert json.loads(out)["cards"][0]["tpm"] == shown | {"ppk": fingerprint(PPK)}
    code, out = call("set", "FX1", "--forget-tpm", "--tpm-ek-certificate", f"{tmp_path / 'ek.crt'}")
    assert json.loads(out)["cards"][0]["tpm"] == {
        "ek": fingerprint(EK),
        "ek_certificate": fingerprint(owner("ek").der),
    }
    with database.read() as connection:
        document: Any = find_chassis(connection, "FX1").to_document()
    (card,) = document["cards"]
    assert card["tpm"]["ek"] == base64.b64encode(EK).decode()
    database.close()
    assert call("set", "FX1", "--tpm-ek", str(tmp_path / "bootz.yaml"))[0] == 1
    assert call("set", "FX1", "--tpm-ek", f"other={ek}")[0] == 2
    assert call("set", "FX1", "--tpm-version", "3")[0] == 2
