"""The frame of every page: who may see it, what proves a form, and what no page lets through."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from board import night
from board.conftest import Board
from board.pictures import PICTURES
from fastapi.testclient import TestClient
from sqlalchemy import event

from bootz.config.operator import OperatorSettings
from bootz.reasons import REASONS
from bootz.server.api.app import create_app
from bootz.server.api.auth.accounts import ABSOLUTE_END, add_account, make_link
from bootz.server.api.auth.principals import SESSION_COOKIE
from bootz.server.api.auth.roles import NEEDED, OperatorRole
from bootz.server.api.serving import warm
from bootz.server.board import repairs
from bootz.server.board.app import install
from bootz.server.board.view import NAV
from bootz.server.board.visitor import FORM_COOKIE
from bootz.server.board.words import STATES
from bootz.server.operations.chassis_state import ChassisState

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "src/bootz/server/board/assets"


@pytest.mark.parametrize("folder", [ASSETS / "vendor", Path(__file__).parent / "vendor"])
def test_what_is_vendored_is_what_the_manifest_names(folder: Path) -> None:
    rows = json.loads((folder / "manifest.json").read_text())

    named = {row["file"] for row in rows}
    assert named == {each.name for each in folder.glob("*.js")}
    for row in rows:
        assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
        assert row["version"] in (ROOT / "tools/write_vendored.py").read_text()
        assert row["licence"] in {"0BSD", "MPL-2.0"}
        assert (folder / f"{row['package']}.LICENSE").read_text().strip()


def test_no_template_has_inline_script_or_style_or_a_foreign_host() -> None:
    templates = ASSETS.parent / "templates"
    found = [each for each in templates.rglob("*") if each.suffix in {".html", ".svg"}]

    assert len(found) > 5
    for each in found:
        text = each.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), each
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|\|safe\b", text), each
        hosts = set(re.findall(r"https?://[^\s\"'<]+", text))
        assert hosts <= {"http://www.w3.org/2000/svg"}, each
    assert "://" not in (ASSETS / "board.css").read_text()


def test_words_and_repairs_are_whole() -> None:
    assert set(STATES) == set(ChassisState)
    assert set(repairs._PLACES) <= set(REASONS)
    assert {item.verb for group in NAV for item in group.items} <= set(NEEDED)
    icons = (ASSETS.parent / "templates/icons.svg").read_text()
    for group in NAV:
        for item in group.items:
            assert f'id="i-{item.icon}"' in icons
    for words in STATES.values():
        assert f'id="i-{words.icon}"' in icons


def test_who_is_not_logged_in_comes_to_the_login_and_back(board: Board) -> None:
    sent = board.get("/?by=rack")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        "/board/login?to=%2Fboard%2F%3Fby%3Drack",
    )

    came = board.login("viewer", "/board/?by=rack")

    assert (came.status_code, came.headers["location"]) == (303, "/board/?by=rack")
    cookie = next(each for each in came.headers.get_list("set-cookie") if SESSION_COOKIE in each)
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert board.client.get("/", follow_redirects=False).headers["location"] == "/board/"


def test_a_part_of_a_page_without_a_session_leads_to_the_login(board: Board) -> None:
    answer = board.get("/people", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/board/login")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/board//../..//evil.example",
        "/board/\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "/boardevil",
        "\t//evil.example",
        "/board/../api",
    ],
)
def test_a_login_leads_to_no_other_place(board: Board, to: str) -> None:
    board.enter("viewer")
    asked = board.get(f"/login?{urlencode({'to': to})}")
    assert asked.headers["location"] == "/board/"
    assert board.post("/theme", {"theme": "auto", "to": to}).headers["location"] == "/board/"


def test_a_provider_is_offered_where_one_is_set(board: Board) -> None:
    assert "/oidc" not in board.page("/login")
    door = board.client.app.state.door  # type: ignore[attr-defined]
    operator = OperatorSettings.model_validate(
        {
            "oidc": {
                "issuer": "https://id.example.net",
                "client_id": "bootz",
                "client_secret_file": "oidc.secret",
                "base_url": "https://bootz.example.net",
                "roles": {"admins": "admin"},
            }
        }
    )
    config = door.config.model_copy(update={"operator": operator})
    with TestClient(create_app(replace(door, config=config), [install])) as client:
        assert 'href="/api/v1/login/oidc"' in client.get("/board/login").text


def test_a_wrong_password_is_told_and_shown_nowhere(board: Board) -> None:
    fields = {"csrf": board.csrf("/login"), "name": "<b>ann</b>", "password": "hunter2hunter2"}

    refused = board.client.post("/board/login", data=fields)

    assert refused.status_code == 401
    assert "&lt;b&gt;ann&lt;/b&gt;" in refused.text
    assert "hunter2" not in refused.text


def test_many_refused_logins_are_told_when_to_come_again(board: Board) -> None:
    for _ in range(6):
        fields = {"csrf": board.csrf("/login"), "name": "viewer", "password": "wrong wrong wrong"}
        last = board.client.post("/board/login", data=fields)

    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1


def test_a_session_is_new_whatever_cookie_came_along(board: Board) -> None:
    board.client.cookies.set(SESSION_COOKIE, "chosen-by-another")
    fields = {"csrf": board.csrf("/login"), "name": "viewer", "password": night.PASSWORD}
    board.client.post("/board/login", data=fields, follow_redirects=False)
    first = board.client.cookies.get(SESSION_COOKIE, domain="testserver.local")
    assert first not in {None, "chosen-by-another"}

    # Who logs in again has another session, and the one before has ended.
    fields = {"csrf": board.csrf("/login?link=x"), "name": "admin", "password": night.PASSWORD}
    board.client.post("/board/login", data=fields, follow_redirects=False)
    board.client.cookies.clear()
    board.client.cookies.set(SESSION_COOKIE, str(first))
    assert board.get("/").status_code == 303


def test_a_link_is_used_by_the_click_and_not_by_the_look(board: Board) -> None:
    with board.database.write() as connection:
        add_account(connection, "ann", OperatorRole.VIEWER, now=board.now)
        link = make_link(connection, "ann", now=board.now)
    for _ in range(3):
        assert "logs you in once" in board.page(f"/login?link={link}")

    answers = []
    for _ in range(2):
        fields = {"csrf": board.csrf(f"/login?link={link}"), "link": link}
        answers.append(board.client.post("/board/login", data=fields, follow_redirects=False))
        board.client.cookies.clear()

    assert [each.status_code for each in answers] == [303, 401]


@pytest.mark.parametrize("path", ["/logout", "/theme"])
def test_a_form_of_no_page_of_ours_is_refused(board: Board, path: str) -> None:
    board.enter("admin")
    good = board.csrf()
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for wrong in ("", "00", "zz", good + "00", flipped, "a" * len(good)):
        refused = board.client.post(f"/board{path}", data={"csrf": wrong}, follow_redirects=False)
        assert refused.status_code == 403, wrong
        assert "csrf-refused" in refused.text

    assert board.get("/").status_code == 200
    # Each page masks it anew; every one of them holds.
    assert board.csrf() != good
    done = board.client.post(
        f"/board{path}", data={"csrf": good, "theme": "dark"}, follow_redirects=False
    )
    assert done.status_code == 303


def test_a_login_form_needs_its_own_cookie(board: Board) -> None:
    csrf = board.csrf("/login")
    board.client.cookies.clear()
    fields = {"csrf": csrf, "name": "admin", "password": night.PASSWORD}
    for cookie in ("", "of-another-page"):
        board.client.cookies.set(FORM_COOKIE, cookie)
        refused = board.client.post("/board/login", data=fields, follow_redirects=False)
        assert refused.status_code == 403


def test_every_answer_keeps_foreign_pages_and_scripts_away(board: Board) -> None:
    board.enter("viewer")
    for path in ("/", "/login", "/nothing", "/assets/x/board.css"):
        headers = board.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_session_ends(board: Board) -> None:
    board.enter("viewer")
    assert board.get("/").status_code == 200
    board.now += ABSOLUTE_END + timedelta(minutes=1)
    assert board.get("/").status_code == 303

    board.enter("viewer")
    board.post("/logout", {})
    assert board.get("/").status_code == 303


def test_an_error_is_a_page_with_the_next_action(board: Board) -> None:
    board.enter("viewer")

    missing = board.get("/no-such-page")

    assert missing.status_code == 404
    assert "route-not-found" in missing.text
    assert "Go back" in missing.text
    assert board.client.post("/board/").status_code == 405
    # The API keeps its own form.
    assert board.client.get("/api/v1/nothing").json()["reason"] == "route-not-found"


def test_files_are_kept_by_their_digest(board: Board) -> None:
    path = re.search(r'href="(/board/assets/[0-9a-f]+/board.css)"', board.page("/login"))
    assert path is not None

    found = board.client.get(path[1])

    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found.text == (ASSETS / "board.css").read_text()
    assert board.get("/assets/0000000000000000/board.css").status_code == 404
    assert board.get("/assets/0000000000000000/../../board.py").status_code == 404


def test_colours_are_kept(board: Board) -> None:
    board.enter("viewer")
    assert 'data-theme="auto"' in board.page("/")

    board.post("/theme", {"theme": "dark", "to": "/board/"})

    assert 'data-theme="dark"' in board.page("/")


def test_every_picture_of_the_pages_is_there_light_and_dark() -> None:
    page = (ROOT / "docs/board.md").read_text()
    for name in PICTURES:
        for scheme in ("light", "dark"):
            assert f"(pictures/{name}-{scheme}.png)" in page
            assert (ROOT / f"docs/pictures/{name}-{scheme}.png").read_bytes()[:4] == b"\x89PNG"
    size = sum(each.stat().st_size for each in (ROOT / "docs/pictures").iterdir())
    assert size < 5_000_000


def test_a_door_is_warm_before_it_is_called_and_says_when_it_cannot_be(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    app = board.client.app
    asyncio.run(warm(app))  # type: ignore[arg-type]
    assert "door-not-warm" not in capsys.readouterr().err
    board.database.close()
    (Path(str(board.database.engine.url.database))).unlink()
    asyncio.run(warm(app))  # type: ignore[arg-type]
    assert "door-not-warm" in capsys.readouterr().err


def test_the_first_page_after_a_start_does_nothing_for_the_first_time(board: Board) -> None:
    board.enter("viewer")
    said: set[str] = set()
    event.listen(
        board.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: said.add(statement),
    )
    asyncio.run(warm(board.client.app))  # type: ignore[arg-type]
    before = frozenset(said)

    assert "Home" in board.page("/")

    assert any("login_session" in each for each in before)
    first = {each for each in said - before if each.startswith("SELECT")}
    assert {each for each in first if "FROM login_session" not in each} == set()
