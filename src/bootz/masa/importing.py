"""``bootz masa import FILE``: organisations, users, components and certificates, all or nothing.

Groups are named by their path: the organisation, then descriptions, with slashes between.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError

from bootz.errors import BootzError, ConfigError, OperatorError
from bootz.masa.folder import MasaFolder
from bootz.masa.ledger.nouns import (
    ORG_PREFIX,
    AccountType,
    Component,
    ComponentName,
    Role,
    TpmData,
    User,
)
from bootz.masa.records import Records
from bootz.masa.tpm import read_ek_certificate, read_public_key
from bootz.trust.certificates import parse_certificates

MAX_FILE: Final = 64 << 20
"""Bytes of an import file, and of each file that it names."""

ACCOUNT_TYPES: Final = {
    "user": AccountType.USER,
    "service-account": AccountType.SERVICE_ACCOUNT,
}

_Ien = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _GroupRow(_Row):
    name: str
    groups: list["_GroupRow"] = []


class _OrgRow(_Row):
    name: str
    description: str = ""
    groups: list[_GroupRow] = []


class _UserRow(_Row):
    name: str
    org: str
    type: Literal["user", "service-account"] = "user"
    support: bool = False
    token: str | None = None
    token_expires: AwareDatetime | None = None
    roles: dict[str, Literal["ADMIN", "ASSIGNER", "REQUESTOR"]] = {}


class _DelegationRow(_Row):
    group: str
    org: str


class _ComponentRow(_Row):
    ien: _Ien
    serial: str
    org: str
    group: str | None = None
    model: str = ""
    mac: str = ""
    endorsement_key: str | None = None
    ek_certificate: str | None = None
    platform_primary_key: str | None = None
    idevid_issuer: str | None = None


class _CertificateRow(_Row):
    group: str
    certificate: str
    expires: AwareDatetime
    revocation_checks: bool = False


class _Document(_Row):
    organisations: list[_OrgRow] = []
    users: list[_UserRow] = []
    delegations: list[_DelegationRow] = []
    components: list[_ComponentRow] = []
    certificates: list[_CertificateRow] = []


@dataclass(slots=True)
class ImportReport:
    """What an import made, by kind, or every error that kept it from it."""

    counts: dict[str, int] = field(default_factory=dict)
    errors: list[BootzError] = field(default_factory=list)
    cert_ids: dict[str, str] = field(default_factory=dict)
    """The id of each certificate that was registered, by its place in the file."""


def import_file(masa: MasaFolder, path: Path, *, dry_run: bool) -> ImportReport:
    """Load a file; with an error, or with ``dry_run``, nothing of it stays.

    Raises:
        ConfigError: the file cannot be read, or is not of the form.
    """
    document, errors = _read(path)
    if document is None:
        return ImportReport(errors=errors)
    with masa.database.write() as connection:
        loading = _Loading(Records(connection, rules=masa.rules, now=masa.now()), path)
        loading.load(document)
        if dry_run or loading.report.errors:
            connection.rollback()
    return loading.report


def _read(path: Path) -> tuple[_Document | None, list[BootzError]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(read_bounded(path), Loader=loader)  # noqa: S506 -- both are the safe ones
        return _Document.model_validate(raw or {}), []
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise ConfigError(
                "masa-import-refused", "is not YAML", where=_place(path, error)
            ) from error
        return None, [
            ConfigError(
                "masa-record-invalid",
                str(found["msg"]),
                where=f"{path.name}: {_location(found['loc'])}",
            )
            for found in error.errors(include_input=False, include_url=False)
        ]


class _Loading:
    def __init__(self, records: Records, path: Path) -> None:
        self._records = records
        self._path = path
        self._groups: dict[str, str] = {}
        self.report = ImportReport()

    def load(self, document: _Document) -> None:
        for index, org in enumerate(document.organisations):
            with self._row("organisations", index):
                org_id = self._records.add_org(org.name, org.description)
                self._add_groups(org_id, org_id.removeprefix(ORG_PREFIX), org.groups)
        users = [
            User(row.name, ACCOUNT_TYPES[row.type], ORG_PREFIX + row.org.removeprefix(ORG_PREFIX))
            for row in document.users
        ]
        for index, (user, row) in enumerate(zip(users, document.users, strict=True)):
            with self._row("users", index):
                self._records.add_user(user, support=row.support)
                if row.token is not None:
                    self._records.add_token(
                        user, given=row.token, label="imported", expires_at=row.token_expires
                    )
        for index, delegation in enumerate(document.delegations):
            with self._row("delegations", index):
                self._records.add_delegation(self._group(delegation.group), delegation.org)
        # After the delegations: a role of a foreign user needs one.
        for index, (user, row) in enumerate(zip(users, document.users, strict=True)):
            for group, role in row.roles.items():
                with self._row("users", index, f"roles.{group}", counted="roles"):
                    self._records.add_role(user, self._group(group), Role[role])
        for index, component in enumerate(document.components):
            with self._row("components", index):
                self._records.add_component(self._component(component))
        for index, certificate in enumerate(document.certificates):
            with self._row("certificates", index):
                self._add_certificate(f"certificates[{index}]", certificate)

    def _add_groups(self, parent_id: str, path: str, rows: list[_GroupRow]) -> None:
        self._groups[path] = parent_id
        for row in rows:
            group = self._records.add_group(parent_id, row.name)
            self._add_groups(group.group_id, f"{path}/{row.name}", row.groups)

    def _group(self, path: str) -> str:
        """Return the id of a group that is named by its path or id."""
        bare = path.removeprefix(ORG_PREFIX)
        return self._groups.get(bare) or self._records.group_id(path)

    def _component(self, row: _ComponentRow) -> Component:
        ek, certificate = row.endorsement_key, row.ek_certificate
        ppk = row.platform_primary_key
        folder = self._path.parent
        return Component(
            name=ComponentName(row.ien, row.serial),
            org_id=self._records.org_id(row.org),
            child_group_id=None if row.group is None else self._child(row.group),
            model=row.model,
            mac_address=row.mac,
            tpm=TpmData(
                (ek and read_public_key("endorsement_key", _material(ek, folder))) or None,
                (
                    certificate
                    and read_ek_certificate("ek_certificate", _material(certificate, folder))
                )
                or None,
                (ppk and read_public_key("platform_primary_key", _material(ppk, folder))) or None,
            ),
            idevid_issuer=_base64("idevid_issuer", row.idevid_issuer),
        )

    def _child(self, path: str) -> str | None:
        group_id = self._group(path)
        return None if self._records.book.has_org(group_id) else group_id

    def _add_certificate(self, place: str, row: _CertificateRow) -> None:
        found = parse_certificates(_material(row.certificate, self._path.parent))
        if len(found) != 1:
            raise ConfigError(
                "masa-record-invalid", "must be exactly one certificate", where="certificate"
            )
        made = self._records.add_certificate(
            self._group(row.group),
            found[0],
            revocation_checks=row.revocation_checks,
            expires_at=row.expires,
        )
        self.report.cert_ids[place] = made.cert_id

    @contextmanager
    def _row(self, kind: str, index: int, inner: str = "", *, counted: str = "") -> Iterator[None]:
        """Load one row; its error is kept and undoes it alone, so that others are found too."""
        try:
            with self._records.row():
                yield
        except BootzError as error:
            place = f"{self._path.name}: {kind}[{index}]{inner and '.' + inner}"
            kept = ConfigError(
                error.reason,
                error.detail,
                where=f"{place}: {error.where}" if error.where else place,
                expected=error.expected,
                seen=error.seen,
            )
            self.report.errors.append(kept)
        else:
            name = counted or kind
            self.report.counts[name] = self.report.counts.get(name, 0) + 1


def read_bounded(path: Path) -> bytes:
    """Read a file of ``MAX_FILE`` bytes at most.

    Raises:
        BootzError: it cannot be read, or is longer.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise OperatorError(
            "file-unreadable", f"cannot be read: {error.strerror}", where=str(path)
        ) from error
    if len(data) > MAX_FILE:
        raise ConfigError("masa-import-refused", "is longer than 64 MiB", where=str(path))
    return data


def _material(value: str, folder: Path) -> bytes:
    """Return a key or certificate that is given as PEM, as base64 of DER, or as a file's name."""
    if value.lstrip().startswith("-----BEGIN"):
        return value.encode()
    if len(value) > 64 and "." not in value:
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError("masa-record-invalid", "is not base64") from error
    return read_bounded(folder / value)


def _base64(name: str, value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError("masa-record-invalid", "is not base64", where=name) from error


def _location(parts: tuple[int | str, ...]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f"{text and '.'}{part}"
    return text or "the file"


def _place(path: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{path}:{mark.line + 1}" if mark is not None else str(path)
