"""``bootz token``: tokens of programs that use the operator's door."""

from __future__ import annotations

import click

from bootz.cli.base import Cli, noun
from bootz.cli.inventory.base import key_and_value, reading, writing
from bootz.cli.output import Column
from bootz.cli.site.user import ROLES

command = noun("token", "Tokens of programs that use the operator's door.")

_COLUMNS = (
    Column("id", right=True),
    Column("name"),
    Column("role"),
    Column("scope"),
    Column("created_by"),
    Column("expires_at"),
    Column("used_at"),
    Column("revoked_at"),
)


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the program may do.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only chassis with it.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it holds. Default: no end.")
@click.pass_obj
def add(cli: Cli, name: str, role: str, labels: tuple[str, ...], days: int | None) -> None:
    """Make a token for a program, and print its secret, which is shown only here."""
    from datetime import UTC, datetime, timedelta

    from bootz.server.api.auth.roles import OperatorRole
    from bootz.server.api.auth.tokens import add_token

    now = datetime.now(UTC)
    scope = dict(key_and_value(text, "--label") for text in labels)
    end = None if days is None else now + timedelta(days=days)
    with writing(cli) as connection:
        token, secret = add_token(
            connection, name, OperatorRole(role), now=now, scope=scope, expires_at=end
        )
    cli.output.record({**token.to_document(), "secret": secret})


@command.command("list")
@click.pass_obj
def list_(cli: Cli) -> None:
    """List all tokens, also those that have ended."""
    from bootz.server.api.auth.tokens import list_tokens

    with reading(cli) as connection:
        tokens = list_tokens(connection)
    cli.output.rows(_COLUMNS, [token.to_document() for token in tokens])


@command.command("revoke")
@click.argument("token_id", metavar="ID", type=click.IntRange(1))
@click.pass_obj
def revoke(cli: Cli, token_id: int) -> None:
    """End a token at once."""
    from datetime import UTC, datetime

    from bootz.server.api.auth.tokens import revoke_token

    with writing(cli) as connection:
        token = revoke_token(connection, token_id, now=datetime.now(UTC))
    cli.output.record(token.to_document())
