"""Arguments that a service must refuse, and those where the interface leaves a choice."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.deeds import DEEDS
from bootz.conformance.masa.ground import REGISTERED, OvgsGround
from bootz.conformance.masa.pins import LIFE
from bootz.conformance.masa.plays import MasaCase, Refused, Spoil, of_ours, of_proto
from bootz.conformance.masa.spoils import (
    INVALID,
    NOT_FOUND,
    UNKNOWN,
    aim_at_root,
    cleared,
    refusal_case,
    setting,
)
from bootz.conformance.verdict import SpecSource
from bootz.trust.certificates import load_certificate
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant


def _instant(field: str, days: float) -> Spoil:
    """Set a time so many days from now."""

    def spoil(ground: OvgsGround, request: Any) -> None:
        getattr(request, field).CopyFrom(write_instant(ground.clock() + timedelta(days=days)))

    return spoil


def _pin(change: Any) -> Spoil:
    def spoil(ground: OvgsGround, request: Any) -> None:
        request.certificate_der = change(ground.pins)

    return spoil


def _own_org(ground: OvgsGround, request: Any) -> None:
    request.org_id = ground.customer.org_id


def _emptied(field: str) -> Spoil:
    def spoil(_ground: OvgsGround, request: Any) -> None:
        del getattr(request, field)[:]

    return spoil


def _beyond(ground: OvgsGround, request: Any) -> None:
    request.lifetime.CopyFrom(write_instant(ground.until + timedelta(seconds=1)))


def _foreign_certificate(ground: OvgsGround, request: Any) -> None:
    request.cert_id = ground.foreign_certificate()


def _foreign_root(ground: OvgsGround, request: Any) -> None:
    request.group_id = ground.foreign_org()


def argument_cases() -> Iterator[MasaCase]:
    """Return the cases."""
    past, late = -1.0, (LIFE + REGISTERED).days + 0.0
    root_words = "INVALID_ARGUMENT: the root group cannot be deleted"
    rows: tuple[tuple[str, str, Spoil, str, SpecSource], ...] = (
        (
            "DeleteGroup",
            "root",
            aim_at_root,
            "of the root group",
            of_proto("DeleteGroup", root_words),
        ),
        *(
            (
                rpc,
                "own-org",
                _own_org,
                "of the group's own organisation",
                of_proto(rpc, "INVALID_ARGUMENT if org_id is that of the group"),
            )
            for rpc in ("AddGroupDelegatedOrg", "RemoveGroupDelegatedOrg")
        ),
        (
            "CreateDomainCert",
            "past",
            _instant("expiry_time", past),
            "with an end in the past",
            of_proto("CreateDomainCert", "INVALID_ARGUMENT if expiry_time is in the past"),
        ),
        (
            "CreateDomainCert",
            "expired",
            _pin(lambda pins: pins.expired),
            "of a certificate that has expired",
            of_proto("CreateDomainCert", "INVALID_ARGUMENT if the certificate is expired"),
        ),
        (
            "CreateDomainCert",
            "not-yet-valid",
            _pin(lambda pins: pins.future),
            "of a certificate that is not valid yet",
            of_proto("CreateDomainCert", "INVALID_ARGUMENT if the certificate is invalid"),
        ),
        (
            "CreateDomainCert",
            "malformed",
            _pin(lambda pins: pins.other[:-20]),
            "of a certificate that is cut",
            of_proto("CreateDomainCert", "INVALID_ARGUMENT if the certificate is malformed"),
        ),
        (
            "CreateDomainCert",
            "text",
            _pin(lambda _: b"no certificate"),
            "of bytes that are no certificate",
            of_proto("CreateDomainCert", "INVALID_ARGUMENT if the certificate is malformed"),
        ),
        *(
            (
                rpc,
                "past",
                _instant("lifetime", past),
                "with a lifetime in the past",
                of_proto("GetOwnershipVoucher", "INVALID_ARGUMENT if lifetime is in the past"),
            )
            for rpc in ("GetOwnershipVoucher", "GetOwnershipVouchers")
        ),
        *(
            (
                rpc,
                "beyond",
                _beyond,
                "with a lifetime one second after the end of the registration",
                of_proto(
                    "GetOwnershipVoucher",
                    "INVALID_ARGUMENT if lifetime exceeds the certificate's expiry_time",
                ),
            )
            for rpc in ("GetOwnershipVoucher", "GetOwnershipVouchers")
        ),
    )
    for rpc, name, flaw, words, source in rows:
        yield refusal_case(
            f"argument/{rpc}/{name}",
            rpc,
            Refused(DEEDS[rpc], INVALID, flaw=flaw),
            f"{rpc} {words} is refused.",
            source,
        )
    choices: tuple[tuple[str, str, Spoil, str, SpecSource], ...] = (
        (
            "AddUserRole",
            "support",
            setting("user_role", pb.USER_ROLE_SUPPORT),
            "for the role SUPPORT, which is the manufacturer's",
            of_ours("Users and roles", "SUPPORT is never granted by a call"),
        ),
        (
            "AddUserRole",
            "role-9",
            setting("user_role", 9),
            "for a role that does not exist",
            of_ours("Users and roles", "ADMIN, ASSIGNER and REQUESTOR can be given"),
        ),
        (
            "RemoveSerial",
            "root",
            aim_at_root,
            "from the root group",
            of_ours("Components and certificates", "RemoveSerial cannot name the root group"),
        ),
        (
            "CreateDomainCert",
            "pem",
            _pin(lambda pins: load_certificate(pins.other).public_bytes(Encoding.PEM)),
            "of a certificate in PEM",
            of_ours("Components and certificates", "one certificate in DER"),
        ),
        (
            "CreateDomainCert",
            "trailing",
            _pin(lambda pins: pins.other + b"\x00"),
            "of a certificate with a byte after it",
            of_ours("Components and certificates", "nothing after the certificate"),
        ),
        (
            "CreateDomainCert",
            "two",
            _pin(lambda pins: pins.other + pins.registered),
            "of two certificates",
            of_ours("Components and certificates", "one certificate in DER"),
        ),
        (
            "CreateDomainCert",
            "late",
            _instant("expiry_time", late),
            "with an end after the certificate's own",
            of_ours("Components and certificates", "an end that is not after its own"),
        ),
        (
            "GetSerials",
            "no-entry",
            _emptied("components"),
            "without an entry",
            of_ours("Errors", "an empty list is an empty field"),
        ),
        (
            "GetOwnershipVouchers",
            "no-entry",
            _emptied("component"),
            "without an entry",
            of_ours("Errors", "an empty list is an empty field"),
        ),
    )
    for rpc, name, flaw, words, source in choices:
        yield refusal_case(
            f"choice/{rpc}/{name}",
            rpc,
            Refused(DEEDS[rpc], INVALID, flaw=flaw, strict=False),
            f"{rpc} {words} is refused.",
            source,
        )
    for rpc, field in (("GetGroup", "group_id"), ("GetComponents", "group_id"),
                       ("GetDomainCert", "cert_id"), ("DeleteDomainCert", "cert_id")):  # fmt: skip
        yield refusal_case(
            f"choice/{rpc}/empty-{field}",
            rpc,
            Refused(DEEDS[rpc], NOT_FOUND, flaw=cleared(field), strict=False),
            f"{rpc} with an empty {field} is refused.",
            of_ours("Errors", "NOT_FOUND to an empty id as well"),
        )
    yield refusal_case(
        "argument/GetOwnershipVoucher/other-org",
        "GetOwnershipVoucher",
        Refused(
            DEEDS["GetOwnershipVoucher"], INVALID, caller=Who.SUPPORT, flaw=_foreign_certificate
        ),
        "GetOwnershipVoucher with a certificate of another organisation than the component's is "
        "refused.",
        of_proto("GetOwnershipVoucher", "INVALID_ARGUMENT if certificate and serial differ in org"),
    )
    yield refusal_case(
        "choice/AddUserRole/unknown-user",
        "AddUserRole",
        Refused(DEEDS["AddUserRole"], NOT_FOUND, flaw=setting("username", UNKNOWN), strict=False),
        "AddUserRole of an account that does not exist is refused.",
        of_ours("Errors", "NOT_FOUND for an account"),
    )
    yield refusal_case(
        "choice/AddSerial/other-org",
        "AddSerial",
        Refused(DEEDS["AddSerial"], INVALID, caller=Who.SUPPORT, flaw=_foreign_root, strict=False),
        "AddSerial into a group of another organisation is refused.",
        of_ours("Components and certificates", "to another organisation INVALID_ARGUMENT"),
    )
