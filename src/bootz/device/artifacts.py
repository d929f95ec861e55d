"""gNSI artifacts on the router: certz profiles, authz and pathz policies, credentials.

They are judged in the JSON form that ``bootz.model.bootstrap`` describes, before anything of a
configuration is applied (docs/protocol/workflow.md W11; acceptance cases bootz-5.x).
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from bootz.device.openconfig import InvalidConfiguration, read_strict_json
from bootz.errors import TrustError
from bootz.model.bootstrap import CertzProfile, JsonObject
from bootz.trust.certificates import load_certificate, parse_certificates

RESERVED_PROFILE = "system_default_profile"

MAX_CHAIN = 16
"""Certificates in one chain of a certz entity."""

_ACTIONS = frozenset({"ACTION_DENY", "ACTION_PERMIT"})
_MODES = frozenset({"MODE_READ", "MODE_WRITE"})


def check_certz(profiles: Sequence[CertzProfile]) -> None:
    """Judge the certz profiles.

    Raises:
        InvalidConfiguration: a name that is missing, reserved or there twice, a certificate
            that cannot be read, an authentication policy that is empty.
    """
    names: set[str] = set()
    for number, profile in enumerate(profiles):
        name, where = profile.ssl_profile_id, f"certz_profiles[{number}]"
        if not name or name == RESERVED_PROFILE or name in names:
            flaw = "there twice" if name in names else "reserved" if name else "missing"
            _refuse("config-certz", f"the profile's name is {flaw}", f"{where}.ssl_profile_id")
        names.add(name)
        entities = _objects(profile.certz.get("entities", []), "config-certz", f"{where}.entities")
        for entity, place in entities:
            _check_entity(entity, place)


def check_authz(authz: JsonObject) -> None:
    """Judge the authz policy: JSON text of a gRPC authorization policy.

    Raises:
        InvalidConfiguration: not JSON, no name, or invalid rules.
    """
    where = "authz.policy"
    text = authz.get("policy", "")
    if not isinstance(text, str):
        _refuse("config-authz", "the policy is not a text", where)
    policy = read_strict_json(text, "config-authz", where)
    if not isinstance(policy, dict):
        _refuse("config-authz", "the policy is not an object", where)
    if not isinstance(policy.get("name"), str) or not policy["name"]:
        _refuse("config-authz", "the policy has no name", f"{where}.name")
    if "allow_rules" not in policy:
        _refuse("config-authz", "the policy has no allow_rules", f"{where}.allow_rules")
    for member in ("allow_rules", "deny_rules"):
        for rule, place in _objects(policy.get(member, []), "config-authz", f"{where}.{member}"):
            if not isinstance(rule.get("name"), str) or not rule["name"]:
                _refuse("config-authz", "the rule has no name", f"{place}.name")


def check_pathz(pathz: JsonObject) -> None:
    """Judge the pathz policy.

    Raises:
        InvalidConfiguration: a rule without id, principal, path, action or mode, or for a
            group that is not listed.
    """
    reason, where = "config-pathz", "pathz.policy"
    policy = pathz.get("policy")
    if not isinstance(policy, Mapping):
        _refuse(reason, "there is no policy", where)
    groups = {
        group.get("name")
        for group, _ in _objects(policy.get("groups", []), reason, f"{where}.groups")
    }
    seen: set[object] = set()
    for rule, place in _objects(policy.get("rules", []), reason, f"{where}.rules"):
        name = rule.get("id")
        if not name or name in seen:
            _refuse(reason, "the rule's id is missing or used twice", f"{place}.id")
        seen.add(name)
        if not rule.get("user") and not rule.get("group"):
            _refuse(reason, "the rule has neither a user nor a group", place)
        if rule.get("group") and rule["group"] not in groups:
            _refuse(reason, "the rule's group is not listed", f"{place}.group")
        if not isinstance(rule.get("path"), Mapping):
            _refuse(reason, "the rule has no path", f"{place}.path")
        if rule.get("action") not in _ACTIONS:
            _refuse(reason, "the rule has no action: PERMIT or DENY", f"{place}.action")
        if rule.get("mode") not in _MODES:
            _refuse(reason, "the rule has no mode: READ or WRITE", f"{place}.mode")


def check_credentials(credentials: JsonObject) -> None:
    """Judge the credentials.

    Raises:
        InvalidConfiguration: an entry names no account.
    """
    for kind, entries in (
        ("credentials", "credentials"),
        ("users", "policies"),
        ("passwords", "accounts"),
    ):
        requests = _objects(credentials.get(kind, []), "config-credentials", f"credentials.{kind}")
        for request, place in requests:
            where = f"{place}.{entries}"
            for entry, spot in _objects(request.get(entries, []), "config-credentials", where):
                if not isinstance(entry.get("account"), str) or not entry["account"]:
                    _refuse("config-credentials", "the entry names no account", f"{spot}.account")


def _check_entity(entity: Mapping[str, object], where: str) -> None:
    for kind in ("certificate_chain", "trust_bundle"):
        link: object = entity.get(kind)
        for depth in range(MAX_CHAIN + 1):
            if link is None:
                break
            if not isinstance(link, Mapping) or depth == MAX_CHAIN:
                _refuse("config-certz", "the certificate chain is empty", f"{where}.{kind}")
            _check_certificate(link.get("certificate"), f"{where}.{kind}.certificate")
            link = link.get("parent")
    if "authentication_policy" in entity:
        policy = entity["authentication_policy"]
        serialized = policy.get("serialized") if isinstance(policy, Mapping) else None
        if not isinstance(serialized, Mapping) or not _names_a_type(serialized):
            _refuse(
                "config-certz",
                "the authentication policy is empty",
                f"{where}.authentication_policy.serialized",
            )


def _names_a_type(serialized: Mapping[str, object]) -> bool:
    """Tell whether a ``google.protobuf.Any`` names what it holds and holds something."""
    url = serialized.get("@type", serialized.get("type_url"))
    if not isinstance(url, str) or not url.rpartition("/")[2]:
        return False
    if "type_url" in serialized:
        return bool(serialized.get("value"))
    return len(serialized) > 1


def _check_certificate(certificate: object, where: str) -> None:
    if not isinstance(certificate, Mapping):
        _refuse("config-certz", "there is no certificate", where)
    if certificate.get("cert_source"):
        return
    text = certificate.get("raw_certificate") or certificate.get("certificate")
    if not isinstance(text, str) or not text:
        _refuse("config-certz", "the certificate is empty", where)
    try:
        for der in parse_certificates(base64.b64decode(text, validate=True)):
            load_certificate(der)
    except (TrustError, binascii.Error) as error:
        raise InvalidConfiguration(
            "config-certz", "the certificate cannot be read", where=where
        ) from error


def _objects(value: object, reason: str, where: str) -> Iterator[tuple[Mapping[str, object], str]]:
    if not isinstance(value, list | tuple):
        _refuse(reason, "this is not a list", where)
    for number, item in enumerate(value):
        if not isinstance(item, Mapping):
            _refuse(reason, "this is not an object", f"{where}[{number}]")
        yield item, f"{where}[{number}]"


def _refuse(reason: str, detail: str, where: str) -> NoReturn:
    raise InvalidConfiguration(reason, detail, where=where)
