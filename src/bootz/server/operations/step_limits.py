"""How long each step of an onboarding may be silent, for the site and for each vendor."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Protocol

from bootz.server.operations.chassis_state import StepLimits
from bootz.server.store.listing import Execute

_SETTINGS: Final = "SELECT name, settings FROM vendor WHERE settings LIKE :key"


class Minutes(Protocol):
    """The site's settings; fills from ``bootz.config.serving.ProgressSettings``."""

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


def read_limits(execute: Execute, minutes: Minutes | None) -> SiteLimits:
    """Return the limits of the site (None: the usual ones) and of every vendor with its own."""
    site = StepLimits()
    if minutes is not None:
        site = StepLimits(
            timedelta(minutes=minutes.first_byte_minutes),
            timedelta(minutes=minutes.image_minutes),
            timedelta(minutes=minutes.applying_minutes),
        )
    own: dict[str, StepLimits] = {}
    for name, settings in execute(_SETTINGS, {"key": '%"progress"%'}):
        progress = json.loads(settings).get("progress")
        if progress:
            own[name] = _with(site, progress)
    return SiteLimits(site, own)


def _with(site: StepLimits, own: Mapping[str, int | None]) -> StepLimits:
    """Return the site's limits with those of a vendor, which were checked when they were stored."""

    def chosen(name: str, default: timedelta) -> timedelta:
        minutes = own.get(f"{name}_minutes")
        return default if minutes is None else timedelta(minutes=minutes)

    return StepLimits(
        chosen("first_byte", site.first_byte),
        chosen("image", site.image),
        chosen("applying", site.applying),
    )
