"""The URL of a file: ``/images/<sha256>/<file name>?c=<tag>``; nothing else has one."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

_ORIGIN: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_TARGET: Final = re.compile(
    r"/images/([0-9a-f]{64})/([A-Za-z0-9._~!$&'()*+,;=:@%-]{1,765})(?:\?c=([A-Za-z0-9_-]{1,64}))?"
)
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
MAX_NAME_BYTES: Final = 255


@dataclass(frozen=True, slots=True)
class ImageAddress:
    """What a URL names; ``url_tag`` is empty without one."""

    sha256: str
    file_name: str
    url_tag: str = ""

    @property
    def target(self) -> str:
        """The path and query that name this file."""
        tag = f"?c={self.url_tag}" if self.url_tag else ""
        return f"/images/{self.sha256}/{quote(self.file_name, safe='')}{tag}"


def parse_target(target: str) -> ImageAddress | None:
    """Read the target of a request, in origin or absolute form (RFC 9112 section 3.2).

    Returns None for everything that is not exactly the URL of a file: other paths, queries,
    names that could be a path.
    """
    origin = _ORIGIN.match(target)
    found = _TARGET.fullmatch(target[origin.end() :] if origin else target)
    if found is None or _ESCAPE.search(found[2]):
        return None
    try:
        name = unquote_to_bytes(found[2]).decode()
    except UnicodeDecodeError:
        return None
    if not is_file_name(name):
        return None
    return ImageAddress(found[1], name, found[3] or "")


def is_file_name(name: str) -> bool:
    """Tell whether a text can be the name of a file: one step of a path, printable."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return (
        0 < length <= MAX_NAME_BYTES
        and name not in {".", ".."}
        and name.isprintable()
        and not {"/", "\\"}.intersection(name)
    )
