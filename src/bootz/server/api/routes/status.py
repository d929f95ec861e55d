"""The door's view of the site: which part is well, and where the routers stand."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from bootz import __version__
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.operations.chassis_overview import overview
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.step_limits import read_limits
from bootz.server.store.attempts import last_event
from bootz.server.store.database import plain
from bootz.server.store.listing import listed_chassis
from bootz.server.store.migrations import SITE_SCHEMA

router = APIRouter(tags=["status"])


class SiteStatus(BaseModel):
    """The site at a glance."""

    version: str
    organization: str
    database: str = Field(description="sqlite or postgresql.")
    schema_version: int
    last_event: int = Field(description="The id of the journal's latest event.")
    chassis: dict[ChassisState, int] = Field(description="How many stand where.")


@router.get("/status", **operation("status.show"))
def status(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("status.show"))]
) -> SiteStatus:
    """Show the site at a glance."""
    now = door.clock()
    with door.database.read() as connection:
        execute = plain(connection)
        limits = read_limits(execute, door.config.progress)
        found = overview(listed_chassis(execute), limits, now).counts
        return SiteStatus(
            version=__version__,
            organization=door.config.organization,
            database=connection.dialect.name,
            schema_version=SITE_SCHEMA.found(connection) or 0,
            last_event=last_event(connection),
            chassis=dict(found),
        )
