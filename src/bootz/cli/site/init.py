"""``bootz init``: make a site. Every answer is an option; nothing is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import PATH, Cli, verb
from bootz.cli.site.options import image_option, key_file_options
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@verb("init")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--organization", metavar="NAME", help="Name of the owner, for certificates.")
@click.option(
    "--listen",
    multiple=True,
    metavar="ADDRESS:PORT",
    help="Address of the Bootz server; repeatable. Default: 127.0.0.1:15006.",
)
@click.option(
    "--advertise",
    multiple=True,
    metavar="HOST",
    help="Further name or address at which routers reach the server; repeatable.",
)
@click.option(
    "--database",
    metavar="URL",
    help="sqlite:///FILE or postgresql://USER@HOST/NAME. Default: an SQLite file in DIR.",
)
@click.option(
    "--database-password-file",
    type=PATH,
    metavar="FILE",
    help="File with the PostgreSQL password, mode 0600.",
)
@click.option(
    "--images-http",
    multiple=True,
    metavar="ADDRESS:PORT",
    help="Address for images over HTTP; repeatable. Default: 127.0.0.1:15007.",
)
@click.option(
    "--images-https",
    multiple=True,
    metavar="ADDRESS:PORT",
    help="Address for images over HTTPS; repeatable. Default: 127.0.0.1:15008.",
)
@click.option(
    "--join",
    is_flag=True,
    help="Make a further server of the site whose database --database names; its keys are brought.",
)
@click.option("--images-url", metavar="URL", help="Beginning of image URLs.")
@click.option(
    "--log-format", type=click.Choice(["json", "console"]), help="Format of the server's log."
)
@key_file_options
@click.option(
    "--from-reference",
    type=PATH,
    metavar="FILE",
    help="Import keys, address, vendors, chassis and vouchers from the Go reference's "
    "configuration.",
)
@image_option
@click.pass_obj
def command(
    cli: Cli,
    /,
    folder: Path,
    from_reference: Path | None,
    images: tuple[Path, ...],
    join: bool,
    **options: Any,
) -> None:
    """Make a site in DIR: settings, database, keys. Nothing that exists is overwritten.

    Keys and certificates that are not brought are made: a pinned domain certificate, an owner
    certificate under it, a server trust anchor and a TLS certificate under that.

    With --join DIR becomes a further server beside others on one PostgreSQL: it has the pinned
    domain certificate and the trust anchor of the others, and a TLS key of its own.
    """
    from bootz.cli.site.making import chosen_config, site_from_reference, tell_made
    from bootz.server.creation import create_site, join_site
    from bootz.server.importing.reference.reading import read_reference
    from bootz.server.keys.brought import KeyFiles

    now = datetime.now(UTC)
    files = KeyFiles(**{name: options[name] for name in KeyFiles.__dataclass_fields__})
    brought = files.read()
    if join:
        if from_reference is not None or options["database"] is None:
            raise click.UsageError("--join needs --database, and goes without --from-reference")
        site = join_site(folder, chosen_config(options), brought, now)
    elif from_reference is not None:
        site = site_from_reference(
            cli, folder, options, read_reference(from_reference), brought, images
        )
    elif images:
        raise ConfigError("reference-argument", "there is no --from-reference", where="--image")
    else:
        site = create_site(folder, chosen_config(options), brought, now)
    tell_made(cli, site, now, fresh=from_reference is None)
