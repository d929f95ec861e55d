"""Times in the database: UTC text of fixed width, the same in every engine, sortable as text."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware time as ``YYYY-MM-DDThh:mm:ss.ffffffZ``."""
    # Not strftime: it writes years before 1000 without leading zeros.
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def to_optional_text(moment: datetime | None) -> str | None:
    """Return ``to_text``, or None for None."""
    return None if moment is None else to_text(moment)


def from_text(text: str) -> datetime:
    """Return the aware UTC time that ``to_text`` wrote."""
    return datetime.fromisoformat(text)


def from_optional_text(text: str | None) -> datetime | None:
    """Return ``from_text``, or None for None."""
    return None if text is None else from_text(text)
