"""What was met on the wire: one line of JSON each, in a file that survives who wrote it.

The lab server's events, and the probes.

Two files at most: the present one, and the one before it, so that a flood fills no disk.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bootz.errors import unreadable, unwritable

MAX_FILE: Final = 16 << 20
"""Bytes after which another file is begun."""

MAX_LINE: Final = 1 << 16


class LeaseLog:
    """Appends events; what ``append`` returned from is on the disk."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            Unavailable: ``file-unwritable``.
        """
        self._path = path
        self._descriptor = self._open()
        # A line that a power loss cut short must not swallow the next one.
        if os.fstat(self._descriptor).st_size and not path.read_bytes().endswith(b"\n"):
            os.write(self._descriptor, b"\n")

    def append(self, event: Mapping[str, object]) -> None:
        """Write one event.

        Raises:
            Unavailable: ``file-unwritable``.
        """
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            if os.fstat(self._descriptor).st_size + len(line) > MAX_FILE:
                os.close(self._descriptor)
                self._path.replace(previous(self._path))
                self._descriptor = self._open()
            os.write(self._descriptor, line)
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        # Never through a link: the folder's user could lead root to another file.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self._path, flags, 0o640)
            if os.geteuid() == 0 and os.fstat(descriptor).st_nlink == 1:
                # The site's user reads what root has to write.
                folder = self._path.parent.stat()
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
        except OSError as error:
            raise unwritable(self._path, error) from error
        return descriptor


def previous(path: Path) -> Path:
    """Return where the file before the present one is."""
    return path.with_name(f"{path.name}.1")


def read_leases(path: Path) -> Iterator[Mapping[str, object]]:
    """Return all events, the oldest first; a malformed line is passed over.

    Raises:
        Unavailable: ``file-unreadable``.
    """
    for each in (previous(path), path):
        try:
            with each.open("rb") as file:
                for line in iter(lambda: file.readline(MAX_LINE), b""):
                    try:
                        event = json.loads(line)
                    except (ValueError, RecursionError):
                        continue
                    if isinstance(event, dict):
                        yield event
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(each, error) from error
