"""The support bundle: what helps is in it, what is secret is not, and a broken site has one too."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from store.world import call, maker

from bootz.cli.main import run
from bootz.server.api.auth.accounts import add_account, begin_session, make_link
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.operations.chassis import add_chassis
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.webhooks import add_webhook
from bootz.server.store.attempt_log import AttemptLog, JournalLimits
from bootz.server.store.database import open_database

NOW = datetime.now(UTC)
PARTS = {
    "versions.json",
    "settings.json",
    "database.json",
    "certificates.json",
    "attempts.json",
    "events.json",
    "audit.json",
    "webhooks.json",
    "metrics.txt",
    "preflight.json",
}


def read(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            found[member.name.partition("/")[2]] = content.read()
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    assert run(["init", str(root), "--organization", "Example"]) == 0
    return root


def test_it_has_what_helps_and_no_secret(site: Path, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{site}/bootz.db")
    planted = ["PLANTED-CONFIG", "PLANTED-VARIABLE", "PLANTED-BOOT-HASH", "PLANTED-PASSWORD"]
    with database.write() as connection:
        add_vendor(connection, maker("Acme").vendor)
        document = {
            "vendor_config": "secret PLANTED-CONFIG {{ variables.word }}\n",
            "variables": {"word": "PLANTED-VARIABLE"},
            "boot_password_hash": "PLANTED-BOOT-HASH",
        }
        add_profile(connection, ProfileRecord("base", ProfileDocument.parse(document)))
        key = add_chassis(connection, ChassisRecord("Acme", "FX1", profile="base")).key
        password = "PLANTED-PASSWORD long enough"
        account = add_account(connection, "ann", OperatorRole.ADMIN, now=NOW, password=password)
        planted += [
            make_link(connection, "ann", now=NOW),
            begin_session(connection, account, "127.0.0.1", now=NOW),
            add_token(connection, "ci", OperatorRole.VIEWER, now=NOW)[1],
            add_webhook(connection, "ops", "https://hooks.example.net/PLANTED-PATH", now=NOW)[1],
            "PLANTED-PATH",
        ]
    with database.write_journal() as connection:
        AttemptLog(JournalLimits()).write(connection, [call(chassis_key=key, at=NOW)])
    database.close()
    file = tmp_path / "bundle.tar.gz"

    assert run(["--site", str(site), "support", str(file)]) == 0

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = read(file)
    assert set(found) == PARTS
    parsed: dict[str, Any] = {
        name: json.loads(content) for name, content in found.items() if name.endswith(".json")
    }
    assert not [name for name, told in parsed.items() if "error" in told]
    assert parsed["versions.json"]["packages"]["cryptography"]
    assert parsed["database.json"]["rows"]["chassis"] == 1
    assert {each["role"] for each in parsed["certificates.json"]} >= {"tls", "owner"}
    assert parsed["attempts.json"][0]["claimed_serial"] == "FX1"
    assert parsed["events.json"][0]["kind"] == "answered"
    assert parsed["webhooks.json"][0]["url"] == "hooks.example.net"
    assert "bootz_chassis{" in found["metrics.txt"].decode()
    outcomes = {
        each["check"]: each["outcome"]
        for report in parsed["preflight.json"]
        for each in report["checks"]
    }
    assert outcomes["render"] == "passed"

    everything = gzip.GzipFile(fileobj=io.BytesIO(file.read_bytes())).read()
    for secret in [*planted, "PRIVATE KEY", "$argon2", "whsec_"]:
        assert secret.encode() not in everything, secret
    for key_file in (site / "keys").rglob("*"):
        if key_file.is_file() and b"PRIVATE" in key_file.read_bytes():
            assert key_file.read_bytes().splitlines()[1] not in everything


def test_it_overwrites_nothing(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.write_text("mine")
    assert run(["--site", str(site), "support", str(file)]) == 1
    assert file.read_text() == "mine"


def test_a_part_that_cannot_be_had_is_replaced_by_the_reason(site: Path, tmp_path: Path) -> None:
    keyring = next((site / "keys").rglob("*.json"))
    keyring.write_text("{")
    file = tmp_path / "bundle.tar.gz"

    assert run(["--site", str(site), "support", str(file)]) == 0

    found = read(file)
    assert set(found) == PARTS
    assert json.loads(found["preflight.json"])["error"]
    assert json.loads(found["versions.json"])["bootz"]


def test_a_site_whose_database_is_away_has_one_too(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (site / "bootz.yaml").open("a") as settings:
        # No one listens there.
        settings.write("\ndatabase: {url: 'postgresql://someone@127.0.0.1:1/bootz'}\n")
    file = tmp_path / "bundle.tar.gz"

    assert run(["--site", str(site), "support", str(file), "--output", "json"]) == 0

    told = json.loads(capsys.readouterr().out)
    found = read(file)
    assert set(found) == PARTS == set(told["parts"])
    there = {"versions.json", "settings.json", "metrics.txt"}
    assert set(told["missing"]) == PARTS - there
    for name in PARTS - there:
        assert json.loads(found[name])["error"] == told["missing"][name] == "database-unavailable"
    settings_told = json.loads(found["settings.json"])
    assert settings_told["database"]["url"] == "postgresql://someone@127.0.0.1:1/bootz"
    assert found["metrics.txt"]


def test_secrets_in_settings_are_hidden_where_the_site_has_no_fingerprint(
    site: Path, tmp_path: Path
) -> None:
    (site / "bootz.db").unlink()
    with (site / "bootz.yaml").open("a") as settings:
        settings.write(
            "\nsources: [{name: sot, kind: netbox, url: 'https://a.example',"
            " token_file: PLANTED-PLACE, select: {status: [planned]}}]\n"
        )
    file = tmp_path / "bundle.tar.gz"

    assert run(["--site", str(site), "support", str(file)]) == 0

    content = read(file)["settings.json"]
    assert json.loads(content)["sources"][0]["token_file"] == "hidden"
    assert b"PLANTED-PLACE" not in content


@pytest.mark.parametrize(
    ("section", "key", "url", "told"),
    [
        # One that the server would not start with, too.
        (
            "database",
            "url",
            "postgresql://someone:PLANTED@127.0.0.1:1/bootz",
            "postgresql://someone:hidden@127.0.0.1:1/bootz",
        ),
        (
            "database",
            "url",
            "postgresql://someone:PLANTED/P@PLANTED@127.0.0.1:1/bootz",
            "postgresql://someone:hidden@127.0.0.1:1/bootz",
        ),
        ("database", "url", "someone:PLANTED@127.0.0.1", "someone:hidden@127.0.0.1"),
        (
            "database",
            "url",
            "postgresql://someone@127.0.0.1:1/bootz?sslmode=require&password=PLANTED",
            "postgresql://someone@127.0.0.1:1/bootz?sslmode=require&password=hidden",
        ),
        (
            "telemetry",
            "otlp_endpoint",
            "http://someone:PLANTED@127.0.0.1:4318/v1/traces",
            "http://someone:hidden@127.0.0.1:4318/v1/traces",
        ),
        ("images", "base_url", "http://a:PLANTED@127.0.0.1/x", "http://a:hidden@127.0.0.1/x"),
        ("images", "base_url", "http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("dhcp", "kea4", "http://:PLANTED@127.0.0.1:8000/", "http://:hidden@127.0.0.1:8000/"),
    ],
)
def test_a_password_in_a_url_of_the_settings_is_hidden(
    site: Path, tmp_path: Path, section: str, key: str, url: str, told: str
) -> None:
    with (site / "bootz.yaml").open("a") as settings:
        settings.write(f"\n{section}: {{{key}: '{url}'}}\n")
    file = tmp_path / "bundle.tar.gz"

    assert run(["--site", str(site), "support", str(file)]) == 0

    found = read(file)
    assert json.loads(found["settings.json"])[section][key] == told
    assert not [name for name, content in found.items() if b"PLANTED" in content]
