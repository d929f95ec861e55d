"""Webhooks: where events are sent to, what waits, and the dead letters that can be sent again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from bootz.errors import ConfigError, WireError
from bootz.server.board.pages.accounts import MadeKey, MadeSecret
from bootz.server.board.results import results_of
from bootz.server.board.view import go, page, segment, url
from bootz.server.board.visitor import FormDep, Visitor, changing, keys_of, text_of, visiting
from bootz.server.operations.webhooks import (
    add_webhook,
    list_deliveries,
    list_webhooks,
    remove_webhook,
    resend,
    set_webhook,
    webhook_named,
)

router = APIRouter(prefix="/webhooks")

_Name = Annotated[str, Path(max_length=128)]


@router.get("")
def webhooks(
    visitor: Annotated[Visitor, Depends(visiting("webhook.list"))], made: MadeKey = ""
) -> Response:
    """List webhooks, and the secret of one that was just made."""
    with visitor.door.database.read() as connection:
        found = list_webhooks(connection)
    told = results_of(visitor).find(visitor, made, MadeSecret)
    return page(visitor, "webhooks.html", webhooks=found, told=told, asked=made)


@router.get("/{name}")
def webhook(
    visitor: Annotated[Visitor, Depends(visiting("webhook.list"))], name: _Name
) -> Response:
    """Show what has not arrived at a webhook."""
    with visitor.door.database.read() as connection:
        found = webhook_named(connection, name)
        dead = list_deliveries(connection, name, state="dead", most=500)
        waiting = list_deliveries(connection, name, state="waiting", most=100)
    return page(visitor, "webhook.html", webhook=found, dead=dead, waiting=waiting)


@router.post("/add")
def add(visitor: Annotated[Visitor, Depends(changing("webhook.add"))], form: FormDep) -> Response:
    """Make a webhook, and show its secret for a while."""
    door = visitor.door
    with door.database.write(visitor.principal.actor("webhook.add")) as connection:
        made, secret = add_webhook(
            connection,
            text_of(form, "name", 128),
            text_of(form, "url", 2048),
            now=door.clock(),
            events=text_of(form, "events", 1024).replace(",", " ").split(),
            labels=_labels(text_of(form, "labels", 2048)),
            allowed=door.config.webhooks.private_targets,
        )
    key = results_of(visitor).keep(visitor, MadeSecret(made.name, secret))
    return go(url("/webhooks", made=key))


@router.post("/{name}/set")
def set_(
    visitor: Annotated[Visitor, Depends(changing("webhook.set"))], name: _Name, form: FormDep
) -> Response:
    """Switch a webhook on or off."""
    doing = text_of(form, "do", 16)
    if doing not in {"enable", "disable"}:
        raise WireError("request-invalid", "there is no such change", where="do")
    with visitor.door.database.write(visitor.principal.actor("webhook.set")) as connection:
        set_webhook(connection, name, enabled=doing == "enable")
    return go(form.get("to"), f"{name} was {doing}d.")


@router.post("/{name}/remove")
def remove(
    visitor: Annotated[Visitor, Depends(changing("webhook.remove"))], name: _Name
) -> Response:
    """Remove a webhook with all that waits for it."""
    with visitor.door.database.write(visitor.principal.actor("webhook.remove")) as connection:
        remove_webhook(connection, name)
    return go(url("/webhooks"), f"{name} was removed.")


@router.post("/{name}/resend")
def resend_(
    visitor: Annotated[Visitor, Depends(changing("webhook.resend"))], name: _Name, form: FormDep
) -> Response:
    """Send dead letters again: those that were chosen, or all."""
    door, keys = visitor.door, keys_of(form)
    with door.database.write(visitor.principal.actor("webhook.resend")) as connection:
        count = resend(connection, name, now=door.clock(), keys=keys or None)
    return go(url(f"/webhooks/{segment(name)}"), f"{count} are sent again.")


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(
                "webhook-invalid", "a label is KEY=VALUE", where="labels", seen=part[:80]
            )
        found[key.strip()] = value.strip()
    return found
