"""The bundle: one tar with the vouchers of several cards, in the field of a single voucher.

Source: docs/protocol/vouchers.md#bundles.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bootz.errors import TrustError
from bootz.trust.cms import CmsError, parse_signed_data
from bootz.trust.tar import TarEntry, TarError, is_tar, read_tar, write_end, write_entry
from bootz.trust.voucher import MAX_VOUCHER_BYTES

_PLAIN_SERIAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GZIP: Final = b"\x1f\x8b"
_DER_SEQUENCE: Final = b"\x30"
_FIELD: Final = "ownership_voucher"


class BundleError(TrustError):
    """Bytes are no bundle, or one over its bounds."""


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """Bounds of a bundle: number of entries, bytes of each, bytes of the archive."""

    entries: int
    entry_bytes: int
    total_bytes: int


WIRE_LIMITS: Final = BundleLimits(entries=256, entry_bytes=MAX_VOUCHER_BYTES, total_bytes=4 << 20)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An entry that was not taken: its name, what was in it, and why."""

    name: str
    content: bytes = field(repr=False)
    flaw: str


@dataclass(frozen=True, slots=True)
class BundleContents:
    """Entry names, which mean nothing, with their CMS; and what was passed over."""

    entries: tuple[tuple[str, bytes], ...] = field(repr=False)
    passed_over: tuple[PassedOver, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was passed over, in words."""
        return tuple(f"{each.name[:80]!r} is skipped: {each.flaw}" for each in self.passed_over)


def is_bundle(data: bytes) -> bool:
    """Tell whether some bytes begin as a tar archive."""
    return is_tar(data)


def classify_voucher_field(data: bytes) -> Literal["single", "bundle"]:
    """Tell a bundle from a single voucher by the bytes themselves.

    A tar begins with its first file name, and a serial number may begin with ``0``, which is
    the first byte of DER; so the tar is tested first.

    Raises:
        BundleError: ``ov-bundle-compressed`` for gzip, ``ov-malformed`` for anything else.
    """
    if is_bundle(data):
        return "bundle"
    if data.startswith(_DER_SEQUENCE):
        return "single"
    if data.startswith(_GZIP):
        raise BundleError(
            "ov-bundle-compressed", "the bundle is compressed", where=_FIELD, seen="gzip"
        )
    raise BundleError(
        "ov-malformed",
        "neither a voucher nor a bundle",
        where=_FIELD,
        expected="a DER CMS or a POSIX tar",
        seen=f"bytes that begin with {data[:4].hex()!r}",
    )


def pack_bundle(vouchers: Mapping[str, bytes]) -> bytes:
    """Return a bundle of vouchers (DER) by serial number; the same input gives the same bytes.

    All of them must pin the same certificate, because one owner certificate signs for all.
    """
    named = sorted((file_name(serial), voucher) for serial, voucher in vouchers.items())
    return b"".join(write_entry(name, voucher) for name, voucher in named) + write_end()


def read_bundle(
    data: bytes,
    *,
    limits: BundleLimits = WIRE_LIMITS,
    decode: Callable[[bytes], bytes] = bytes,
) -> BundleContents:
    """Return the entries of a bundle that hold a CMS, in memory.

    ``decode`` takes armour off an entry where that is allowed, which is never on the wire.

    Raises:
        BundleError: ``ov-bundle-too-large`` over a bound, ``ov-bundle-malformed`` for a damaged
            archive. What is not a regular file, has an unsafe name or holds no CMS is passed over.
    """
    if len(data) > limits.total_bytes:
        raise _too_large("the bundle", limits.total_bytes, len(data))
    entries: list[tuple[str, bytes]] = []
    passed_over: list[PassedOver] = []
    count = 0
    try:
        for entry in read_tar(data):
            count += 1
            if count > limits.entries:
                raise _too_large("the number of entries", limits.entries, count)
            if len(entry.content) > limits.entry_bytes:
                raise _too_large("an entry", limits.entry_bytes, len(entry.content))
            content = decode(entry.content)
            flaw = _flaw(entry, content)
            if flaw:
                passed_over.append(PassedOver(entry.name, entry.content, flaw))
            else:
                entries.append((entry.name, content))
    except TarError as error:
        raise BundleError("ov-bundle-malformed", str(error), where=_FIELD) from error
    return BundleContents(tuple(entries), tuple(passed_over))


def file_name(serial_number: str) -> str:
    """Return the name of a voucher's file: the serial number, or a hash where it is not a name."""
    if _PLAIN_SERIAL.fullmatch(serial_number):
        return f"{serial_number}.vcj"
    digest = hashlib.sha256(serial_number.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sn-{digest[:16]}.vcj"


def _flaw(entry: TarEntry, content: bytes) -> str:
    """Name why an entry is passed over; empty if it is not."""
    name = entry.name
    if not entry.regular:
        return "not a regular file"
    if name.startswith("/") or ".." in name or "\\" in name or not name.isprintable():
        return "unsafe name"
    try:
        parse_signed_data(content, max_size=MAX_VOUCHER_BYTES)
    except CmsError as error:
        return error.detail
    return ""


def _too_large(what: str, bound: int, size: int) -> BundleError:
    return BundleError(
        "ov-bundle-too-large",
        f"{what} exceeds the limit",
        where=_FIELD,
        expected=f"at most {bound}",
        seen=str(size),
    )
