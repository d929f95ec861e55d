"""Every object and every write of the API, out of its own description: ETag, trial, repeat.

docs/operator-ids.md: O12.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from api.conftest import World, opened_world
from sqlalchemy import select
from store.world import call as answered
from store.world import maker, owner, refusal

from bootz.model.chassis import ClaimedCard
from bootz.model.checks import STRANGER, Check, Outcome
from bootz.server.api.app import openapi_document
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.store.journal import SqlJournal
from bootz.server.store.schema import METADATA

PREFIX = "/api/v1"
DOCUMENT = openapi_document()
ELSEWHERE = "/sources/"
"""These ask a source of truth: ``tests/sources/test_api.py`` has them."""
OTHER_CA = maker("Other").vendor.to_document()["idevid_ca"]
HOOK = {"name": "w", "url": "https://hooks.example.invalid/"}
CHASSIS = {"vendor": "Acme", "serial_number": "FX1", "hostname": "r1"}
SHOWN_ONCE = {"/users", "/tokens", "/webhooks"}
"""Their answers have a secret, of which no copy is kept: another POST is another request."""
UPLOAD = {"name": "os", "version": "2", "file_name": "os.iso", "size": 4}


@dataclass(frozen=True)
class Write:
    """A request that changes something."""

    body: Any = None
    query: str = ""


WRITES: dict[tuple[str, str], Write] = {
    ("post", "/vendors"): Write({"name": "Other", "idevid_ca": OTHER_CA}),
    ("put", "/vendors/{name}"): Write({"name": "Spare", "idevid_ca": OTHER_CA, "aliases": ["s"]}),
    ("delete", "/vendors/{name}"): Write(),
    ("post", "/profiles"): Write({"name": "edge"}),
    ("put", "/profiles/{name}"): Write({"name": "base", "description": "other"}),
    ("delete", "/profiles/{name}"): Write(),
    ("post", "/chassis"): Write({**CHASSIS, "serial_number": "FX7"}),
    ("post", "/chassis/bulk"): Write({"chassis": [{**CHASSIS, "serial_number": "FX8"}]}),
    ("patch", "/chassis"): Write({"ids": [1], "changes": {"hostname": "r9"}}),
    ("delete", "/chassis"): Write({"ids": [1]}),
    ("post", "/chassis/hold"): Write({"ids": [1]}),
    ("post", "/chassis/release"): Write({"ids": [2]}),
    ("put", "/chassis/{key}"): Write({**CHASSIS, "hostname": "r9"}),
    ("delete", "/chassis/{key}"): Write(),
    ("post", "/images/uploads"): Write({**UPLOAD, "version": "3"}),
    ("put", "/images/uploads/{upload}/content"): Write(b"ab"),
    ("delete", "/images/uploads/{upload}"): Write(),
    ("delete", "/images/{key}"): Write(),
    ("post", "/imports"): Write(b"vendor,serial_number\nAcme,FX6\n"),
    ("post", "/replacements/{serial}/accept"): Write({}),
    ("post", "/replacements/{serial}/reject"): Write({}),
    ("post", "/strangers/{attempt}/claim"): Write({"chassis": 1}),
    ("post", "/strangers/{attempt}/ignore"): Write({}),
    ("delete", "/strangers/{attempt}/ignore"): Write(),
    ("post", "/vouchers/fetches"): Write({}),
    ("delete", "/vouchers"): Write(query="serial_number=FX1"),
    ("post", "/users"): Write({"name": "eve", "role": "viewer"}),
    ("patch", "/users/{name}"): Write({"role": "operator"}),
    ("delete", "/users/{name}"): Write(),
    ("post", "/tokens"): Write({"name": "ci", "role": "viewer"}),
    ("post", "/tokens/{key}/revoke"): Write(),
    ("post", "/webhooks"): Write({"name": "v", "url": "https://hooks.example.net/"}),
    ("patch", "/webhooks/{name}"): Write({"enabled": False}),
    ("delete", "/webhooks/{name}"): Write(),
    ("post", "/webhooks/{name}/resend"): Write({}),
    ("post", "/webhooks/{name}/test"): Write(),
    ("post", "/logout"): Write(),
}
"""One valid request of every operation that changes something; a new one needs a row."""


def operations(*methods: str) -> list[tuple[str, str]]:
    return [
        (method, path.removeprefix(PREFIX))
        for path, told in DOCUMENT["paths"].items()
        for method in told
        if method in methods and not path.removeprefix(PREFIX).startswith(ELSEWHERE)
    ]


ALL_WRITES = [each for each in operations("post", "put", "patch", "delete") if each[1] != "/login"]
OBJECTS = [path for _, path in operations("get") if path.endswith("}")]


@dataclass
class Filled:
    """A door over a site with one of each noun; ``paths`` are their paths."""

    world: World
    folder: Path
    paths: dict[str, str]

    def send(self, method: str, path: str, *, query: str = "", **headers: str) -> Any:
        """Send the request of ``WRITES``, to an object that is there."""
        write = WRITES[method, path]
        options: dict[str, Any] = {"headers": headers}
        if isinstance(write.body, bytes):
            options["content"] = write.body
            kind = "text/csv" if path == "/imports" else "application/octet-stream"
            headers["Content-Type"] = kind
        elif write.body is not None:
            options["json"] = write.body
        asked = "&".join(filter(None, [write.query, query]))
        return self.world.call(
            OperatorRole.ADMIN, method.upper(), f"{self.filled(path)}?{asked}", **options
        )

    def filled(self, path: str) -> str:
        """Return a path whose object is there."""
        for template, real in sorted(self.paths.items(), key=lambda each: -len(each[0])):
            if path.startswith(template):
                return real + path.removeprefix(template)
        return path

    def state(self, but: str = "") -> dict[str, Any]:
        """Return everything that is stored: all rows of all tables, and all files of images."""
        with self.world.database.read() as connection:
            found: dict[str, Any] = {
                table.name: sorted(map(repr, connection.execute(select(table))))
                for table in METADATA.sorted_tables
            }
        found["files"] = sorted(
            (path.name, path.stat().st_size) for path in self.folder.glob("images/**/*")
        )
        return without(found, but)


def without(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: rows for each, rows in state.items() if not each.startswith(name or "-")}


def fill(world: World, folder: Path) -> Filled:
    """Put one of each noun on record."""

    def post(path: str, body: dict[str, Any]) -> Any:
        answer = world.call(OperatorRole.ADMIN, "POST", path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    for serial in ("FX1", "FX2"):
        world.chassis(serial, hostname=serial.lower())
    modular = world.chassis("", modular=True, cards=(CardRecord("RP0", slot="0"),))
    post("/chassis/hold", {"ids": [2]})
    post("/profiles", {"name": "base"})
    post("/users", {"name": "ann", "role": "viewer", "password": "a long pass phrase"})
    post("/webhooks", HOOK)
    post("/vendors", {"name": "Spare", "idevid_ca": OTHER_CA})
    token = post("/tokens", {"name": "old", "role": "viewer"})["id"]
    fetch = post("/vouchers/fetches", {"serial_numbers": ["FX2"]})["id"]
    whole = post("/images/uploads", UPLOAD)["id"]
    image = world.call(
        OperatorRole.ADMIN, "PUT", f"/images/uploads/{whole}/content", content=b"data"
    ).json()["image"]["id"]
    upload = post("/images/uploads", {**UPLOAD, "version": "1"})["id"]
    raw = maker().voucher("FX1", owner().der)
    with world.database.write() as connection:
        store_voucher(connection, raw, pinned_domain_cert=owner().der, now=datetime.now(UTC))

    async def journal() -> None:
        journal = SqlJournal(world.database)
        journal.start()
        await journal.record(
            answered("RP0", chassis_key=modular, foreign_cards=(ClaimedCard("NEW1"),))
        )
        proven = Check(STRANGER, Outcome.PASSED, seen="Acme")
        await journal.record(replace(refusal("FX9", checks=(proven,)), proven_serial="FX9"))
        await journal.close()

    asyncio.run(journal())
    (stranger,) = world.get("/strangers")["results"]
    (voucher,) = world.get("/vouchers")["results"]
    return Filled(
        world,
        folder,
        {
            "/vendors/{name}": "/vendors/Spare",
            "/profiles/{name}": "/profiles/base",
            "/chassis/{key}": "/chassis/1",
            "/images/{key}": f"/images/{image}",
            "/images/uploads/{upload}": f"/images/uploads/{upload}",
            "/vouchers/{sha256}": f"/vouchers/{voucher['sha256']}",
            "/vouchers/fetches/{key}": f"/vouchers/fetches/{fetch}",
            "/replacements/{serial}": "/replacements/NEW1",
            "/attempts/{key}": f"/attempts/{stranger['id']}",
            "/strangers/{attempt}": f"/strangers/{stranger['id']}",
            "/users/{name}": "/users/ann",
            "/tokens/{key}": f"/tokens/{token}",
            "/webhooks/{name}": "/webhooks/w",
        },
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("objects")
    with opened_world(folder) as world:
        yield fill(world, folder)


def object_of(path: str) -> str:
    """Return the path of the object that a write is about, empty for none."""
    found = [each for each in OBJECTS if path == each or path.startswith(f"{each}/")]
    return max(found, key=len, default="")


def parameters(method: str, path: str) -> set[str]:
    told = DOCUMENT["paths"][PREFIX + path][method].get("parameters", ())
    return {each["name"] for each in told}


def test_every_write_can_be_tried_held_to_what_was_read_and_repeated() -> None:
    assert set(WRITES) == set(ALL_WRITES)
    for told in DOCUMENT["paths"]:
        for method in set(DOCUMENT["paths"][told]) - {"get"}:
            path = told.removeprefix(PREFIX)
            if path == "/login":
                continue
            assert {"dry_run", "if-match"} <= parameters(method, path), (method, path)
            # A piece of a file says where it begins: it cannot be sent twice.
            repeated = "idempotency-key" in parameters(method, path)
            assert repeated != path.endswith("/content"), (method, path)
            assert "412" in DOCUMENT["paths"][told][method]["responses"], (method, path)


@pytest.mark.parametrize("path", OBJECTS)
def test_every_object_has_an_etag(site: Filled, path: str) -> None:
    first, second = (
        site.world.call(OperatorRole.ADMIN, "GET", site.filled(path)) for _ in range(2)
    )

    assert first.status_code == 200, first.text
    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["ETag"])
    assert second.headers["ETag"] == first.headers["ETag"]
    told = DOCUMENT["paths"][PREFIX + path]["get"]["responses"]["200"]
    assert "ETag" in told["headers"]


@pytest.mark.parametrize(("method", "path"), ALL_WRITES)
def test_every_write_can_be_tried_and_changes_nothing_then(
    site: Filled, method: str, path: str
) -> None:
    before = site.state()

    tried = site.send(method, path, query="dry_run=true")

    assert tried.status_code < 300, tried.text
    assert tried.headers["X-Bootz-Dry-Run"] == "true"
    assert site.state() == before


@pytest.mark.parametrize(("method", "path"), ALL_WRITES)
def test_no_write_passes_its_condition_over(site: Filled, method: str, path: str) -> None:
    before = site.state()
    stale = site.send(method, path, **{"If-Match": '"00000000000000000000000000000000"'})

    noun = object_of(path)
    if noun:
        assert (stale.status_code, stale.json()["reason"]) == (412, "etag-stale"), stale.text
        read = site.world.call(OperatorRole.ADMIN, "GET", site.filled(noun))
        fresh = site.send(method, path, query="dry_run=true", **{"If-Match": read.headers["ETag"]})
        assert fresh.status_code < 300, fresh.text
    else:
        told = stale.json()
        assert (stale.status_code, told["errors"][0]["where"]) == (400, "header.If-Match")
    # A refused try is in the audit, and nowhere else.
    assert site.state(but="audit") == without(before, "audit")


def test_every_post_is_done_once_under_its_key(tmp_path: Path) -> None:
    posts = [path for method, path in ALL_WRITES if method == "post"]
    # What takes an object away comes last.
    posts.sort(key=lambda path: (path.endswith("/accept"), path.endswith("/claim")))
    with opened_world(tmp_path) as world:
        site = fill(world, tmp_path)
        for number, path in enumerate(posts):
            key = {"Idempotency-Key": f"k{number}"}
            first = site.send("post", path, **key)
            assert first.status_code < 300, (path, first.text)
            if path in SHOWN_ONCE:
                continue
            stored = site.state()
            again = site.send("post", path, **key)
            assert again.headers["Idempotency-Replayed"] == "true", path
            assert (again.status_code, again.content) == (first.status_code, first.content)
            assert site.state() == stored, path
            other = site.send("post", path, query="dry_run=false", **key)
            assert (other.status_code, other.json()["reason"]) == (409, "idempotency-key-reused")


def test_a_token_with_labels_reaches_no_other_chassis(site: Filled) -> None:
    body = {"name": "osl", "role": "admin", "scope": {"site": "osl"}}
    made = site.world.call(OperatorRole.ADMIN, "POST", "/tokens", json=body).json()
    site.world.tokens, before = {OperatorRole.ADMIN: made["secret"]}, site.world.tokens
    site.world.get("/me", OperatorRole.ADMIN)  # notes that the token is used
    stored = site.state(but="audit")
    try:
        for method, path in [*ALL_WRITES, *operations("get")]:
            if path.endswith("/stream"):
                continue
            if method == "get":
                answer = site.world.call(OperatorRole.ADMIN, "GET", site.filled(path))
            else:
                answer = site.send(method, path)
                assert answer.status_code in {403, 404} or path == "/logout", (method, path)
            if answer.status_code < 300:
                for foreign in ("FX1", "FX2", "RP0", "NEW1", "FX9"):
                    assert foreign not in answer.text, (method, path)
        assert site.state(but="audit") == stored
    finally:
        site.world.tokens = before
