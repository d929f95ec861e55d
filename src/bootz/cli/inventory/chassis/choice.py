"""Which chassis an option chooses: by vendor, profile and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from bootz.errors import UnknownChassis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection


where_option: Final = click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="WHICH",
    help="Instead of SERIAL, all chassis with label:KEY=VALUE, label:KEY, vendor=NAME or "
    "profile=NAME; repeatable, then all must match.",
)


class Chosen(NamedTuple):
    """What ``--where`` says. ``profile`` empty: those without one; a label None: any value."""

    vendor: str | None
    profile: str | None
    labels: dict[str, str | None]


def label_choice(texts: Iterable[str], hint: str) -> dict[str, str | None]:
    """Return labels of ``KEY=VALUE``, or ``KEY`` for any value.

    Raises:
        BadParameter: a key is missing, or appears with two values.
    """
    labels: dict[str, str | None] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        # As labels are stored.
        key = key.strip().casefold()
        if not key:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=hint)
        if key in labels:
            raise click.BadParameter(f"the label {key} appears twice", param_hint=hint)
        labels[key] = value if equals else None
    return labels


def where_choice(conditions: Iterable[str]) -> Chosen:
    """Return what ``--where`` options say together.

    Raises:
        BadParameter: a condition is unknown, or appears twice.
    """
    names: dict[str, str] = {}
    labels: list[str] = []
    for condition in conditions:
        start, colon, label = condition.partition(":")
        if colon and start.strip().casefold() == "label":
            labels.append(label)
            continue
        name, equals, value = condition.partition("=")
        name = name.strip().casefold()
        if not equals or name not in {"vendor", "profile"}:
            raise click.BadParameter(
                f"{condition!r} is not label:KEY=VALUE, label:KEY, vendor=NAME or profile=NAME",
                param_hint="--where",
            )
        if name in names:
            raise click.BadParameter(f"{name} appears twice", param_hint="--where")
        names[name] = value.strip()
    return Chosen(names.get("vendor"), names.get("profile"), label_choice(labels, "--where"))


def chosen_keys(connection: Connection, conditions: Sequence[str]) -> list[int]:
    """Return the database's keys of the chassis that ``--where`` options choose.

    Raises:
        BadParameter: a condition is unknown, or appears twice.
        UnknownChassis: no such vendor or profile; ``where-matches-none``.
    """
    from bootz.server.operations.choosing import find_choice
    from bootz.server.store.database import plain
    from bootz.server.store.listing import listed_chassis

    choice = find_choice(connection, *where_choice(conditions))
    keys = [each.key for each in listed_chassis(plain(connection), choice)]
    if not keys:
        raise UnknownChassis(
            "where-matches-none", "no chassis matches all of it", where=", ".join(conditions)
        )
    return keys
