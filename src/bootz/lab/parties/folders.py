"""Where each party lives, and how the lab calls ``bootz`` for it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bootz.errors import ConflictError, Unavailable, unwritable
from bootz.processes import WarmCommand, run_command

Tell = Callable[[str], None]
"""Told each step in words for a person."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where each party lives, and how the lab calls ``bootz`` for it."""

    root: Path
    command: WarmCommand = field(repr=False)

    async def run(self, *words: str | Path, prefix: Sequence[str] = ()) -> object:
        """Call ``bootz`` and return what it prints, parsed; ``prefix`` are words before it.

        Raises:
            Unavailable: ``process-failed``; with the command's own last words.
        """
        if prefix:
            return await run_command(*words, prefix=prefix)
        return await self.command(*map(str, words))

    @property
    def masa(self) -> Path:
        """The voucher service."""
        return self.root / "masa"

    @property
    def maker(self) -> Path:
        """The factory."""
        return self.root / "maker"

    @property
    def site(self) -> Path:
        """The owner's site."""
        return self.root / "site"

    @property
    def routers(self) -> Path:
        """The hardware."""
        return self.root / "routers"

    @property
    def vendor_ca(self) -> Path:
        """The manufacturer's CA, PEM: of identities, vouchers, and the voucher service's TLS."""
        return self.masa / "keys" / "root.pem"

    @property
    def logs(self) -> Path:
        """What the processes said."""
        return self.root / "logs"


@asynccontextmanager
async def folders_at(root: Path) -> AsyncIterator[Folders]:
    """Lay out a new or empty folder; ``bootz`` can be called for the parties while this is open.

    Raises:
        ConflictError: something is there already.
        Unavailable: it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise ConflictError("file-exists", "the folder is not empty", where=str(root))
        (root / "logs").mkdir()
        (root / "routers").mkdir()
    except OSError as error:
        raise unwritable(root, error) from error
    async with WarmCommand() as command:
        yield Folders(root, command)


def first_of(told: object, key: str) -> str:
    """Return the first of a list that a process told.

    Raises:
        Unavailable: it did not tell.
    """
    listed = told.get(key) if isinstance(told, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise Unavailable("process-failed", f"it does not report its {key}", where=key)
    return str(listed[0])


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read; a token is in it."""
    path.touch(mode=0o600)
    path.write_bytes(content)
