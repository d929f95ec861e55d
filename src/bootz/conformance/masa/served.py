"""The calls that must be served: every RPC, for every role that may make it."""

from collections.abc import Iterator
from typing import Final

from bootz.conformance.masa.caller import Who
from bootz.conformance.masa.deeds import DEEDS, Deed
from bootz.conformance.masa.plays import MasaCase, of_ours, of_proto, served
from bootz.conformance.verdict import SpecSource

_WORDS: Final = {
    "GetComponents": "streams the components directly in a group, with the data of GetSerial",
    "CreateGroup": "creates a child group with its description",
    "DeleteGroup": "deletes an empty group",
    "GetGroup": "lists certificates, components, users, children and description of a group",
    "AddGroupDelegatedOrg": "lets an organisation into a group and all below it",
    "RemoveGroupDelegatedOrg": "takes an organisation out of a group",
    "AddUserRole": "gives a user a role in a group",
    "RemoveUserRole": "takes a user's role in a group away",
    "GetUserRole": "tells a user's roles by group",
    "AddSerial": "moves a component into a group, out of the one that it is in",
    "RemoveSerial": "takes a component out of a group; it stays in the root group",
    "GetSerial": "tells the groups of a component",
    "GetSerials": "answers one entry for each of the request, in its order",
    "CreateDomainCert": "registers a certificate with its flag and its end",
    "GetDomainCert": "answers a registration unchanged",
    "DeleteDomainCert": "removes a registration",
    "GetOwnershipVoucher": "issues a voucher for the component that pins the certificate",
    "GetOwnershipVouchers": "issues one voucher for each entry, in their order",
}


def served_cases() -> Iterator[MasaCase]:
    """Return a case for each RPC and each role that may call it."""
    for deed in DEEDS.values():
        for who in deed.allowed:
            yield MasaCase(
                f"served/{deed.rpc}/{who.value}",
                deed.rpc,
                f"{deed.rpc} {_WORDS[deed.rpc]}, for {_role(who)}.",
                "OK",
                _source(deed, who),
                served(deed, who),
                hostile=False,
                changes=deed.changes,
            )


def _role(who: Who) -> str:
    return {
        Who.ADMIN: "ADMIN of the root group",
        Who.GROUP_ADMIN: "ADMIN of the group",
        Who.ASSIGNER: "ASSIGNER of the group",
        Who.REQUESTOR: "REQUESTOR of the group",
        Who.SUPPORT: "the manufacturer's SUPPORT",
    }[who]


def _source(deed: Deed, who: Who) -> SpecSource:
    if who is Who.SUPPORT:
        return of_ours("Permissions", "SUPPORT may call every RPC but the two of delegation")
    roles = {Who.ADMIN, Who.GROUP_ADMIN, Who.ASSIGNER, Who.REQUESTOR}.intersection(deed.allowed)
    names = sorted({"ADMIN" if "admin" in who.value else who.name for who in roles})
    return of_proto(deed.rpc, f"the roles with permission to invoke it are {', '.join(names)}")
