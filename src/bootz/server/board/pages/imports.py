"""Import: a file is dropped, every error is shown where it is, then the difference; then apply.

The page that shows the difference carries the file, so that what is applied is what was looked at.
It is kept for a while, too, so that the page has an address.
"""

import base64
import binascii
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from starlette.datastructures import FormData, UploadFile

from bootz.errors import BootzError, ConfigError, WireError
from bootz.server.api.problems import ErrorItem, ManyErrors, item_of
from bootz.server.api.routes.imports import ImportAsked, apply_import
from bootz.server.board.results import results_of
from bootz.server.board.view import go, page, url
from bootz.server.board.visitor import FormDep, Visitor, changing, text_of, visiting
from bootz.server.importing.applied import Applied
from bootz.server.importing.differences import Action
from bootz.server.importing.files import form_of
from bootz.server.importing.items import FileForm
from bootz.server.store.rehearsal import change_rehearsed

router = APIRouter(prefix="/import")

MAX_FILE: Final = 8 << 20
"""Bytes of a file; larger ones are for the command line."""
_MAX_SHOWN: Final = 1000


async def asked_of(form: FormDep) -> ImportAsked | None:
    """Return what a form brings: a file, or the one that the page before carried.

    Raises:
        ConfigError: nothing was chosen, or its name tells no form.
        WireError: it is too long.
    """
    content, name = await _brought(form)
    if len(content) > MAX_FILE:
        raise WireError("request-too-large", "the file is too long", expected=f"{MAX_FILE} bytes")
    given = text_of(form, "form", 8)
    if given in {each.value for each in FileForm}:
        kind = FileForm(given)
    else:
        found = form_of(FilePath(name))
        if found is None:
            raise ConfigError(
                "import-file-invalid",
                "its name does not tell what it is: choose the form",
                where=name or "file",
                expected=".csv, .yaml, .json",
            )
        kind = found
    return ImportAsked(content, kind, name or "pasted", bool(text_of(form, "update", 8)))


@router.get("")
def show(
    visitor: Annotated[Visitor, Depends(visiting("import.run"))],
    file: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Ask for a file, or show what importing the one that was brought would do."""
    asked = results_of(visitor).find(visitor, file, ImportAsked)
    if asked is None:
        return _page(visitor, gone=bool(file))
    applied, errors = _run(visitor, asked, applies=False)
    return _page(visitor, asked, applied, errors)


@router.post("")
def import_(
    visitor: Annotated[Visitor, Depends(changing("import.run"))],
    form: FormDep,
    asked: Annotated[ImportAsked, Depends(asked_of)],
) -> Response:
    """Import a file that was looked at, or lead to the page that shows what it would do."""
    if text_of(form, "do", 8) == "apply":
        applied, errors = _run(visitor, asked, applies=True)
        if applied is not None and not errors:
            added, updated = applied.count(Action.ADD), applied.count(Action.UPDATE)
            return go(url("/devices"), f"{added} added, {updated} updated.")
    key = results_of(visitor).keep(visitor, asked, weight=4096 + len(asked.content))
    return go(url("/import", file=key))


def _run(
    visitor: Visitor, asked: ImportAsked, *, applies: bool
) -> tuple[Applied | None, list[ErrorItem]]:
    """Return what an import changes, and every error; it stays only if it ``applies``."""
    prepared = asked.prepare()
    try:
        applied = change_rehearsed(
            visitor.door.database,
            visitor.principal.actor("import.run"),
            lambda connection: apply_import(
                connection, visitor.door, visitor.principal, asked, prepared
            ),
            keeps=lambda applied: applies and not applied.faults,
        )
    except ManyErrors as error:
        return None, list(error.errors)
    except BootzError as error:
        return None, [item_of(error)]
    return applied, [
        item_of(fault.error, f"{fault.place} {fault.error.where}".strip())
        for fault in applied.faults
    ]


def _page(
    visitor: Visitor,
    asked: ImportAsked | None = None,
    applied: Applied | None = None,
    errors: list[ErrorItem] | None = None,
    *,
    gone: bool = False,
) -> Response:
    applied = applied or Applied()
    shown = applied.changes[:_MAX_SHOWN]
    return page(
        visitor,
        "import.html",
        asked=asked,
        brought_gone=gone,
        content="" if asked is None else base64.b64encode(asked.content).decode("ascii"),
        errors=errors or [],
        changes=shown,
        left_out=applied.left_out + len(applied.changes) - len(shown),
        same=applied.count(Action.SAME),
        warnings=applied.warnings[:100],
        forms=[each.value for each in FileForm],
    )


async def _brought(form: FormData) -> tuple[bytes, str]:
    value = form.get("file")
    if isinstance(value, UploadFile) and value.filename:
        return await value.read(MAX_FILE + 1), value.filename
    carried = form.get("content", "")
    if isinstance(carried, str) and carried:
        try:
            return base64.b64decode(carried, validate=True), text_of(form, "name", 1024)
        except binascii.Error as error:
            raise WireError("request-invalid", "is not base64", where="content") from error
    pasted = form.get("text", "")
    if isinstance(pasted, str) and pasted.strip():
        return pasted.encode(), ""
    raise ConfigError("import-file-invalid", "no file was chosen", where="file")
