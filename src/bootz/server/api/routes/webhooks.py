"""Webhooks: where events are sent, and what did not arrive."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, SecretStr
from sqlalchemy import Connection

from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import DoorDep, Principal
from bootz.server.api.paging import CursorPage, Page, PagingDep, with_query
from bootz.server.api.routes.documents import STRICT, Removed
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep, etag, tagged
from bootz.server.operations.webhooks import (
    Webhook,
    add_webhook,
    list_deliveries,
    list_webhooks,
    remove_webhook,
    resend,
    secret_fingerprint,
    set_webhook,
    webhook_named,
)
from bootz.server.webhooks.trial import try_webhook

router = api_router("/webhooks", tag="webhooks")

_Name = Annotated[str, Path(min_length=1, max_length=128, description="The webhook's name.")]
_Labels = Annotated[
    dict[str, str] | None, Field(max_length=16, description="Labels that a chassis must have.")
]
_Events = Annotated[
    list[str] | None, Field(max_length=16, description="Types of events; none: all of them.")
]


class WebhookView(BaseModel):
    """A webhook on record, without its secret."""

    name: str
    url: str
    events: list[str]
    labels: dict[str, str]
    enabled: bool
    created_at: AwareDatetime
    created_by: str
    delivered: int = Field(description="Deliveries that were acknowledged.")
    delivered_at: AwareDatetime | None
    waiting: int = Field(description="Deliveries that are sent, or tried again.")
    dead: int = Field(description="Deliveries that were given up after a day.")


class NewWebhook(WebhookView):
    """A new webhook."""

    secret: str | None = Field(
        description="What the receiver checks signatures with; shown only here, and only if it "
        "was made here."
    )


class AddWebhook(BaseModel):
    """A webhook to make."""

    model_config = STRICT

    name: str = Field(max_length=128)
    url: str = Field(max_length=2048)
    events: _Events = None
    labels: _Labels = None
    secret: SecretStr | None = Field(
        None, max_length=128, description="The receiver's: whsec_ and base64. Default: a new one."
    )


class SetWebhook(BaseModel):
    """What is to change."""

    model_config = STRICT

    url: str | None = Field(None, max_length=2048)
    events: _Events = None
    labels: _Labels = None
    secret: SecretStr | None = Field(None, max_length=128)
    enabled: bool | None = None


class DeliveryView(BaseModel):
    """What has not arrived."""

    id: int
    event_id: int
    type: str
    state: Literal["waiting", "dead"]
    tries: int
    since: AwareDatetime
    next_at: AwareDatetime
    error: str


class ResendDeliveries(BaseModel):
    """Which deliveries to send again."""

    model_config = STRICT

    ids: list[Annotated[int, Field(ge=1, le=2**62)]] | None = Field(
        None, max_length=1000, description="Default: all."
    )


class Resent(BaseModel):
    """How many deliveries are sent again."""

    resent: int


class TrialView(BaseModel):
    """What came of a test."""

    webhook: str
    delivered: bool
    status: int = Field(description="The receiver's, 0 where no answer came.")
    reason: str
    detail: str


def _view(webhook: Webhook) -> WebhookView:
    return WebhookView.model_validate(webhook.to_document())


def _document(connection: Connection, webhook: Webhook) -> dict[str, object]:
    """Return what a webhook's ETag is of."""
    return {**webhook.settings(), "secret": secret_fingerprint(connection, webhook)}


def _secret(given: SecretStr | None) -> str | None:
    return None if given is None else given.get_secret_value()


@router.get("", **operation("webhook.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("webhook.list"))],
    paging: PagingDep,
) -> Page[WebhookView]:
    """List the webhooks by name."""
    with door.database.read() as connection:
        found = list_webhooks(connection)
    page = found[paging.offset : paging.offset + paging.limit]
    return paging.page(len(found), [_view(each) for each in page])


@router.get(
    "/{name}",
    response_model=WebhookView,
    **{**operation("webhook.list", 404), "operation_id": "webhook_show"},
)
def show(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("webhook.list"))], name: _Name
) -> Response:
    """Show a webhook without its secret, with its ETag."""
    with door.database.read() as connection:
        webhook = webhook_named(connection, name)
        return tagged(_view(webhook), _document(connection, webhook)).response()


@router.post(
    "", status_code=201, response_model=NewWebhook, **operation("webhook.add", 409, 413, 422)
)
def add(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("webhook.add"))],
    change: ChangeDep,
    body: AddWebhook,
) -> Response:
    """Make a webhook for what happens from now on; a new secret is in this answer alone."""

    def work(connection: Connection) -> Answer:
        webhook, secret = add_webhook(
            connection,
            body.name,
            body.url,
            now=door.clock(),
            events=body.events or (),
            labels=body.labels,
            secret=_secret(body.secret),
            allowed=door.config.webhooks.private_targets,
        )
        shown = secret if body.secret is None else None
        view = NewWebhook.model_validate({**webhook.to_document(), "secret": shown})
        return Answer(view, 201, {"ETag": etag(_document(connection, webhook))}, kept=False)

    return change.run(principal, "webhook.add", work)


@router.patch("/{name}", response_model=WebhookView, **operation("webhook.set", 404, 412, 413, 422))
def set_(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("webhook.set"))],
    change: ChangeDep,
    name: _Name,
    body: SetWebhook,
) -> Response:
    """Change a webhook; one that is enabled again goes on where it stopped."""

    def work(connection: Connection) -> Answer:
        before = webhook_named(connection, name)
        change.check_match(_document(connection, before))
        webhook = set_webhook(
            connection,
            name,
            url=body.url,
            events=body.events,
            labels=body.labels,
            secret=_secret(body.secret),
            enabled=body.enabled,
            allowed=door.config.webhooks.private_targets,
        )
        return tagged(_view(webhook), _document(connection, webhook))

    return change.run(principal, "webhook.set", work)


@router.delete("/{name}", response_model=Removed, **operation("webhook.remove", 404, 412))
def remove(
    principal: Annotated[Principal, Depends(needs("webhook.remove"))],
    change: ChangeDep,
    name: _Name,
) -> Response:
    """Remove a webhook with all that waits for it."""

    def work(connection: Connection) -> Answer:
        change.check_match(_document(connection, webhook_named(connection, name)))
        return Answer(Removed(removed=remove_webhook(connection, name).name))

    return change.run(principal, "webhook.remove", work)


@router.get(
    "/{name}/deliveries",
    **{**operation("webhook.list", 404), "operation_id": "webhook_deliveries"},
)
def deliveries(
    request: Request,
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("webhook.list"))],
    name: _Name,
    state: Literal["waiting", "dead"] | None = None,
    after: Annotated[int, Query(ge=0, le=2**62, description="Those after this id.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")] = 100,
) -> CursorPage[DeliveryView]:
    """List what has not arrived, in its order."""
    with door.database.read() as connection:
        found = list_deliveries(connection, name, state=state, after=after, most=limit + 1)
    rows = [DeliveryView.model_validate(each.to_document()) for each in found[:limit]]
    more = len(found) > limit
    following = with_query(request, {"after": rows[-1].id}) if more else None
    return CursorPage(next=following, results=rows)


@router.post("/{name}/resend", response_model=Resent, **operation("webhook.resend", 404, 413, 422))
def resend_(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("webhook.resend"))],
    change: ChangeDep,
    name: _Name,
    body: ResendDeliveries,
) -> Response:
    """Send again what was given up, and try at once what waits."""

    def work(connection: Connection) -> Answer:
        change.check_match(_document(connection, webhook_named(connection, name)))
        return Answer(Resent(resent=resend(connection, name, now=door.clock(), keys=body.ids)))

    return change.run(principal, "webhook.resend", work)


@router.post("/{name}/test", response_model=TrialView, **operation("webhook.test", 404))
def test(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("webhook.test"))],
    change: ChangeDep,
    name: _Name,
) -> Response:
    """Send a message of the type ``bootz.test`` now, and wait for the receiver's answer.

    ``dry_run`` sends nothing and says where it would go.
    """

    def work() -> Answer:
        with door.database.read() as connection:
            webhook = webhook_named(connection, name)
            change.check_match(_document(connection, webhook))
        if change.dry_run:
            told = f"a message of the type bootz.test would go to {webhook.url}"
            return Answer(
                TrialView(webhook=name, delivered=False, status=0, reason="", detail=told)
            )
        trial = try_webhook(door.config, door.root, webhook, door.clock())
        return Answer(TrialView.model_validate(trial, from_attributes=True))

    return change.run_outside(principal, work)
