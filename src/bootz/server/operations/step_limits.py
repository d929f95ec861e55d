"""How long each step of an onboarding may be silent, for the site and for each vendor."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import Connection, select

from bootz.server.operations.chassis_state import StepLimits
from bootz.server.operations.texts import load_object
from bootz.server.operations.vendors import VendorProgress
from bootz.server.store.schema import VENDOR

_SETTINGS: Final = select(VENDOR.c.name, VENDOR.c.settings)


class Minutes(Protocol):
    """The site's settings; fills from ``bootz.config.ProgressSettings``."""

    @property
    def first_byte_minutes(self) -> int:
        """From the answer to the first byte of the image."""

    @property
    def image_minutes(self) -> int:
        """While the image is loaded, without a byte."""

    @property
    def applying_minutes(self) -> int:
        """While image and configuration are applied."""


class SiteLimits:
    """The limits of a site's routers, by the name of their vendor."""

    def __init__(self, site: StepLimits, vendors: Mapping[str, StepLimits]) -> None:
        self._site = site
        self._vendors = vendors

    def of(self, vendor: str) -> StepLimits:
        """Return the limits of a vendor's routers."""
        return self._vendors.get(vendor, self._site)


def read_limits(connection: Connection, minutes: Minutes) -> SiteLimits:
    """Return the limits of the site and of every vendor that has its own."""
    site = StepLimits(
        timedelta(minutes=minutes.first_byte_minutes),
        timedelta(minutes=minutes.image_minutes),
        timedelta(minutes=minutes.applying_minutes),
    )
    own: dict[str, StepLimits] = {}
    for name, settings in connection.execute(_SETTINGS):
        progress = load_object(settings).get("progress")
        if progress is not None:
            own[name] = _with(site, VendorProgress.model_validate(progress))
    return SiteLimits(site, own)


def _with(site: StepLimits, own: VendorProgress) -> StepLimits:
    def chosen(minutes: int | None, default: timedelta) -> timedelta:
        return default if minutes is None else timedelta(minutes=minutes)

    return StepLimits(
        chosen(own.first_byte_minutes, site.first_byte),
        chosen(own.image_minutes, site.image),
        chosen(own.applying_minutes, site.applying),
    )
