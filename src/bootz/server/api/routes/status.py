"""The door's view of the site: which part is well, and where the routers stand."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, Field

from bootz import __version__
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.routing import api_router
from bootz.server.health import site_health
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.store.attempts import last_event
from bootz.server.store.migrations import SITE_SCHEMA

router = api_router(tag="status")


class PartView(BaseModel):
    """One part of the site, and why it is not well."""

    part: str
    well: bool
    detail: str
    reason: str
    next_action: str


class UnsafeChassis(BaseModel):
    """How many chassis are served without a proof."""

    insecure: int = Field(description="In insecure mode: their data are sent unsigned.")
    skip_serial: int = Field(description="Without the check of the serial number in the IDevID.")


class SiteStatus(BaseModel):
    """The site at a glance."""

    version: str
    organization: str
    database: str = Field(description="sqlite or postgresql.")
    schema_version: int
    last_event: int = Field(description="The id of the journal's latest event.")
    chassis: dict[ChassisState, int] = Field(description="How many stand where.")
    unsafe: UnsafeChassis
    ready: bool = Field(description="Whether every part is well, as /readyz says.")
    parts: list[PartView]


@router.get("/status", **operation("status.show"))
def status(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("status.show"))]
) -> SiteStatus:
    """Show the site at a glance."""
    now = door.clock()
    parts = site_health(door.database, door.clock(), door.tls_chain)
    with door.database.read() as connection:
        found = door.memory.tally.count(connection, door.config.progress, now)
        return SiteStatus(
            version=__version__,
            organization=door.config.organization,
            database=connection.dialect.name,
            schema_version=SITE_SCHEMA.found(connection) or 0,
            last_event=last_event(connection),
            chassis=found.states,
            unsafe=UnsafeChassis(
                insecure=sum(each.insecure for each in found.totals),
                skip_serial=sum(each.skip_serial for each in found.totals),
            ),
            ready=all(each.well for each in parts),
            parts=[
                PartView(
                    part=each.part,
                    well=each.well,
                    detail=each.detail,
                    reason=each.reason,
                    next_action=each.next_action,
                )
                for each in parts
            ],
        )
