"""Imports and exports of the inventory: all or nothing, with every error and the difference."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Final, Literal, NoReturn

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, JsonValue
from sqlalchemy import Connection, or_, select

from bootz.errors import ConfigError, WireError
from bootz.model.kinds import BootMode
from bootz.server.api.auth.principals import check_role, needs, operation
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.api.problems import ErrorItem, ManyErrors
from bootz.server.api.routing import api_router
from bootz.server.api.writes import Answer, ChangeDep
from bootz.server.importing.applied import MAX_CHANGES, Applied, Terms
from bootz.server.importing.applying import apply_items
from bootz.server.importing.differences import Action
from bootz.server.importing.exporting import (
    check_exportable,
    export_sections,
    write_csv,
    write_json,
    write_yaml,
)
from bootz.server.importing.files import decode_text, parse_import
from bootz.server.importing.items import MAX_FAULTS, SECTIONS, FileForm, ImportFault, Item, ReadFile
from bootz.server.importing.merging import CLEARED, cleared_column
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.secrets import (
    Fingerprint,
    fingerprinter,
    hidden_places,
    masked_object,
)
from bootz.server.operations.site_certificates import read_site_certificates
from bootz.server.store.rehearsal_tables import seen
from bootz.server.store.schema import CHASSIS
from bootz.trust.certificates import fingerprint

router = api_router(tag="imports")

MEDIA: Final[Mapping[str, FileForm]] = {
    "text/csv": FileForm.CSV,
    "application/yaml": FileForm.YAML,
    "application/json": FileForm.JSON,
}
_PLACE: Final = "body"

SectionName = Literal["vendors", "images", "profiles", "chassis", "vouchers"]


class ImportChange(BaseModel):
    """What becomes of one entry."""

    action: Action
    section: str
    name: str
    changes: list[str] = Field(description="Words for each key that changes; no secret.")


class ImportResult(BaseModel):
    """What an import did, or would do."""

    added: int
    updated: int
    same: int
    changes: list[ImportChange] = Field(description=f"The first {MAX_CHANGES}, without the same.")
    left_out: int = Field(description="Changes that are not listed.")
    warnings: list[str]


_CONTENT: Final = {
    name: {"schema": {"type": "string" if form is FileForm.CSV else "object"}}
    for name, form in MEDIA.items()
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": _CONTENT,
    }
}


def _import_operation() -> dict[str, Any]:
    told = operation("import.run", 409, 413, 422)
    return {**told, "openapi_extra": {**told["openapi_extra"], **_BODY}}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/imports", response_model=ImportResult, **_import_operation())
def import_(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("import.run"))],
    change: ChangeDep,
    body: Annotated[bytes, Depends(_body)],
    content_type: Annotated[str, Header(max_length=128)] = "",
    update: Annotated[bool, Query(description="Take over what differs from the record.")] = False,
    clear: Annotated[
        list[str] | None,
        Query(max_length=32, description="Columns that are emptied where the table says nothing."),
    ] = None,
    only: Annotated[
        list[SectionName] | None, Query(max_length=8, description="Only these sections.")
    ] = None,
) -> Response:
    """Import a table or a document: everything, or nothing with every error at once.

    The media type says which: text/csv, application/yaml or application/json. Vendors need the
    role security; so does a chassis that would be served without proofs.
    """
    form = _form(content_type)
    columns = _cleared(clear or ())

    asked = ImportAsked(body, form, _PLACE, update, columns, tuple(only or SECTIONS))
    # Before the transaction: what others write does not wait for the reading.
    read = asked.prepare()

    def work(connection: Connection) -> Answer:
        applied = apply_import(connection, door, principal, asked, read)
        _refuse_faults(applied.faults)
        return Answer(_result(applied))

    return change.run_rehearsed(principal, "import.run", work)


@router.get(
    "/exports",
    response_class=StreamingResponse,
    **{
        **operation("export.run", 422),
        "responses": {
            **operation("export.run", 422)["responses"],
            200: {
                "description": "The inventory, as an import reads it.",
                "content": _CONTENT,
            },
        },
    },
)
def export(
    door: DoorDep,
    principal: Annotated[Principal, Depends(needs("export.run"))],
    form: Annotated[
        FileForm, Query(alias="format", description="csv has the chassis alone.")
    ] = FileForm.YAML,
    only: Annotated[
        list[SectionName] | None, Query(max_length=8, description="Only these sections.")
    ] = None,
    secrets: Annotated[
        bool, Query(description="As they are, not as fingerprints; needs the role security.")
    ] = False,
) -> StreamingResponse:
    """Export the inventory. Without ``secrets`` each is a fingerprint, and no import takes it."""
    if secrets:
        check_role(principal, "secret.read")
    if form is FileForm.CSV and only not in (None, ["chassis"]):
        raise WireError("request-invalid", "csv has the chassis alone", where="query.only")
    media = next(name for name, each in MEDIA.items() if each is form)
    pieces = _pieces(door, form, tuple(only or SECTIONS), secrets=secrets)
    # What cannot be written is told before the first byte.
    first = next(pieces, "")
    return StreamingResponse(
        _joined(first, pieces),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="inventory.{form.value}"'},
    )


@dataclass(frozen=True, slots=True)
class ImportAsked:
    """What is to be imported: a file's bytes, its form, and how a person calls it."""

    content: bytes = field(repr=False)
    form: FileForm
    place: str
    update: bool = False
    clear: frozenset[str] = frozenset()
    only: tuple[str, ...] = SECTIONS

    def prepare(self) -> Callable[[], ReadFile]:
        """Read the file, outside of any transaction; return what gives its content.

        What cannot be read is told by the call, so that the refusal is one of the import.
        """
        try:
            found = parse_import(decode_text(self.content, self.place), self.form, self.place)
        except ConfigError as error:
            return partial(_refuse, error)
        return lambda: found


def _refuse(error: ConfigError) -> NoReturn:
    raise error


def apply_import(
    connection: Connection,
    door: Door,
    principal: Principal,
    asked: ImportAsked,
    prepared: Callable[[], ReadFile],
) -> Applied:
    """Apply an import; where ``faults`` has any, the caller undoes the transaction.

    ``prepared`` is what ``asked.prepare()`` returned.

    Raises:
        ConfigError: the file cannot be read at all.
        ManyErrors: ``secret-hidden``: a fingerprint is in the place of a secret.
        PolicyError: the role does not include what would change.
    """
    read = prepared()
    unmasked = _Unmasked(read.items)
    before = _open_chassis(connection)
    terms = Terms(
        now=door.clock(),
        pinned_domain_cert=read_site_certificates(connection).pinned_domain,
        has_image=door.surroundings.images.holds,
        update=asked.update,
        clear=asked.clear,
    )
    applied = apply_items(connection, [replace(read, items=unmasked)], terms, asked.only)
    unmasked.check()
    if not applied.faults:
        _check_roles(principal, applied, opened=_open_chassis(connection) - before)
    return applied


def _form(content_type: str) -> FileForm:
    media = content_type.partition(";")[0].strip().lower()
    if media not in MEDIA:
        raise WireError(
            "request-invalid",
            "the media type says no form of an import",
            where="Content-Type",
            expected=", ".join(MEDIA),
            seen=media[:128],
        )
    return MEDIA[media]


def _cleared(names: Iterable[str]) -> frozenset[str]:
    columns = {name: cleared_column(name) for name in names}
    wrong = [name for name, column in columns.items() if not column]
    if wrong:
        raise WireError(
            "request-invalid",
            "it cannot be cleared",
            where="query.clear",
            expected=", ".join(CLEARED),
            seen=", ".join(wrong)[:256],
        )
    return frozenset(columns.values())


def _refuse_faults(faults: list[ImportFault]) -> None:
    if not faults:
        return
    count = len(faults)
    words = f"{count} error{'s' * (count != 1)}; nothing was changed"
    raise ManyErrors("import-refused", words, [_fault_item(fault) for fault in faults])


def _fault_item(fault: ImportFault) -> ErrorItem:
    error = fault.error
    return ErrorItem(
        where=f"{fault.place} {error.where}".strip(),
        reason=error.reason,
        detail=error.detail,
        expected=error.expected,
        seen=error.seen,
    )


@dataclass(frozen=True, slots=True)
class _Unmasked:
    """Items on their way, looked at for what an export without secrets writes in their place."""

    items: Iterable[Item]
    errors: dict[str, ErrorItem] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Item]:
        for item in self.items:
            for place in hidden_places(item.document):
                where = f"{item.place} {place}"
                if len(self.errors) < MAX_FAULTS:
                    self.errors[where] = ErrorItem(
                        where=where,
                        reason="secret-hidden",
                        detail="this is the fingerprint of a secret, not the secret",
                    )
            yield item

    def check(self) -> None:
        """Refuse an import in which a fingerprint was met.

        Raises:
            ManyErrors: ``secret-hidden``.
        """
        if self.errors:
            words = f"{len(self.errors)} fingerprints of secrets"
            raise ManyErrors("secret-hidden", words, list(self.errors.values()))


def _open_chassis(connection: Connection) -> frozenset[tuple[int, str, bool]]:
    """Return which chassis are served without a proof, and without which."""
    chassis = seen(connection, CHASSIS).c
    rows = connection.execute(
        select(chassis.id, chassis.boot_mode, chassis.skip_idevid_serial_check).where(
            or_(
                chassis.boot_mode != BootMode.SECURE.value,
                chassis.skip_idevid_serial_check.is_(True),
            )
        )
    )
    return frozenset((row[0], row[1], row[2]) for row in rows)


def _check_roles(principal: Principal, applied: Applied, *, opened: frozenset[Any]) -> None:
    if "vendors" in applied.changed:
        check_role(principal, "vendor.set")
    if opened:
        check_role(principal, "chassis.insecure")


def _result(applied: Applied) -> ImportResult:
    return ImportResult(
        added=applied.count(Action.ADD),
        updated=applied.count(Action.UPDATE),
        same=applied.count(Action.SAME),
        changes=[
            ImportChange(
                action=each.action,
                section=each.section,
                name=each.name,
                changes=list(each.changes),
            )
            for each in applied.changes
        ],
        left_out=applied.left_out,
        warnings=applied.warnings,
    )


_Document = Mapping[str, JsonValue]


def _pieces(door: Door, form: FileForm, only: tuple[str, ...], *, secrets: bool) -> Iterator[str]:
    """Return an export in pieces, of one consistent view."""
    with door.database.read() as connection:
        hide = None if secrets else fingerprinter(connection)
        if form is FileForm.CSV:
            yield from write_csv(connection, shown=lambda record: _hidden(record, hide))
            return
        pinned = fingerprint(read_site_certificates(connection).pinned_domain)
        now = door.clock()

        def sections() -> Iterator[tuple[str, Iterable[_Document]]]:
            for name, documents in export_sections(
                connection, pinned_sha256=pinned, now=now, only=only
            ):
                yield name, (_shown(document, hide) for document in documents)

        check_exportable(sections())
        write = write_yaml if form is FileForm.YAML else write_json
        yield from write(sections())


def _shown(document: _Document, hide: Fingerprint | None) -> _Document:
    return document if hide is None else masked_object(document, hide)


def _hidden(record: ChassisRecord, hide: Fingerprint | None) -> ChassisRecord:
    """Return a chassis as a table shows it: of its parts only variables may be secrets."""
    if hide is None:
        return record
    variables = masked_object({"variables": dict(record.variables)}, hide)["variables"]
    return replace(record, variables=variables if isinstance(variables, dict) else {})


def _joined(first: str, pieces: Iterator[str]) -> Iterator[bytes]:
    yield first.encode()
    for piece in pieces:
        yield piece.encode()
