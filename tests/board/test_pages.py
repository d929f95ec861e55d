"""Each page: what it shows to whom, what its forms do, and what markup in data does: nothing."""

from __future__ import annotations

import gzip
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from board import night
from board.conftest import Board
from fastapi import Request
from fastapi.routing import APIRoute
from store.world import call, maker, owner

from bootz.server.api.auth.roles import OperatorRole
from bootz.server.api.auth.tokens import add_token
from bootz.server.board.pages import PAGES
from bootz.server.board.results import MAX_BYTES, MAX_RESULTS, Results
from bootz.server.board.visitor import PREFIX, Visitor
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.shift_report import percentile
from bootz.server.operations.vouchers.fetches import FetchFault, begin_fetch, end_fetch
from bootz.server.operations.vouchers.records import list_vouchers

EVIL = "<img src=x onerror=alert(1)>\"'&"
LOOKED_AT = (
    "/",
    "/people",
    "/devices",
    "/devices?state=failed&q=osl&label=site%3Dosl&sort=name",
    "/strangers",
    "/replacements?rejected=1",
    "/report",
    "/wall",
    "/import",
    "/sources",
    "/webhooks",
    "/vouchers?label=batch%3D7",
    "/vouchers/fetches",
    "/keys",
    "/images",
    "/profiles",
    "/profiles/access?device=1&other=2",
    "/users",
    "/tokens",
    "/audit?check=1",
)
TABS = ("timeline", "data", "preflight", "identity", "vouchers", "history", "audit", "change")


def forms(text: str) -> set[str]:
    """Return where the forms of a page post to, without numbers and names."""
    found = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', text)
    return {re.sub(r"/(users|devices|tokens|profiles)/[^/]+/", r"/\1/X/", each) for each in found}


@pytest.fixture
def full(board: Board) -> Board:
    routers = night.fill(board.database, board.now)
    night.modular(board.database, board.now)
    night.insecure(board.database)
    night.vouchers(board.database, [serial for _, serial in routers[:3]], board.now)
    return board


def device_of(board: Board, state: str) -> int:
    found = re.search(r'href="/board/devices/(\d+)"', board.page(f"/devices?state={state}"))
    assert found is not None
    return int(found[1])


def test_every_page_with_every_role(full: Board) -> None:
    failed = 41
    paths = [*LOOKED_AT, *(f"/devices/{failed}?tab={tab}" for tab in TABS)]
    shown: dict[OperatorRole, set[str]] = {}
    for role in OperatorRole:
        full.enter(role.value)
        shown[role] = set()
        for path in paths:
            answer = full.get(path)
            assert answer.status_code in {200, 403}, (path, answer.text[:500])
            shown[role] |= forms(answer.text)
            if answer.status_code == 403:
                assert "role-insufficient" in answer.text
    # A viewer chooses colours and leaves; nothing else is on its pages.
    assert shown[OperatorRole.VIEWER] == {"/board/theme", "/board/logout"}
    assert "/board/devices/hold" in shown[OperatorRole.OPERATOR]
    assert "/board/users/add" not in shown[OperatorRole.SECURITY]
    assert "/board/users/add" in shown[OperatorRole.ADMIN]
    full.enter("viewer")
    assert "/board/users" not in full.page("/")


def test_every_form_refuses_who_may_not_and_what_is_not_ours(full: Board) -> None:
    posts = [
        re.sub(r"\{[^}]*\}", "1", route.path)
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]
    assert len(posts) > 18
    open_to_all = {"/login", "/wall", "/logout", "/theme"}
    # A form that is read as it comes has tests of its own.
    streamed = {"/images/content"}
    for path in set(posts) - open_to_all - streamed:
        full.client.cookies.clear()
        refused = full.client.post(f"/board{path}", data={}, follow_redirects=False)
        assert refused.status_code == 303, path
        assert refused.headers["location"].startswith("/board/login"), path
        full.enter("viewer")
        refused = full.post(path, {})
        assert refused.status_code == 403, path
        full.enter("admin")
        refused = full.client.post(f"/board{path}", data={"csrf": "00"}, follow_redirects=False)
        assert refused.status_code == 403, path
        assert "csrf-refused" in refused.text, path


def test_home_counts_and_says_who_needs_a_person(full: Board) -> None:
    full.enter("operator")

    text = full.page("/")

    for state, count in {"ready": 17, "failed": 3, "stuck": 2, "on-hold": 3}.items():
        assert f'<b id="n-{state}">{count}</b>' in text
        assert f'href="/board/devices?state={state}"' in text
    assert text.count('<article class="person') == 6
    assert "Import the voucher" in text
    assert "1 chassis is served without proof" in text
    assert "<h2" in text
    assert re.search(r"site ber</a></h2>\s*<h3[^>]*>rack r1", text)
    # In a group, those that are not well stand first.
    first = re.search(r'<div class="tiles">\s*<a id="t\d+" class="tile s-([a-z-]+)', text)
    assert first is not None
    assert first[1] in {"failed", "stuck"}
    assert 'id="t1"' in full.page("/?by=batch")


def test_two_thousand_routers_are_few_bytes(board: Board) -> None:
    plan = (("ready", 1700), ("expected", 250), ("failed", 40), ("stuck", 10))
    night.fill(board.database, board.now, plan=plan)
    board.enter("viewer")

    answer = board.get("/")

    assert answer.text.count('class="tile ') == 2000
    assert int(answer.headers["content-length"]) < 150_000 // 3
    assert len(gzip.compress(answer.text.encode(), 5)) < 150_000 // 3
    assert answer.text.count('<article class="person') == 10
    assert "All 50 of them" in answer.text


def test_devices_are_filtered_by_the_address(full: Board) -> None:
    full.enter("viewer")

    def names(query: str) -> list[str]:
        return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', full.page(f"/devices{query}"))

    assert len(names("")) == 50
    assert names("?state=stuck&state=failed&label=site%3Dosl&sort=name") == [
        "osl-edge-041",
        "osl-edge-043",
        "osl-edge-045",
    ]
    assert names("?q=FX00007") == ["osl-edge-007"]
    assert names("?q=voucher-missing&sort=name") == ["osl-edge-041", "osl-edge-043"]
    assert names("?label=nothing") == []
    assert full.get("/devices?state=nonsense").status_code == 400


def test_a_change_of_many_is_listed_first(full: Board) -> None:
    full.enter("operator")
    asked = full.page("/devices/confirm?verb=hold&id=1&id=2&id=46")
    assert "Hold 2 devices?" in asked
    assert "osl-edge-001" in asked
    assert "1 stay as they are: ber-edge-046" in asked
    full.enter("viewer")
    assert full.get("/devices/confirm?verb=hold&id=1").status_code == 403
    full.enter("operator")
    with full.database.read() as connection:
        assert not chassis_by_key(connection, 1).on_hold

    done = full.post("/devices/hold", {"id": ["1", "2"], "note": "why", "to": "/board/devices"})

    assert done.headers["location"] == "/board/devices"
    assert "2 devices were put on hold." in full.page("/devices")
    assert "put on hold" not in full.page("/devices")
    with full.database.read() as connection:
        assert chassis_by_key(connection, 1).on_hold
    every = full.page("/devices/confirm?verb=release&every=1&state=on-hold")
    assert "Release 3 devices?" in every
    full.post("/devices/release", {"id": ["1", "2", "46", "47", "48"]})
    assert '<b id="n-on-hold">0</b>' in full.page("/")


@pytest.mark.parametrize("keys", [[], ["x"], ["1e3"], ["9" * 40], ["-1"]])
def test_devices_that_are_none_change_nothing(full: Board, keys: list[str]) -> None:
    full.enter("operator")
    assert full.post("/devices/hold", {"id": keys}).status_code == 400


def test_a_device_tells_its_steps_with_evidence(full: Board) -> None:
    full.enter("viewer")

    failed = full.page("/devices/41")
    ready = full.page("/devices/1")

    assert "a voucher that pins the owner" in failed
    assert "none is stored" in failed
    assert "bootz voucher import" in failed
    assert "“the router is operational”" in ready
    assert "64.0 MiB of 64.0 MiB" in ready
    assert "Report SUCCESS" in ready
    assert full.get("/devices/9999").status_code == 404


def test_a_question_that_its_router_gave_up_is_no_data_sent(full: Board) -> None:
    long_ago = full.now - timedelta(days=1)
    given_up = call("FX00001", chassis_key=1, nonce_digest="given up", at=long_ago, abandoned=True)
    full.enter("viewer")
    before = full.page("/devices/1")

    night.write(full.database, [given_up])

    after = full.page("/devices/1")
    told = "The router had gone before it could be answered"
    assert (told in before, told in after) == (False, True)
    assert after.count("Data sent") == before.count("Data sent")


def test_a_device_is_changed_and_shows_the_difference_to_what_was_sent(full: Board) -> None:
    full.enter("security")
    assert "This cannot be told now." in full.page("/devices/1?tab=data")
    night.certificates(full.database, owner().der)
    assert "It was not sent anything yet." in full.page("/devices/1?tab=data")
    secret = "name: access\nvendor_config: |\n  hostname {{ chassis.hostname }}\n"
    secret += "  community {{ variables.community }}\nvariables:\n  community: planted1\n"
    assert full.post("/profiles/access/change", {"document": secret}).status_code == 303
    night.sent(full.database, 1, full.now)
    full.enter("operator")
    assert "It would get the same now." in full.page("/devices/1?tab=data")
    fields = {
        "hostname": "edge-x",
        "profile": "access",
        "labels": "site=osl\nrack=r9",
        "variables": '{"banner": "hello"}',
    }
    assert full.post("/devices/1/change", fields).status_code == 303

    text = full.page("/devices/1?tab=data")

    assert re.search(r"<ins> *hostname edge-x</ins>", text)
    assert re.search(r"<del> *hostname osl-edge-001</del>", text)
    assert "planted1" not in text
    assert "community hidden:" in text
    beside = full.page("/profiles/access?device=1&other=sent")
    assert re.search(r"<ins> *hostname edge-x</ins>", beside)
    assert "planted1" not in beside
    full.enter("security")
    assert "planted1" in full.page("/devices/1?tab=data")
    assert "planted1" in full.page("/profiles/access?device=1&other=sent")
    assert "not sent anything" in full.page("/profiles/access?device=2&other=sent")
    full.enter("operator")
    assert "rack=r9" in full.page("/devices/1")
    for wrong in ({"labels": "nonsense"}, {"variables": "["}, {"variables": "[1]"}):
        refused = full.post("/devices/1/change", {**fields, **wrong})
        assert refused.status_code == 422, wrong
        assert "chassis-invalid" in refused.text


def test_a_device_is_removed_by_its_name_alone(full: Board) -> None:
    full.enter("operator")
    assert full.post("/devices/1/remove", {"typed": "FX00002"}).status_code == 422
    assert full.post("/devices/1/remove", {"typed": "fx00001"}).status_code == 303
    assert full.get("/devices/1").status_code == 404


def test_a_profile_is_changed_with_its_secrets_kept(full: Board) -> None:
    full.enter("security")
    text = "name: access\nboot_password_hash: $6$abc$def\nvendor_config: |\n  hostname x\n"
    full.post("/profiles/access/change", {"document": text})
    full.enter("operator")
    shown = full.page("/profiles/access")
    assert "$6$abc" not in shown
    masked = re.search(r"boot_password_hash: (hidden:[0-9a-f]+)", shown)
    assert masked is not None

    changed = text.replace("$6$abc$def", masked[1]).replace("hostname x", "hostname y")
    assert full.post("/profiles/access/change", {"document": changed}).status_code == 303

    full.enter("security")
    assert "$6$abc$def" in full.page("/profiles/access")
    assert "hostname y" in full.page("/profiles/access")
    assert full.post("/profiles/access/change", {"document": "- a"}).status_code == 422


def test_a_card_is_accepted(full: Board) -> None:
    full.enter("operator")
    assert "RP-9" in full.page("/replacements")

    done = full.post("/replacements/accept", {"serial": "RP-9", "vendor": "Acme"})

    assert done.status_code == 303
    assert "No card waits" in full.page("/replacements")
    assert full.post("/replacements/reject", {"serial": "RP-9"}).status_code == 404


def test_vouchers_are_imported_file_by_file(full: Board) -> None:
    night.certificates(full.database, owner().der)
    full.enter("operator")
    good = maker().voucher("FX00041", owner().der)
    files: list[Any] = [
        ("file", ("good.vcj", io.BytesIO(good))),
        ("file", (f"{EVIL}.vcj", io.BytesIO(b"nonsense"))),
    ]

    told = full.result("/vouchers/import", {}, files=files)

    assert told.status_code == 200
    assert "stored" in told.text
    assert "ov-malformed" in told.text
    assert EVIL not in told.text
    with full.database.read() as connection:
        assert len(list_vouchers(connection, serial="FX00041")) == 1
    assert "FX00042" in full.page("/vouchers?label=batch%3D7")
    removed = full.post("/vouchers/remove", {"serial": "FX00041", "vendor": "Acme"})
    assert removed.status_code == 303
    with full.database.read() as connection:
        assert not list_vouchers(connection, serial="FX00041")


MISTAKES = """vendor,serial_number,hostname,profile,part_number,label:site
Acme,FX00001,osl-edge-001,access,RT-1,osl
Nobody,NEW1,a,access,RT-1,osl
Acme,NEW2,b,nothing,RT-1,osl
Acme,NEW3,c,access,RT-1,osl
Acme,NEW3,d,access,RT-1,osl
Acme,NEW5,-bad-,access,RT-1,osl
Acme,NEW6,f,access,RT-1,{long}
Acme,NEW8,h,access,{long},osl
Acme,NEW9,i,missing,RT-1,osl
Elsewhere,NEW10,j,access,RT-1,osl
Acme,FX00002,another-name,access,RT-1,ber
""".replace("{long}", "x" * 300)


def csv(text: str) -> list[Any]:
    return [("file", ("routers.csv", io.BytesIO(text.encode())))]


def test_vouchers_are_asked_for_and_the_page_tells_how_far_that_is(full: Board) -> None:
    night.certificates(full.database, owner().der)
    full.enter("viewer")
    assert "/board/vouchers/fetch" not in full.page("/vouchers")
    full.enter("operator")
    assert (
        full.post("/vouchers/fetch", {"label": "site=osl", "to": "/board/vouchers"})
        .headers["location"]
        .endswith("/board/vouchers")
    )
    text = full.page("/vouchers")
    assert "The server was asked to fetch: site=osl." in text
    assert "Asked: site=osl" in text
    assert 'hx-trigger="every 2s"' in text
    assert "is <code>bootz serve</code> running?" not in text
    full.now += timedelta(minutes=1)
    assert "is <code>bootz serve</code> running?" in full.page("/vouchers/fetches")
    fault = FetchFault("FX9", "Acme", "voucher-refused", "not <b>sold</b>")
    with full.database.write() as connection:
        begin_fetch(connection, 1, cards=3, now=full.now)
        end_fetch(connection, 1, stored=2, faults=[fault], now=full.now)
    assert full.get("/vouchers/fetches").headers["hx-refresh"] == "true"
    text = full.page("/vouchers")
    assert "Failed: site=osl" in text
    assert "2 of 3 cards got a voucher" in text
    assert "not &lt;b&gt;sold&lt;/b&gt;" in text
    assert "every 2s" not in text


def test_an_import_shows_every_error_then_the_difference_then_applies(full: Board) -> None:
    night.certificates(full.database, owner().der)
    full.enter("operator")

    wrong = full.result("/import", {}, files=csv(MISTAKES))

    assert wrong.status_code == 200
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>', wrong.text)
    assert len(rows) == 8, rows
    assert f"{len(rows)} errors: nothing was changed" in wrong.text
    assert all("routers.csv" in row for row in rows)

    good = "vendor,serial_number,hostname,profile\nAcme,NEW1,new-1,access\nAcme,NEW2,new-2,access\n"
    shown = full.result("/import", {}, files=csv(good))
    assert shown.status_code == 200
    assert "2 changes, 0 the same" in shown.text
    assert "new-1" not in full.page("/devices?q=NEW1")
    carried = re.search(r'name="content" value="([^"]+)"', shown.text)
    assert carried is not None
    fields = {"content": carried[1], "name": "routers.csv", "form": "csv", "do": "apply"}
    assert full.post("/import", fields).headers["location"] == "/board/devices"
    assert "new-1" in full.page("/devices?q=NEW1")
    assert "is on record already" in full.result("/import", {}, files=csv(good)).text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content": "%%%"},
        {"text": "a: b"},
        {"text": ": :", "form": "yaml"},
        {"content": "AAAA"},
    ],
)
def test_an_import_of_nothing_is_told(full: Board, fields: dict[str, str]) -> None:
    night.certificates(full.database, owner().der)
    full.enter("operator")
    refused = full.post("/import", fields)
    if refused.status_code == 303:
        refused = full.get(refused.headers["location"].removeprefix("/board"))
        assert "nothing was changed" in refused.text
        return
    assert refused.status_code in {400, 422}
    # With script, a reload leads to the page of the form.
    assert 'data-address="/board/' in refused.text


def test_an_import_that_opens_a_chassis_needs_its_role(full: Board) -> None:
    night.certificates(full.database, owner().der)
    text = "vendor,serial_number,boot_mode\nAcme,NEW1,insecure\n"
    fields = {"text": text, "form": "csv", "do": "apply"}
    full.enter("operator")
    assert "role-insufficient" in full.result("/import", fields).text
    full.enter("security")
    assert full.post("/import", fields).status_code == 303


def test_a_stranger_that_proved_itself_is_claimed(full: Board) -> None:
    night.swapped(full.database, full.now)
    full.enter("operator")
    found = re.search(r'href="/board/strangers/(\d+)/claim"', full.page("/strangers?q=SWAP1"))
    assert found is not None
    planned = device_of(full, "expected")
    compared = full.page(f"/strangers/{found[1]}/claim?device={planned}")
    assert "SWAP1" in compared
    assert "Expected" in compared

    done = full.post(f"/strangers/{found[1]}/claim", {"device": str(planned)})

    assert done.headers["location"] == f"/board/devices/{planned}"
    assert "SWAP1" in full.page(f"/devices/{planned}")


def test_a_stranger_that_proved_nothing_is_ignored_at_most(full: Board) -> None:
    full.enter("operator")
    found = re.search(r"/board/strangers/(\d+)/ignore", full.page("/strangers?q=ZZ90001"))
    assert found is not None
    assert "cannot be claimed" in full.page(f"/strangers/{found[1]}/claim")
    refused = full.post(f"/strangers/{found[1]}/claim", {"device": "1"})
    assert "stranger-unproven" in refused.text

    before = re.search(r'id="n-strangers">(\d+)<', full.page("/"))
    assert full.post(f"/strangers/{found[1]}/ignore", {}).status_code == 303
    after = re.search(r'id="n-strangers">(\d+)<', full.page("/"))

    assert before is not None
    assert after is not None
    assert int(after[1]) == int(before[1]) - 1
    assert "ZZ90001" not in full.page("/strangers")
    assert "ZZ90001" in full.page("/strangers?ignored=1")
    full.post(f"/strangers/{found[1]}/ignore", {"heed": "1"})
    assert "ZZ90001" in full.page("/strangers")


def test_a_preflight_says_go_or_not(full: Board) -> None:
    night.certificates(full.database, owner().der)
    full.enter("viewer")
    text = full.page("/devices/41?tab=preflight")
    assert "no-go" in text
    assert "voucher-missing" in text


def test_webhooks_and_dead_letters(board: Board) -> None:
    board.enter("admin")
    fields = {"name": "pager", "url": "https://hooks.example.net/x", "labels": "site=osl"}
    made = board.result("/webhooks/add", fields)
    assert "whsec_" in made.text
    assert "whsec_" not in board.page("/webhooks")
    night.dead_letter(board.database, board.now)
    shown = board.page("/webhooks/pager")
    assert "no answer" in shown
    assert board.post("/webhooks/pager/resend", {}).status_code == 303
    assert "1 are sent again." in board.page("/webhooks/pager")
    assert board.post("/webhooks/pager/set", {"do": "disable"}).status_code == 303
    assert board.post("/webhooks/add", {**fields, "labels": "x"}).status_code == 422
    assert board.post("/webhooks/pager/remove", {}).status_code == 303


def test_accounts_and_tokens(board: Board) -> None:
    board.enter("admin")
    made = board.result("/users/add", {"name": "ann", "role": "viewer"})
    assert re.search(r"http://testserver/board/login\?link=[\w-]{40,}", made.text)
    assert "link=" not in board.page("/users")
    assert board.post("/users/ann/set", {"do": "role", "role": "operator"}).status_code == 303
    assert board.post("/users/ann/set", {"do": "disable"}).status_code == 303
    assert board.post("/users/ann/set", {"do": "fly"}).status_code == 400
    assert board.post("/users/admin/set", {"do": "disable"}).status_code == 409
    assert board.post("/users/ann/remove", {}).status_code == 303

    fields = {"name": "wall", "role": "viewer", "days": "90", "scope": "site=osl"}
    token = board.result("/tokens/add", fields)
    assert "bootz_" in token.text
    assert "site=osl" in token.text
    assert board.post("/tokens/add", {**fields, "days": "0"}).status_code == 422
    assert board.post("/tokens/add", {**fields, "role": "king"}).status_code == 422
    assert board.post("/tokens/1/revoke", {}).status_code == 303


def test_a_result_is_shown_for_ten_minutes_and_to_its_session_alone(board: Board) -> None:
    board.enter("admin")
    sent = board.post("/users/add", {"name": "ann", "role": "viewer"})
    address = sent.headers["location"].removeprefix("/board")
    assert "link=" in board.page(address)
    board.ticks += 599
    assert "link=" in board.page(address)
    board.enter("admin")
    other = board.page(address)
    assert "link=" not in other
    assert "no longer kept" in other
    board.enter("admin")
    again = board.post("/users/ann/link", {}).headers["location"].removeprefix("/board")
    assert "link=" in board.page(again)
    assert "link=" not in board.page("/users")
    board.ticks += 601
    assert "link=" not in board.page(again)


def test_results_give_way_to_later_ones(board: Board) -> None:
    board.enter("admin")
    first = board.post("/users/admin/link", {}).headers["location"].removeprefix("/board")
    visitor = Visitor(board.client.app.state.door, Request({"type": "http"}), "another")  # type: ignore[attr-defined]
    results = Results()
    kept = [results.keep(visitor, number) for number in range(MAX_RESULTS + 1)]
    assert results.find(visitor, kept[0], int) is None
    assert results.find(visitor, kept[1], int) == 1
    assert results.find(visitor, kept[1], str) is None
    large = results.keep(visitor, 7, weight=MAX_BYTES)
    assert results.find(visitor, kept[-1], int) is None
    assert results.find(visitor, large, int) == 7
    assert "link=" in board.page(first)


def test_the_wall_opens_with_a_viewers_token_alone(full: Board) -> None:
    secrets: dict[str, str] = {}
    with full.database.write() as connection:
        for name, role, scope in (
            ("wall", OperatorRole.VIEWER, {}),
            ("strong", OperatorRole.ADMIN, {}),
            ("part", OperatorRole.VIEWER, {"site": "osl"}),
        ):
            _, secrets[name] = add_token(connection, name, role, now=full.now, scope=scope)
    assert "viewer's token" in full.page("/wall")
    for wrong in (secrets["strong"], secrets["part"], "bootz_nonsense", ""):
        fields = {"csrf": full.csrf("/wall"), "token": wrong}
        assert full.client.post("/board/wall", data=fields).status_code == 403
    refused = full.client.post("/board/wall", data={"csrf": "00", "token": secrets["wall"]})
    assert refused.status_code == 403

    fields = {"csrf": full.csrf("/wall"), "token": secrets["wall"]}
    opened = full.client.post("/board/wall", data=fields, follow_redirects=False)

    assert opened.status_code == 303
    assert "Path=/board/wall" in next(
        c for c in opened.headers.get_list("set-cookie") if "wall" in c
    )
    wall = full.page("/wall")
    assert wall.count('class="tile ') == 50
    assert "<a href" not in wall and 'href="/board/devices' not in wall
    # It opens nothing else.
    assert full.get("/").status_code == 303


def test_the_shift_report_in_three_forms(full: Board) -> None:
    full.enter("viewer")

    text = full.page("/report")
    made = full.get("/report?format=json").json()
    table = full.get("/report?format=csv").text

    assert made["outcomes"] == {
        "answered": 3,
        "failure": 1,
        "installing": 11,
        "refused": 6,
        "success": 17,
    }
    steps = {each["step"]: each for each in made["steps"]}
    assert steps["whole"]["median_s"] == pytest.approx(240.0)
    assert steps["image"]["count"] == 17
    assert {each["reason"] for each in made["reasons"]} >= {"voucher-missing", "chassis-unknown"}
    assert made["left"]["failed"] == 3
    assert "step p95 seconds,whole,240.0" in table
    assert "voucher-missing" in text
    assert full.get("/report?hours=0").status_code == 400


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([5.0], 95, 5.0),
        ([1.0, 2.0], 50, 1.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([*range(1, 101)], 95, 95),
    ],
)
def test_a_percentile_is_a_value_that_was_there(
    values: list[float], percent: int, found: float
) -> None:
    assert percentile(values, percent) == found


def test_markup_in_data_is_text_on_every_page(board: Board) -> None:
    night.fill(
        board.database, board.now, plan=(("ready", 2), ("failed", 4), ("on-hold", 1)), markup=EVIL
    )
    board.enter("admin")
    seen = 0
    for path in [*LOOKED_AT, *(f"/devices/{key}?tab={tab}" for key in (1, 3, 4) for tab in TABS)]:
        text = board.get(path).text
        assert "<img" not in text, path
        assert "onerror=alert(1)>" not in text, path
        seen += "&lt;img src=x" in text
    assert seen > 12
    for query in (f"/devices?q={EVIL}", f"/audit?actor={EVIL}", f"/vouchers?label={EVIL}"):
        assert "<img" not in board.get(query).text, query


def test_pages_show_no_secret(full: Board) -> None:
    full.enter("security")
    text = "name: access\nboot_password_hash: $6$abc$def\nvendor_config: x\n"
    full.post("/profiles/access/change", {"document": text})
    for name in ("viewer", "operator"):
        full.enter(name)
        for path in ("/profiles/access?device=1&other=2", "/devices/1?tab=data"):
            assert "$6$" not in full.page(path)


def test_times_are_told_in_utc_without_script(full: Board) -> None:
    full.enter("viewer")
    text = full.page("/devices/1")
    assert re.search(r'<time datetime="[^"]+Z" title="[\d: -]+ UTC">[\d: -]+ UTC</time>', text)
    assert PREFIX == "/board"
    full.now += timedelta(days=400)
    full.enter("viewer")
    assert full.page("/vouchers").count("ended") >= 3
