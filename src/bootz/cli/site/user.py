"""``bootz user``: the people who may use the operator's door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, noun
from bootz.cli.inventory.base import read_file, reading, writing
from bootz.cli.output import Column

if TYPE_CHECKING:
    from pathlib import Path

command = noun("user", "People who may use the operator's door.")

ROLES = ("viewer", "operator", "security", "admin")
"""The roles, from the least to the most; ``bootz.server.api.auth.roles`` has what each may do."""

_COLUMNS = (
    Column("name"),
    Column("role"),
    Column("enabled"),
    Column("has_password", "PASSWORD"),
    Column("last_login"),
)
_role = click.Choice(ROLES)
_password_file = click.option(
    "--password-file",
    type=FILE,
    metavar="FILE",
    help="File whose first line is the password.",
)


@command.command("add")
@click.argument("name")
@click.option("--role", type=_role, required=True, help="What the person may do.")
@_password_file
@click.pass_obj
def add(cli: Cli, name: str, role: str, password_file: Path | None) -> None:
    """Make an account for a person; without a password, print a link that works once, for a day."""
    from datetime import UTC, datetime

    from bootz.server.api.auth.accounts import add_account, make_link
    from bootz.server.api.auth.roles import OperatorRole

    now = datetime.now(UTC)
    password = _password(password_file)
    with writing(cli) as connection:
        account = add_account(connection, name, OperatorRole(role), now=now, password=password)
        link = make_link(connection, account.name, now=now) if password is None else None
    cli.output.record({**account.to_document(), "link": link, "open": _address(cli, link)})


@command.command("link")
@click.argument("name")
@click.pass_obj
def link(cli: Cli, name: str) -> None:
    """Print the secret of a link by which NAME logs in once, within a day; earlier ones end."""
    from datetime import UTC, datetime

    from bootz.server.api.auth.accounts import make_link

    with writing(cli) as connection:
        secret = make_link(connection, name, now=datetime.now(UTC))
    cli.output.record({"name": name, "link": secret, "open": _address(cli, secret)})


def _address(cli: Cli, link: str | None) -> str | None:
    """Return where a browser on this machine opens a link, None without one."""
    from bootz.config.reading import load_config

    operator = load_config(cli.site_folder() / "bootz.yaml").operator
    if link is None or not operator.listen:
        return None
    scheme = "http" if operator.tls is None else "https"
    return f"{scheme}://{operator.listen[0]}/board/login?link={link}"


@command.command("list")
@click.pass_obj
def list_(cli: Cli) -> None:
    """List the accounts."""
    from bootz.server.api.auth.accounts import list_accounts

    with reading(cli) as connection:
        accounts = list_accounts(connection)
    cli.output.rows(_COLUMNS, [account.to_document() for account in accounts])


@command.command("set")
@click.argument("name")
@click.option("--role", type=_role, help="What the person may do from now on.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether the account opens.")
@_password_file
@click.pass_obj
def set_(
    cli: Cli, name: str, role: str | None, enabled: bool | None, password_file: Path | None
) -> None:
    """Change an account. Any change ends its sessions."""
    from bootz.server.api.auth.accounts import set_account
    from bootz.server.api.auth.roles import OperatorRole

    with writing(cli) as connection:
        account = set_account(
            connection,
            name,
            role=None if role is None else OperatorRole(role),
            enabled=enabled,
            password=_password(password_file),
        )
    cli.output.record(account.to_document())


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(cli: Cli, name: str) -> None:
    """Remove an account with its sessions; the audit keeps its name."""
    from bootz.server.api.auth.accounts import remove_account

    with writing(cli) as connection:
        account = remove_account(connection, name)
    cli.output.message(f"{account.name} has no account any more")


def _password(file: Path | None) -> str | None:
    from bootz.errors import ConfigError

    if file is None:
        return None
    try:
        return read_file(file).decode().splitlines()[0]
    except (UnicodeDecodeError, IndexError) as error:
        raise ConfigError("password-weak", "holds no password", where=str(file)) from error
