"""The content of a voucher: the leaves of RFC 8366 in JSON, or in XML as some tools write it.

What the reader tolerates, it says in warnings; the writer writes plain JSON only.
Source: docs/protocol/vouchers.md#what-a-reader-tolerates.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from xml.parsers import expat

from bootz.errors import TrustError
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.certificate_form import CertificateError, load_certificate
from bootz.trust.leaves import (
    LeafError,
    is_serial_text,
    read_binary,
    read_json,
    read_object,
    read_text,
    read_time,
    write_binary,
    write_precise_time,
    write_time,
)

CONTAINER: Final = "ietf-voucher:voucher"

_ROOT: Final = "voucher"
_LEAVES: Final = frozenset(
    {
        "created-on",
        "expires-on",
        "assertion",
        "serial-number",
        "idevid-issuer",
        "pinned-domain-cert",
        "domain-cert-revocation-checks",
        "nonce",
        "last-renewal-date",
    }
)
_BLANK: Final = b" \t\r\n"
_FAR_AHEAD: Final = timedelta(days=100 * 365)


class VoucherError(TrustError):
    """A voucher is not of the form, not signed by the vendor, or not for this card."""


@dataclass(frozen=True, slots=True)
class ReadContent:
    """A voucher's leaves with the quirks that were tolerated; ``encoding`` is json or xml."""

    content: VoucherContent
    encoding: str
    warnings: tuple[str, ...]


def read_content(data: bytes) -> ReadContent:
    """Read the leaves of a voucher.

    Raises:
        VoucherError: ``ov-content``, ``ov-assertion`` for a word that is not known,
            ``ov-no-pdc`` without a usable certificate.
    """
    try:
        text = data.lstrip(_BLANK)
        if text.startswith(b"<"):
            encoding, leaves = "xml", _read_xml(text)
        else:
            encoding, leaves = "json", _read_container(data)
        content, warnings = _read_leaves(leaves)
    except LeafError as error:
        raise VoucherError("ov-content", str(error)) from error
    return ReadContent(content, encoding, warnings)


def write_content(content: VoucherContent) -> bytes:
    """Return a voucher's leaves in JSON; ``created_on`` must be there."""
    if content.created_on is None:
        raise RuntimeError("a voucher is issued without the time of its making")
    leaves: dict[str, object] = {"created-on": write_precise_time(content.created_on)}
    if content.expires_on is not None:
        leaves["expires-on"] = write_time(content.expires_on)
    leaves["assertion"] = content.assertion.value
    leaves["serial-number"] = content.serial_number
    if content.idevid_issuer is not None:
        leaves["idevid-issuer"] = write_binary(content.idevid_issuer)
    leaves["pinned-domain-cert"] = write_binary(content.pinned_domain_cert)
    if content.revocation_checks is not None:
        leaves["domain-cert-revocation-checks"] = content.revocation_checks
    if content.last_renewal_date is not None:
        leaves["last-renewal-date"] = write_time(content.last_renewal_date)
    return json.dumps({CONTAINER: leaves}, separators=(",", ":")).encode()


def _read_container(data: bytes) -> Mapping[str, object]:
    outer = read_object(read_json(data), "the content")
    if set(outer) != {CONTAINER}:
        raise LeafError(f"the content is not a single member {CONTAINER}")
    return read_object(outer[CONTAINER], CONTAINER)


def _read_leaves(leaves: Mapping[str, object]) -> tuple[VoucherContent, tuple[str, ...]]:
    warnings: list[str] = []
    unknown = sorted(set(leaves) - _LEAVES)
    if unknown:
        shown = ", ".join(repr(name[:40]) for name in unknown[:4])
        warnings.append(f"unknown members are ignored: {shown}")
    if "nonce" in leaves:
        # Bootz has no exchange for it, so that nothing could be compared with it.
        raise LeafError("nonce: a voucher with a nonce cannot be verified")
    serial = read_text(leaves.get("serial-number"), "serial-number")
    if not is_serial_text(serial):
        raise LeafError("serial-number is not 1 to 64 printable characters")
    word = read_text(leaves.get("assertion"), "assertion")
    optional = {
        name: read_time(leaves[name], name) if name in leaves else None
        for name in ("created-on", "expires-on", "last-renewal-date")
    }
    issuer = leaves.get("idevid-issuer")
    content = VoucherContent(
        serial_number=serial,
        assertion=_read_assertion(word),
        pinned_domain_cert=_read_pinned(leaves.get("pinned-domain-cert")),
        created_on=optional["created-on"],
        expires_on=optional["expires-on"],
        idevid_issuer=None if issuer is None else read_binary(issuer, "idevid-issuer"),
        revocation_checks=_read_boolean(leaves, warnings),
        last_renewal_date=optional["last-renewal-date"],
    )
    return content, (*warnings, *_quirks(content))


def _quirks(content: VoucherContent) -> tuple[str, ...]:
    """Name what is odd in content that is accepted."""
    found: list[str] = []
    if content.created_on is None:
        found.append("created-on is missing: the creation date is not checked")
    if content.expires_on is None:
        found.append("expires-on is missing: the voucher never expires")
        if content.last_renewal_date is not None:
            found.append("last-renewal-date without expires-on is ignored")
    else:
        end = load_certificate(content.pinned_domain_cert).not_valid_after_utc
        if content.expires_on > end:
            found.append("expires-on is after the expiry of the pinned domain certificate")
        if content.created_on and content.expires_on - content.created_on > _FAR_AHEAD:
            found.append("expires-on is more than a century after created-on")
    return tuple(found)


def _read_assertion(word: str) -> Assertion:
    try:
        return Assertion(word)
    except ValueError as error:
        known = ", ".join(each.value for each in Assertion)
        raise VoucherError(
            "ov-assertion",
            "the assertion is not a known value",
            where="assertion",
            expected=known,
            seen=repr(word[:40]),
        ) from error


def _read_pinned(value: object) -> bytes:
    try:
        der = read_binary(value, "pinned-domain-cert")
        load_certificate(der)
    except (LeafError, CertificateError) as error:
        raise VoucherError(
            "ov-no-pdc",
            "the voucher does not pin a usable certificate",
            where="pinned-domain-cert",
            expected="base64 of one DER certificate",
        ) from error
    return der


def _read_boolean(leaves: Mapping[str, object], warnings: list[str]) -> bool | None:
    name = "domain-cert-revocation-checks"
    if name not in leaves:
        return None
    value = leaves[name]
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        warnings.append(f"{name} is a text, not a boolean")
        return value == "true"
    raise LeafError(f"{name} is not a boolean")


def _read_xml(data: bytes) -> Mapping[str, object]:
    """Return the leaves of a ``voucher`` element; elements go by local name."""
    reader = _XmlReader()
    # The encoding is fixed: a declaration of another one could hide what earlier checks saw.
    parser = expat.ParserCreate(encoding="UTF-8", namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise LeafError(f"not well-formed XML: {error}") from error
    leaves = reader.leaves
    flag = "domain-cert-revocation-checks"
    if leaves.get(flag) in ("true", "false"):
        # XML has no other spelling of booleans, so that this is not a quirk.
        return {**leaves, flag: leaves[flag] == "true"}
    return leaves


class _XmlReader:
    """Collects the children of the root element; what is deeper is not a leaf and is ignored."""

    def __init__(self) -> None:
        self.leaves: dict[str, object] = {}
        self._depth = 0
        self._pieces: list[str] = []

    def start(self, name: str, _attributes: object) -> None:
        self._depth += 1
        local = name.rpartition(" ")[2]
        if self._depth == 1 and local != _ROOT:
            raise LeafError(f"the root element is not {_ROOT}")
        if self._depth == 2:
            self._pieces = []
            if local in self.leaves:
                raise LeafError("an element appears twice")

    def end(self, name: str) -> None:
        if self._depth == 2:
            self.leaves[name.rpartition(" ")[2]] = "".join(self._pieces).strip(" \t\r\n")
        self._depth -= 1

    def text(self, piece: str) -> None:
        if self._depth == 2:
            self._pieces.append(piece)

    def refuse(self, *_declaration: object) -> None:
        raise LeafError("a document type or entity is declared")
