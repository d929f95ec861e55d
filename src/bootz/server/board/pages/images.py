"""Images: who uses what, and a file that is put into the image store."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from bootz.errors import ConfigError, WireError
from bootz.server.api.context import DoorDep
from bootz.server.api.routes.images import completed_upload, dropped_upload, started_upload
from bootz.server.board.form_stream import FormStream
from bootz.server.board.results import results_of
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import Visitor, safe_path, visiting
from bootz.server.operations.image_kinds import ImageKind
from bootz.server.operations.images import ImageRecord, list_images
from bootz.server.operations.uploads import ImageUpload
from bootz.server.store.schema import CHASSIS, IMAGE_USE, PROFILE

router = APIRouter(prefix="/images")

_PIECE_BYTES: Final = 1 << 20
"""What is gathered of a file before it is written."""
_KINDS: Final = [kind.value for kind in ImageKind]


@router.get("")
def images(
    visitor: Annotated[Visitor, Depends(visiting("image.list"))],
    q: Annotated[str, Query(max_length=128)] = "",
    added: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """List images, with who uses each."""
    with visitor.door.database.read() as connection:
        found = [each for each in list_images(connection) if q.casefold() in each.name.casefold()]
        used: dict[int, list[str]] = {}
        rows = connection.execute(
            select(IMAGE_USE.c.image_id, PROFILE.c.name, CHASSIS.c.hostname, CHASSIS.c.serial)
            .select_from(
                IMAGE_USE.outerjoin(PROFILE, PROFILE.c.id == IMAGE_USE.c.profile_id).outerjoin(
                    CHASSIS, CHASSIS.c.id == IMAGE_USE.c.chassis_id
                )
            )
            .order_by(IMAGE_USE.c.id)
        )
        for row in rows:
            words = f"profile {row.name}" if row.name else row.hostname or row.serial
            used.setdefault(row.image_id, []).append(words)
    made = results_of(visitor).find(visitor, added, ImageRecord)
    return page(
        visitor, "images.html", images=found, used=used, kinds=_KINDS, made=made, asked=added
    )


# The path ends so that the bound of other bodies does not hold: the file goes to the disk as it
# comes, and the disk's room is its bound.
@router.post("/content")
async def upload(request: Request, door: DoorDep) -> Response:
    """Take a file into the image store, and put it on record under its digest."""
    visitor = await run_in_threadpool(visiting("image.add"), request, door)
    form = FormStream(request)
    fields = await form.fields()
    request.state.to = safe_path(fields.get("to"))
    visitor.check_csrf(fields.get("csrf"))
    wanted = _wanted(visitor, form.file_name or "", fields, _declared(request))
    begun = await run_in_threadpool(_begun, visitor, wanted)
    try:
        size = await _received(visitor, form, begun)
        record = await run_in_threadpool(
            completed_upload, door, visitor.principal, replace(begun, size=size)
        )
    except BaseException:
        # Cut off, refused, or the browser has gone: nothing of it stays.
        await run_in_threadpool(dropped_upload, door, begun)
        raise
    key = results_of(visitor).keep(visitor, record)
    return go(url("/images", added=key))


def _declared(request: Request) -> int:
    told = request.headers.get("content-length", "")
    if not told.isascii() or not told.isdigit() or len(told) > 15:
        raise WireError("request-invalid", "the body's length is not told", where="Content-Length")
    return int(told)


def _wanted(visitor: Visitor, file_name: str, fields: Mapping[str, str], most: int) -> ImageUpload:
    """Return what is to become of a file of at most so many bytes."""
    if not file_name:
        raise ConfigError("image-invalid", "no file was chosen", where="file")
    kind = fields.get("kind", "")
    if kind not in _KINDS:
        raise ConfigError(
            "image-invalid", "there is no such kind", where="kind", expected=", ".join(_KINDS)
        )
    return ImageUpload(
        "",
        visitor.principal.name,
        ImageKind(kind),
        fields.get("name", "").strip(),
        fields.get("version", "").strip(),
        file_name,
        most,
        fields.get("sha256", "").strip().lower(),
        visitor.door.clock(),
    )


def _begun(visitor: Visitor, wanted: ImageUpload) -> ImageUpload:
    visitor.door.surroundings.images.check_room(wanted.size)
    with visitor.door.database.write(visitor.principal.actor("image.add")) as connection:
        return started_upload(connection, visitor.door, wanted)


async def _received(visitor: Visitor, form: FormStream, begun: ImageUpload) -> int:
    """Write a file as it comes, and return its size in bytes."""
    images = visitor.door.surroundings.images
    at, piece = 0, bytearray()
    async for chunk in form.content():
        piece += chunk
        if len(piece) >= _PIECE_BYTES:
            at = await run_in_threadpool(images.append, begun.key, at, bytes(piece))
            piece.clear()
    if piece:
        at = await run_in_threadpool(images.append, begun.key, at, bytes(piece))
    if at == 0:
        raise ConfigError("image-file-unfit", "the file is empty", where="file")
    return at
