"""The bearer token of a source: read where it lies, and again when it has changed.

Source: docs/protocol/ovgs.md#the-client (2).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError
from bootz.keystore.protected import read_secret

MAX_TOKEN: Final = 8192
"""Characters; some identity providers' tokens are long."""


class SourceToken:
    """A token that is never shown.

    Args:
        path: a file of mode 0600 whose first line it is, or None.
        variable: else the environment variable that holds it.
        environ: the environment.
    """

    def __init__(self, path: Path | None, variable: str, environ: Mapping[str, str]) -> None:
        self._path = path
        self._variable = variable
        self._environ = environ
        self._stamp: tuple[int, int, int] | None = None
        self._kept = ""

    def read(self, *, anew: bool = False) -> str:
        """Return the token; ``anew`` reads a file also if it seems not to have changed.

        Raises:
            ConfigError: it is missing, can be read by others, or is malformed.
        """
        if self._path is None:
            return self._checked(self._environ.get(self._variable, ""), self._variable)
        stamp = _stamp(self._path)
        if anew or stamp is None or stamp != self._stamp:
            text = read_secret(self._path).decode("latin-1").strip()
            self._kept = self._checked(text, str(self._path))
            self._stamp = stamp
        return self._kept

    @staticmethod
    def _checked(text: str, where: str) -> str:
        # A token with a line break would be metadata of its own.
        if not 0 < len(text) <= MAX_TOKEN or not (text.isascii() and text.isprintable()):
            raise ConfigError(
                "masa-token-unusable",
                "there is no token"
                if not text
                else "the file or variable does not contain a valid token",
                where=where,
                expected=f"1 to {MAX_TOKEN} printable ASCII characters",
            )
        return text


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)
