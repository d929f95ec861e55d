"""What a chassis would get, and what would stop it: rendered and tried before the router asks."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field, JsonValue
from sqlalchemy import Connection

from bootz.server.api.auth.principals import check_role, needs, operation, sees_secrets
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.paging import Page, PagingDep
from bootz.server.api.routes.chassis_choice import ChassisChoiceDep, find_visible
from bootz.server.api.routing import api_router
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.secrets import fingerprinter, masked_object
from bootz.server.operations.site_certificates import read_site_certificates
from bootz.server.preflight.chassis_checks import check_chassis
from bootz.server.preflight.findings import PreflightOutcome, PreflightReport
from bootz.server.preflight.site_checks import check_site
from bootz.server.preflight.terms import PreflightTerms
from bootz.server.rendering.preview import PreviewTerms, preview_chassis, preview_warnings
from bootz.server.rendering.reached import reached_of
from bootz.server.rendering.sent import sent_beside
from bootz.wire.names import DialectName
from bootz.wire.preview import preview_payload

router = api_router(tag="chassis")

_Key = Annotated[int, Path(ge=1, le=2**62, description="The chassis's id.")]
_Probe = Annotated[
    bool,
    Query(description="Also ask image URLs and Kea over the network; needs the role operator."),
]
_Server = Annotated[bool, Query(description="False where another Bootz server serves the routers.")]


class RenderView(BaseModel):
    """What a router would get, without nonce and signature."""

    chassis: str
    dialect: str
    warnings: list[str] = Field(description="What an operator would not expect in it.")
    payload: dict[str, JsonValue] = Field(description="Field by field as it is on the wire.")


class LastSentView(BaseModel):
    """What a router was last sent, beside what it would get now."""

    chassis: str
    sent: bool = Field(description="Whether it was ever sent anything; else all below is empty.")
    since: AwareDatetime | None = Field(description="When exactly these data were first sent.")
    dialect: str
    reached_at: str = Field(description="Host and port at which the router reached the server.")
    sha256: str = Field(description="Of the data without their nonce.")
    size: int = Field(description="Bytes of these data.")
    payload: dict[str, JsonValue] | None = Field(
        description="Field by field as it was on the wire; null: it was too large to be kept."
    )
    same: bool | None = Field(
        description="Whether it would get the same now; null where that cannot be told."
    )
    difference: list[str] = Field(
        description="Lines of what was sent (`- `), of what would be (`+ `), and of both (`  `)."
    )
    reason: str = Field(description="Why it would get nothing now; empty where it would.")
    detail: str


class PreflightCheckView(BaseModel):
    """One check."""

    check: str
    outcome: PreflightOutcome
    evidence: str
    reason: str
    next_action: str


class PreflightView(BaseModel):
    """The checks of the site, or of one chassis."""

    id: int = Field(description="The chassis's; 0 for the site.")
    name: str
    go: bool = Field(description="Whether nothing has failed.")
    checks: list[PreflightCheckView]


class PreflightPage(Page[PreflightView]):
    """A page of chassis, and what all of them share."""

    go: bool = Field(description="Whether nothing has failed on this page or for the site.")
    site: PreflightView


@router.get("/chassis/{key:int}/render", **operation("chassis.render", 409, 422))
def render(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.render"))],
    key: _Key,
    dialect: Annotated[
        DialectName | None, Query(description="Default: that of the chassis's release.")
    ] = None,
    card: Annotated[
        list[Annotated[str, Field(max_length=64)]] | None,
        Query(max_length=256, description="Only this card; repeatable."),
    ] = None,
) -> RenderView:
    """Show what a router would get. Who may not see secrets sees fingerprints in their place."""
    with door.database.read() as connection:
        find_visible(connection, principal, [key])
        preview = preview_chassis(
            connection,
            key,
            preview_terms(connection, door),
            dialect=None if dialect is None else dialect.value,
            cards=card or (),
        )
        payload: dict[str, Any] = dict(preview_payload(preview.body))
        hide = None if sees_secrets(principal) else fingerprinter(connection)
        shown = payload if hide is None else masked_object(payload, hide)
    return RenderView.model_validate(
        {
            "chassis": preview.intent.chassis.name,
            "dialect": preview.dialect.name,
            "warnings": list(preview_warnings(preview)),
            "payload": shown,
        }
    )


@router.get(
    "/chassis/{key:int}/sent",
    **{**operation("chassis.render", 409, 422), "operation_id": "chassis_sent"},
)
def sent(
    door: DoorDep, principal: Annotated[Principal, Depends(needs("chassis.render"))], key: _Key
) -> LastSentView:
    """Show what a router was last sent, and the difference to what it would get now."""
    with door.database.read() as connection:
        find_visible(connection, principal, [key])
        name = chassis_by_key(connection, key).name
        found = sent_beside(connection, key, preview_terms(connection, door))
        hide = None if sees_secrets(principal) else fingerprinter(connection)
    if found is None:
        return LastSentView(
            chassis=name,
            sent=False,
            since=None,
            dialect="",
            reached_at="",
            sha256="",
            size=0,
            payload=None,
            same=None,
            difference=[],
            reason="",
            detail="",
        )
    told = found.masked(hide)
    host, port = found.sent.reached_at
    return LastSentView(
        chassis=name,
        sent=True,
        since=found.sent.since,
        dialect=found.sent.dialect,
        reached_at=f"{host}:{port}",
        sha256=found.sent.sha256,
        size=found.sent.size,
        payload=None if told.before is None else dict(told.before),
        same=found.same,
        difference=[] if found.same else [line.marked for line in told.difference()],
        reason="" if found.flaw is None else found.flaw.reason,
        detail="" if found.flaw is None else str(found.flaw),
    )


@router.get("/chassis/{key:int}/preflight", **operation("chassis.check", 422))
def preflight(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.check"))],
    key: _Key,
    probe: _Probe = False,
    server: _Server = True,
) -> PreflightPage:
    """Try everything that can fail without the router, for one chassis."""
    with door.database.read() as connection:
        find_visible(connection, principal, [key])
        reports = check_devices(connection, door, principal, [key], probe=probe, server=server)
    site, *found = map(_view, reports)
    return PreflightPage(
        count=1,
        next=None,
        previous=None,
        results=found,
        site=site,
        go=site.go and all(each.go for each in found),
    )


@router.get(
    "/preflight", **{**operation("chassis.check", 422), "operation_id": "chassis_check_many"}
)
def preflight_many(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("chassis.check"))],
    paging: PagingDep,
    choice: ChassisChoiceDep,
    probe: _Probe = False,
    server: _Server = True,
    outcome: Annotated[
        Literal["failed", "all"], Query(description="Of each chassis: what failed, or all.")
    ] = "all",
) -> PreflightPage:
    """Try everything for many chassis, a page at a time; the batch is a go where each page is."""
    with door.database.read() as connection:
        count, keys = choice.page(connection, door, principal, paging)
        reports = check_devices(connection, door, principal, keys, probe=probe, server=server)
    site, *found = map(_view, reports)
    go = site.go and all(each.go for each in found)
    if outcome == "failed":
        for each in found:
            each.checks = [
                check for check in each.checks if check.outcome is PreflightOutcome.FAILED
            ]
    page = paging.page(count, found)
    return PreflightPage(
        count=page.count,
        next=page.next,
        previous=page.previous,
        results=page.results,
        site=site,
        go=go,
    )


def check_devices(
    connection: Connection,
    door: Door,
    principal: Principal,
    keys: Sequence[int],
    *,
    probe: bool = False,
    server: bool = True,
) -> list[PreflightReport]:
    """Return the checks of the site, then those of each chassis.

    Raises:
        PolicyError: ``probe``, and the role does not include it.
        Unavailable: ``certificates-unpublished``.
    """
    if probe:
        check_role(principal, "chassis.probe")
    around, now = door.surroundings, door.clock()
    terms = PreflightTerms(
        config=door.config,
        certificates=read_site_certificates(connection),
        images=around.images,
        preview=preview_terms(connection, door),
        now=now,
        server=server,
        door=door.tls_chain,
        dhcp=around.dhcp(connection, now, ask=probe, server=server),
        url_probe=around.url_probe if probe else None,
    )
    return [check_site(connection, terms), *check_chassis(connection, keys, terms)]


def preview_terms(connection: Connection, door: Door) -> PreviewTerms:
    """Return what an answer takes from the site.

    Raises:
        Unavailable: ``certificates-unpublished``.
    """
    return PreviewTerms(
        reached_of(door.config, door.surroundings.image_target),
        read_site_certificates(connection).trust_anchor,
        door.config.endpoints[0].pair,
    )


def _view(report: PreflightReport) -> PreflightView:
    return PreflightView(
        id=report.key,
        name=report.name,
        go=report.go,
        checks=[
            PreflightCheckView(
                check=each.name,
                outcome=each.outcome,
                evidence=each.evidence,
                reason=each.reason,
                next_action=each.next_action,
            )
            for each in report.checks
        ],
    )
