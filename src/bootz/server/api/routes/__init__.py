"""The API's routes, one file a noun."""

from typing import Final

from fastapi import APIRouter

from bootz.server.api.routes import (
    attempts,
    audit,
    chassis,
    events,
    login,
    profiles,
    replacements,
    status,
    tokens,
    users,
    vendors,
    vouchers,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    login.router,
    vendors.router,
    chassis.router,
    profiles.router,
    vouchers.router,
    replacements.router,
    attempts.router,
    events.router,
    users.router,
    tokens.router,
    audit.router,
    status.router,
)
