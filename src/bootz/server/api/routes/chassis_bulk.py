"""Many chassis at once: added or removed all together, or none with every error."""

from typing import Annotated, Final

from fastapi import Depends, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from bootz.errors import BootzError
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import Principal
from bootz.server.api.problems import ErrorItem, item_of
from bootz.server.api.routes.chassis import (
    MAX_BULK,
    ChassisBody,
    ChassisKeys,
    record_of,
)
from bootz.server.api.routes.chassis_choice import find_visible, raise_all
from bootz.server.api.routes.documents import STRICT, refuse_hidden
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep
from bootz.server.operations.chassis import insert_placed, remove_all_chassis
from bootz.server.operations.chassis_placement import place_chassis
from bootz.server.operations.chassis_record import ChassisRecord

router = api_router("/chassis", tag="chassis")

_MAX_ERRORS: Final = 1000


class ManyChassis(BaseModel):
    """Chassis that are put on record together."""

    model_config = STRICT

    chassis: list[ChassisBody] = Field(min_length=1, max_length=MAX_BULK)


class AddedChassis(BaseModel):
    """A chassis that was added."""

    id: int
    name: str = Field(description="Its serial number, or that of its first card.")


class Added(BaseModel):
    """The chassis that were added, in the order in which they were given."""

    added: list[AddedChassis]


class RemovedMany(BaseModel):
    """What was removed, by serial number."""

    removed: list[str]


@router.post(
    "/bulk",
    status_code=201,
    response_model=Added,
    **{**operation("chassis.add", 409, 413, 422), "operation_id": "chassis_add_many"},
)
def add_many(
    principal: Annotated[Principal, Depends(needs("chassis.add"))],
    change: ChangeDep,
    body: ManyChassis,
) -> Response:
    """Put many chassis on record: all of them, or none with every error at once."""

    def work(connection: Connection) -> Answer:
        records: list[ChassisRecord] = []
        indexes: list[int] = []
        errors: list[tuple[int, ErrorItem]] = []
        for index, each in enumerate(body.chassis):
            given = each.model_dump(exclude_unset=True)
            try:
                refuse_hidden(given)
                records.append(record_of(principal, given))
                indexes.append(index)
            except BootzError as error:
                errors.append((index, _item(index, error)))
        placement = place_chassis(connection, records)
        errors += [(indexes[at], _item(indexes[at], error)) for at, error in placement.faults]
        raise_all([item for _, item in sorted(errors, key=lambda each: each[0])][:_MAX_ERRORS])
        added = insert_placed(connection, placement.placed, placement.images)
        find_visible(connection, principal, [each.key for each in added])
        return Answer(
            Added(added=[AddedChassis(id=each.key, name=each.name) for each in added]), 201
        )

    return change.run(principal, "chassis.add", work)


@router.delete(
    "",
    response_model=RemovedMany,
    **{**operation("chassis.remove", 404, 413, 422), "operation_id": "chassis_remove_many"},
)
def remove_many(
    principal: Annotated[Principal, Depends(needs("chassis.remove"))],
    change: ChangeDep,
    body: ChassisKeys,
) -> Response:
    """Take many chassis off the record, or none; their attempts stay in the journal."""

    def work(connection: Connection) -> Answer:
        find_visible(connection, principal, body.ids)
        removed = remove_all_chassis(connection, body.ids)
        return Answer(RemovedMany(removed=[each.name for each in removed]))

    return change.run(principal, "chassis.remove", work)


def _item(index: int, error: BootzError) -> ErrorItem:
    return item_of(error, where=f"chassis.{index} {error.where}".strip())
