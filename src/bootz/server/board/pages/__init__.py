"""The pages, one file a page."""

from typing import Final

from fastapi import APIRouter

from bootz.server.board.pages import home, login

PAGES: Final[tuple[APIRouter, ...]] = (login.router, home.router)
