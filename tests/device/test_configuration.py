"""A configuration is judged whole: each artifact with what only its check refuses (W11)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pki import make_pair

from bootz.device.configuration import build_configuration
from bootz.device.openconfig import InvalidConfiguration
from bootz.model.bootstrap import BootConfig, BootstrapData, CertzProfile

ANCHOR = make_pair("trust anchor", ca=True).der
CERTIFICATE = base64.b64encode(ANCHOR).decode()
DATA = BootstrapData("SN1", ANCHOR, boot_config=BootConfig())


def refused(data: BootstrapData) -> tuple[str, str]:
    with pytest.raises(InvalidConfiguration) as caught:
        build_configuration(data)
    return caught.value.reason, caught.value.where


def with_boot(**members: Any) -> BootstrapData:
    return replace(DATA, boot_config=BootConfig(**members))


def test_an_empty_configuration_is_valid_and_a_missing_one_is_not() -> None:
    assert json.loads(build_configuration(DATA).document)["vendor"] == ""
    assert refused(replace(DATA, boot_config=None)) == ("config-missing", "boot_config")


def test_static_and_dynamic_parts_make_one() -> None:
    made = json.loads(
        build_configuration(
            with_boot(
                vendor_config=b"hostname r1",
                dynamic_vendor_config=b"banner x\n",
                oc_config=b'{"system":{"a":1}}',
                dynamic_oc_config=b'{"system":{"b":2}}',
                bootloader_config={"timeout": 3.0},
            )
        ).document
    )
    assert made["vendor"] == "hostname r1\nbanner x\n"
    assert made["openconfig"] == {"system": {"a": 1, "b": 2}}
    assert made["bootloader"] == {"timeout": 3.0}
    assert made["server_trust_cert"].startswith("-----BEGIN CERTIFICATE-----")


def test_the_same_data_make_the_same_digest() -> None:
    first = with_boot(bootloader_config={"a": 1.0, "b": 2.0})
    second = with_boot(bootloader_config={"b": 2.0, "a": 1.0})
    assert build_configuration(first) == build_configuration(second)
    assert build_configuration(first).sha256 != build_configuration(DATA).sha256


def test_a_script_is_recorded_by_its_digest() -> None:
    script = "#!/bin/sh\necho hello\n"
    made = build_configuration(with_boot(metadata={"pre-configuration-script": script}))
    assert made.script_sha256 == hashlib.sha256(script.encode()).hexdigest()


@pytest.mark.parametrize("script", ["", "echo", " #!/bin/sh", 5.0, ["#!/bin/sh"]])
def test_a_script_that_is_none_is_refused(script: object) -> None:
    data = with_boot(metadata={"pre-configuration-script": script})
    assert refused(data)[0] == "config-script"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"hostname r1\nx \xff", "vendor_config line 2"),
        (b"a\nb\nc\x00", "vendor_config line 3"),
        (b"\x1b[31m", "vendor_config line 1"),
    ],
)
def test_vendor_configuration_is_text(text: bytes, where: str) -> None:
    assert refused(with_boot(vendor_config=text)) == ("config-vendor", where)


def test_dynamic_configuration_is_judged_too() -> None:
    assert refused(with_boot(dynamic_vendor_config=b"\x00"))[0] == "config-vendor"
    assert refused(with_boot(dynamic_oc_config=b"["))[1] == "dynamic_oc_config"
    contradiction = with_boot(oc_config=b'{"a":1}', dynamic_oc_config=b'{"a":2}')
    assert refused(contradiction) == ("config-openconfig", "/a")


@pytest.mark.parametrize("text", ["a\nb", "\x00", "x" * 1025])
def test_a_password_hash_is_one_line(text: str) -> None:
    assert refused(replace(DATA, boot_password_hash=text))[0] == "config-password"


def entity(**members: object) -> tuple[CertzProfile, ...]:
    return (CertzProfile("one", {"entities": [{"version": "1", **members}]}),)


def bundle(**members: object) -> tuple[CertzProfile, ...]:
    return entity(trust_bundle={"certificate": members})


@pytest.mark.parametrize(
    "profiles",
    [
        (CertzProfile("", {}),),
        (CertzProfile("system_default_profile", {}),),
        (CertzProfile("one", {}), CertzProfile("one", {})),
        (CertzProfile("one", {"entities": "x"}),),
        (CertzProfile("one", {"entities": ["x"]}),),
        bundle(raw_certificate=""),
        bundle(raw_certificate="no base64!"),
        bundle(raw_certificate=base64.b64encode(b"no certificate").decode()),
        entity(trust_bundle={}),
        entity(trust_bundle="x"),
        entity(certificate_chain={"certificate": {"raw_certificate": CERTIFICATE}, "parent": {}}),
        entity(authentication_policy={}),
        entity(authentication_policy={"serialized": {}}),
        entity(authentication_policy={"serialized": {"type_url": "x/policy", "value": ""}}),
        entity(authentication_policy={"serialized": {"type_url": "", "value": "AA=="}}),
        entity(authentication_policy={"serialized": {"@type": "x/policy"}}),
    ],
)
def test_a_broken_certz_profile_is_refused(profiles: tuple[CertzProfile, ...]) -> None:
    assert refused(replace(DATA, certz_profiles=profiles))[0] == "config-certz"


@pytest.mark.parametrize(
    "profiles",
    [
        bundle(raw_certificate=CERTIFICATE),
        bundle(certificate=CERTIFICATE),
        entity(certificate_chain={"certificate": {"cert_source": "CERT_SOURCE_IDEVID"}}),
        entity(authentication_policy={"serialized": {"type_url": "x/policy", "value": "AA=="}}),
        entity(authentication_policy={"serialized": {"@type": "x/policy", "a": 1}}),
        (),
    ],
)
def test_a_whole_certz_profile_is_taken(profiles: tuple[CertzProfile, ...]) -> None:
    made = json.loads(build_configuration(replace(DATA, certz_profiles=profiles)).document)
    assert list(made["certz_profiles"]) == [profile.ssl_profile_id for profile in profiles]


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"name":"x"}',
        '{"name":"","allow_rules":[]}',
        '{"name":"x","allow_rules":{}}',
        '{"name":"x","allow_rules":[{}]}',
        '{"name":"x","allow_rules":[],"deny_rules":[{"name":""}]}',
        '{"name":"x","name":"y","allow_rules":[]}',
    ],
)
def test_a_broken_authz_policy_is_refused(policy: str) -> None:
    assert refused(replace(DATA, authz={"policy": policy}))[0] == "config-authz"


def test_a_whole_authz_policy_is_taken() -> None:
    policy = '{"name":"x","allow_rules":[{"name":"all"}]}'
    built = build_configuration(replace(DATA, authz={"version": "1", "policy": policy}))
    assert json.loads(built.document)["authz"] == {"version": "1", "policy": policy}


RULE = {
    "id": "one",
    "group": "admins",
    "path": {"elem": []},
    "action": "ACTION_PERMIT",
    "mode": "MODE_READ",
}


def pathz(**changes: object) -> BootstrapData:
    rule = {name: value for name, value in {**RULE, **changes}.items() if value is not None}
    return replace(DATA, pathz={"policy": {"rules": [rule], "groups": [{"name": "admins"}]}})


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"group": None},
        {"group": "others"},
        {"path": None},
        {"action": None},
        {"action": "ACTION_UNSPECIFIED"},
        {"mode": "MODE_UNSPECIFIED"},
    ],
)
def test_a_broken_pathz_rule_is_refused(change: dict[str, object]) -> None:
    build_configuration(pathz())
    assert refused(pathz(**change))[0] == "config-pathz"


def test_a_pathz_policy_has_each_rule_once_and_is_there() -> None:
    twice = {"policy": {"rules": [RULE, RULE], "groups": [{"name": "admins"}]}}
    assert refused(replace(DATA, pathz=twice))[0] == "config-pathz"
    assert refused(replace(DATA, pathz={"version": "1"}))[0] == "config-pathz"


def test_an_artifact_that_is_there_and_empty_asks_for_nothing() -> None:
    empty = replace(DATA, pathz={}, authz={}, credentials={}, certz_profiles=())
    built = json.loads(build_configuration(empty).document)
    assert [built[name] for name in ("pathz", "authz", "credentials")] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("kind", "entries"),
    [("credentials", "credentials"), ("users", "policies"), ("passwords", "accounts")],
)
def test_credentials_name_their_accounts(kind: str, entries: str) -> None:
    good = {kind: [{entries: [{"account": "admin"}]}]}
    build_configuration(replace(DATA, credentials=good))
    for bad in ({}, {"account": ""}):
        data = replace(DATA, credentials={kind: [{entries: [bad]}]})
        assert refused(data)[0] == "config-credentials"


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_make_a_configuration_or_are_refused(vendor: bytes, openconfig: bytes) -> None:
    try:
        made = build_configuration(with_boot(vendor_config=vendor, oc_config=openconfig))
    except InvalidConfiguration:
        return
    assert json.loads(made.document)["vendor"].rstrip("\n") == vendor.decode().rstrip("\n")
