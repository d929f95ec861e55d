"""Profiles: who uses what; a profile in full, and how two devices differ by it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy import Connection, func, select

from bootz.errors import BootzError, ConfigError
from bootz.server.api.routes.documents import shown, unmasked
from bootz.server.api.routes.preflight import preview_terms
from bootz.server.board.newsroom import Newsroom
from bootz.server.board.view import go, page, segment, url
from bootz.server.board.visitor import FormDep, Visitor, changing, visiting
from bootz.server.importing.yaml_form import parse_yaml
from bootz.server.operations.intent import chassis_intent
from bootz.server.operations.profiles import (
    ProfileRecord,
    find_profile,
    list_profiles,
    set_profile,
)
from bootz.server.operations.secrets import fingerprinter
from bootz.server.rendering.differences import as_text, difference
from bootz.server.rendering.sent import sent_beside
from bootz.server.store.schema import CHASSIS

router = APIRouter()

SENT = "sent"
"""In the address: a device is compared with what it was last sent."""


@router.get("/profiles")
def profiles(visitor: Annotated[Visitor, Depends(visiting("profile.list"))]) -> Response:
    """List profiles, with how many devices use each."""
    with visitor.door.database.read() as connection:
        found = list_profiles(connection)
        rows = connection.execute(
            select(CHASSIS.c.profile_id, func.count()).group_by(CHASSIS.c.profile_id)
        )
        uses: dict[int | None, int] = {key: count for key, count in rows}  # noqa: C416
    return page(visitor, "profiles.html", profiles=found, uses=uses)


@router.get("/profiles/{name}")
def profile(
    visitor: Annotated[Visitor, Depends(visiting("profile.show"))],
    name: Annotated[str, Path(max_length=128)],
    device: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    other: Annotated[str, Query(pattern=r"^([0-9]{0,18}|sent)$")] = "",
) -> Response:
    """Show a profile, and what a device would get beside another's, or what it was last sent."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    tiles = newsroom.look().tiles
    with visitor.door.database.read() as connection:
        record = find_profile(connection, name)
        document = shown(connection, visitor.principal, record.to_document())
        one = _intended(connection, visitor, device)
        two = ""
        if other != SENT:
            two = _intended(connection, visitor, int(other) if other else None)
        elif device is not None:
            one, two = _sent(connection, visitor, device)
    users = sorted(
        (tile for tile in tiles.values() if tile.listed.profile == record.name),
        key=lambda tile: tile.name,
    )
    return page(
        visitor,
        "profile.html",
        record=record,
        document=as_text(document),
        users=users,
        others=sorted(tiles.values(), key=lambda tile: tile.name)[:2000],
        device=device,
        other=other,
        sent=SENT,
        one=one,
        two=two,
        lines=difference(one, two) if one and two else [],
    )


@router.post("/profiles/{name}/change")
def change(
    visitor: Annotated[Visitor, Depends(changing("profile.set"))],
    name: Annotated[str, Path(max_length=128)],
    form: FormDep,
) -> Response:
    """Change what templates and variables a profile has."""
    given_text = form.get("document", "")
    given = _read(given_text if isinstance(given_text, str) else "")
    with visitor.door.database.write(visitor.principal.actor("profile.set")) as connection:
        before = find_profile(connection, name)
        wanted = unmasked(connection, visitor.principal, before.to_document(), given)
        after = set_profile(connection, name, ProfileRecord.from_document(wanted, where=name))
    return go(url(f"/profiles/{segment(after.name)}"), "The profile was changed.")


def _intended(connection: Connection, visitor: Visitor, key: int | None) -> str:
    """Return what a device would get as text, why not where it cannot, empty without a device."""
    if key is None:
        return ""
    try:
        intent = chassis_intent(connection, key)
    except BootzError as error:
        return str(error)
    document = {
        **intent.document.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        "variables": dict(intent.variables),
    }
    return as_text(shown(connection, visitor.principal, document))


def _sent(connection: Connection, visitor: Visitor, key: int) -> tuple[str, str]:
    """Return what a device was last sent and what it would get now, both as text.

    Where one cannot be had, why not stands in its place and the other text is empty.
    """
    try:
        beside = sent_beside(connection, key, preview_terms(connection, visitor.door))
    except BootzError as error:
        return str(error), ""
    if beside is None:
        return "It was not sent anything yet.", ""
    if beside.flaw is not None:
        return str(beside.flaw), ""
    told = beside.masked(None if visitor.sees_secrets else fingerprinter(connection))
    if told.before is None or told.now is None:
        return "What was sent is too large to be kept.", ""
    return as_text(told.before), as_text(told.now)


def _read(text: str) -> dict[str, Any]:
    document, _ = parse_yaml(text)
    if not isinstance(document, dict):
        raise ConfigError("profile-invalid", "a profile has keys with values", where="document")
    return document
