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

from bootz.errors import BootzError, ConfigError, TrustError, Unavailable
from bootz.trust.bundle import BundleLimits, is_bundle, read_bundle
from bootz.trust.voucher import MAX_VOUCHER_BYTES

OFFLINE_LIMITS: Final = BundleLimits(
    entries=100_000, entry_bytes=MAX_VOUCHER_BYTES, total_bytes=1 << 30
)
"""Bounds of a manufacturer's delivery; a purchase order may be large."""

_MAX_RATIO: Final = 100
"""What gzip may unpack to; signatures and keys do not shrink, a bomb does."""

_SUFFIXES: Final = (".vcj", ".tar", ".tar.gz", ".tgz")
"""Of the files in a folder that are looked at."""

_MAX_TEXT: Final = 2 * MAX_VOUCHER_BYTES
"""Base64 is a third longer than what it spells, and may have line breaks."""
_GZIP: Final = b"\x1f\x8b"
_PEM: Final = re.compile(
    rb"\s*-----BEGIN (CMS|PKCS7)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----\s*"
)


@dataclass(frozen=True, slots=True)
class FoundVoucher:
    """A file that may be a voucher: where it was, and its DER; or why it is none."""

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

    Raises:
        ConfigError: ``voucher-file-invalid``; a folder without vouchers, or a bad tar that was
            named itself.
        Unavailable: a file that was named, or a folder, cannot be read.
    """
    found: list[FoundVoucher] = []
    warnings: list[str] = []
    for path in paths:
        if not path.is_dir():
            _look_into(path, found, warnings)
            continue
        files = _files_below(path)
        if not files:
            raise ConfigError(
                "voucher-file-invalid", "there is no .vcj file or tar below", where=str(path)
            )
        for file in files:
            try:
                _look_into(file, found, warnings)
            except (ConfigError, Unavailable) as error:
                # One bad file of many must not keep the others away.
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
    found.extend(FoundVoucher(f"{path}: {name}", raw) for name, raw in contents.entries)
    warnings.extend(f"{path}: {warning}" for warning in contents.warnings)


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
    return sorted(files)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        for path in folder.rglob("*"):
            if path.name.endswith(_SUFFIXES) and path.is_file() and not path.is_symlink():
                yield path
    except OSError as error:
        raise Unavailable("file-unreadable", str(error.strerror), where=str(folder)) from error


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
        raise Unavailable("file-unreadable", str(error.strerror), where=str(path)) from error


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
