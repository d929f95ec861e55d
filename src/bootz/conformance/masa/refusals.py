"""The calls that must be refused for what is in them or for what is stored."""

from collections.abc import Iterator
from typing import Final

from grpclib.const import Status

from bootz.conformance.masa.arguments import argument_cases
from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.conflicts import conflict_cases
from bootz.conformance.masa.deeds import DEEDS
from bootz.conformance.masa.permissions import permission_cases
from bootz.conformance.masa.plays import MasaCase, Refused, of_ours, of_proto
from bootz.conformance.masa.spoils import (
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    UNKNOWN,
    cleared,
    documented_by,
    refusal_case,
    setting,
)

_EMPTY: Final = {
    "CreateGroup": ("parent", "description"),
    "DeleteGroup": ("group_id",),
    "AddGroupDelegatedOrg": ("group_id", "org_id"),
    "RemoveGroupDelegatedOrg": ("group_id", "org_id"),
    "AddUserRole": ("username", "user_type", "org_id", "group_id", "user_role"),
    "RemoveUserRole": ("username", "user_type", "org_id", "group_id"),
    "GetUserRole": ("username", "user_type", "org_id"),
    "AddSerial": ("component", "component.ien", "component.serial_number", "group_id"),
    "RemoveSerial": ("component", "component.ien", "component.serial_number", "group_id"),
    "GetSerial": ("component", "component.ien", "component.serial_number"),
    "GetSerials": ("components.ien", "components.serial_number"),
    "CreateDomainCert": ("group_id", "certificate_der", "expiry_time"),
    "GetOwnershipVoucher": (
        "component",
        "component.ien",
        "component.serial_number",
        "cert_id",
        "lifetime",
    ),
    "GetOwnershipVouchers": ("component.ien", "component.serial_number", "cert_id", "lifetime"),
}
"""The fields that may not be empty; of a list, those of its last entry."""

_UNKNOWN: Final = {
    "GetComponents": (("group_id", NOT_FOUND),),
    "CreateGroup": (("parent", NOT_FOUND),),
    "DeleteGroup": (("group_id", NOT_FOUND),),
    "GetGroup": (("group_id", NOT_FOUND),),
    "AddGroupDelegatedOrg": (("group_id", NOT_FOUND), ("org_id", NOT_FOUND)),
    "RemoveGroupDelegatedOrg": (("group_id", NOT_FOUND), ("org_id", NOT_FOUND)),
    "AddUserRole": (("group_id", NOT_FOUND),),
    "RemoveUserRole": (("group_id", NOT_FOUND),),
    "GetUserRole": (("username", NOT_FOUND),),
    "AddSerial": (("component.serial_number", NOT_FOUND), ("group_id", NOT_FOUND)),
    "RemoveSerial": (("component.serial_number", NOT_FOUND), ("group_id", NOT_FOUND)),
    "GetSerial": (("component.serial_number", NOT_FOUND),),
    "GetSerials": (("components.serial_number", NOT_FOUND),),
    "CreateDomainCert": (("group_id", NOT_FOUND),),
    "GetDomainCert": (("cert_id", NOT_FOUND),),
    "DeleteDomainCert": (("cert_id", NOT_FOUND),),
    "GetOwnershipVoucher": (
        ("component.serial_number", PRECONDITION),
        ("cert_id", PRECONDITION),
    ),
    "GetOwnershipVouchers": (
        ("component.serial_number", PRECONDITION),
        ("cert_id", PRECONDITION),
    ),
}
"""What may be named that does not exist, and the status."""


def refusal_cases() -> Iterator[MasaCase]:
    """Return the cases: tokens, empty fields, what is unknown, conflicts, and roles."""
    for rpc in DEEDS:
        for who in (Who.NONE, Who.UNKNOWN, Who.EXPIRED):
            yield refusal_case(
                f"token/{rpc}/{who.value}",
                rpc,
                Refused(
                    DEEDS[rpc],
                    (Status.UNAUTHENTICATED,),
                    caller=who,
                    twin=Who.ADMIN,
                    strict=False,
                ),
                f"{rpc} is refused {_TOKENS[who]}.",
                of_ours("Authentication", "a token that is missing, unknown or expired"),
            )
    for rpc, fields in _EMPTY.items():
        for field in fields:
            yield refusal_case(
                f"empty/{rpc}/{field}",
                rpc,
                Refused(DEEDS[rpc], INVALID, flaw=cleared(field)),
                f"{rpc} without {field} is refused.",
                of_proto(documented_by(rpc), "INVALID_ARGUMENT if any field is empty"),
            )
    for rpc, rows in _UNKNOWN.items():
        for field, statuses in rows:
            yield refusal_case(
                f"unknown/{rpc}/{field}",
                rpc,
                Refused(DEEDS[rpc], statuses, flaw=setting(field, UNKNOWN)),
                f"{rpc} of a {field} that does not exist is refused.",
                of_proto(documented_by(rpc), f"{statuses[0].name} if it does not exist"),
            )
    yield from _unserved_iens()
    yield from argument_cases()
    yield from conflict_cases()
    yield from permission_cases()


_TOKENS: Final = {
    Who.NONE: "without a token",
    Who.UNKNOWN: "with a token that the service never gave",
    Who.EXPIRED: "with a token that has expired",
}


def _unserved_iens() -> Iterator[MasaCase]:
    for rpc in ("AddSerial", "RemoveSerial", "GetSerial", "GetSerials", "GetOwnershipVoucher"):
        field = "components.ien" if rpc == "GetSerials" else "component.ien"
        yield refusal_case(
            f"argument/{rpc}/ien",
            rpc,
            # RFC 5612: an enterprise number that no vendor has.
            Refused(DEEDS[rpc], INVALID, flaw=setting(field, "32473")),
            f"{rpc} for an enterprise number that the service does not serve is refused.",
            of_proto(documented_by(rpc), "INVALID_ARGUMENT if the IEN is not the issuer's"),
        )
