"""The board in a real Chromium: live, on every width, by keyboard, for readers of screens."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from board import night
from board.browser import Site, axe, served
from playwright.sync_api import Page, expect

from bootz.server.api.auth.accounts import end_sessions
from bootz.server.operations.holds import release_chassis

pytestmark = pytest.mark.chromium

PAGES = (
    "/",
    "/devices",
    "/devices/41",
    "/devices/42?tab=data",
    "/devices/1?tab=change",
    "/strangers",
    "/replacements",
    "/import",
    "/sources",
    "/vouchers",
    "/keys",
    "/images",
    "/profiles/access?device=1&other=2",
    "/users",
    "/tokens",
    "/webhooks",
    "/audit",
    "/report",
    "/wall",
    "/no-such-page",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("board")) as made:
        night.fill(made.database, made.now, markup="")
        night.modular(made.database, made.now)
        night.insecure(made.database)
        night.planned(made.database, made.door.root or Path(), made.now)
        yield made


def opened(page: Page, path: str) -> Page:
    page.goto(f"/board{path}")
    return page


def whole(page: Page) -> None:
    """Nothing is cut off at the side."""
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_breaks_the_policy(site: Site, scheme: str) -> None:
    page = site.page("admin", color_scheme=scheme, reduced_motion="reduce")
    for path in PAGES:
        opened(page, path)
        assert axe(page) == [], path
    assert page.errors == []  # type: ignore[attr-defined]
    page.context.close()
    page = site.page(color_scheme=scheme)
    assert axe(opened(page, "/login")) == []
    page.context.close()


@pytest.mark.parametrize("width", [320, 1280, 3840])
def test_pages_hold_at_every_width(site: Site, width: int) -> None:
    page = site.page("admin", viewport={"width": width, "height": 900})
    for path in PAGES:
        whole(opened(page, path))
    opened(page, "/wall")
    assert page.evaluate("document.documentElement.scrollHeight - window.innerHeight") <= 0
    page.context.close()


def test_forced_colours_and_reduced_motion(site: Site) -> None:
    page = site.page("admin", forced_colors="active", reduced_motion="reduce")
    opened(page, "/")
    tile = page.locator(".tile.s-failed").first
    expect(tile).to_contain_text("Failed")
    assert tile.evaluate("e => getComputedStyle(e).animationName") == "none" or tile.evaluate(
        "e => getComputedStyle(e).animationDuration"
    ) in {"0s", "0.00001s"}
    assert tile.locator("svg").evaluate("e => getComputedStyle(e).stroke") != "none"
    page.context.close()


def test_a_person_logs_in_and_out_by_keyboard(site: Site) -> None:
    page = site.page()
    opened(page, "/devices?state=failed")
    expect(page).to_have_title(re.compile("Log in"))
    page.keyboard.type("viewer")
    page.keyboard.press("Tab")
    page.keyboard.type(night.PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/board/devices\?state=failed$"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    outline = page.locator(".skip").evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.locator(".me summary").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator(".me summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title(re.compile("Log in"))
    page.go_back()
    expect(page).to_have_title(re.compile("Log in"))
    page.context.close()


def test_a_viewer_sees_no_button_that_would_fail(site: Site) -> None:
    page = site.page("viewer")
    for path in ("/", "/devices", "/devices/41", "/strangers", "/replacements", "/vouchers"):
        opened(page, path)
        buttons = page.locator("main form[method=post] button")
        assert buttons.count() == 0, path
    page.context.close()


def test_an_event_changes_one_tile_and_the_counts(site: Site) -> None:
    page = site.page("operator")
    opened(page, "/")
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    page.evaluate("document.querySelectorAll('.tile').forEach(e => { e.marked = true; })")
    expected = int(page.locator("#n-expected").inner_text())
    tile = page.locator(".tile.s-expected").first
    key = int(str(tile.get_attribute("id"))[1:])
    serial = f"FX{key:05d}"

    entries = night.entries_of("sent", key, serial, "", datetime.now(UTC), 0.0, "")
    night.write(site.database, list(entries))

    expect(page.locator(f"#t{key}")).to_contain_text("Data sent")
    expect(page.locator("#n-expected")).to_have_text(str(expected - 1))
    new = page.evaluate("[...document.querySelectorAll('.tile')].filter(e => !e.marked).length")
    assert new == 1
    assert page.errors == []  # type: ignore[attr-defined]

    # A failure comes to the people who can act.
    night.write(
        site.database,
        list(night.entries_of("failed", key, serial, "", datetime.now(UTC), -0.01, "")),
    )
    expect(page.locator(f"#people a[href='/board/devices/{key}']")).to_be_visible()
    page.context.close()


def test_a_lost_connection_is_told_and_resumes_without_a_gap(site: Site) -> None:
    page = site.page("operator")
    opened(page, "/")
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    held = page.locator(".tile.s-on-hold")
    key = int(str(held.first.get_attribute("id"))[1:])

    site.server.stop()
    expect(page.locator("#link")).to_be_visible()
    with site.database.write() as connection:
        release_chassis(connection, [key])
    site.restart()

    expect(page.locator(f"#t{key}")).to_contain_text("Expected")
    expect(page.locator("#link")).to_be_hidden()
    page.context.close()


def test_a_session_that_ends_leads_to_the_login(site: Site) -> None:
    # With script the page may go to the login by itself, before the click.
    page = site.page("security", java_script_enabled=False)
    opened(page, "/devices/41")
    with site.database.write() as connection:
        end_sessions(connection, "security")
    assert page.url.endswith("/devices/41")
    page.get_by_role("link", name="Identity").click()
    expect(page).to_have_title(re.compile("Log in"))
    page.context.close()


def test_a_batch_is_held_and_released_with_back_and_reload(site: Site) -> None:
    page = site.page("operator")
    opened(page, "/devices?state=ready&sort=name")
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-selected]")).to_have_text(re.compile(r"^\d+ selected$"))
    page.get_by_label("All on this page").uncheck()
    opened(page, "/devices?state=expected&sort=name")
    page.locator("tbody input[type=checkbox]").nth(0).check()
    page.locator("tbody input[type=checkbox]").nth(1).check()
    name = page.locator("tbody th a").nth(0).inner_text()
    page.get_by_role("button", name="Hold…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hold 2 devices?")
    page.go_back()
    page.go_forward()
    page.get_by_label("Why").fill("no power")
    page.get_by_role("button", name="Hold 2").click()
    expect(page.locator(".flash")).to_contain_text("2 devices were put on hold.")
    page.reload()
    expect(page.locator(".flash")).to_have_count(0)

    opened(page, f"/devices?q={name}")
    page.locator("tbody input[type=checkbox]").check()
    page.get_by_role("button", name="Release…").click()
    page.get_by_role("button", name="Release 1").click()
    expect(page.locator("tbody .state")).to_have_text("Expected")
    page.context.close()


def test_every_page_and_form_works_without_script(site: Site) -> None:
    page = site.page("operator", java_script_enabled=False)
    opened(page, "/")
    page.locator(".tile.s-failed").first.click()
    expect(page.locator(".standing .state")).to_have_text("Failed")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator(".standing .state")).to_have_text("On hold")
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".standing .state")).to_have_text("Failed")
    page.context.close()


def test_a_file_is_dropped_and_its_mistakes_are_shown(site: Site) -> None:
    page = site.page("operator")
    opened(page, "/import")
    text = "vendor,serial_number\nNobody,NEW1\nAcme,FX1 2\n"
    page.locator("input[type=file]").set_input_files(
        [{"name": "<b>x</b>.csv", "mimeType": "text/csv", "buffer": text.encode()}]
    )
    page.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    assert page.locator("main b").count() == 0
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    page.get_by_role("link", name="Home").click()
    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    page.context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_image_is_uploaded_and_its_digest_shown(site: Site, *, script: bool) -> None:
    page = site.page("operator", java_script_enabled=script)
    opened(page, "/images")
    content = f"an image {script}".encode() * 400_000
    page.get_by_label("Name").fill("xr")
    page.get_by_label("Version").fill(f"script-{script}")
    page.locator("input[type=file]").set_input_files(
        [{"name": "xr.iso", "mimeType": "application/octet-stream", "buffer": content}]
    )
    page.get_by_label("SHA-256").fill("0" * 64)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("main")).to_contain_text("image-file-other")
    if not script:
        page.get_by_role("link", name="Go back").click()
        page.get_by_label("Name").fill("xr")
        page.get_by_label("Version").fill(f"script-{script}")
        page.locator("input[type=file]").set_input_files(
            [{"name": "xr.iso", "mimeType": "application/octet-stream", "buffer": content}]
        )
    page.get_by_label("SHA-256").fill("")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#digest")).to_have_text(hashlib.sha256(content).hexdigest())
    page.reload()
    expect(page.locator("#digest")).to_be_visible()
    assert page.errors == []  # type: ignore[attr-defined]
    page.context.close()


def test_results_and_refusals_hold_against_reload_and_back(site: Site) -> None:
    page = site.page("admin")
    opened(page, "/tokens")
    page.get_by_label("Name").fill("screen")
    page.get_by_role("button", name="Make it").click()
    secret = page.locator("#secret").inner_text()
    page.reload()
    expect(page.locator("#secret")).to_have_text(secret)
    page.get_by_role("link", name="Users").click()
    page.go_back()
    expect(page.locator("#secret")).to_have_text(secret)

    # A form that is refused: a reload sends nothing again, and leads to the form.
    opened(page, "/devices/1?tab=change")
    page.get_by_label("Variables").fill("[")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("chassis-invalid")
    page.reload()
    expect(page.get_by_label("Variables")).to_be_visible()
    page.context.close()


def test_markup_in_data_runs_nowhere(site: Site) -> None:
    evil = "<img src=x onerror=document.title='pwned'><script>document.title='pwned'</script>"
    night.write(
        site.database,
        [
            night.stranger(f"EVIL{evil}"[:60], site.now, detail=evil),
            *night.entries_of("failed", 46, "FX00046", "", datetime.now(UTC), 0.0, evil),
        ],
    )
    page = site.page("admin")
    for path in ("/strangers", "/", "/devices/46", "/wall", "/devices?q=%3Cscript%3E"):
        opened(page, path)
        assert "pwned" not in page.title()
        assert page.locator("main img, main script").count() == 0
    assert page.errors == []  # type: ignore[attr-defined]
    page.context.close()
