"""``bootz profile``: what a class of routers gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bootz.cli.base import PATH, noun, together
from bootz.cli.inventory.base import (
    name_and_version,
    read_document,
    read_file,
    shown_content,
)
from bootz.cli.inventory.named import Named, VerbHelp, add_named_verbs
from bootz.cli.names import IMAGE, PROFILE
from bootz.cli.output import Column
from bootz.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bootz.cli.inventory.named import Change
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

_options = together(
    click.option(
        "--file",
        type=PATH,
        metavar="YAML",
        help="YAML or JSON file; docs/templates.md lists its keys.",
    ),
    click.option(
        "--vendor-config",
        type=PATH,
        metavar="FILE",
        help="Jinja2 template of the vendor configuration.",
    ),
    click.option("--image", type=IMAGE, metavar="NAME/VERSION", help="Image to install."),
    click.option("--description", help="Description."),
)
"""The options that add and set have in common."""


def _add(name: str, options: dict[str, Any]) -> Change:
    from bootz.server.operations.profiles import ProfileRecord, add_profile

    document = _document({}, options, where=name)
    record = ProfileRecord(name, document, options["description"] or "")
    return lambda connection: add_profile(connection, record)


def _change(name: str, options: dict[str, Any]) -> Change:
    from bootz.server.operations.profiles import find_profile, set_profile

    def change(connection: Connection) -> ProfileRecord:
        record = find_profile(connection, name)
        kept = {
            key: value
            for key, value in record.document.to_json().items()
            if key not in options["unset"]
        }
        described = options["description"]
        changed = replace(
            record,
            name=options["rename"] or record.name,
            document=_document(kept, options, where=record.name),
            description=record.description if described is None else described,
        )
        return set_profile(connection, name, changed)

    return change


def _document(document: dict[str, Any], options: dict[str, Any], *, where: str) -> ProfileDocument:
    from bootz.server.operations.profile_document import ProfileDocument

    file, vendor_config, image = (options[key] for key in ("file", "vendor_config", "image"))
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

    return Named(list_profiles, find_profile, _add, _change, remove_profile, _row, _shown)


add_named_verbs(
    command,
    _COLUMNS,
    _named,
    VerbHelp(
        "Add a profile.",
        "List all profiles.",
        'Show what a profile sets; configuration and secrets only as "set".',
        "Change a profile; each key that is given replaces the present one, the others stay.",
        "Remove a profile that no chassis uses.",
    ),
    name=PROFILE,
    add_options=_options,
    set_options=together(
        click.option("--rename", metavar="NAME", help="New name."),
        click.option("--unset", multiple=True, metavar="KEY", help="Key to remove."),
        _options,
    ),
)
