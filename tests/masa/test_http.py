"""The JSON voucher request over HTTP: right ones, and hostile ones, which change nothing."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, strategies
from masa.world import (
    ACME,
    EXPIRED_PIN,
    IEN,
    NOW,
    OTHER_PIN,
    PIN,
    World,
    new_world,
    serving,
)

from bootz.errors import BootzError
from bootz.masa.app import Masa
from bootz.masa.http import MAX_BODY
from bootz.masa.ledger.nouns import Component, ComponentName
from bootz.masa.requests import read_requests
from bootz.masa.store.issues import IssueLog
from bootz.transport.limits import ListenerLimits


def wish(serial: str = "S2", pin: bytes = PIN, **more: object) -> dict[str, object]:
    return {
        "serial-number": serial,
        "pinned-domain-cert": base64.b64encode(pin).decode(),
        **more,
    }


def full(serial: str) -> dict[str, object]:
    """Return a request with every field of the documented sample."""
    end = NOW + timedelta(days=1)
    return wish(
        serial,
        **{
            "expires-on": end.isoformat().replace("+00:00", "Z"),
            "assertion": "verified",
            "last-renewal-date": (end + timedelta(days=300)).isoformat().replace("+00:00", "Z"),
        },
    )


Answer = tuple[int, str, bytes]


def post(
    world: World,
    body: object,
    caller: str | None = "alice",
    *,
    path: str = "/voucher-requests",
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request and return status, content type and body of the answer."""

    async def run() -> Answer:
        sent: Any = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        given = {} if caller is None else {"Authorization": f"Bearer {world.tokens[caller]}"}
        async with serving(world) as (_, bound), aiohttp.ClientSession() as session:
            host, port = bound.http[0]
            url = f"http://{host}:{port}{path}"
            merged = {**given, **(headers or {})}
            async with session.request(method, url, data=sent, headers=merged) as answer:
                return answer.status, answer.content_type, await answer.read()

    try:
        return asyncio.run(run())
    finally:
        world.folder.close()


def test_one_request_is_answered_with_a_voucher(tmp_path: Path) -> None:
    status, kind, body = post(new_world(tmp_path), full("s2"), "carol")
    assert (status, kind) == (200, "application/voucher-cms+json")
    assert b'"S2"' in body


@pytest.mark.parametrize("container", ["ietf-voucher-request:voucher", "ietf-voucher:voucher"])
def test_a_request_in_a_container_is_read(tmp_path: Path, container: str) -> None:
    status, _, body = post(new_world(tmp_path), {container: full("S2")})
    assert status == 200
    assert b'"S2"' in body


def test_a_list_is_answered_with_a_tar(tmp_path: Path) -> None:
    status, kind, body = post(new_world(tmp_path), [full("S3"), wish("S1"), wish("S2")])
    assert (status, kind) == (200, "application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(body)) as bundle:
        assert bundle.getnames() == ["S1.vcj", "S2.vcj", "S3.vcj"]
        inside = bundle.extractfile("S2.vcj")
        assert inside is not None
        assert b'"S2"' in inside.read()


def test_without_expiry_it_lives_as_long_as_the_registration(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    with world.folder.database.read() as connection:
        assert not IssueLog(connection).latest()
    status, _, _ = post(world, wish())
    assert status == 200
    with world.folder.database.read() as connection:
        (record,) = IssueLog(connection).latest()
    world.folder.close()
    assert record.expires_on == NOW + timedelta(days=2)


KEY = bytes(range(20))
ISSUER = b"\x30\x16\x80\x14" + KEY


@pytest.mark.parametrize("form", [KEY, ISSUER, b"\x04\x18" + ISSUER], ids=["bare", "der", "octets"])
def test_issuer_and_last_renewal_date_go_into_voucher_and_log(tmp_path: Path, form: bytes) -> None:
    world = new_world(tmp_path)
    wanted = full("S2") | {"idevid-issuer": base64.b64encode(form).decode()}
    status, _, body = post(world, wanted)
    assert status == 200
    assert base64.b64encode(form) in body
    assert b'"last-renewal-date"' in body
    with world.folder.database.read() as connection:
        (record,) = IssueLog(connection).latest()
    world.folder.close()
    assert record.idevid_issuer == form
    assert record.last_renewal_date == NOW + timedelta(days=301)


BAD = base64.b64encode(b"no certificate").decode()
PAST = "2020-01-01T00:00:00Z"
FAR = (NOW + timedelta(days=3)).isoformat()

REFUSED = (
    (b"", "alice", 400),
    (b"{", "alice", 400),
    (b"[", "alice", 400),
    (b"[]", "alice", 400),
    (b"[1]", "alice", 400),
    (b"[[]]", "alice", 400),
    (b"null", "alice", 400),
    (b"\xff\xfe", "alice", 400),
    (b"\xef\xbb\xbf{}", "alice", 400),
    (b"[" * 100_000, "alice", 400),
    (b'{"a":' * 100_000, "alice", 400),
    (b'[{"serial-number":"S1","serial-number":"S2"}]', "alice", 400),
    (b'[{"serial-number":NaN}]', "alice", 400),
    ({}, "alice", 400),
    ({"serial-number": "S2"}, "alice", 400),
    ({"serial-number": 2, "pinned-domain-cert": "x"}, "alice", 400),
    (wish(""), "alice", 400),
    (wish("\ud800"), "alice", 400),
    (wish("S" * 5000), "alice", 400),
    ({"serial-number": "S2", "pinned-domain-cert": BAD}, "alice", 400),
    ({"serial-number": "S2", "pinned-domain-cert": "%%%"}, "alice", 400),
    (wish(pin=PIN + b"x"), "alice", 400),
    (wish(**{"expires-on": PAST}), "alice", 400),
    (wish(**{"expires-on": "soon"}), "alice", 400),
    (wish(**{"expires-on": FAR}), "alice", 400),
    ([wish("S2"), wish("s2")], "alice", 400),
    ([wish("S2"), wish("S1", OTHER_PIN)], "alice", 400),
    ([wish("S2"), wish("S1", **{"expires-on": PAST})], "alice", 400),
    (wish(), None, 401),
    (wish("S1"), "carol", 403),
    (wish(), "nobody", 403),
    (wish(pin=OTHER_PIN), "alice", 403),
    ([wish("S2"), wish("S1")], "carol", 403),
    (wish("X"), "alice", 404),
    ([wish("S2"), wish("X")], "alice", 404),
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial-number", 2),
        ("serial-number", " S2"),
        ("pinned-domain-cert", BAD),
        ("pinned-domain-cert", "%"),
        ("expires-on", "soon"),
        ("expires-on", PAST),
        pytest.param("expires-on", FAR, id="expires-on-far"),
        ("assertion", "perhaps"),
        ("idevid-issuer", "base64encodedvalue=="),
        ("idevid-issuer", base64.b64encode(b"\x30\x00").decode()),
        ("last-renewal-date", "2026-01-01"),
        ("last-renewal-date", "2020-01-01T00:00:00Z"),
    ],
)
def test_a_malformed_request_names_its_field(tmp_path: Path, field: str, value: object) -> None:
    status, _, answer = post(new_world(tmp_path), full("S2") | {field: value})
    assert status == 400
    assert json.loads(answer)["detail"].startswith(field)


@pytest.mark.parametrize("case", REFUSED, ids=range(len(REFUSED)))
def test_a_bad_request_is_refused_and_issues_nothing(
    tmp_path: Path, case: tuple[object, str | None, int]
) -> None:
    body, caller, expected = case
    world = new_world(tmp_path)
    before = world.dump()
    status, kind, answer = post(world, body, caller)
    assert (status, kind) == (expected, "application/json"), answer
    assert world.dump() == before


def test_a_certificate_that_is_registered_nowhere_is_not_found(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    with world.folder.records() as records:
        records.book.remove_certificate(world.certs["beta"])
    assert post(world, wish(pin=OTHER_PIN))[0] == 404


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    assert post(new_world(tmp_path), wish(pin=EXPIRED_PIN))[0] in (400, 404)


def test_too_long_a_body_is_refused(tmp_path: Path) -> None:
    assert post(new_world(tmp_path), b" " * (MAX_BODY + 1))[0] == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/voucher-requests", 405), ("POST", "/", 404), ("POST", "/../masa.db", 404)],
)
def test_nothing_else_is_served(tmp_path: Path, method: str, path: str, status: int) -> None:
    assert post(new_world(tmp_path), b"{}", method=method, path=path)[0] == status


@given(
    strategies.one_of(
        strategies.binary(max_size=200),
        strategies.recursive(
            strategies.none() | strategies.text() | strategies.integers() | strategies.booleans(),
            lambda inner: (
                strategies.lists(inner)
                | strategies.dictionaries(
                    strategies.sampled_from(
                        ["serial-number", "pinned-domain-cert", "expires-on", "x"]
                    ),
                    inner,
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_bytes_are_requests_or_a_clear_refusal(body: bytes) -> None:
    try:
        read_requests(body)
    except BootzError:
        return


def test_stopping_does_not_wait_for_a_peer_that_is_silent(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def run() -> None:
        masa = Masa(world.folder.make_service(), limits=ListenerLimits(), tls=None)
        bound = await masa.start([], [("127.0.0.1", 0)])
        with socket.create_connection(bound.http[0]) as silent:
            # It was accepted when the second one, behind it, is answered.
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{bound.http[0][1]}/") as answer:
                    assert answer.status == 404
                await masa.drain(3600)
            assert silent.recv(1) == b""

    try:
        asyncio.run(asyncio.wait_for(run(), 60))
    finally:
        world.folder.close()


def test_serials_of_two_vendors_need_the_ien(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    setting = world.folder.config.iens[IEN]
    config = world.folder.config.model_copy(update={"iens": {IEN: setting, "2636": setting}})
    world.folder.config = config
    with world.folder.records() as records:
        records.add_component(Component(ComponentName("2636", "S2"), ACME))
    assert post(world, wish())[0] == 400
    assert post(world, wish(), path="/voucher-requests?ien=2636")[0] == 200
    assert post(world, wish(), path="/voucher-requests?ien=1")[0] == 404
