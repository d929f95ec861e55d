"""The pages, one file a page."""

from typing import Final

from fastapi import APIRouter

from bootz.server.board.pages import (
    accounts,
    audit,
    device,
    devices,
    home,
    images,
    imports,
    keys,
    login,
    profiles,
    replacements,
    report,
    sources,
    strangers,
    vouchers,
    wall,
    webhooks,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    login.router,
    home.router,
    devices.router,
    device.router,
    strangers.router,
    replacements.router,
    report.router,
    wall.router,
    imports.router,
    sources.router,
    vouchers.router,
    keys.router,
    profiles.router,
    images.router,
    accounts.router,
    webhooks.router,
    audit.router,
)
