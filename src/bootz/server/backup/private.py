"""The files of a site beside settings, database and images: keys, and what the settings name.

Packed as a tar in memory, which is sealed before it is written.
"""

import io
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from bootz.errors import ConfigError, Unavailable
from bootz.server.backup.form import MAX_PRIVATE, invalid

_BESIDE: Final = re.compile(r"-(wal|shm|journal|line|leader|webhooks|sources)|\.v\d+-\d{8}T\d{6}Z")
"""What stands behind the database's name in the names of files that it needs, or left."""
_MOST: Final = 10_000
_RUN: Final = "run"


def private_files(root: Path, database: Path | None, images: Path) -> Iterator[tuple[str, Path]]:
    """Return the files, by their paths below the site; links and sockets are not among them.

    ``database`` is the SQLite file, None where there is none.
    """
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if here / name not in {images, root / _RUN} and not (here / name).is_symlink()
        )
        for name in sorted(names):
            path = here / name
            if here == root and (name == "bootz.yaml" or name.startswith(".")):
                continue
            if database is not None and here == database.parent and _is_database(name, database):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path.relative_to(root).as_posix(), path


def _is_database(name: str, database: Path) -> bool:
    rest = name.removeprefix(database.name)
    return name == database.name or (rest != name and _BESIDE.fullmatch(rest) is not None)


def pack(files: Iterator[tuple[str, Path]]) -> bytes:
    """Return a tar of the files.

    Raises:
        ConfigError: ``backup-too-much``: they are more than a backup takes beside the images.
        Unavailable: one of them cannot be read.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number, (name, path) in enumerate(files):
            try:
                content = _read(path)
                mode = stat.S_IMODE(path.lstat().st_mode)
            except OSError as error:
                raise Unavailable("file-unreadable", str(error.strerror), where=name) from error
            if packed.tell() + len(content) > MAX_PRIVATE or number >= _MOST:
                raise ConfigError(
                    "backup-too-much",
                    "the site's folder has more beside settings, database and images",
                    where=name,
                    expected=f"at most {MAX_PRIVATE >> 20} MiB and {_MOST} files",
                )
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = mode
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write the files below a folder, none of which is there yet.

    Raises:
        ConfigError: ``backup-invalid``: it is not such a tar.
        OSError: a file cannot be written.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for number, info in enumerate(tar):
                if number >= _MOST or not info.isreg() or not _is_below(info.name):
                    raise invalid(f"a file among the keys is not taken: {info.name!r:.80}", "keys")
                content = tar.extractfile(info)
                path = folder / info.name
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, info.mode & 0o777)
                with open(opened, "wb") as file:
                    if content is not None:
                        file.write(content.read())
                    os.fsync(file.fileno())
    except FileExistsError as error:
        raise invalid("a file among the keys is there twice", "keys") from error
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise invalid(f"the keys are not a tar: {error}", "keys") from error


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in name
        and path.parts[0] not in {"bootz.yaml", "images"}
    )


def _read(path: Path) -> bytes:
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(opened, "rb") as file:
        return file.read(MAX_PRIVATE + 1)
