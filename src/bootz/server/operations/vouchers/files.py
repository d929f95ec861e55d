"""Finding vouchers in files: ``.vcj`` in DER, PEM or base64, folders of them, tar and tar.gz.

Nothing is extracted to the disk, and every size is bounded before it is believed.
Source: docs/protocol/vouchers.md#what-a-reader-tolerates; docs/protocol/vouchers.md#bundles.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bootz.errors import BootzError, ConfigError, TrustError, Unavailable, unreadable
from bootz.trust.bundle import BundleLimits, PassedOver, is_bundle, read_bundle
from bootz.trust.voucher import MAX_VOUCHER_BYTES

OFFLINE_LIMITS: Final = BundleLimits(
    entries=100_000, entry_bytes=MAX_VOUCHER_BYTES, total_bytes=1 << 30
)
"""Bounds of a manufacturer's delivery; a purchase order may be large."""

_MAX_RATIO: Final = 100
"""What gzip may unpack to; signatures and keys do not shrink, a bomb does."""

_VOUCHER_SUFFIX: Final = ".vcj"
_SUFFIXES: Final = (_VOUCHER_SUFFIX, ".tar", ".tar.gz", ".tgz")
"""Of the files in a folder that are looked at, in any case."""

_SHADOW: Final = "._"
"""How macOS begins the name of a file that holds another file's attributes (AppleDouble)."""

_MARKS: Final = (
    bytes.fromhex("06092a864886f70d010702"),
    b"ietf-voucher:voucher",
    b"-----BEGIN CMS-----",
    b"-----BEGIN PKCS7-----",
)
"""What only a voucher has in it: the OID of a SignedData, the leaves' container, the armour."""

_MAX_TEXT: Final = 2 * MAX_VOUCHER_BYTES
"""Base64 is a third longer than what it spells, and may have line breaks."""
_SHOWN: Final = 120
"""Characters of an entry's name in an error."""

_GZIP: Final = b"\x1f\x8b"
_PEM: Final = re.compile(
    rb"\s*-----BEGIN (CMS|PKCS7)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----\s*"
)


@dataclass(frozen=True, slots=True)
class FoundVoucher:
    """A file that may be a voucher: where it was, and its DER; or why it is not one."""

    where: str
    raw: bytes = field(repr=False)
    error: BootzError | None = None


@dataclass(frozen=True, slots=True)
class FoundVouchers:
    """Everything in the files that were named; ``warnings`` name what was passed over."""

    vouchers: tuple[FoundVoucher, ...]
    warnings: tuple[str, ...]


def find_voucher_files(paths: Sequence[Path]) -> FoundVouchers:
    """Return the vouchers in files, folders (every ``.vcj`` and tar below) and tars.

    One bad file of many must not keep the others away: what is a voucher by its name or content
    and cannot be read, a damaged tar, and a place without vouchers are each there with an error.

    Raises:
        Unavailable: a file that was named, or a folder, cannot be read.
    """
    found: list[FoundVoucher] = []
    warnings: list[str] = []
    for path in paths:
        named = not path.is_dir()
        try:
            files = [path] if named else _files_below(path)
        except ConfigError as error:
            found.append(FoundVoucher(str(path), b"", error))
            continue
        for file in files:
            try:
                _look_into(file, found, warnings)
            except ConfigError as error:
                found.append(FoundVoucher(str(file), b"", error))
            except Unavailable as error:
                if named:
                    raise
                found.append(FoundVoucher(str(file), b"", error))
    return FoundVouchers(tuple(found), tuple(warnings))


def _look_into(path: Path, found: list[FoundVoucher], warnings: list[str]) -> None:
    data = _read(path, OFFLINE_LIMITS.total_bytes)
    if data.startswith(_GZIP):
        data = _decompress(data, str(path))
    if not is_bundle(data):
        found.append(_decoded(data, str(path)))
        return
    try:
        contents = read_bundle(data, limits=OFFLINE_LIMITS, decode=_unarmoured)
    except TrustError as error:
        raise ConfigError(
            "voucher-file-invalid",
            error.detail,
            where=str(path),
            expected=error.expected,
            seen=error.seen,
        ) from error
    before = len(found)
    found.extend(FoundVoucher(f"{path}: {name}", raw) for name, raw in contents.entries)
    for each in contents.passed_over:
        where = f"{path}: {each.name[:_SHOWN]}"
        if _is_meant_as_voucher(each):
            flaw = ConfigError("voucher-file-invalid", each.flaw, where=where)
            found.append(FoundVoucher(where, b"", flaw))
        else:
            warnings.append(f"{where} is skipped: {each.flaw}")
    if len(found) == before:
        raise ConfigError("voucher-file-invalid", "there is no voucher in it", where=str(path))


def _is_meant_as_voucher(entry: PassedOver) -> bool:
    """Tell a damaged voucher, which must be told, from a file that only lies beside vouchers."""
    name = entry.name.replace("\\", "/").rpartition("/")[2]
    if name.startswith(_SHADOW):
        return False
    return name.lower().endswith(_VOUCHER_SUFFIX) or any(mark in entry.content for mark in _MARKS)


def read_voucher_text(data: bytes, where: str) -> bytes:
    """Return the DER of a voucher that is DER, PEM or base64.

    Raises:
        ConfigError: ``voucher-file-invalid``.
    """
    if data.startswith(b"\x30") and not data.isascii():
        der = data
    elif len(data) > _MAX_TEXT:
        der = data[: MAX_VOUCHER_BYTES + 1]
    else:
        armour = _PEM.fullmatch(data)
        text = b"".join((armour[2] if armour else data).split())
        try:
            der = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ConfigError(
                "voucher-file-invalid", "neither DER nor PEM nor base64", where=where
            ) from error
    if not der or len(der) > MAX_VOUCHER_BYTES:
        raise ConfigError(
            "voucher-file-invalid",
            "it is empty" if not der else "it is too long for a voucher",
            where=where,
            expected=f"1 to {MAX_VOUCHER_BYTES} bytes",
        )
    return der


def _files_below(folder: Path) -> list[Path]:
    """Return the files below a folder that may hold vouchers, sorted; links are not followed."""
    files: list[Path] = []
    for path in _walk(folder):
        files.append(path)
        if len(files) > OFFLINE_LIMITS.entries:
            raise ConfigError(
                "voucher-file-invalid",
                f"over {OFFLINE_LIMITS.entries} files",
                where=str(folder),
            )
    if not files:
        raise ConfigError(
            "voucher-file-invalid", "there is no .vcj file or tar below", where=str(folder)
        )
    return sorted(files)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        for path in folder.rglob("*"):
            name = path.name.lower()
            if name.startswith(_SHADOW) or not name.endswith(_SUFFIXES):
                continue
            if path.is_file() and not path.is_symlink():
                yield path
    except OSError as error:
        raise unreadable(folder, error) from error


def _unarmoured(data: bytes) -> bytes:
    """Return the DER of an entry, or the entry as it is where it is of none of the forms."""
    try:
        return read_voucher_text(data, "")
    except ConfigError:
        return data


def _decoded(data: bytes, where: str) -> FoundVoucher:
    try:
        return FoundVoucher(where, read_voucher_text(data, where))
    except ConfigError as error:
        return FoundVoucher(where, b"", error)


def _read(path: Path, most: int) -> bytes:
    """Return a file's bytes, at most one more than ``most``."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise unreadable(path, error) from error


def _decompress(data: bytes, where: str) -> bytes:
    most = min(OFFLINE_LIMITS.total_bytes, _MAX_RATIO * len(data))
    engine = zlib.decompressobj(wbits=31)
    try:
        plain = engine.decompress(data, most + 1)
    except zlib.error as error:
        raise ConfigError("voucher-file-invalid", "damaged gzip", where=where) from error
    if len(plain) > most:
        raise ConfigError(
            "voucher-file-invalid",
            "it unpacks to too much",
            where=where,
            expected=f"at most {most} bytes",
        )
    if not engine.eof or engine.unused_data.strip(b"\x00"):
        raise ConfigError(
            "voucher-file-invalid", "the gzip is cut off, or something follows it", where=where
        )
    return plain
