"""Leaves of YANG data as vouchers and their requests spell them: strict JSON, dates, binary.

Functions here raise LeafError, which the readers of vouchers and requests convert.
Source: RFC 7951 section 6; RFC 3339 section 5.6; RFC 4648 section 4;
docs/protocol/vouchers.md#what-a-reader-tolerates.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from bootz import strict_json

_DATE_AND_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)

_TO_STANDARD_ALPHABET: Final = str.maketrans({"-": "+", "_": "/", "\n": "", "\r": "", " ": ""})


class LeafError(ValueError):
    """A leaf, or the object around it, is not of the form; does not leave the room."""


def read_json(data: bytes) -> object:
    """Return the value of a JSON text in UTF-8, without repeated keys, NaN or a byte order mark.

    Raises:
        LeafError: anything else, or nested too deeply.
    """
    try:
        return strict_json.loads(data)
    except ValueError as error:
        words = " ".join(str(error).split())[:120]
        raise LeafError(f"not strict JSON: {words}") from error


def read_object(value: object, what: str) -> Mapping[str, object]:
    """Return the members of a JSON object.

    Raises:
        LeafError: it is not one.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise LeafError(f"{what} is not a JSON object")
    return value


def read_text(value: object, name: str) -> str:
    """Return a leaf that is text.

    Raises:
        LeafError: it is not a text, or empty.
    """
    if not isinstance(value, str) or not value:
        raise LeafError(f"{name} is not a text")
    return value


def read_time(value: object, name: str) -> datetime:
    """Return a date-and-time with its offset in UTC; digits beyond microseconds are dropped.

    Raises:
        LeafError: not of the form, no such time, or outside of the years 1 to 9999.
    """
    match = _DATE_AND_TIME.fullmatch(read_text(value, name))
    if match is None:
        raise LeafError(f"{name} is not a date and time of RFC 3339")
    fraction = (match[7] or "")[:6].ljust(6, "0")
    try:
        offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
        zone = timezone(-offset if match[8] == "-" else offset)
        year, month, day, hour, minute, second = (int(match[at]) for at in range(1, 7))
        moment = datetime(year, month, day, hour, minute, second, int(fraction), tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise LeafError(f"{name} is not a valid date and time") from error


def write_time(moment: datetime) -> str:
    """Return a date-and-time in UTC with ``Z``; a fraction only where there is one."""
    return _utc(moment).isoformat() + "Z"


def write_precise_time(moment: datetime) -> str:
    """Return a date-and-time in UTC with ``Z`` and a fraction of milliseconds or finer."""
    utc = _utc(moment)
    return (
        utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"
    )


def read_binary(value: object, name: str) -> bytes:
    """Return a binary leaf; unpadded, URL-safe or broken into lines is read as well.

    Raises:
        LeafError: no base64.
    """
    text = read_text(value, name).translate(_TO_STANDARD_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise LeafError(f"{name} is not base64") from error


def write_binary(value: bytes) -> str:
    """Return padded base64 without line breaks."""
    return base64.b64encode(value).decode("ascii")


def is_serial_text(serial: str) -> bool:
    """Tell whether a text may be a serial number: 1 to 64 printable ASCII, no blank at an end."""
    printable = serial.isascii() and serial.isprintable()
    return 0 < len(serial) <= 64 and printable and serial == serial.strip()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
