"""Whether the site is well: without login a word, with a login which part is not, and why.

docs/operator-ids.md: O16.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from api.conftest import World

from bootz.server.api.auth.roles import OperatorRole

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "src/bootz/server/api/assets"


def parts(world: World) -> dict[str, bool]:
    return {each["part"]: each["well"] for each in world.get("/status")["parts"]}


def test_a_site_that_is_well_says_so(world: World) -> None:
    assert world.client.get("/healthz").json() == {"status": "ok"}
    assert world.client.get("/readyz").json() == {"status": "ready"}
    told = world.get("/status")
    assert told["ready"]
    assert parts(world) == dict.fromkeys(
        ("database", "schema", "owner-identity", "certificates", "voucher-sources"), True
    )
    assert told["unsafe"] == {"insecure": 0, "skip_serial": 0}


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ("no certificates", "owner-identity"),
        ("ended", "certificates"),
        ("other schema", "schema"),
        ("broken vendor", "voucher-sources"),
    ],
)
def test_what_is_not_well_is_told_to_a_login_alone(world: World, fault: str, part: str) -> None:
    with world.database.write() as connection:
        match fault:
            case "no certificates":
                connection.exec_driver_sql("DELETE FROM site_certificate")
            case "other schema":
                keys = "('schema', 'oldest_program')"
                connection.exec_driver_sql(f"UPDATE meta SET value = 99 WHERE key IN {keys}")
            case "broken vendor":
                connection.exec_driver_sql("UPDATE vendor SET idevid_ca = 'x'")
            case _:
                pass
    if fault == "ended":
        with world.database.write() as connection:
            connection.exec_driver_sql("UPDATE api_token SET expires_at = NULL")
        world.now += timedelta(days=100_000)

    answer = world.client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
    told = world.get("/status")
    wrong = {each["part"]: each for each in told["parts"] if not each["well"]}
    assert not told["ready"]
    assert part in wrong
    assert wrong[part]["reason"]
    assert wrong[part]["next_action"]


def test_chassis_without_proofs_are_counted(world: World) -> None:
    body = {"vendor": "Acme", "serial_number": "FX1", "boot_mode": "insecure"}
    world.call(OperatorRole.SECURITY, "POST", "/chassis", json=body)
    other = {"vendor": "Acme", "serial_number": "FX2", "skip_idevid_serial_check": True}
    world.call(OperatorRole.SECURITY, "POST", "/chassis", json=other)

    assert world.get("/status")["unsafe"] == {"insecure": 1, "skip_serial": 1}


def test_the_pages_of_the_description_come_from_the_door_alone(world: World) -> None:
    page = world.client.get("/api/docs")

    assert page.status_code == 200
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?://|<style|style=| on[a-z]+=", page.text)
    for place in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert world.client.get(place).status_code == 200, place
    assert world.client.get("/api/docs/assets/../openapi.json").status_code == 404


def test_what_is_vendored_is_what_the_manifest_names() -> None:
    rows = json.loads((ASSETS / "vendor/manifest.json").read_text())

    written = (ROOT / "tools/write_vendored.py").read_text()
    for row in rows:
        content = (ASSETS / "vendor" / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert row["version"] in written
        assert row["licence"] == "Apache-2.0"
