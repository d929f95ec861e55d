"""Reading foreign messages: what is parsed at all, and how long each thing may be.

Source: docs/protocol/wire.md#bounds-of-a-request.
"""

from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from bootz.errors import WireError

MAX_REQUEST_BYTES: Final = 1 << 20
MAX_ANSWER_BYTES: Final = 4 << 20
"""The room of a bundle of vouchers (docs/protocol/vouchers.md#bundles)."""

MAX_ENTRIES: Final = 64
"""Cards, states, data of cards, certz profiles: of each, in one message."""

MAX_TEXT: Final = 256
"""Characters of a text of the descriptor and the states."""

MAX_NONCE: Final = 1024
MAX_STATUS_MESSAGE: Final = 4096
MAX_IDEVID_CERT: Final = 64 * 1024
"""Characters (docs/protocol/pki.md#idevid)."""

MAX_PUBLIC_KEY: Final = 8 * 1024
"""Bytes of an EK or PPK that a device names; RSA-4096 needs about 600."""

MAX_DIGEST: Final = 64
"""Bytes of the digest of an AIK; TPM 1.2 sends 20."""

M = TypeVar("M", bound=Message)


def parse(message_type: type[M], data: bytes, *, limit: int = MAX_REQUEST_BYTES) -> M:
    """Read a message of at most ``limit`` bytes.

    Raises:
        WireError: too large (``message-too-large``), or not of that form, or not UTF-8.
    """
    name = message_type.DESCRIPTOR.name
    if len(data) > limit:
        raise WireError(
            "message-too-large",
            f"a {name} of {len(data)} bytes",
            where=name,
            expected=f"at most {limit} bytes",
            seen=f"{len(data)} bytes",
        )
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise WireError("message-malformed", f"not a {name}", where=name) from error


def checked_text(value: str, where: str, limit: int = MAX_TEXT) -> str:
    """Return a text that is to be recorded, if it is short enough and free of NUL.

    Raises:
        WireError: too long, or with a NUL, which databases do not keep.
    """
    check_length(len(value), where, limit, "characters")
    if "\0" in value:
        raise WireError("field-malformed", "the text has a NUL character", where=where)
    return value


def check_length(length: int, where: str, limit: int, unit: str) -> None:
    """Refuse what is longer than ``limit``.

    Raises:
        WireError: it is.
    """
    if length > limit:
        raise WireError(
            "field-too-long",
            f"{length} {unit}, {limit} are allowed",
            where=where,
            expected=f"at most {limit}",
            seen=str(length),
        )


def check_count(count: int, where: str, limit: int = MAX_ENTRIES) -> None:
    """Refuse a list with more than ``limit`` entries.

    Raises:
        WireError: it has.
    """
    if count > limit:
        raise WireError(
            "entries-too-many",
            f"{count} entries, {limit} are allowed",
            where=where,
            expected=f"at most {limit}",
            seen=str(count),
        )
