"""Images: on record, removed, and uploaded in pieces that survive a lost connection."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from bootz.errors import BootzError, ConflictError, UnknownChassis, WireError
from bootz.server.api.auth.principals import needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.paging import Fields, Page, PagingDep, Search, listed
from bootz.server.api.ports import DoorImages
from bootz.server.api.routes.documents import STRICT, Removed
from bootz.server.api.routing import api_router
from bootz.server.api.writes import DRY_RUN_HEADER, Answer, ChangeDep, check_etag, tagged
from bootz.server.operations.image_kinds import ImageKind
from bootz.server.operations.images import ImageRecord, add_image, list_images, remove_image
from bootz.server.operations.uploads import (
    ImageUpload,
    begin_upload,
    drop_ended,
    end_upload,
    find_upload,
    touch_upload,
)

router = api_router("/images", tag="images")

_PIECE_BYTES: Final = 1 << 20
"""What is gathered of a piece before it is written."""
_RANGE: Final = re.compile(r"bytes (\d{1,13})-(\d{1,13})/(\d{1,13})")

_Id = Annotated[int, Path(ge=1, le=2**62, description="The image's id.")]
_Upload = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The upload's id.")]


class ImageView(BaseModel):
    """An image, SMU or patch on record."""

    id: int
    kind: ImageKind
    name: str
    version: str
    file_name: str
    size: int = Field(description="Bytes.")
    sha256: str
    path: str = Field(description="The path of its URL at the image store.")
    added_at: AwareDatetime
    stored: bool = Field(description="Whether the image store has the file.")


class ImageUploadBody(BaseModel):
    """A file that is to be uploaded."""

    model_config = STRICT

    kind: ImageKind = ImageKind.IMAGE
    name: str = Field(min_length=1, max_length=128)
    version: str = Field(min_length=1, max_length=128)
    file_name: str = Field(
        min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._+~@=,()-]+$", description="In the URL."
    )
    size: int = Field(ge=1, le=64 << 30, description="Bytes.")
    sha256: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="What its digest must be; empty: any."
    )


class ImageUploadView(BaseModel):
    """An upload under way, or the image that it has become."""

    id: str
    received: int = Field(description="Bytes that are there: the next piece begins here.")
    size: int
    expires_at: AwareDatetime
    image: ImageView | None = Field(description="Once all is there.")


@router.get("", response_model=Page[ImageView | dict[str, Any]], **operation("image.list"))
def list_(
    door: DoorDep,
    _principal: Annotated[Principal, Depends(needs("image.list"))],
    paging: PagingDep,
    q: Search = None,
    kind: ImageKind | None = None,
    fields: Fields = None,
) -> Response:
    """List images by kind, name and version."""
    text = (q or "").casefold()
    with door.database.read() as connection:
        found = [
            each
            for each in list_images(connection)
            if text in f"{each.name} {each.version}".casefold() and kind in (None, each.kind)
        ]
    page = found[paging.offset : paging.offset + paging.limit]
    rows = [_view(door, each) for each in page]
    return listed(paging, len(found), ImageView, rows, fields)


@router.get("/{key:int}", response_model=ImageView, **operation("image.show"))
def show(
    door: DoorDep, _principal: Annotated[Principal, Depends(needs("image.show"))], key: _Id
) -> Response:
    """Show an image, with its ETag."""
    with door.database.read() as connection:
        record = _find(connection, key)
    return tagged(_view(door, record), record.to_document()).response()


@router.delete("/{key:int}", response_model=Removed, **operation("image.remove", 409, 412))
def remove(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("image.remove"))],
    change: ChangeDep,
    key: _Id,
) -> Response:
    """Remove an image that nothing names; downloads that run come to their end."""
    gone: list[str] = []

    def work(connection: Connection) -> Answer:
        record = _find(connection, key)
        change.check_match(record.to_document())
        remove_image(connection, record.kind, record.name, record.version)
        gone.append(record.sha256)
        return Answer(Removed(removed=record.full_name))

    answer = change.run(principal, "image.remove", work)
    if not change.dry_run:
        _drop_unnamed(door, gone[0])
    return answer


@router.post(
    "/uploads",
    status_code=201,
    response_model=ImageUploadView,
    **{**operation("image.add", 409, 413, 422), "operation_id": "image_upload_begin"},
)
def begin(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("image.add"))],
    change: ChangeDep,
    body: ImageUploadBody,
) -> Response:
    """Begin an upload; then send the file with PUT, whole or in pieces."""
    wanted = ImageUpload(
        "",
        principal.name,
        body.kind,
        body.name,
        body.version,
        body.file_name,
        body.size,
        body.sha256,
        door.clock(),
    )
    door.surroundings.images.check_room(body.size)

    def work(connection: Connection) -> Answer:
        upload = started_upload(connection, door, wanted)
        return tagged(_upload_view(upload, 0), _held_to(upload, 0), 201)

    return change.run(principal, "image.add", work)


@router.get(
    "/uploads/{upload}",
    response_model=ImageUploadView,
    **{**operation("image.add"), "operation_id": "image_upload_show"},
)
def show_upload(
    door: DoorDep, principal: Annotated[Principal, Depends(needs("image.add"))], upload: _Upload
) -> Response:
    """Show how far an upload has come, where the next piece begins, with its ETag."""
    with door.database.read() as connection:
        found = find_upload(connection, upload, principal.name)
    received = door.surroundings.images.received(upload)
    return tagged(_upload_view(found, received), _held_to(found, received)).response()


@router.delete(
    "/uploads/{upload}",
    response_model=Removed,
    **{**operation("image.add", 409), "operation_id": "image_upload_drop"},
)
def drop(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("image.add"))],
    change: ChangeDep,
    upload: _Upload,
) -> Response:
    """Drop an upload, and what was received of it."""
    images = door.surroundings.images

    def work(connection: Connection) -> Answer:
        found = find_upload(connection, upload, principal.name)
        change.check_match(_held_to(found, images.received(upload)))
        end_upload(connection, upload)
        return Answer(Removed(removed=found.key))

    answer = change.run(principal, "image.upload-drop", work)
    if not change.dry_run:
        images.drop(upload)
    return answer


@router.put(
    "/uploads/{upload}/content",
    response_model=ImageUploadView,
    **{
        **operation("image.add", 409, 412, 413, 422),
        "operation_id": "image_upload_send",
        "openapi_extra": {
            **operation("image.add")["openapi_extra"],
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
        },
    },
)
async def send(
    request: Request,
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("image.add"))],
    upload: _Upload,
    content_range: Annotated[
        str | None,
        Header(
            pattern=r"^bytes \d{1,13}-\d{1,13}/\d{1,13}$",
            description="Of a piece: `bytes FIRST-LAST/SIZE` (RFC 9110 section 14.4).",
        ),
    ] = None,
    dry_run: Annotated[bool, Query(description="Read the body, and keep nothing of it.")] = False,
    if_match: Annotated[str | None, Header(description="The ETag that was read.")] = None,
) -> Response:
    """Send a file or a piece of it; what has come stays when the connection is lost.

    With the last byte the file is compared with its digest and put on record, or dropped.
    ``dry_run`` says how far the upload would come; the digest is compared only where the whole
    file is sent.
    """
    found = await run_in_threadpool(_started, door, upload, principal.name, touch=not dry_run)
    at, end = _range(content_range, found.size)
    images = door.surroundings.images
    check_etag(if_match, _held_to(found, await run_in_threadpool(images.received, upload)))
    if dry_run:
        return await _tried(request, images, found, at, end)
    piece = bytearray()
    async for chunk in request.stream():
        piece += chunk
        _check_end(at + len(piece), end)
        if len(piece) >= _PIECE_BYTES:
            at = await run_in_threadpool(images.append, upload, at, bytes(piece))
            piece.clear()
    if piece:
        at = await run_in_threadpool(images.append, upload, at, bytes(piece))
    view = await run_in_threadpool(_received, door, principal, found, at)
    return tagged(view, _held_to(found, at)).response()


async def _tried(
    request: Request, images: DoorImages, found: ImageUpload, at: int, end: int
) -> Response:
    """Read a piece without keeping it, and say how far the upload would have come."""
    await run_in_threadpool(images.check_offset, found.key, at)
    whole = hashlib.sha256() if at == 0 else None
    async for chunk in request.stream():
        at += len(chunk)
        _check_end(at, end)
        if whole is not None:
            whole.update(chunk)
    if whole is not None and at == found.size and found.sha256 not in {"", whole.hexdigest()}:
        raise ConflictError(
            "image-file-other",
            "the file has another digest",
            where="sha256",
            expected=found.sha256,
            seen=whole.hexdigest(),
        )
    answer = tagged(_upload_view(found, at), _held_to(found, at)).response()
    answer.headers[DRY_RUN_HEADER] = "true"
    return answer


def _check_end(reached: int, end: int) -> None:
    """Refuse a body that is longer than its range, or the file."""
    if reached > end:
        raise WireError(
            "request-too-large",
            "the body is longer than it says",
            where="body",
            expected=f"{end} bytes in all",
        )


def _held_to(upload: ImageUpload, received: int) -> dict[str, Any]:
    """Return what the ETag of an upload is of."""
    return {"upload": upload.key, "received": received, "size": upload.size}


def started_upload(connection: Connection, door: Door, wanted: ImageUpload) -> ImageUpload:
    """Put an upload on record, and drop those that were left long ago.

    Raises:
        ConfigError: something does not fit.
        ConflictError: ``image-exists``, or ``uploads-too-many``.
    """
    now = door.clock()
    for ended in drop_ended(connection, now=now):
        door.surroundings.images.drop(ended)
    return begin_upload(connection, wanted, now=now)


def completed_upload(door: Door, principal: Principal, upload: ImageUpload) -> ImageRecord:
    """Put an upload that is whole in its place and on record, or drop it.

    Raises:
        ConfigError: something does not fit.
        ConflictError: ``image-exists``, or ``image-file-other``: its digest is another.
    """
    images, now = door.surroundings.images, door.clock()
    try:
        digest = images.finish(upload.key, upload.sha256, upload.size)
    except BootzError as error:
        if error.reason == "image-file-other":
            with door.database.write() as connection:
                end_upload(connection, upload.key)
        raise
    try:
        with door.database.write(principal.actor("image.add")) as connection:
            record = add_image(connection, upload.record(digest, now))
            end_upload(connection, upload.key)
    except BootzError:
        _drop_unnamed(door, digest)
        raise
    return record


def dropped_upload(door: Door, upload: ImageUpload) -> None:
    """Drop an upload, and what was received of it."""
    with door.database.write() as connection:
        end_upload(connection, upload.key)
    door.surroundings.images.drop(upload.key)


def _started(door: Door, upload: str, principal: str, *, touch: bool) -> ImageUpload:
    if not touch:
        with door.database.read() as connection:
            return find_upload(connection, upload, principal)
    with door.database.write() as connection:
        found = find_upload(connection, upload, principal)
        touch_upload(connection, upload, now=door.clock())
    return found


def _received(
    door: Door, principal: Principal, upload: ImageUpload, received: int
) -> ImageUploadView:
    if received < upload.size:
        return _upload_view(upload, received)
    record = completed_upload(door, principal, upload)
    return _upload_view(upload, received, _view(door, record))


def _drop_unnamed(door: Door, sha256: str) -> None:
    """Remove a file that no record names; under the write lock, so that none begins to."""
    with door.database.write() as connection:
        if all(record.sha256 != sha256 for record in list_images(connection)):
            door.surroundings.images.remove(sha256)


def _range(told: str | None, size: int) -> tuple[int, int]:
    """Return where a piece begins and where it ends, of a file of so many bytes."""
    if told is None:
        return 0, size
    found = _RANGE.fullmatch(told)
    first, last, whole = map(int, found.groups()) if found else (1, 0, 0)
    if not first <= last < whole == size:
        raise WireError(
            "request-invalid",
            "it is no range of this upload",
            where="Content-Range",
            expected=f"bytes FIRST-LAST/{size}",
            seen=told[:64],
        )
    return first, last + 1


def _find(connection: Connection, key: int) -> ImageRecord:
    for record in list_images(connection):
        if record.key == key:
            return record
    raise UnknownChassis("image-not-found", f"there is no image {key}", where="id")


def _upload_view(
    upload: ImageUpload, received: int, image: ImageView | None = None
) -> ImageUploadView:
    return ImageUploadView(
        id=upload.key,
        received=received,
        size=upload.size,
        expires_at=upload.expires_at,
        image=image,
    )


def _view(door: Door, record: ImageRecord) -> ImageView:
    around = door.surroundings
    told: Mapping[str, Any] = record.to_document()
    return ImageView(
        **told,
        id=record.key,
        path=around.image_target(record.sha256, record.file_name, ""),
        stored=around.images.holds(record.sha256),
    )
