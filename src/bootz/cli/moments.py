"""Instants in options: a date, an RFC 3339 time, or a length of time ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None) -> datetime | None:
    """Read an option's instant: RFC 3339, or a date for its first moment in UTC.

    Raises:
        click.BadParameter: it is neither.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text} is neither a date nor an RFC 3339 time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def since(text: str | None, now: datetime) -> datetime | None:
    """Read an option's instant as ``moment`` does, or as a length of time ago: ``30m``, ``2h``.

    Raises:
        click.BadParameter: it is neither, or before all time.
    """
    ago = None if text is None else _AGO.fullmatch(text.strip().lower())
    if ago is None:
        return moment(text)
    try:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    except OverflowError as error:
        raise click.BadParameter(f"{text} is too long ago") from error
