"""The pages, one file a page."""

from typing import Final

from fastapi import APIRouter

from bootz.server.board.pages import device, devices, home, login

PAGES: Final[tuple[APIRouter, ...]] = (
    login.router,
    home.router,
    devices.router,
    device.router,
)
