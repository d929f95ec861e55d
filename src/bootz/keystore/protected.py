"""Reading files that hold a secret: refused if others can read or replace them."""

import os
import stat
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError

MAX_SECRET_BYTES: Final = 64 << 10

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def read_protected(path: Path) -> bytes:
    """Return the content of a file that holds a secret.

    The checks are made on the opened file, so that it cannot be exchanged in between.

    Raises:
        ConfigError: it is missing, a link, no regular file, larger than 64 KiB, of another
            user, or others can read it or replace it.
    """
    # O_NONBLOCK: a pipe that was put in its place must not make us wait.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        opened = os.open(path, flags)
    except OSError as error:
        if path.is_symlink():
            raise ConfigError(
                "key-permissions", "is a symbolic link", where=str(path), expected="a regular file"
            ) from error
        raise ConfigError(
            "key-missing", f"cannot be read: {error.strerror}", where=str(path)
        ) from error
    try:
        # Before it becomes a file, which a folder cannot.
        _check(path, os.fstat(opened))
    except BaseException:
        os.close(opened)
        raise
    with open(opened, "rb") as file:
        try:
            _check_folder(path.parent)
            content = file.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise ConfigError(
                "key-missing", f"cannot be read: {error.strerror}", where=str(path)
            ) from error
    if len(content) > MAX_SECRET_BYTES:
        raise ConfigError("key-malformed", "is longer than 64 KiB", where=str(path))
    return content


def read_secret(path: Path) -> bytes:
    """Return a PIN or passphrase: the first line of a protected file.

    Raises:
        ConfigError: as ``read_protected``, or the line is empty.
    """
    lines = read_protected(path).splitlines()
    if not lines or not lines[0]:
        raise ConfigError("key-malformed", "has no secret in its first line", where=str(path))
    return lines[0]


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("key-permissions", "is not a regular file", where=str(path))
    if status.st_uid != os.geteuid():
        raise ConfigError(
            "key-permissions",
            "belongs to another user",
            where=str(path),
            expected=f"user {os.geteuid()}",
            seen=f"user {status.st_uid}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        raise ConfigError(
            "key-permissions",
            "is accessible to other users",
            where=str(path),
            expected="mode 0600",
            seen=f"mode {mode:04o}",
        )


def _check_folder(folder: Path) -> None:
    mode = stat.S_IMODE(folder.stat().st_mode)
    # In a sticky folder (/tmp) others cannot replace what is not theirs.
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise ConfigError(
            "key-permissions",
            "its folder is writable for other users",
            where=str(folder),
            expected="mode 0700",
            seen=f"mode {mode:04o}",
        )
