"""The mistakes that make a turn-up fail are found in each server's configuration, and no others."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
from dhcp.checked import MAC, check, codes, dnsmasq, errors, framed, isc, kea4, kea6, option
from dhcp.kea import U1, U2, config4
from dhcp.plans import FIRST, MODULAR, SECOND, device, plan
from hypothesis import given
from hypothesis import strategies as st

from bootz.dhcp.check.checking import check_models, uris_of
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.findings import Severity
from bootz.dhcp.check.forms import READERS, form_of
from bootz.dhcp.records import DhcpCard, DhcpPlan, check_plan
from bootz.dhcp.render_kea import render_kea
from bootz.dhcp.render_text import render_dnsmasq, render_isc
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import parse_mac
from bootz.wire.redirect import RedirectShape
from bootz.wire.uri import parse_bootz_uri

KNOWN = plan()
COLONS = bytes.fromhex(U1).hex(":")


def test_what_is_rendered_has_no_mistakes() -> None:
    assert check_plan(KNOWN) == ()
    for family in Family:
        text = json.dumps(render_kea(KNOWN, family, interface="eth1"), indent=1)
        assert check("kea", text, KNOWN) == ()
        # Without an inventory it is not known which DUIDs belong to a MAC address.
        assert codes(check("kea", text)) <= {"not-evaluated"}
        assert check("isc", render_isc(KNOWN, family), KNOWN) == ()
        assert codes(check("isc", render_isc(KNOWN, family))) <= {"not-evaluated"}


def test_what_is_rendered_for_dnsmasq_names_the_card_that_it_cannot_know() -> None:
    # One client-id of an address: the second card of a modular router needs its MAC address.
    (found,) = check("dnsmasq", render_dnsmasq(KNOWN), KNOWN)
    assert (found.code, found.severity) == ("not-served", Severity.ERROR)
    assert "card RP1" in found.detail
    both = plan(device(), replace(MODULAR, cards=MODULAR.cards[:1]))
    assert check("dnsmasq", render_dnsmasq(both), both) == ()


def test_only_routers_behind_a_relay_are_served_without_an_interface() -> None:
    found = check("kea", json.dumps(render_kea(KNOWN, Family.IPV6)), KNOWN)
    assert codes(found) == {"not-evaluated"}
    assert "no interface" in found[0].detail


TEXT = [RedirectShape.TEXT, None, RedirectShape.RFC8572]


@pytest.mark.parametrize("shape", [RedirectShape.TEXT, RedirectShape.RFC8572])
@pytest.mark.parametrize("mark", TEXT)
def test_the_mark_of_the_platform_decides_on_the_form(
    shape: RedirectShape, mark: RedirectShape | None
) -> None:
    """Which devices read bare text, only the mark tells; without one it is a warning."""
    text = json.dumps(render_kea(plan(device(mark=shape)), Family.IPV4))
    found = check("kea", text, plan(device(mark=mark)))
    if mark is shape or (mark is None and shape is RedirectShape.RFC8572):
        assert found == ()
    elif mark is None:
        (finding,) = found
        assert (finding.code, finding.severity) == ("text-redirect", Severity.WARNING)
        assert "no mark says whether FOC12345678 (r1) can" in finding.detail
        assert "--redirect-shape" in finding.remedy
    else:
        code = "text-redirect" if shape is RedirectShape.TEXT else "framed-redirect"
        assert errors(found) == {code}
        assert f"marked {mark.value}" in found[0].detail


def test_a_text_option_names_which_devices_read_it() -> None:
    text = (
        "option dhcp6.bootstrap-servers code 136 = text;\n"
        "subnet6 2001:db8::/64 {\n"
        ' option dhcp6.bootstrap-servers "bootz://[2001:db8::1]:15006"; }\n'
        "host a { host-identifier option dhcp6.client-id 00:01; fixed-address6 2001:db8::12; }\n"
        "host b { host-identifier option dhcp6.client-id 00:02; fixed-address6 2001:db8::13; }\n"
    )
    (alone,) = check("isc", text)
    assert (alone.code, alone.severity) == ("text-redirect", Severity.WARNING)
    assert "RFC 8572" in alone.remedy
    old = device("old", 12, cards=(DhcpCard("OLD", duid=b"\0\1"),), mark=RedirectShape.TEXT)
    new = device("new", 13, cards=(DhcpCard("NEW", duid=b"\0\2"),))
    (both,) = check("isc", text, plan(old, new))
    assert "OLD (old) read it (marked text)" in both.detail
    assert "no mark says whether NEW (new) can" in both.detail
    assert check("isc", text, plan(old, replace(new, mark=RedirectShape.TEXT))) == ()
    marked = check("isc", text, plan(old, replace(new, mark=RedirectShape.RFC8572)))
    assert errors(marked) == {"text-redirect"}


SERVERS = {"name": "domain-name-servers", "data": "10.0.0.53, 10.0.0.54"}
TWO = {"option-data": [SERVERS]}


def redirects(count: int, length: int) -> dict[str, Any]:
    return option(framed(*[f"bootz://10.0.0.{n}/{'x' * length}" for n in range(count)]))


def defined(kind: str, data: str, **more: Any) -> dict[str, Any]:
    row = {"name": "r", "code": 143, "type": kind, **more}
    return {"option-def": [row], "option-data": [{"name": "r", "data": data}]}


DOUBLED = "bootz://10.0.0.1/bootz.Bootstrap/GetBootstrapData"
OPEN = {"client-classes": None}
POOL = {"subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.64/26"}], **option(U1)}
NO_DNS = {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "reservations": [
    {"hw-address": MAC, "ip-address": "10.0.0.12", **option(framed("bootz://server.example"))}
]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text", "code"),
    [
        ("kea", kea4(option(U1[4:])), "text-redirect"),
        ("kea", kea4(option("16" + U1[4:])), "u8-redirect"),
        ("kea", kea4(option("0016")), "bad-redirect"),
        ("kea", kea4(option(U1 + "00")), "bad-entry"),
        ("kea", kea4(option(framed(DOUBLED))), "path-doubled"),
        ("kea", kea4(option(framed("bootz://10.0.0.1/grpc"))), "has-path"),
        ("kea", kea4(redirects(6, 40)), "will-be-cut"),
        ("kea", kea4(redirects(11, 90)), "too-large"),
        ("kea", kea4({**option(U1), "boot-file-name": "x.bin"}), "boot-file-beside"),
        ("kea", kea4(option(U1), **{"boot-file-name": "x.bin"}), "boot-file-beside"),
        ("kea", kea4({"option-data": [option(U1)["option-data"][0], SERVERS]}),
         "several-name-servers"),
        ("kea", kea4(None, **OPEN, subnet4=[POOL]), "strangers-served"),
        ("kea", kea4({}), "no-redirect"),
        ("kea", kea4({}, **defined("tuple", str(FIRST), array=True)), "u8-redirect"),
        ("kea", kea4({}, **defined("string", str(FIRST))), "text-redirect"),
        ("kea", kea4({}, **defined("string", str(FIRST))), "option-definition"),
        ("kea", kea4(None, **NO_DNS), "name-without-server"),
        ("isc", isc('option sztp "bootz://10.0.0.1:15006";'), "text-redirect"),
        ("isc", isc(f"option sztp {COLONS}; option domain-name-servers 10.0.0.5, 10.0.0.6;"),
         "several-name-servers"),
        ("isc", isc(f'filename "x"; option sztp {COLONS};'), "boot-file-beside"),
        ("isc", isc("option sztp = lcase(option host-name);"), "not-evaluated"),
        ("isc", "subnet 10.0.0.0 netmask 255.255.255.0 { }", "serves-no-router"),
        ("isc", isc(f"option sztp {COLONS};", before="allow unknown-clients;",
                    subnet="range 10.0.0.50 10.0.0.60;"), "strangers-served"),
        ("dnsmasq", dnsmasq('dhcp-option=tag:r,143,"bootz://10.0.0.1:15006"'), "text-redirect"),
        ("dnsmasq", dnsmasq(f"dhcp-option=143,{COLONS}",
                            "dhcp-option=option:dns-server,10.0.0.53,10.0.0.54"),
         "several-name-servers"),
        ("dnsmasq", dnsmasq("dhcp-boot=x.bin", f"dhcp-option=143,{COLONS}"), "boot-file-beside"),
        ("dnsmasq", f"dhcp-range=10.0.0.10,10.0.0.20\ndhcp-option=143,{COLONS}",
         "strangers-served"),
    ],
)  # fmt: skip
def test_each_mistake_is_found(form: str, text: str, code: str) -> None:
    found = [each for each in check(form, text) if each.code == code]
    assert found
    assert found[0].where
    assert found[0].remedy


NOBODY = {
    "an empty object": ("kea", '{"Dhcp4": {}}', "refused"),
    "no subnet": ("kea", '{"Dhcp4": {"valid-lifetime": 1}}', "serves-no-router"),
    "an empty file": ("isc", "", "serves-no-router"),
    "nothing of DHCP": ("dnsmasq", "domain-needed\n", "serves-no-router"),
    "only comments": ("dnsmasq", "# nothing\n", "serves-no-router"),
    "no reservation and no pool": ("kea", kea4(None), "serves-no-router"),
    "a pool without a list": (
        "kea",
        kea4(
            None, **OPEN, subnet4=[{"subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.64/26"}]}]
        ),
        "no-redirect",
    ),
}


@pytest.mark.parametrize(("form", "text", "code"), NOBODY.values(), ids=NOBODY.keys())
def test_what_serves_nobody_is_an_error(form: str, text: str, code: str) -> None:
    assert code in errors(check(form, text))


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_what_is_no_configuration_of_kea_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check("kea", text)
    assert caught.value.reason == "dhcp-config-unreadable"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("kea", kea4(option(U1))),
        ("kea", kea4(option(COLONS))),
        ("kea", kea4({}, **option(U1))),
        # Nearer to the router there is one name-server, and farther away there are two.
        ("kea", kea4(option(U1), **TWO)),
        ("isc", isc(f"option sztp {COLONS};")),
        ("isc", isc(before=f"option sztp {COLONS};")),
        ("isc", isc('option sztp = concat(encode-int(22,16), "bootz://10.0.0.1:15006");')),
        ("dnsmasq", dnsmasq(f"dhcp-option=tag:r,143,{COLONS}")),
        ("dnsmasq", dnsmasq(f"dhcp-option=143,{COLONS}")),
        ("dnsmasq", dnsmasq(f"dhcp-option=tag:!other,143,{COLONS}", "tag-if=set:other,tag:!known")),
    ],
)
def test_what_serves_its_router_is_clean(form: str, text: str) -> None:
    assert check(form, text) == ()


def test_a_name_needs_a_name_server() -> None:
    redirect = option(framed("bootz://server.example"))
    assert check("kea", kea4(redirect)) == ()
    mixed = option(framed("bootz://10.0.0.1:15006", "bootz://server.example"))
    alone = json.loads(kea4(mixed))
    alone["Dhcp4"]["subnet4"][0]["option-data"].pop()
    (found,) = check("kea", json.dumps(alone))
    # The other entry leads somewhere.
    assert (found.code, found.severity) == ("name-without-server", Severity.WARNING)


def test_routers_on_record_are_told_apart_from_other_clients() -> None:
    printer = {"hw-address": "02:00:00:00:99:99", "ip-address": "10.0.0.99", "hostname": "printer"}
    good = {"hw-address": MAC, "ip-address": "10.0.0.12", **option(U1)}
    text = json.dumps(config4(Path("/x"), [good, printer]))
    known = plan(device(ipv6=None))
    assert codes(check("kea", text, known)) == {"unknown-client"}
    (alone,) = check("kea", text)
    assert (alone.code, alone.severity) == ("host-without-redirect", Severity.WARNING)
    assert "hw-address 020000009999" in alone.where


def test_devices_that_this_server_is_not_for_are_told() -> None:
    far = device("far", cards=(DhcpCard("FAR"),), ipv4=ip_interface("10.77.0.1/24"), ipv6=None)
    found = check("kea", kea4(option(U1)), plan(device(), far))
    assert [(each.code, "FAR (far)" in each.detail) for each in found] == [("device-missing", True)]
    near = replace(far, ipv4=ip_interface("10.0.0.77/24"))
    assert errors(check("kea", kea4(option(U1)), plan(device(), near))) == {"not-served"}


def test_a_router_without_a_mac_address_on_record_may_be_the_one_that_is_reserved() -> None:
    unnamed = plan(device(cards=(DhcpCard("FOC12345678"),)))
    found = check("kea", kea4(option(U1)), unnamed)
    assert codes(found) == {"unknown-client", "not-evaluated"}
    assert "is that of FOC12345678 (r1)" in str(found)
    elsewhere = kea4({**option(U1), "ip-address": "10.0.0.99"})
    assert errors(check("kea", elsewhere, unnamed)) == {"not-served"}


def test_a_router_may_add_a_nul_to_its_duid() -> None:
    one = plan(device(ipv4=None))
    row = {"ip-addresses": ["2001:db8::12"], **option(U2, 136)}
    serial = "00:02:00:00:00:09:46:4f:43:31:32:33:34:35:36:37:38"
    found = check("kea", kea6({**row, "duid": serial}), one)
    assert codes(found) == {"not-evaluated"}
    assert "sends DUID" in found[0].detail
    both = json.loads(kea6({**row, "duid": serial}))
    rows = both["Dhcp6"]["subnet6"][0]["reservations"]
    rows.append({**rows[0], "duid": f"{serial}:00"})
    assert check("kea", json.dumps(both), one) == ()


def test_dead_servers_are_told() -> None:
    text = kea4(option(framed("bootz://10.0.0.1:15006", "bootz://[2001:db8::1]:15006")))
    models = READERS["kea"](text.encode(), Files(Path("/")))
    assert set(uris_of(models, None)) == {FIRST, SECOND}
    (one,) = check_models(models, None, {FIRST: "Connection refused"})
    assert (one.code, one.severity) == ("unreachable", Severity.WARNING)
    assert one.detail == f"{FIRST}: Connection refused"
    dead = check_models(models, None, {FIRST: "Connection refused", SECOND: "Connection refused"})
    assert [each.severity for each in dead] == [Severity.ERROR, Severity.ERROR]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{}", "kea"),
        ("// a comment\n# one more\n/* and\none */ {", "kea"),
        ('<?include "x"?>', "kea"),
        ("# a comment\ndhcp-range=10.0.0.0,static\n", "dnsmasq"),
        ("domain-needed\n", "dnsmasq"),
        ("# a comment\nsubnet 10.0.0.0 netmask 255.255.255.0 { }", "isc"),
        ("", "isc"),
    ],
)
def test_the_form_of_a_file_is_told_by_its_look(text: str, form: str) -> None:
    assert form_of(text.encode()) == form


KEYS = re.findall(
    r"\S+",
    """
    option-data option-def code name data subnet4 subnet reservations pools pool id
    shared-networks client-classes csv-format type hw-address test client-class
    interfaces-config interfaces ip-address space record-types array
    """,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["143", "tuple", "x,y", "", U1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        option x code 143 = text ; { } "b" encode-int ( ) , if known else and not exists
        class match subclass host hardware ethernet 02:aa:00:00:00:10 fixed-address 10.0.0.12
        subnet 10.0.0.0 netmask 255.255.255.0 pool range 10.0.0.5 deny unknown-clients
        include
        """,
    )
)
LINES = st.lists(
    st.builds(
        lambda key, parts: f"{key}={','.join(parts)}",
        st.sampled_from(["dhcp-host", "dhcp-option", "dhcp-range", "dhcp-match", "tag-if", "x"]),
        st.lists(
            st.sampled_from(
                [
                    "tag:r",
                    "set:r",
                    "143",
                    "option6:136",
                    "00:16",
                    "10.0.0.0",
                    "static",
                    "*",
                    "",
                    "[::]",
                ]
            )
            | st.text(max_size=6),
            max_size=5,
        ),
    ),
    max_size=6,
)


@given(JSON, st.text(max_size=80), st.lists(WORDS, max_size=25), LINES)
def test_hostile_configurations_are_read_or_refused(
    value: Any, text: str, words: list[str], lines: list[str]
) -> None:
    for form, given_text in (
        ("kea", json.dumps({"Dhcp4": value})),
        ("kea", json.dumps({"Dhcp6": value})),
        ("kea", text),
        ("isc", text),
        ("isc", " ".join(words)),
        ("dnsmasq", text),
        ("dnsmasq", "dhcp-option=" + text),
        ("dnsmasq", "\n".join(lines)),
    ):
        for known in (KNOWN, None):
            with contextlib.suppress(ConfigError):
                check(form, given_text.encode("utf-8", "surrogatepass"), known)


BAD_PLANS = {
    "twice an address": plan(device(), device("r3", cards=device("x").cards[:0])),
    "a card twice": plan(device(), device("r3", 20)),
    "no uri": plan(device(uris4=())),
    "a name without name-server": replace(
        plan(device(uris4=(parse_bootz_uri("bootz://h.example"),))), subnets=()
    ),
    "too large": plan(
        device(uris4=tuple(parse_bootz_uri(f"bootz://10.0.0.{n}/{'x' * 99}") for n in range(12)))
    ),
}


@pytest.mark.parametrize("bad", BAD_PLANS.values(), ids=BAD_PLANS.keys())
def test_what_would_kill_a_turn_up_is_not_rendered(bad: DhcpPlan) -> None:
    with pytest.raises(ConfigError) as caught:
        check_plan(bad)
    assert caught.value.reason == "dhcp-plan-invalid"


def test_many_routers_are_told_by_their_number() -> None:
    devices = [
        device(f"r{n}", n, cards=(DhcpCard(f"S{n}", parse_mac(f"02:aa:00:00:01:{n:02x}")),))
        for n in range(20, 30)
    ]
    text = json.dumps(
        render_kea(plan(*[replace(d, mark=RedirectShape.TEXT) for d in devices]), Family.IPV4)
    )
    found = [each for each in check("kea", text, plan(*devices)) if each.code == "text-redirect"]
    assert len(found) == len(devices)
    shared = json.loads(kea4(None, **option(U1[4:])))
    shared["Dhcp4"]["subnet4"][0]["reservations"] = [
        {"hw-address": d.cards[0].mac.hex(":"), "ip-address": str(d.ipv4.ip) if d.ipv4 else ""}
        for d in devices
    ]
    (one,) = check("kea", json.dumps(shared), plan(*devices))
    assert "and 7 more" in one.detail


def test_global_reservations_that_no_subnet_looks_at_are_told() -> None:
    row = {"hw-address": MAC, "ip-address": "10.0.0.12", **option(U1)}

    def globally(text: str, **more: Any) -> str:
        config = json.loads(text)
        config["Dhcp4"] |= {"reservations": [row], **more}
        return json.dumps(config)

    (found,) = check("kea", globally(kea4(option(U1))))
    assert (found.code, found.severity) == ("host-without-redirect", Severity.WARNING)
    assert "reservations-global" in found.detail
    assert "serves-no-router" in errors(check("kea", globally(kea4(None))))
    assert check("kea", globally(kea4(None), **{"reservations-global": True})) == ()


def test_a_pattern_of_mac_addresses_is_judged_by_one_of_them() -> None:
    text = dnsmasq(f"dhcp-option=143,{COLONS}").replace(MAC, "02:aa:00:*:*:*")
    assert check("dnsmasq", text) == ()
    assert "not-served" not in errors(check("dnsmasq", text, plan(device(ipv6=None))))
