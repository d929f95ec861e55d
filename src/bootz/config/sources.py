"""Settings of the sources of truth: from which NetBox or Nautobot chassis are taken, and how.

Source: docs/source-of-truth.md#settings.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from bootz.config.values import FrozenSettings

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MAX_PATTERN: Final = 200


def _check_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must have up to 40 of a-z, 0-9, _, -, and begin with a letter or digit")
    return text


def _check_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be https://HOST, with port and path as needed")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must not have user, password, query or fragment; the token is in a file")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("http:// would show the token on the network; use https://")
    return text.rstrip("/").removesuffix("/api")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_pattern(text: str) -> str:
    if len(text) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class SelectSettings(FrozenSettings):
    """Which devices are taken: each key must fit; of several values one, of tags all."""

    status: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    manufacturer: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if not any(value for value in self.model_dump().values()):
            raise ValueError("must choose something, at least by status or tag")
        return self


class ProfileRule(FrozenSettings):
    """Which profile a device gets: the first rule of which every given key fits."""

    role: str | None = None
    platform: str | None = None
    manufacturer: str | None = None
    type: str | None = None
    profile: str = Field(min_length=1)


class CardRule(FrozenSettings):
    """Which modules are cards of a chassis, and of what kind; the first that fits."""

    bay: Pattern | None = None
    part_number: Pattern | None = None
    kind: Literal["control", "line"]

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.bay is None and self.part_number is None:
            raise ValueError("needs bay or part_number")
        return self


class MissingSettings(FrozenSettings):
    """How many devices may disappear at once before a sync stops."""

    percent: float = Field(10, ge=0, le=100)
    at_least: int = Field(5, ge=0)


class PushSettings(FrozenSettings):
    """What is written back to the source."""

    status: dict[Literal["ready", "success", "failed"], str] = Field(default_factory=dict)
    fields: bool = False
    journal: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything is written back."""
        return bool(self.status) or self.fields or self.journal


class HookSettings(FrozenSettings):
    """Where the source rings when something changed."""

    listen: str
    secret_file: Path
    tls: bool = True
    own_user: str = Field("", description="The token's user: its changes do not ring (Nautobot).")


class SourceSettings(FrozenSettings):
    """One source of truth."""

    name: Annotated[str, AfterValidator(_check_name)]
    kind: Literal["netbox", "nautobot"]
    url: Annotated[str, AfterValidator(_check_url)]
    token_file: Path
    ca_file: Path | None = None
    select: SelectSettings
    profiles: tuple[ProfileRule, ...] = Field((), max_length=200)
    cards: tuple[CardRule, ...] = Field((), max_length=100)
    mgmt_interface: Pattern = "^(MgmtEth|Management|mgmt)"
    dhcp: bool = False
    interval: int = Field(300, description="Seconds between syncs; 0: only by hand and webhook.")
    page_size: int = Field(500, ge=2, le=1000)
    max_missing: MissingSettings = MissingSettings()
    on_fault: Literal["stop", "hold"] = "stop"
    push: PushSettings = PushSettings()
    webhook: HookSettings | None = None

    @model_validator(mode="after")
    def _not_too_often(self) -> Self:
        if self.interval != 0 and self.interval < 60:
            raise ValueError("interval must be 0, or at least 60 seconds")
        return self


def check_unique(sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
    """Return settings in which no name appears twice.

    Raises:
        ValueError: one does.
    """
    names = [source.name for source in sources]
    if len(set(names)) != len(names):
        raise ValueError("two sources have the same name")
    return sources


Sources = Annotated[tuple[SourceSettings, ...], AfterValidator(check_unique)]
