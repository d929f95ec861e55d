"""Style sheet, scripts and icon: files of the package, under an address that names their bytes."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

from fastapi import APIRouter, Path, Response

from bootz.errors import UnknownChassis
from bootz.server.board.visitor import PREFIX

router = APIRouter()

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_NAMES: Final = (
    "board.css",
    "board.js",
    "icon.svg",
    "vendor/htmx.min.js",
    "vendor/htmx-ext-sse.min.js",
)


class _Asset(NamedTuple):
    content: bytes
    media_type: str
    digest: str


def _read() -> Mapping[str, _Asset]:
    root = files("bootz.server.board") / "assets"
    found: dict[str, _Asset] = {}
    for name in _NAMES:
        content = root.joinpath(name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        found[name] = _Asset(content, _TYPES[name.rpartition(".")[2]], digest)
    return MappingProxyType(found)


_ASSETS: Final = _read()


def asset(name: str) -> str:
    """Return the path of a file; it changes when the file does."""
    return f"{PREFIX}/assets/{_ASSETS[name].digest}/{name}"


@router.get("/assets/{digest}/{name:path}")
def serve(digest: str, name: str = Path(max_length=64)) -> Response:
    """Serve a file; a browser may keep it for a year, as another file has another path."""
    found = _ASSETS.get(name)
    if found is None or found.digest != digest:
        raise UnknownChassis("route-not-found", "the board has no such file", where="path")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)
