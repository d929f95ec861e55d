"""The API's routes, one file a noun."""

from typing import Final

from fastapi import APIRouter

from bootz.server.api.routes import (
    attempts,
    audit,
    chassis,
    chassis_bulk,
    events,
    images,
    imports,
    keys,
    login,
    preflight,
    profiles,
    replacements,
    sources,
    status,
    strangers,
    tokens,
    users,
    vendors,
    vouchers,
    webhooks,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    login.router,
    vendors.router,
    chassis.router,
    chassis_bulk.router,
    preflight.router,
    profiles.router,
    images.router,
    vouchers.router,
    replacements.router,
    attempts.router,
    strangers.router,
    imports.router,
    keys.router,
    events.router,
    users.router,
    tokens.router,
    sources.router,
    webhooks.router,
    audit.router,
    status.router,
)
