"""Nouns that are documents with a name (vendors, profiles): the same five routes for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation, sees_secrets
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import Fields, Page, PagingDep, Search, listed
from bootz.server.api.problems import ErrorItem, ManyErrors
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, etag
from bootz.server.operations.secrets import (
    fingerprinter,
    hidden_places,
    masked_object,
    restored,
)

STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Removed(BaseModel):
    """What was removed."""

    removed: str = Field(description="Its name.")


class InventoryRecord(Protocol):
    """A record of the inventory that has a name and a document."""

    @property
    def name(self) -> str:
        """How a person calls it."""

    def to_document(self) -> dict[str, JsonValue]:
        """Return what an import reads."""


@dataclass(frozen=True, slots=True)
class Verbs:
    """The verbs of ``operations/`` for one noun."""

    read: Callable[[Mapping[str, Any]], Any]
    all: Callable[[Connection], Sequence[InventoryRecord]]
    find: Callable[[Connection, str], InventoryRecord]
    add: Callable[[Connection, Any], InventoryRecord]
    set: Callable[[Connection, str, Any], InventoryRecord]
    remove: Callable[[Connection, str], InventoryRecord]


def shower(
    connection: Connection, principal: Principal
) -> Callable[[Mapping[str, JsonValue]], dict[str, Any]]:
    """Return what shows documents as this caller may see them; the key is read once for all."""
    if sees_secrets(principal):
        return dict
    hide = fingerprinter(connection)
    return lambda document: masked_object(document, hide)


def shown(
    connection: Connection, principal: Principal, document: Mapping[str, JsonValue]
) -> dict[str, Any]:
    """Return a document as this caller may see it: secrets as fingerprints, or as they are."""
    return shower(connection, principal)(document)


def unmasked(
    connection: Connection,
    principal: Principal,
    before: Mapping[str, JsonValue],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what was given, with a fingerprint that was sent back as the secret it stands for.

    So who may not see a secret can still change what is beside it.

    Raises:
        ManyErrors: ``secret-hidden``: a fingerprint is where none was shown.
    """
    hide = fingerprinter(connection)
    seen = masked_object(before, hide)
    whole = restored(dict(before), seen, dict(given), hide)
    document = whole if isinstance(whole, dict) else {}
    refuse_hidden(document)
    return document


def refuse_hidden(document: Mapping[str, JsonValue]) -> None:
    """Refuse a document in which a fingerprint is in the place of a secret.

    Raises:
        ManyErrors: ``secret-hidden``.
    """
    places = list(hidden_places(document))
    if places:
        words = "this is the fingerprint of a secret, not the secret"
        raise ManyErrors(
            "secret-hidden",
            f"{', '.join(places)[:500]}: {words}",
            [ErrorItem(where=place, reason="secret-hidden", detail=words) for place in places],
        )


def document_router(noun: str, plural: str, body_model: type[BaseModel], verbs: Verbs) -> APIRouter:
    """Return the routes of a noun; ``body_model`` describes what is given and what is shown."""
    router = api_router(f"/{plural}", tag=plural)
    named = Annotated[str, Path(min_length=1, max_length=128, description="Its name.")]

    def caller(verb: str) -> Any:
        return Annotated[Principal, Depends(needs(f"{noun}.{verb}"))]

    def view(connection: Connection, principal: Principal, record: InventoryRecord) -> BaseModel:
        document = shown(connection, principal, record.to_document())
        return body_model.model_construct(**document)

    def answer(
        connection: Connection, principal: Principal, record: InventoryRecord, status: int = 200
    ) -> Answer:
        tag = etag(record.to_document())
        return Answer(view(connection, principal, record), status, {"ETag": tag})

    def list_(
        door: DoorDep,
        principal: caller("list"),  # type: ignore[valid-type]
        paging: PagingDep,
        q: Search = None,
        fields: Fields = None,
    ) -> Response:
        text = (q or "").casefold()
        with door.database.read() as connection:
            found = [each for each in verbs.all(connection) if text in each.name.casefold()]
            page = found[paging.offset : paging.offset + paging.limit]
            rows = [view(connection, principal, each) for each in page]
        return listed(paging, len(found), body_model, rows, fields)

    def show(
        door: DoorDep,
        principal: caller("show"),  # type: ignore[valid-type]
        name: named,
    ) -> Response:
        with door.database.read() as connection:
            record = verbs.find(connection, name)
            return answer(connection, principal, record).response()

    def add(
        principal: caller("add"),  # type: ignore[valid-type]
        change: ChangeDep,
        body: body_model,  # type: ignore[valid-type]
    ) -> Response:
        def work(connection: Connection) -> Answer:
            given = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
            refuse_hidden(given)
            record = verbs.add(connection, verbs.read(given))
            return answer(connection, principal, record, 201)

        return change.run(principal, f"{noun}.add", work)

    def set_(
        principal: caller("set"),  # type: ignore[valid-type]
        change: ChangeDep,
        name: named,
        body: body_model,  # type: ignore[valid-type]
    ) -> Response:
        def work(connection: Connection) -> Answer:
            before = verbs.find(connection, name).to_document()
            change.check_match(before)
            given = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
            wanted = verbs.read(unmasked(connection, principal, before, given))
            return answer(connection, principal, verbs.set(connection, name, wanted))

        return change.run(principal, f"{noun}.set", work)

    def remove(
        principal: caller("remove"),  # type: ignore[valid-type]
        change: ChangeDep,
        name: named,
    ) -> Response:
        def work(connection: Connection) -> Answer:
            change.check_match(verbs.find(connection, name).to_document())
            return Answer(Removed(removed=verbs.remove(connection, name).name))

        return change.run(principal, f"{noun}.remove", work)

    router.add_api_route(
        "",
        list_,
        response_model=Page[body_model | dict[str, Any]],  # type: ignore[valid-type]
        summary=f"List the {plural} by name.",
        **operation(f"{noun}.list"),
    )
    router.add_api_route(
        "/{name}",
        show,
        response_model=body_model,
        summary=f"Show one of the {plural}, with its ETag.",
        **operation(f"{noun}.show"),
    )
    router.add_api_route(
        "",
        add,
        methods=["POST"],
        status_code=201,
        response_model=body_model,
        summary=f"Add a {noun}.",
        **operation(f"{noun}.add", 409, 413, 422),
    )
    router.add_api_route(
        "/{name}",
        set_,
        methods=["PUT"],
        response_model=body_model,
        summary=f"Replace a {noun}; it may get another name.",
        **operation(f"{noun}.set", 409, 412, 413, 422),
    )
    router.add_api_route(
        "/{name}",
        remove,
        methods=["DELETE"],
        response_model=Removed,
        summary=f"Remove a {noun} that is not in use.",
        **operation(f"{noun}.remove", 409, 412),
    )
    return router
