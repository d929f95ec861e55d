"""What is on record of a card's TPM: its document, its bounds, keys as vendors hand them out."""

import base64
from dataclasses import replace
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)
from pydantic import BaseModel, Field, JsonValue

from bootz.errors import ConfigError, TrustError
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.texts import STRICT
from bootz.trust.certificate_form import UNREADABLE
from bootz.trust.certificates import fingerprint
from bootz.trust.tpm.ek_certificate import MAX_PADDED, read_ek_certificates

MAX_KEY: Final = 4096
"""Bytes of a key or of an EK certificate."""

_INVALID: Final = "chassis-invalid"
_KEYS: Final = ("ek", "ppk", "key", "ek_certificate")
_Text = Annotated[str, Field(max_length=2 * MAX_KEY)]
_CertificateText = Annotated[str, Field(max_length=2 * MAX_PADDED)]


class TpmDocument(BaseModel):
    """``tpm`` of a card's document: keys and certificate are base64 of DER."""

    model_config = STRICT

    version: TpmVersion | None = None
    ek: _Text = ""
    ppk: _Text = ""
    key: _Text = ""
    ek_certificate: _CertificateText = ""


def read_tpm(value: object) -> TpmRecord:
    """Return the record of a document; bounds are checked by ``normal_tpm``.

    Raises:
        ValueError: it does not fit; the text is for a person, without values.
    """
    if isinstance(value, TpmRecord):
        return value
    document = TpmDocument.model_validate(value)
    return TpmRecord(
        document.version,
        *(_decoded(getattr(document, name), name) for name in _KEYS),
    )


def tpm_document(record: TpmRecord) -> dict[str, JsonValue]:
    """Return what ``TpmDocument`` reads; empty where nothing is on record."""
    document: dict[str, JsonValue] = {}
    if record.version is not None:
        document["version"] = record.version.value
    for name, data in _blobs(record).items():
        document[name] = base64.b64encode(data).decode()
    return document


def shown_tpm(record: TpmRecord) -> dict[str, object]:
    """Return what a person may want to compare: the SHA-256 of each key and certificate."""
    shown: dict[str, object] = {name: fingerprint(data) for name, data in _blobs(record).items()}
    return shown if record.version is None else {"version": record.version.value, **shown}


def _blobs(record: TpmRecord) -> dict[str, bytes]:
    return {name: data for name in _KEYS if (data := getattr(record, name)) is not None}


def normal_tpm(record: TpmRecord, where: str) -> TpmRecord:
    """Return a record whose keys are public keys; the EK is taken from its certificate.

    A certificate is kept without the padding of an NV index and the CAs behind it.

    Raises:
        ConfigError: ``chassis-invalid``: something is not a key or certificate, or EK and
            certificate contradict.
    """
    for name, data in _blobs(record).items():
        if name != "ek_certificate":
            _check_key(data, name, where)
    if record.version is TpmVersion.TPM12 and record.ppk is not None:
        raise ConfigError(_INVALID, "tpm.ppk: a TPM 1.2 has no PPK", where=where)
    if record.ek_certificate is None:
        return record
    certificate = read_ek_certificate(record.ek_certificate, where)
    certified = _certified_key(certificate, where)
    if certified is not None and record.ek not in (None, certified):
        raise ConfigError(_INVALID, "tpm.ek is not the key in its certificate", where=where)
    return replace(record, ek=certified or record.ek, ek_certificate=certificate)


def _check_key(data: bytes, name: str, where: str) -> None:
    try:
        if len(data) <= MAX_KEY:
            load_der_public_key(data)
            return
    except UNREADABLE:
        pass
    raise ConfigError(_INVALID, f"tpm.{name} is not a DER SubjectPublicKeyInfo", where=where)


def _certified_key(certificate: bytes, where: str) -> bytes | None:
    """Return the key in an EK certificate, None where only TPMs know its kind."""
    if len(certificate) > MAX_KEY:
        raise ConfigError(
            _INVALID, f"tpm.ek_certificate is longer than {MAX_KEY} bytes", where=where
        )
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except UNREADABLE:
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_tpm_key(data: bytes, where: str) -> bytes:
    """Return a public key as DER SubjectPublicKeyInfo, from PEM or DER.

    Raises:
        ConfigError: ``chassis-invalid``; it cannot be read.
    """
    try:
        pem = data.lstrip().startswith(b"-----")
        key = load_pem_public_key(data) if pem else load_der_public_key(data)
    except UNREADABLE as error:
        raise ConfigError(
            _INVALID,
            "is not a public key in PEM or DER",
            where=where,
            expected="SubjectPublicKeyInfo; a certificate is given as that of the endorsement key",
        ) from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_ek_certificate(data: bytes, where: str) -> bytes:
    """Return an EK certificate as DER, from PEM or DER; DER may be padded as in an NV index.

    Raises:
        ConfigError: ``chassis-invalid``; it cannot be read.
    """
    try:
        return read_ek_certificates(data)[0]
    except TrustError as error:
        raise ConfigError(
            _INVALID, f"tpm.ek_certificate: {error.detail}", where=where, expected=error.expected
        ) from error


def _decoded(text: str, name: str) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ValueError(f"{name} is not base64") from None
