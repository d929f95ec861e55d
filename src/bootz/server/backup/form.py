"""The form of a backup: a tar file whose last member lists the others with their digests.

Source: docs/backup.md#the-file.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bootz import strict_json
from bootz.errors import ConfigError

FORM: Final = 1
"""The number of this form; a later one that this program cannot read has another."""

DATABASE: Final = "database.sqlite"
SETTINGS: Final = "bootz.yaml"
PRIVATE: Final = "private.age"
MANIFEST: Final = "backup.json"
IMAGES: Final = "images/"

MAX_MANIFEST: Final = 64 << 20
"""Bytes of the list."""
MAX_PRIVATE: Final = 64 << 20
"""Bytes of all files beside settings, database and images."""

OnBytes: TypeAlias = Callable[[int, int], None]
"""Told the bytes that are done, and all."""

_IMAGE: Final = re.compile(r"images/[0-9a-f]{64}")


class BackedUpFile(BaseModel):
    """One file in a backup: bytes, and its SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(ge=0, le=1 << 50)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup contains, and of what site."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    form: int = Field(ge=1, le=1 << 16)
    made_at: str = Field(max_length=40)
    bootz: str = Field(max_length=40)
    schema_version: int = Field(ge=1, le=1 << 16)
    engine: str = Field(pattern=r"^(sqlite|postgresql)$")
    organization: str = Field(max_length=64)
    sealed_for: str = Field(pattern=r"^(passphrase|recipients)?$")
    images: bool
    left_out: tuple[str, ...]
    members: Mapping[str, BackedUpFile]

    def to_bytes(self) -> bytes:
        """Return it as it is written."""
        return json.dumps(self.model_dump(mode="json"), indent=1).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ReadBackup:
    """A backup that was read to its end and is whole; ``private`` is still sealed."""

    manifest: Manifest
    settings: bytes = field(repr=False)
    private: bytes = field(repr=False)


def is_member(name: str) -> bool:
    """Tell whether a backup may have a file of that name, beside the list."""
    return name in {DATABASE, SETTINGS, PRIVATE} or _IMAGE.fullmatch(name) is not None


def parse_manifest(content: bytes, where: str) -> Manifest:
    """Return the list of a backup.

    Raises:
        ConfigError: ``backup-invalid``: it is not of the form, or of another version of it.
    """
    try:
        document = strict_json.loads(content)
    except ValueError as error:
        raise invalid(f"{MANIFEST} is not JSON", where) from error
    if isinstance(document, dict) and document.get("form", FORM) != FORM:
        raise ConfigError(
            "backup-invalid",
            f"{MANIFEST} has a form that this program does not read",
            where=where,
            expected=str(FORM),
            seen=str(document["form"])[:20],
        )
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])[:80]
        raise invalid(f"{MANIFEST}: {place}: {fault['msg']}", where) from error
    for name in manifest.members:
        if not is_member(name):
            raise invalid(f"{MANIFEST} lists a file of another name: {name!r:.80}", where)
    if not {DATABASE, SETTINGS} <= set(manifest.members):
        raise invalid(f"{MANIFEST} does not list {DATABASE} and {SETTINGS}", where)
    if (PRIVATE in manifest.members) != bool(manifest.sealed_for):
        raise invalid(f"{MANIFEST} contradicts itself about {PRIVATE}", where)
    return manifest


def invalid(detail: str, where: str) -> ConfigError:
    """Return the error for a file that is not a whole backup."""
    return ConfigError("backup-invalid", detail, where=where)
