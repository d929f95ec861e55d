"""The builds that are measured: this one, and another one from a checkout or a revision.

Of another build only its command is used, so that any build with ``init``, ``import`` and
``serve`` can be compared.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import bootz
from bootz.errors import ConfigError, OptionError
from bootz.processes import COMMAND, last_words

_MAIN: Final = Path("src/bootz/cli/main.py")
"""By which a checkout is known."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build of the program: its name, the words that start its command, its environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)

    def run(self, *words: str) -> bytes:
        """Run a command of it that ends, and return what it printed.

        Raises:
            ConfigError: ``bench-plan-invalid``, with the command's last words.
        """
        done = subprocess.run(  # noqa: S603 -- our own program
            [*self.command, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=dict(self.environment),
        )
        if done.returncode:
            raise ConfigError(
                "bench-plan-invalid",
                f"bootz {words[0]} of {self.name}: {last_words(done.stderr)}",
                where=words[-1],
            )
        return done.stdout

    def takes(self, option: str, *words: str) -> bool:
        """Return whether a command of it has an option, by its help.

        Raises:
            ConfigError: ``bench-plan-invalid``: there is no such command.
        """
        return option in self.run(*words, "--help").decode(errors="replace").split()


def this_build() -> Build:
    """Return the build that runs now."""
    return Build("this build", COMMAND, dict(os.environ))


@contextmanager
def other_build(named: str) -> Iterator[Build]:
    """Return the build of a checkout (a folder), or of a revision of this program's repository.

    A checkout with a virtual environment of its own, ``.venv``, runs in it. Else it runs with the
    packages of this one. A revision is checked out in a temporary folder.

    Raises:
        OptionError: ``bench-plan-invalid``: neither a checkout nor a revision.
        ConfigError: ``bench-plan-invalid``: git does not check it out.
    """
    folder = Path(named)
    if (folder / _MAIN).is_file():
        yield _checkout(named, folder.resolve())
        return
    repository = Path(bootz.__file__).parents[2]
    revision = _git(repository, "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}", "--")
    if revision is None:
        raise OptionError(
            "bench-plan-invalid",
            "this is neither a checkout of the program nor a revision of its repository",
            where="--against",
            expected=f"a folder with {_MAIN}, or a revision of {repository}",
            seen=named,
        )
    with tempfile.TemporaryDirectory(prefix="bootz-build-") as parent:
        place = Path(parent) / "tree"
        # Not a work tree of the repository, of which a bench that is killed would leave a record.
        words = ("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(place))
        if (
            _git(repository, *words) is None
            or _git(place, "checkout", "--quiet", "--detach", revision) is None
        ):
            raise ConfigError(
                "bench-plan-invalid", "git cannot check it out", where="--against", seen=named
            )
        yield _checkout(named, place)


def _checkout(name: str, folder: Path) -> Build:
    own = folder / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    environment = dict(os.environ) | {"PYTHONPATH": str(folder / "src")}
    return Build(name, (python, *COMMAND[1:]), environment)


def _git(repository: Path, *words: str) -> str | None:
    """Return what git prints, None where it fails."""
    command: Sequence[str] = ("git", "-C", str(repository), *words)
    try:
        done = subprocess.run(  # noqa: S603 -- words of ours, and a revision that git checks
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return None
    return None if done.returncode else done.stdout.decode(errors="replace").strip()
