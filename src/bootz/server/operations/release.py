"""The release of a chassis as documents of an operator spell it."""

from typing import Annotated

from pydantic import BeforeValidator

from bootz.model.kinds import Release
from bootz.model.releases import release_named


def _read(value: object) -> object:
    return release_named(value) if isinstance(value, str) else value


AnyRelease = Annotated[Release, BeforeValidator(_read)]
"""A release by the name of its dialect, of IOS XR or of openconfig/bootz."""
