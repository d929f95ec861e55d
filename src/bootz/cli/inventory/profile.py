"""``bootz profile``: what a class of routers gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bootz.cli.base import PATH, Cli, noun
from bootz.cli.inventory.base import (
    name_and_version,
    read_document,
    read_file,
    shown_content,
    writing,
)
from bootz.cli.inventory.named import Named, add_named_verbs
from bootz.cli.names import IMAGE, PROFILE
from bootz.cli.output import Column
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.server.operations.profile_document import ProfileDocument
    from bootz.server.operations.profiles import ProfileRecord

command = noun("profile", "Configuration, image and other data for a class of routers.")

_COLUMNS = (
    Column("name"),
    Column("image"),
    Column("release"),
    Column("sets"),
    Column("description"),
)

_file = click.option(
    "--file",
    type=PATH,
    metavar="YAML",
    help="YAML or JSON file; docs/templates.md lists its keys.",
)
_vendor_config = click.option(
    "--vendor-config",
    type=PATH,
    metavar="FILE",
    help="Jinja2 template of the vendor configuration.",
)
_image = click.option("--image", type=IMAGE, metavar="NAME/VERSION", help="Image to install.")
_description = click.option("--description", help="Description.")


@command.command("add")
@click.argument("name")
@_file
@_vendor_config
@_image
@_description
@click.pass_obj
def add(
    cli: Cli,
    name: str,
    file: Path | None,
    vendor_config: Path | None,
    image: str | None,
    description: str | None,
) -> None:
    """Add a profile."""
    from bootz.server.operations.profiles import ProfileRecord, add_profile

    document = _document({}, file, vendor_config, image, where=name)
    with writing(cli) as connection:
        record = add_profile(connection, ProfileRecord(name, document, description or ""))
    cli.output.record(_shown(record))


@command.command("set")
@click.argument("name", type=PROFILE)
@click.option("--rename", metavar="NAME", help="New name.")
@click.option("--unset", multiple=True, metavar="KEY", help="Key to remove.")
@_file
@_vendor_config
@_image
@_description
@click.pass_obj
def set_(
    cli: Cli,
    name: str,
    rename: str | None,
    unset: tuple[str, ...],
    file: Path | None,
    vendor_config: Path | None,
    image: str | None,
    description: str | None,
) -> None:
    """Change a profile; each key that is given replaces the present one, the others stay."""
    from bootz.server.operations.profiles import find_profile, set_profile

    with writing(cli) as connection:
        record = find_profile(connection, name)
        kept = record.document.to_json()
        for key in unset:
            kept.pop(key, None)
        document = _document(dict(kept), file, vendor_config, image, where=record.name)
        changed = replace(
            record,
            name=rename or record.name,
            document=document,
            description=record.description if description is None else description,
        )
        changed = set_profile(connection, name, changed)
    cli.output.record(_shown(changed))


def _document(
    document: dict[str, object],
    file: Path | None,
    vendor_config: Path | None,
    image: str | None,
    *,
    where: str,
) -> ProfileDocument:
    from bootz.server.operations.profile_document import ProfileDocument

    if file is not None:
        document |= read_document(file)
    if vendor_config is not None:
        try:
            document["vendor_config"] = read_file(vendor_config).decode()
        except UnicodeDecodeError as error:
            raise ConfigError(
                "document-invalid", "the template is not UTF-8", where=str(vendor_config)
            ) from error
    if image is not None:
        document["image"] = name_and_version(image, "--image")
    return ProfileDocument.parse(document, where=f"profile {where}")


def _shown(record: ProfileRecord) -> dict[str, object]:
    return {
        "name": record.name,
        "description": record.description,
        **shown_content(record.document),
    }


def _row(record: ProfileRecord) -> dict[str, object]:
    image = record.document.image
    return {
        "name": record.name,
        "image": "" if image is None else f"{image.name}/{image.version}",
        "release": record.document.release,
        "sets": sorted(record.document.model_fields_set),
        "description": record.description,
    }


def _named() -> Named:
    from bootz.server.operations.profiles import find_profile, list_profiles, remove_profile

    return Named(list_profiles, find_profile, remove_profile, _row, _shown)


add_named_verbs(
    command,
    PROFILE,
    _COLUMNS,
    _named,
    listing="List all profiles.",
    showing='Show what a profile sets; configuration and secrets only as "set".',
    removing="Remove a profile that no chassis uses.",
)
