"""``bootz webhook``: what happens, sent to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import EXISTING_FILE, Cli, noun
from bootz.cli.inventory.base import key_and_value, reading, writing
from bootz.cli.output import Column

if TYPE_CHECKING:
    from pathlib import Path

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


@command.command("add")
@click.argument("name")
@click.option("--url", required=True, help="Where to; https, or http in webhooks.private_targets.")
@click.option("--event", "events", multiple=True, metavar="TYPE", help="Only those; repeatable.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only chassis with it.")
@_SECRET_FILE
@click.pass_obj
def add(
    cli: Cli,
    name: str,
    url: str,
    events: tuple[str, ...],
    labels: tuple[str, ...],
    secret_file: Path | None,
) -> None:
    """Make a webhook for what happens from now on.

    Without --secret-file a secret is made and printed, here and nowhere else.

    Types: bootz.attempt.answered, bootz.attempt.refused, bootz.image.download,
    bootz.report.initiated, bootz.report.success, bootz.report.failure.
    """
    from datetime import UTC, datetime

    from bootz.server.operations.webhooks import add_webhook

    wanted = dict(key_and_value(text, "--label") for text in labels)
    given = _read(secret_file)
    with writing(cli) as connection:
        webhook, secret = add_webhook(
            connection,
            name,
            url,
            now=datetime.now(UTC),
            events=events,
            labels=wanted,
            secret=given,
        )
    shown = {} if given is not None else {"secret": secret}
    cli.output.record({**webhook.to_document(), **shown})


@command.command("set")
@click.argument("name")
@click.option("--url", help="Where to.")
@click.option("--event", "events", multiple=True, metavar="TYPE", help="Only those; repeatable.")
@click.option("--all-events", is_flag=True, help="Every type.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only chassis with it.")
@click.option("--no-labels", is_flag=True, help="All chassis, and callers not on record.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether anything is sent.")
@_SECRET_FILE
@click.pass_obj
def set_(
    cli: Cli,
    name: str,
    url: str | None,
    events: tuple[str, ...],
    labels: tuple[str, ...],
    secret_file: Path | None,
    *,
    all_events: bool,
    no_labels: bool,
    enabled: bool | None,
) -> None:
    """Change a webhook; one that is enabled again goes on where it stopped."""
    from bootz.server.operations.webhooks import set_webhook

    wanted = dict(key_and_value(text, "--label") for text in labels)
    with writing(cli) as connection:
        webhook = set_webhook(
            connection,
            name,
            url=url,
            events=() if all_events else events or None,
            labels={} if no_labels else wanted or None,
            secret=_read(secret_file),
            enabled=enabled,
        )
    cli.output.record(webhook.to_document())


@command.command("list")
@click.pass_obj
def list_(cli: Cli) -> None:
    """List all webhooks, with what waits and what was given up."""
    from bootz.server.operations.webhooks import list_webhooks

    with reading(cli) as connection:
        webhooks = list_webhooks(connection)
    cli.output.rows(_COLUMNS, [webhook.to_document() for webhook in webhooks])


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(cli: Cli, name: str) -> None:
    """Show a webhook; its secret is never shown again."""
    from bootz.server.operations.webhooks import webhook_named

    with reading(cli) as connection:
        webhook = webhook_named(connection, name)
    cli.output.record(webhook.to_document())


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


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(cli: Cli, name: str) -> None:
    """Remove a webhook, with all that waits for it."""
    from bootz.server.operations.webhooks import remove_webhook

    with writing(cli) as connection:
        webhook = remove_webhook(connection, name)
    cli.output.record({"removed": webhook.name})


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
