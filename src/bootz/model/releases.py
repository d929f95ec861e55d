"""What a router's software is called, and the dialect that it speaks.

An IOS XR release, or a version of openconfig/bootz, names one as well as the dialect's own name.
Source: docs/dialects.md#which-release-speaks-which.
"""

import re
from typing import Final

from bootz.model.kinds import Release

RELEASES: Final = (
    ("7.11.1", "v0.1.0", Release.V0_1_0),
    ("24.1.1", "v0.0.0-20230809153947-e6bc0be82dd8", Release.V0_1_0),
    ("24.2.1", "v0.1.1-0.20231106050618-8d6e2559f803", Release.NOVEMBER_2023),
    ("24.3.1", "v0.3.1", Release.V0_3),
    ("24.4.1", "", Release.V0_3),
)
"""IOS XR release, version of openconfig/bootz where a document names it, dialect."""

_TAG: Final = re.compile(r"v([0-9]{1,3})\.([0-9]{1,3})(?:\.[0-9]{1,3})?")

_BEFORE: Final = re.compile(
    r"openconfig/bootz[ @]+|(?:Cisco +)?(?:IOS[ -]?XR +)?(?:Release +)?", re.IGNORECASE
)
"""What the table of the guide, and people, write in front of a release."""


def release_named(text: str) -> Release:
    """Return the release that a text names.

    Raises:
        ValueError: it names none; the message lists the table.
    """
    name = _BEFORE.sub("", text.strip(), count=1)
    for release in Release:
        if name == release.value:
            return release
    for ios_xr, version, release in RELEASES:
        if name and name in {ios_xr, version}:
            return release
    if tag := _TAG.fullmatch(name):
        number = int(tag[1]), int(tag[2])
        if number == (0, 1):
            return Release.NOVEMBER_2023
        if number > (0, 1):
            return Release.V0_3 if number < (0, 7) else Release.CURRENT
    known = "; ".join(
        f"IOS XR {' or '.join(filter(None, (xr, version)))}: {each.value}"
        for xr, version, each in RELEASES
    )
    names = ", ".join(release.value for release in Release)
    raise ValueError(f"no release is called {text[:80]!r}. Known are {known}; or {names}")
