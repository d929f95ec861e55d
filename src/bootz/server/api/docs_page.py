"""``/api/docs``: the API's description as pages to browse; every file is served by the door itself.

Sites have no way to the internet: the viewer is in the package (``assets/vendor/manifest.json``).
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from bootz.errors import UnknownChassis

router = APIRouter(prefix="/api/docs", include_in_schema=False)

_JS: Final = "text/javascript; charset=utf-8"
_PLACES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "docs.js": ("docs.js", _JS),
        "swagger-ui-bundle.js": ("vendor/swagger-ui-bundle.js", _JS),
        "swagger-ui.css": ("vendor/swagger-ui.css", "text/css; charset=utf-8"),
    }
)


def _read(place: str) -> bytes:
    return (files("bootz.server.api") / "assets").joinpath(place).read_bytes()


@router.get("")
def page() -> Response:
    """Show the page."""
    return Response(_read("docs.html"), media_type="text/html; charset=utf-8")


@router.get("/assets/{name}")
def asset(name: Annotated[str, Path(max_length=64)]) -> Response:
    """Serve one of the page's files."""
    if name not in _PLACES:
        raise UnknownChassis("route-not-found", "the page has no such file", where="path")
    place, media = _PLACES[name]
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(_read(place), media_type=media, headers=headers)
