"""The nouns below ``bootz masa``: organisations, groups, users, tokens, certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import FILE, Cli, noun
from bootz.cli.masa.base import MASA, account_options, masa_option, user_named
from bootz.cli.moments import moment
from bootz.cli.output import columns

if TYPE_CHECKING:
    from pathlib import Path

org = noun("org", "Customers; each has a root group of the same id.")
group = noun("group", "Groups of an organisation.")
user = noun("user", "Accounts of customers and of support staff.")
token = noun("token", "Bearer tokens: shown once, stored hashed.")
cert = noun("cert", "Domain certificates that vouchers may pin.")


_ROLES = ("ADMIN", "ASSIGNER", "REQUESTOR")


@org.command("add")
@masa_option
@click.argument("name")
@click.option("--description", default="")
@click.pass_obj
def add_org(cli: Cli, masa: Path, name: str, description: str) -> None:
    """Create an organisation with its root group."""
    with MASA.records(masa) as records:
        cli.output.record({"org_id": records.add_org(name, description)})


@org.command("list")
@masa_option
@click.pass_obj
def list_orgs(cli: Cli, masa: Path) -> None:
    """List the organisations."""
    with MASA.records(masa) as records:
        rows = [{"org_id": org_id} for org_id in records.directory.orgs()]
    cli.output.rows(columns("org_id"), rows)


@group.command("add")
@masa_option
@click.argument("parent")
@click.argument("description")
@click.pass_obj
def add_group(cli: Cli, masa: Path, parent: str, description: str) -> None:
    """Create a group below PARENT (an id, or a path such as acme/lab)."""
    with MASA.records(masa) as records:
        made = records.add_group(records.group_id(parent), description)
    cli.output.record({"group_id": made.group_id, "parent": made.parent_id})


@group.command("list")
@masa_option
@click.argument("org_name", metavar="ORG")
@click.pass_obj
def list_groups(cli: Cli, masa: Path, org_name: str) -> None:
    """List the groups of an organisation."""
    with MASA.records(masa) as records:
        groups = records.directory.groups(records.org_id(org_name))
    rows = [
        {"group_id": each.group_id, "parent": each.parent_id, "description": each.description}
        for each in groups
    ]
    cli.output.rows(columns("group_id", "parent", "description"), rows)


@user.command("add")
@masa_option
@click.argument("username")
@account_options
@click.option(
    "--support",
    is_flag=True,
    help="Account of the manufacturer's staff: role SUPPORT on every group.",
)
@click.option("--role", type=click.Choice(_ROLES), help="First role.")
@click.option("--group", "group_path", help="Group of that role. Default: the root group.")
@click.pass_obj
def add_user(
    cli: Cli,
    masa: Path,
    username: str,
    org_name: str,
    kind: str,
    role: str | None,
    group_path: str | None,
    *,
    support: bool,
) -> None:
    """Create an account, optionally with a first role."""
    from bootz.masa.ledger.nouns import Role

    with MASA.records(masa) as records:
        made = user_named(records, username, kind, org_name)
        org_id = made.org_id
        records.add_user(made, support=support)
        if role is not None:
            records.add_role(made, records.group_id(group_path or org_id), Role[role])
    cli.output.record({"username": username, "type": kind, "org_id": org_id, "role": role})


@user.command("remove")
@masa_option
@click.argument("username")
@account_options
def remove_user(masa: Path, username: str, org_name: str, kind: str) -> None:
    """Remove an account with its roles and tokens."""
    with MASA.records(masa) as records:
        records.remove_user(user_named(records, username, kind, org_name))


@user.command("list")
@masa_option
@click.pass_obj
def list_users(cli: Cli, masa: Path) -> None:
    """List accounts with their roles."""
    from bootz.masa.ledger.nouns import Role

    with MASA.records(masa) as records:
        accounts, roles = records.directory.accounts(), records.directory.roles()
    rows = [
        {
            "username": each.user.username,
            "type": each.user.account_type.name.lower().replace("_", "-"),
            "org_id": each.user.org_id,
            "support": each.support,
            "roles": {
                group_id: Role(number).name for group_id, number in roles.get(each.user, {}).items()
            },
        }
        for each in accounts
    ]
    cli.output.rows(columns("username", "type", "org_id", "support", "roles"), rows)


@user.command("grant")
@masa_option
@click.argument("username")
@click.argument("group_path", metavar="GROUP")
@click.argument("role", type=click.Choice(_ROLES))
@account_options
def grant(masa: Path, username: str, group_path: str, role: str, org_name: str, kind: str) -> None:
    """Give a user a role on a group."""
    from bootz.masa.ledger.nouns import Role

    with MASA.records(masa) as records:
        named = user_named(records, username, kind, org_name)
        records.add_role(named, records.group_id(group_path), Role[role])


@user.command("revoke")
@masa_option
@click.argument("username")
@click.argument("group_path", metavar="GROUP")
@account_options
def revoke(masa: Path, username: str, group_path: str, org_name: str, kind: str) -> None:
    """Remove a user's role on a group."""
    with MASA.records(masa) as records:
        named = user_named(records, username, kind, org_name)
        records.remove_role(named, records.group_id(group_path))


@token.command("add")
@masa_option
@click.argument("username")
@account_options
@click.option("--label", default="", help="Description of its use.")
@click.option("--expires", help="Expiry: a date or an RFC 3339 time.")
@click.pass_obj
def add_token(
    cli: Cli, masa: Path, username: str, org_name: str, kind: str, label: str, expires: str | None
) -> None:
    """Create a token for a user. It is shown only now."""
    until = moment(expires)
    with MASA.records(masa) as records:
        named = user_named(records, username, kind, org_name)
        token_id, text = records.add_token(named, label=label, expires_at=until)
    cli.output.record({"id": token_id, "token": text, "expires": until})


@token.command("remove")
@masa_option
@click.argument("token_id", metavar="ID", type=int)
def remove_token(masa: Path, token_id: int) -> None:
    """Revoke a token."""
    with MASA.records(masa) as records:
        records.remove_token(token_id)


@token.command("list")
@masa_option
@click.pass_obj
def list_tokens(cli: Cli, masa: Path) -> None:
    """List tokens, without their values."""
    with MASA.records(masa) as records:
        tokens = records.directory.tokens()
    rows = [
        {
            "id": each.token_id,
            "user": each.user.username,
            "org_id": each.user.org_id,
            "label": each.label,
            "created": each.created_at,
            "expires": each.expires_at,
        }
        for each in tokens
    ]
    cli.output.rows(columns("id", "user", "org_id", "label", "created", "expires"), rows)


@cert.command("add")
@masa_option
@click.argument("group_path", metavar="GROUP")
@click.argument("file", type=FILE)
@click.option("--expires", help="Latest expiry of vouchers. Default: that of the certificate.")
@click.option(
    "--revocation-checks", is_flag=True, help="Vouchers tell devices to check revocation."
)
@click.pass_obj
def add_cert(
    cli: Cli,
    masa: Path,
    group_path: str,
    file: Path,
    expires: str | None,
    *,
    revocation_checks: bool,
) -> None:
    """Register a domain certificate (PEM or DER) in a group."""
    from bootz.masa.importing import read_bounded
    from bootz.trust.certificates import load_certificate, parse_certificates

    der = parse_certificates(read_bounded(file))[0]
    until = moment(expires) or load_certificate(der).not_valid_after_utc
    with MASA.records(masa) as records:
        made = records.add_certificate(
            records.group_id(group_path),
            der,
            revocation_checks=revocation_checks,
            expires_at=until,
        )
    cli.output.record({"cert_id": made.cert_id, "group_id": made.group_id, "expires": until})


@cert.command("list")
@masa_option
@click.argument("group_path", metavar="GROUP")
@click.pass_obj
def list_certs(cli: Cli, masa: Path, group_path: str) -> None:
    """List the domain certificates of a group."""
    from bootz.trust.certificates import fingerprint

    with MASA.records(masa) as records:
        found = records.book.certificates_in(records.group_id(group_path))
    rows = [
        {
            "cert_id": each.cert_id,
            "fingerprint": fingerprint(each.certificate),
            "revocation_checks": each.revocation_checks,
            "expires": each.expires_at,
        }
        for each in found
    ]
    cli.output.rows(columns("cert_id", "fingerprint", "revocation_checks", "expires"), rows)
