"""A lab night with five faulty routers, each found and repaired through the board.

``make check-board``. Each fault is found from the home page in two clicks at most, its next action
is done on a page, and the router, which goes on asking, comes up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import yaml
from board.browser import CHROMIUM
from playwright.sync_api import Page, expect, sync_playwright

from bootz.lab.fleet import power_on
from bootz.lab.ground import LOOPBACK
from bootz.lab.parties.folders import folders_at
from bootz.lab.parties.manufacturer import build_routers, found_manufacturer, voucher_service
from bootz.lab.parties.owner import (
    IMAGE,
    board,
    bootz_server,
    fetch_vouchers,
    fill_inventory,
    found_site,
)
from bootz.lab.plan import MANUFACTURER, plan_routers

_ATTEMPTS = 600
_PATIENCE_MS = 120_000


async def night(root: Path, count: int) -> None:
    """Run the night; raises where a router does not come up."""
    routers = plan_routers(count, ("2023-11", "v0.1.0"))
    held, template, profile, swapped, unknown = (each.serial_number for each in routers[:5])

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    async with AsyncExitStack() as stack:
        folders = await stack.enter_async_context(folders_at(root))
        await found_manufacturer(folders, tell)
        await build_routers(folders, routers, tell)
        pinned = await found_site(folders, LOOPBACK, tell)
        source = await stack.enter_async_context(
            voucher_service(folders, routers, pinned, LOOPBACK, tell)
        )
        await fill_inventory(folders, routers, source, 64 << 10, LOOPBACK, tell)
        await fetch_vouchers(folders, LOOPBACK, tell)
        site = ("--site", folders.site)
        await folders.run(*site, "chassis", "hold", held, "--note", "no power yet")
        faults = {
            "profiles": [
                {
                    "name": name,
                    "image": {"name": IMAGE[0], "version": IMAGE[1]},
                    "vendor_config": "hostname {{ variables.missing }}\n",
                }
                for name in ("broken", "other")
            ],
            "chassis": [
                {"vendor": MANUFACTURER, "serial_number": template, "profile": "broken"},
                {"vendor": MANUFACTURER, "serial_number": profile, "profile": "other"},
            ],
        }
        file = root / "faults.yaml"
        file.write_text(yaml.safe_dump(faults))
        await folders.run(*site, "import", file, "--update")
        for serial in (swapped, unknown):
            await folders.run(*site, "chassis", "remove", serial)
        file.write_text(
            yaml.safe_dump(
                {
                    "chassis": [
                        {
                            "vendor": MANUFACTURER,
                            "serial_number": "PLANNED1",
                            "hostname": "planned-1",
                            "profile": "lab",
                        }
                    ]
                }
            )
        )
        await folders.run(*site, "import", file)
        server = await stack.enter_async_context(bootz_server(folders, LOOPBACK, tell))
        address = await stack.enter_async_context(board(folders, tell))
        booting = asyncio.create_task(
            power_on(
                LOOPBACK.batches(routers),
                folders.routers,
                words=LOOPBACK.router_words(server.uri),
                attempts=_ATTEMPTS,
                hear=lambda _serial, _event: None,
            )
        )
        try:
            await asyncio.to_thread(
                _person, address, count, held, template, profile, swapped, unknown
            )
            accounts = await booting
        finally:
            booting.cancel()
    bad = [serial for serial, account in accounts.items() if account.get("status") != "BOOTZ_OK"]
    tell(f"{len(accounts) - len(bad)} of {count} routers came up; five through the board")
    if bad:
        raise SystemExit(f"not up: {', '.join(bad)}")


def _person(
    address: str, count: int, held: str, template: str, profile: str, swapped: str, unknown: str
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        page.goto(address)
        page.get_by_role("button", name="Log in").click()
        home = page.url.partition("/board/")[0] + "/board/"
        # Those that are well come up by themselves.
        expect(page.locator("#n-ready")).to_have_text(str(count - 5))

        # 1. On hold: one click on the count, and the way of the many.
        page.locator(".count.s-on-hold").click()
        page.locator("tbody input[type=checkbox]").first.check()
        page.get_by_role("button", name="Release…").click()
        page.get_by_role("button", name="Release 1").click()
        _up(page, home, count - 4)

        # 2. A template fails: its card, the profile of the device, and the profile is corrected.
        page.locator(".person", has_text=template.lower()).locator("h3 a").click()
        expect(page.locator(".standing")).to_contain_text("template")
        page.locator(".facts").get_by_role("link", name="broken").click()
        text = page.locator("textarea[name=document]")
        text.fill(text.input_value().replace("variables.missing", "chassis.hostname"))
        page.get_by_role("button", name="Save").click()
        _up(page, home, count - 3)

        # 3. Another profile was meant: the device is changed.
        page.locator(".person", has_text=profile.lower()).locator("h3 a").click()
        page.locator(".tabs").get_by_role("link", name="Change").click()
        page.get_by_label("Profile").select_option("lab")
        page.get_by_role("button", name="Save").click()
        _up(page, home, count - 2)

        # 4. A box was swapped: the stranger is claimed as the planned device.
        page.locator(".count.s-stranger").click()
        page.locator(".card", has_text=swapped).get_by_role("link", name="Claim").click()
        page.locator("select[name=device]").select_option(index=1)
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("button", name="It is planned-1").click()
        _up(page, home, count - 1)

        # 5. One was never on record: it is imported.
        page.locator(".count.s-stranger").click()
        expect(page.locator(".card", has_text=unknown).first).to_be_visible()
        page.get_by_role("link", name="Import", exact=True).click()
        page.get_by_text("Or paste it").click()
        page.locator("textarea[name=text]").fill(
            "vendor,serial_number,hostname,profile\n"
            f"{MANUFACTURER},{unknown},lab-{unknown.lower()},lab\n"
        )
        page.locator("select[name=form]").select_option("csv")
        page.get_by_role("button", name="Show the difference").click()
        page.get_by_role("button", name="Apply").click()
        _up(page, home, count)
        browser.close()


def _up(page: Page, home: str, count: int) -> None:
    """Wait at home, which is live, until so many are ready."""
    page.goto(home)
    expect(page.locator("#n-ready")).to_have_text(str(count))


def main() -> None:
    """Run the night in a folder that goes afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routers", type=int, default=50)
    count = parser.parse_args().routers
    with tempfile.TemporaryDirectory(prefix="bootz-night-") as folder:
        asyncio.run(night(Path(folder) / "lab", count))


if __name__ == "__main__":
    main()
