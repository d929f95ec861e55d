"""Profiles: what a class of routers gets."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bootz.server.api.routes.documents import Verbs, document_router
from bootz.server.operations.profiles import (
    ProfileRecord,
    add_profile,
    find_profile,
    list_profiles,
    remove_profile,
    set_profile,
)


class Profile(BaseModel):
    """A profile on record; beside these, the keys of its document (docs/templates.md)."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    name: str = Field(max_length=128)
    description: str = Field("", max_length=1024)


def _read(given: Mapping[str, Any]) -> ProfileRecord:
    return ProfileRecord.from_document(given, where=f"profile {given['name']!r}")


router = document_router(
    "profile",
    "profiles",
    Profile,
    Verbs(_read, list_profiles, find_profile, add_profile, set_profile, remove_profile),
)
