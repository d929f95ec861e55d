"""Times in the database: UTC text of fixed width, sortable as text."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware time as ``YYYY-MM-DDThh:mm:ss.ffffffZ``."""
    # Not strftime: it writes years before 1000 without leading zeros.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """Return the aware UTC time that ``to_text`` wrote."""
    return datetime.fromisoformat(text)
