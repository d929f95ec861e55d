"""Render, preflight, imports, exports and keys by the API: no secret leaves, nothing by halves.

docs/operator-ids.md: O14.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from api.conftest import World
from store.world import call, owner

from bootz.cli.site.image_target import image_target
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.chassis import chassis_by_key, set_chassis_by_key
from bootz.server.rendering.preview import PreviewTerms, preview_chassis
from bootz.server.rendering.reached import Reached
from bootz.server.store.attempt_log import AttemptLog, JournalLimits

HASH = "$6$planted$QmFkSGFzaA"
CONFIG = f"""hostname {{{{ chassis.hostname }}}}
username admin secret 10 {HASH}
snmp-server community plantedRO ro
"""
TABLE = "vendor,serial_number,hostname,profile\n"


def profile(world: World) -> None:
    body = {
        "name": "base",
        "vendor_config": CONFIG,
        "boot_password_hash": HASH,
        "variables": {"snmp_community": "plantedV", "site": "Oslo"},
    }
    answer = world.call(OperatorRole.OPERATOR, "POST", "/profiles", json=body)
    assert answer.status_code == 201, answer.text


def load(
    world: World,
    text: str,
    role: OperatorRole = OperatorRole.OPERATOR,
    media: str = "text/csv",
    **query: Any,
) -> Any:
    return world.call(
        role,
        "POST",
        "/imports",
        content=text.encode(),
        headers={"Content-Type": media},
        params=query,
    )


def test_what_is_rendered_shows_its_secrets_to_who_may_see_them(world: World) -> None:
    profile(world)
    key = world.chassis("FX1", hostname="r1", profile="base")

    seen = world.call(OperatorRole.OPERATOR, "GET", f"/chassis/{key}/render").text
    again = world.call(OperatorRole.VIEWER, "GET", f"/chassis/{key}/render").text
    whole = world.call(OperatorRole.SECURITY, "GET", f"/chassis/{key}/render").text

    assert "planted" not in seen
    assert "hostname r1" in seen
    # The fingerprint is the same for the same secret, wherever and whenever it is shown.
    assert seen == again
    assert whole.count(HASH) == 2
    assert "plantedRO" in whole


def test_it_is_rendered_in_the_dialect_that_is_asked_for(world: World) -> None:
    profile(world)
    key = world.chassis("FX1", hostname="r1", profile="base")

    for dialect in ("v0.1.0", "2023-11", "v0.3", "current"):
        assert world.get(f"/chassis/{key}/render?dialect={dialect}")["dialect"] == dialect
    wrong = world.call(OperatorRole.VIEWER, "GET", f"/chassis/{key}/render?dialect=v9")
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "request-invalid")
    other = world.call(OperatorRole.VIEWER, "GET", f"/chassis/{key}/render?card=FX9")
    assert (other.status_code, other.json()["reason"]) == (404, "chassis-not-found")


def test_what_was_last_sent_is_shown_with_its_difference(world: World) -> None:
    profile(world)
    key = world.chassis("FX1", hostname="r1", profile="base")
    assert world.get(f"/chassis/{key}/sent")["sent"] is False
    with world.database.read() as connection:
        terms = PreviewTerms(Reached(image_target), owner().der, ("192.0.2.9", 15006))
        body = preview_chassis(connection, key, terms).body
    with world.database.write_journal() as connection:
        made = call("FX1", chassis_key=key, written="current", content=body)
        log = AttemptLog(JournalLimits())
        log.write(connection, [replace(made, reached_at=terms.reached_at)])

    found = world.get(f"/chassis/{key}/sent")
    assert (found["sent"], found["same"], found["difference"]) == (True, True, [])
    assert found["reached_at"] == "192.0.2.9:15006"
    assert found["size"] == len(body)
    with world.database.write() as connection:
        set_chassis_by_key(connection, key, replace(chassis_by_key(connection, key), hostname="r2"))
    found = world.get(f"/chassis/{key}/sent")
    assert found["same"] is False
    changed = [line.split()[:3] for line in found["difference"] if line[0] != " "]
    assert changed == [["-", "hostname", "r1"], ["+", "hostname", "r2"]]
    assert "planted" not in str(found)
    whole = world.call(OperatorRole.SECURITY, "GET", f"/chassis/{key}/sent").text
    assert "plantedRO" in whole


def test_a_preflight_tells_each_check_of_one_and_of_many(world: World) -> None:
    profile(world)
    keys = [world.chassis(f"FX{number}", hostname=f"r{number}") for number in range(3)]

    one = world.get(f"/chassis/{keys[0]}/preflight")
    assert not one["go"]
    (found,) = one["results"]
    voucher = next(each for each in found["checks"] if each["check"] == "voucher")
    assert (voucher["outcome"], voucher["reason"]) == ("failed", "voucher-missing")
    assert voucher["next_action"]
    many = world.get("/preflight?limit=2&outcome=failed")
    assert (many["count"], len(many["results"])) == (3, 2)
    assert {each["check"] for row in many["results"] for each in row["checks"]} == {"voucher"}
    probed = world.call(OperatorRole.VIEWER, "GET", f"/chassis/{keys[0]}/preflight?probe=true")
    assert (probed.status_code, probed.json()["reason"]) == (403, "role-insufficient")


def test_an_import_is_whole_or_nothing_with_every_error_and_its_cell(world: World) -> None:
    wrong = TABLE + "Acme,FX1,r1,none\nOther,FX2,r2,\nAcme,,r3,\nAcme,FX4,r4,\n"

    refused = load(world, wrong)

    assert (refused.status_code, refused.json()["reason"]) == (422, "import-refused")
    errors = refused.json()["errors"]
    reasons = [each["reason"] for each in errors]
    assert (len(reasons), reasons[:2]) == (3, ["profile-not-found", "vendor-not-found"])
    assert all(f":{row}" in each["where"] for row, each in zip((2, 3, 4), errors, strict=True))
    assert world.get("/chassis")["count"] == 0

    right = TABLE + "Acme,FX1,r1,\nAcme,FX2,r2,\n"
    tried = load(world, right, dry_run=True).json()
    assert (tried["added"], [each["name"] for each in tried["changes"]]) == (
        2,
        ["Acme FX1", "Acme FX2"],
    )
    assert world.get("/chassis")["count"] == 0
    assert load(world, right).json() == tried
    assert load(world, right).json()["same"] == 2
    other = TABLE + "Acme,FX1,r9,\n"
    differs = load(world, other)
    assert differs.json()["errors"][0]["reason"] == "import-differs"
    changed = load(world, other, update=True).json()
    assert changed["changes"][0]["changes"] == ["hostname: r1 → r9"]


@pytest.mark.parametrize(
    ("media", "text", "reason"),
    [
        ("application/pdf", "x", "request-invalid"),
        ("text/csv", "PK\x03\x04", "import-file-invalid"),
        ("application/json", "{", "import-file-invalid"),
        ("application/yaml", "a: &a [*a]", "import-file-invalid"),
        ("application/json", '{"version": 1, "chassis": [5]}', "import-refused"),
    ],
)
def test_a_body_of_another_kind_is_one_clear_error(
    world: World, media: str, text: str, reason: str
) -> None:
    answer = load(world, text, media=media)

    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["reason"] == reason


def test_an_import_needs_the_roles_of_what_is_in_it(world: World) -> None:
    insecure = "vendor,serial_number,boot_mode\nAcme,FX1,insecure\n"
    vendor = world.call(OperatorRole.SECURITY, "GET", "/exports?only=vendors&secrets=true").text
    other = vendor.replace("Acme", "Other")

    for text, media in ((insecure, "text/csv"), (other, "application/yaml")):
        refused = load(world, text, media=media)
        assert (refused.status_code, refused.json()["reason"]) == (403, "role-insufficient")
    assert world.get("/chassis")["count"] == 0
    assert load(world, insecure, OperatorRole.SECURITY).status_code == 200
    # What is so already needs no role.
    assert load(world, insecure).json()["same"] == 1
    assert load(world, vendor, media="application/yaml").json()["same"] == 1


@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
def test_an_export_has_secrets_for_who_may_see_them_and_asks(world: World, form: str) -> None:
    profile(world)
    world.chassis("FX1", hostname="r1", profile="base", variables={"enable_password": "plantedX"})

    seen = world.call(OperatorRole.SECURITY, "GET", f"/exports?format={form}").text
    whole = world.call(OperatorRole.SECURITY, "GET", f"/exports?format={form}&secrets=true").text
    refused = world.call(OperatorRole.OPERATOR, "GET", f"/exports?format={form}&secrets=true")

    assert "planted" not in seen
    assert "hidden:" in seen
    assert "plantedX" in whole
    assert (refused.status_code, refused.json()["reason"]) == (403, "role-insufficient")
    media = {"yaml": "application/yaml", "json": "application/json", "csv": "text/csv"}[form]
    # A fingerprint is never taken for a secret.
    taken = load(world, seen, OperatorRole.SECURITY, media=media, update=True)
    assert (taken.status_code, taken.json()["reason"]) == (422, "secret-hidden")
    assert load(world, whole, OperatorRole.SECURITY, media=media).status_code == 200


def test_a_secret_comes_to_light_nowhere_else(world: World) -> None:
    profile(world)
    seen = world.get("/profiles/base")
    token = next(word for word in seen["vendor_config"].split() if word.startswith("hidden:"))

    moved = [
        {**seen, "description": seen["boot_password_hash"]},
        {**seen, "vendor_config": f"banner {seen['variables']['snmp_community']}"},
        {**seen, "vendor_config": seen["vendor_config"] + f"hostname {token}\n"},
    ]
    statuses: list[int] = []
    for body in moved:
        answer = world.call(OperatorRole.OPERATOR, "PUT", "/profiles/base", json=body)
        shown = world.get("/profiles/base")
        assert "planted" not in str(shown)
        assert "planted" not in answer.text
        statuses.append(answer.status_code)
    # A line that has the fingerprint of a line before it stays hidden in the same way.
    assert statuses == [422, 422, 200]
    # Beside the secret a line changes, and the secret stays.
    added = {**seen, "vendor_config": seen["vendor_config"] + "ntp server 192.0.2.1\n"}
    assert world.call(OperatorRole.OPERATOR, "PUT", "/profiles/base", json=added).status_code == 200
    kept = world.get("/profiles/base", OperatorRole.SECURITY)
    assert kept["vendor_config"] == CONFIG + "ntp server 192.0.2.1\n"
    assert kept["variables"]["snmp_community"] == "plantedV"


def test_keys_are_certificates_with_their_end_and_place(world: World) -> None:
    found = world.get("/keys")["results"]

    assert [each["role"] for each in found] == [
        "pinned-domain",
        "owner",
        "trust-anchor",
        "tls",
        "vendor-idevid-ca",
    ]
    assert all(each["days_left"] > 0 and each["key_is"] for each in found)
    assert "PRIVATE" not in str(found)
