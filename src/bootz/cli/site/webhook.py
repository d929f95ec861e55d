"""``bootz webhook``: what happens, sent to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import EXISTING_FILE, Cli, noun, together
from bootz.cli.inventory.base import key_and_value, reading, writing
from bootz.cli.inventory.named import Named, VerbHelp, add_named_verbs
from bootz.cli.output import Column

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sqlalchemy import Connection

    from bootz.cli.inventory.named import Change
    from bootz.server.operations.webhooks import Webhook
    from bootz.server.webhooks.targets import Network

command = noun("webhook", "What happens, told to other programs (CloudEvents, signed).")

_COLUMNS = (
    Column("name"),
    Column("url"),
    Column("events"),
    Column("labels"),
    Column("enabled"),
    Column("delivered", right=True),
    Column("waiting", right=True),
    Column("dead", right=True),
)
_DELIVERIES = (
    Column("id", right=True),
    Column("event_id", "EVENT", right=True),
    Column("type"),
    Column("state"),
    Column("tries", right=True),
    Column("next_at"),
    Column("error"),
)
_SECRET_FILE = click.option(
    "--secret-file",
    type=EXISTING_FILE,
    help="File with the receiver's secret: whsec_ and base64.",
)
_EVENT = click.option(
    "--event", "events", multiple=True, metavar="TYPE", help="Only those; repeatable."
)
_LABEL = click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only chassis with it."
)


def _add(name: str, options: dict[str, Any]) -> Change:
    from datetime import UTC, datetime

    from bootz.server.operations.webhooks import add_webhook

    given = _read(options.pop("secret_file"))
    options["labels"] = _labels(options)
    options["allowed"] = _allowed()

    def add(connection: Connection) -> tuple[Webhook, str | None]:
        now = datetime.now(UTC)
        webhook, secret = add_webhook(connection, name, now=now, secret=given, **options)
        return webhook, secret if given is None else None

    return add


def _change(name: str, options: dict[str, Any]) -> Change:
    from bootz.server.operations.webhooks import set_webhook

    given = _read(options["secret_file"])
    labels = {} if options["no_labels"] else _labels(options) or None
    allowed = _allowed()
    return lambda connection: set_webhook(
        connection,
        name,
        url=options["url"],
        events=() if options["all_events"] else options["events"] or None,
        labels=labels,
        secret=given,
        enabled=options["enabled"],
        allowed=allowed,
    )


def _allowed() -> Collection[Network]:
    """Return the networks beside the Internet to which the site's settings let webhooks go."""
    cli = click.get_current_context().ensure_object(Cli)
    return cli.site().config.webhooks.private_targets


def _labels(options: dict[str, Any]) -> dict[str, str]:
    return dict(key_and_value(text, "--label") for text in options["labels"])


def _shown_new(_cli: Cli, made: tuple[Webhook, str | None]) -> dict[str, object]:
    webhook, secret = made
    return {**webhook.to_document(), **({} if secret is None else {"secret": secret})}


def _named() -> Named:
    from bootz.server.operations.webhooks import (
        Webhook,
        list_webhooks,
        remove_webhook,
        webhook_named,
    )

    return Named(
        list_webhooks,
        webhook_named,
        _add,
        _change,
        remove_webhook,
        Webhook.to_document,
        Webhook.to_document,
        shown_new=_shown_new,
        removed=lambda webhook: {"removed": webhook.name},
    )


add_named_verbs(
    command,
    _COLUMNS,
    _named,
    VerbHelp(
        """Make a webhook for what happens from now on.

        Without --secret-file a secret is made and printed, here and nowhere else.

        Types: bootz.attempt.answered, bootz.attempt.refused, bootz.image.download,
        bootz.report.initiated, bootz.report.success, bootz.report.failure.""",
        "List all webhooks, with what waits and what was given up.",
        "Show a webhook; its secret is never shown again.",
        "Change a webhook; one that is enabled again goes on where it stopped.",
        "Remove a webhook, with all that waits for it.",
    ),
    add_options=together(
        click.option(
            "--url", required=True, help="Where to; https, or http in webhooks.private_targets."
        ),
        _EVENT,
        _LABEL,
        _SECRET_FILE,
    ),
    set_options=together(
        click.option("--url", help="Where to."),
        _EVENT,
        click.option("--all-events", is_flag=True, help="Every type."),
        _LABEL,
        click.option("--no-labels", is_flag=True, help="All chassis, and callers not on record."),
        click.option(
            "--enable/--disable", "enabled", default=None, help="Whether anything is sent."
        ),
        _SECRET_FILE,
    ),
)


@command.command("deliveries")
@click.argument("name")
@click.option("--state", type=click.Choice(["waiting", "dead"]), help="Only those.")
@click.option("--after", type=click.IntRange(0), default=0, help="Those after this id.")
@click.pass_obj
def deliveries(cli: Cli, name: str, state: str | None, after: int) -> None:
    """List up to 100 deliveries that have not arrived, and why."""
    from bootz.server.operations.webhooks import list_deliveries

    with reading(cli) as connection:
        found = list_deliveries(connection, name, state=state, after=after)
    cli.output.rows(_DELIVERIES, [each.to_document() for each in found])


@command.command("resend")
@click.argument("name")
@click.option("--id", "keys", type=click.IntRange(1), multiple=True, help="Only it; repeatable.")
@click.pass_obj
def resend_(cli: Cli, name: str, keys: tuple[int, ...]) -> None:
    """Send again what was given up, and try at once what waits."""
    from datetime import UTC, datetime

    from bootz.server.operations.webhooks import resend

    with writing(cli) as connection:
        found = resend(connection, name, now=datetime.now(UTC), keys=keys or None)
    cli.output.record({"resent": found})


@command.command("test")
@click.argument("name")
@click.pass_context
def test(context: click.Context, name: str) -> None:
    """Send a message of the type bootz.test now, and tell the answer; exit code 1 if it fails."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from bootz.config.reading import load_config
    from bootz.server.operations.webhooks import webhook_named
    from bootz.server.webhooks.trial import try_webhook

    cli: Cli = context.obj
    root = cli.site_folder()
    with reading(cli) as connection:
        webhook = webhook_named(connection, name)
    trial = try_webhook(load_config(root / "bootz.yaml"), root, webhook, datetime.now(UTC))
    cli.output.record(asdict(trial))
    context.exit(0 if trial.delivered else 1)


def _read(path: Path | None) -> str | None:
    from bootz.keystore.protected import read_protected

    return None if path is None else read_protected(path).decode("ascii", "replace").strip()
