"""Putting a site in place: built aside, then whole.

A crash at any point leaves either no site or all of it: what is not finished lies in a hidden
folder beside the place, without the name of a site, and the next attempt there removes it.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bootz.config.file import CONFIG_NAME
from bootz.errors import ConflictError, Unavailable
from bootz.keystore.files import sync_folder

_UNFINISHED: Final = ".unfinished"


@contextmanager
def building(root: Path) -> Iterator[Path]:
    """Give a folder beside the place; gone afterwards, unless it has become the site."""
    parent = root.parent
    folder = parent / f".{root.name}.{secrets.token_hex(8)}{_UNFINISHED}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise unwritable(parent, error) from error
    try:
        # One at a time, so that what is unfinished was left behind by a crash.
        fcntl.flock(opened, fcntl.LOCK_EX)
        for left in parent.iterdir():
            if left.name.startswith(f".{root.name}.") and left.name.endswith(_UNFINISHED):
                shutil.rmtree(left, ignore_errors=True)
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        raise unwritable(root, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(opened)


def check_place(root: Path) -> None:
    """Accept a place where nothing is, or an empty folder.

    Raises:
        ConflictError: ``site-exists``.
    """
    if not os.path.lexists(root):
        return
    if root.is_symlink() or not root.is_dir():
        raise ConflictError("site-exists", "this is not a folder", where=str(root))
    if any(root.iterdir()):
        words = "it is a site already" if (root / CONFIG_NAME).exists() else "it is not empty"
        raise ConflictError("site-exists", words, where=str(root))


def put_in_place(folder: Path, root: Path) -> None:
    """Make what was built the site; the settings come last where the folder was there.

    Raises:
        OSError: the disk refuses.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
    sync_folder(folder)
    if not root.exists():
        folder.rename(root)
        sync_folder(root.parent)
        return
    # A folder that was there may be a mount, or the shell's own: it stays the same one. The
    # settings make it a site, so they come last.
    names = sorted((path.name for path in folder.iterdir()), key=lambda name: name == CONFIG_NAME)
    for name in names:
        (folder / name).rename(root / name)
        sync_folder(root)


def unwritable(path: Path, error: OSError) -> Unavailable:
    """Return the error for a path that cannot be written."""
    return Unavailable("file-unwritable", f"cannot be written: {error.strerror}", where=str(path))
