"""``bootz user``: the people who may use the operator's door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import FILE, Cli, noun, together
from bootz.cli.inventory.base import read_file, writing
from bootz.cli.inventory.named import Named, VerbHelp, add_named_verbs
from bootz.cli.output import Column

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from bootz.cli.inventory.named import Change
    from bootz.server.api.auth.accounts import Account

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


def _add(name: str, options: dict[str, Any]) -> Change:
    from datetime import UTC, datetime

    from bootz.server.api.auth.accounts import add_account, make_link
    from bootz.server.api.auth.roles import OperatorRole

    now = datetime.now(UTC)
    role, password = OperatorRole(options["role"]), _password(options["password_file"])

    def add(connection: Connection) -> tuple[Account, str | None]:
        account = add_account(connection, name, role, now=now, password=password)
        link = make_link(connection, account.name, now=now) if password is None else None
        return account, link

    return add


def _change(name: str, options: dict[str, Any]) -> Change:
    from bootz.server.api.auth.accounts import set_account
    from bootz.server.api.auth.roles import OperatorRole

    role = None if options["role"] is None else OperatorRole(options["role"])
    password = _password(options["password_file"])
    return lambda connection: set_account(
        connection, name, role=role, enabled=options["enabled"], password=password
    )


def _shown_new(cli: Cli, made: tuple[Account, str | None]) -> dict[str, object]:
    account, link = made
    return {**account.to_document(), "link": link, "open": _address(cli, link)}


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


def _named() -> Named:
    from bootz.server.api.auth.accounts import (
        Account,
        find_account,
        list_accounts,
        remove_account,
    )

    return Named(
        list_accounts,
        find_account,
        _add,
        _change,
        remove_account,
        Account.to_document,
        Account.to_document,
        shown_new=_shown_new,
        removed=lambda account: f"{account.name} has no account any more",
    )


add_named_verbs(
    command,
    _COLUMNS,
    _named,
    VerbHelp(
        "Make an account for a person; without a password, print a link that works once, "
        "for a day.",
        "List the accounts.",
        "Show an account.",
        "Change an account. Any change ends its sessions.",
        "Remove an account with its sessions; the audit keeps its name.",
    ),
    add_options=together(
        click.option("--role", type=_role, required=True, help="What the person may do."),
        _password_file,
    ),
    set_options=together(
        click.option("--role", type=_role, help="What the person may do from now on."),
        click.option(
            "--enable/--disable", "enabled", default=None, help="Whether the account opens."
        ),
        _password_file,
    ),
)


def _password(file: Path | None) -> str | None:
    from bootz.errors import ConfigError

    if file is None:
        return None
    try:
        return read_file(file).decode().splitlines()[0]
    except (UnicodeDecodeError, IndexError) as error:
        raise ConfigError("password-weak", "holds no password", where=str(file)) from error
