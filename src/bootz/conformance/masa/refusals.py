"""The calls that must be refused for what is in them or for what is stored."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from grpclib.const import Status

from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.deeds import DEEDS, delegate_site, give_role
from bootz.conformance.masa.ground import REGISTERED, OvgsGround
from bootz.conformance.masa.permissions import permission_cases
from bootz.conformance.masa.pins import LIFE
from bootz.conformance.masa.plays import MasaCase, Refused, Spoil, of_ours, of_proto
from bootz.conformance.verdict import SpecSource
from bootz.trust.certificates import load_certificate
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

INVALID: Final = (Status.INVALID_ARGUMENT,)
NOT_FOUND: Final = (Status.NOT_FOUND,)
EXISTS: Final = (Status.ALREADY_EXISTS,)
PRECONDITION: Final = (Status.FAILED_PRECONDITION,)

UNKNOWN: Final = "conformance-there-is-none"

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
            yield _case(
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
            yield _case(
                f"empty/{rpc}/{field}",
                rpc,
                Refused(DEEDS[rpc], INVALID, flaw=_cleared(field)),
                f"{rpc} without {field} is refused.",
                of_proto(_documented(rpc), "INVALID_ARGUMENT if any field is empty"),
            )
    for rpc, rows in _UNKNOWN.items():
        for field, statuses in rows:
            yield _case(
                f"unknown/{rpc}/{field}",
                rpc,
                Refused(DEEDS[rpc], statuses, flaw=_set(field, UNKNOWN)),
                f"{rpc} of a {field} that does not exist is refused.",
                of_proto(_documented(rpc), f"{statuses[0].name} if it does not exist"),
            )
    yield from _unserved_iens()
    yield from _arguments()
    yield from _conflicts()
    yield from permission_cases()


_TOKENS: Final = {
    Who.NONE: "without a token",
    Who.UNKNOWN: "with a token that the service never gave",
    Who.EXPIRED: "with a token that has expired",
}


def _case(name: str, rpc: str, play: Refused, claim: str, source: SpecSource) -> MasaCase:
    expected = " or ".join(status.name for status in play.statuses)
    return MasaCase(
        name, rpc, claim, expected, source, play, hostile=True, changes=play.deed.changes
    )


def _documented(rpc: str) -> str:
    """Return the RPC whose comment has the errors of another one."""
    return {"GetSerials": "GetSerial", "GetOwnershipVouchers": "GetOwnershipVoucher"}.get(rpc, rpc)


def _holder(request: Any, field: str) -> tuple[Any, str]:
    """Return the message that has a field, and its name there; of a list the last entry."""
    *path, name = field.split(".")
    for part in path:
        inner = getattr(request, part)
        request = inner if hasattr(inner, "DESCRIPTOR") else inner[-1]
    return request, name


def _cleared(field: str) -> Spoil:
    def spoil(_ground: OvgsGround, request: Any) -> None:
        message, name = _holder(request, field)
        message.ClearField(name)

    return spoil


def _set(field: str, value: str | int) -> Spoil:
    def spoil(_ground: OvgsGround, request: Any) -> None:
        message, name = _holder(request, field)
        setattr(message, name, value)

    return spoil


def _unserved_iens() -> Iterator[MasaCase]:
    for rpc in ("AddSerial", "RemoveSerial", "GetSerial", "GetSerials", "GetOwnershipVoucher"):
        field = "components.ien" if rpc == "GetSerials" else "component.ien"
        yield _case(
            f"argument/{rpc}/ien",
            rpc,
            # RFC 5612: an enterprise number that no vendor has.
            Refused(DEEDS[rpc], INVALID, flaw=_set(field, "32473")),
            f"{rpc} for an enterprise number that the service does not serve is refused.",
            of_proto(_documented(rpc), "INVALID_ARGUMENT if the IEN is not the issuer's"),
        )


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


def _root(ground: OvgsGround, request: Any) -> None:
    request.group_id = ground.groups["root"]


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


def _arguments() -> Iterator[MasaCase]:
    past, late = -1.0, (LIFE + REGISTERED).days + 0.0
    root_words = "INVALID_ARGUMENT: the root group cannot be deleted"
    rows: tuple[tuple[str, str, Spoil, str, SpecSource], ...] = (
        ("DeleteGroup", "root", _root, "of the root group", of_proto("DeleteGroup", root_words)),
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
        yield _case(
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
            _set("user_role", pb.USER_ROLE_SUPPORT),
            "for the role SUPPORT, which is the manufacturer's",
            of_ours("Users and roles", "SUPPORT is never granted by a call"),
        ),
        (
            "AddUserRole",
            "role-9",
            _set("user_role", 9),
            "for a role that does not exist",
            of_ours("Users and roles", "ADMIN, ASSIGNER and REQUESTOR can be given"),
        ),
        (
            "RemoveSerial",
            "root",
            _root,
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
        yield _case(
            f"choice/{rpc}/{name}",
            rpc,
            Refused(DEEDS[rpc], INVALID, flaw=flaw, strict=False),
            f"{rpc} {words} is refused.",
            source,
        )
    for rpc, field in (("GetGroup", "group_id"), ("GetComponents", "group_id"),
                       ("GetDomainCert", "cert_id"), ("DeleteDomainCert", "cert_id")):  # fmt: skip
        yield _case(
            f"choice/{rpc}/empty-{field}",
            rpc,
            Refused(DEEDS[rpc], NOT_FOUND, flaw=_cleared(field), strict=False),
            f"{rpc} with an empty {field} is refused.",
            of_ours("Errors", "NOT_FOUND to an empty id as well"),
        )
    yield _case(
        "argument/GetOwnershipVoucher/other-org",
        "GetOwnershipVoucher",
        Refused(
            DEEDS["GetOwnershipVoucher"], INVALID, caller=Who.SUPPORT, flaw=_foreign_certificate
        ),
        "GetOwnershipVoucher with a certificate of another organisation than the component's is "
        "refused.",
        of_proto("GetOwnershipVoucher", "INVALID_ARGUMENT if certificate and serial differ in org"),
    )
    yield _case(
        "choice/AddSerial/other-org",
        "AddSerial",
        Refused(DEEDS["AddSerial"], INVALID, caller=Who.SUPPORT, flaw=_foreign_root, strict=False),
        "AddSerial into a group of another organisation is refused.",
        of_ours("Components and certificates", "to another organisation INVALID_ARGUMENT"),
    )


def _conflicts() -> Iterator[MasaCase]:
    for rpc, name, statuses, play, words, says in (
        (
            "CreateGroup",
            "same-description",
            EXISTS,
            {"flaw": _taken_description},
            "of a description that the parent has already",
            "ALREADY_EXISTS if the parent has a group of that description",
        ),
        (
            "AddGroupDelegatedOrg",
            "twice",
            EXISTS,
            {"disturb": _delegated},
            "of an organisation that is in the list",
            "ALREADY_EXISTS if the organisation is in the list",
        ),
        (
            "AddUserRole",
            "twice",
            EXISTS,
            {"disturb": _given},
            "of a user who has a role in the group",
            "ALREADY_EXISTS if the user is in the group",
        ),
        (
            "AddUserRole",
            "another-role",
            EXISTS,
            {"disturb": _given, "flaw": _set("user_role", pb.USER_ROLE_ASSIGNER)},
            "of another role for a user who has one in the group",
            "ALREADY_EXISTS if the user is in the group, whatever the role",
        ),
        (
            "AddSerial",
            "in-group",
            EXISTS,
            {"flaw": _own_group},
            "into the group that the component is in",
            "ALREADY_EXISTS if the component is a member of the group",
        ),
        (
            "AddSerial",
            "root",
            EXISTS,
            {"flaw": _root},
            "into the root group, where every component is",
            "ALREADY_EXISTS: a component is in the root group at all times",
        ),
        (
            "CreateDomainCert",
            "twice",
            EXISTS,
            {"disturb": _registered},
            "of a certificate with the flag and the end that are registered in the group",
            "ALREADY_EXISTS if certificate, flag and end are in the group",
        ),
        (
            "RemoveUserRole",
            "no-member",
            NOT_FOUND,
            {"flaw": _group("rack")},
            "of a user who has no role in that very group",
            "NOT_FOUND if the user is not a member of the group",
        ),
        (
            "RemoveSerial",
            "not-there",
            NOT_FOUND,
            {"flaw": _group("side")},
            "from a group that the component is not in",
            "NOT_FOUND if the component is not assigned to the group",
        ),
        *(
            (
                "DeleteGroup",
                f"has-{name}",
                PRECONDITION,
                {"disturb": disturb},
                f"of a group that has {words}",
                "FAILED_PRECONDITION if it has certificates, users, components or children",
            )
            for name, words, disturb in (
                ("child", "a child group", _child_in),
                ("certificate", "a certificate", _certificate_in),
                ("user", "a user", _user_in),
                ("component", "a component", _component_in),
            )
        ),
    ):
        yield _case(
            f"conflict/{rpc}/{name}",
            rpc,
            Refused(DEEDS[rpc], statuses, **play),  # type: ignore[arg-type]
            f"{rpc} {words} is refused.",
            of_proto(rpc, says),
        )
    yield _case(
        "choice/RemoveGroupDelegatedOrg/no-source",
        "RemoveGroupDelegatedOrg",
        Refused(
            DEEDS["RemoveGroupDelegatedOrg"],
            NOT_FOUND,
            flaw=lambda ground, request: setattr(request, "group_id", ground.groups["side"]),
            strict=False,
        ),
        "RemoveGroupDelegatedOrg of an organisation that is not in the group's own list is "
        "refused.",
        of_ours("Delegation", "a delegation that this very group is no source of"),
    )


def _taken_description(ground: OvgsGround, request: Any) -> None:
    request.description = ground.description("rack")


def _own_group(ground: OvgsGround, request: Any) -> None:
    request.group_id = ground.groups["rack"]


def _group(name: str) -> Spoil:
    def spoil(ground: OvgsGround, request: Any) -> None:
        request.group_id = ground.groups[name]

    return spoil


async def _delegated(ground: OvgsGround, _made: str) -> None:
    await delegate_site(ground)


async def _given(ground: OvgsGround, _made: str) -> None:
    await give_role(ground)


async def _registered(ground: OvgsGround, _made: str) -> None:
    await ground.admin("CreateDomainCert", ground.registration())


async def _child_in(ground: OvgsGround, made: str) -> None:
    request = pb.CreateGroupRequest(parent=made, description=ground.description("child"))
    await ground.admin("CreateGroup", request)


async def _certificate_in(ground: OvgsGround, made: str) -> None:
    request = ground.registration()
    request.group_id = made
    await ground.admin("CreateDomainCert", request)


async def _user_in(ground: OvgsGround, made: str) -> None:
    await ground.give(Who.OUTSIDER, made, pb.USER_ROLE_REQUESTOR)


async def _component_in(ground: OvgsGround, made: str) -> None:
    request = pb.AddSerialRequest(component=ground.component(2), group_id=made)
    await ground.admin("AddSerial", request)
