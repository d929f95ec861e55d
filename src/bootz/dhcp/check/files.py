"""Files of a configuration: read within bounds, with those that they include."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MAX_OCTETS: Final = 32 * 1024 * 1024
"""Of a configuration with everything that it includes; 20 000 reservations are 4 MB."""

MAX_FILES: Final = 500
MAX_NESTED: Final = 10


class FileProblem(Exception):
    """A file that is not read; its text says why."""


@dataclass(slots=True)
class Files:
    """Reads files relative to a folder, and counts what was read."""

    folder: Path
    octets: int = 0
    count: int = 0
    names: list[str] = field(default_factory=list)

    def read(self, name: str) -> bytes:
        """Return the content of an included file.

        Raises:
            FileProblem: it cannot be read, is not a regular file, or all together is too large.
        """
        self.count += 1
        if self.count > MAX_FILES:
            raise FileProblem(f"more than {MAX_FILES} files are included")
        path = self.folder / name
        try:
            # Without waiting: what is included may be a pipe, to which no one ever writes.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise FileProblem("it is not a regular file")
                content = file.read(MAX_OCTETS - self.octets + 1)
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            raise FileProblem(words or str(error)) from error
        self.take(content)
        self.names.append(name)
        return content

    def take(self, content: bytes) -> None:
        """Count what was read.

        Raises:
            FileProblem: everything together is too large.
        """
        self.octets += len(content)
        if self.octets > MAX_OCTETS:
            raise FileProblem(f"everything together has over {MAX_OCTETS} octets")
