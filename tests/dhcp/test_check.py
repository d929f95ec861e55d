"""The mistakes that make a turn-up fail are found in each server's configuration, and no others."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dhcp.kea import U1, config4, config6
from dhcp.plans import FIRST, SECOND, device, plan
from hypothesis import given
from hypothesis import strategies as st

from bootz.cli.main import run
from bootz.dhcp.lint import check_scopes
from bootz.dhcp.read_dnsmasq import read_dnsmasq
from bootz.dhcp.read_isc import read_isc
from bootz.dhcp.read_kea import read_kea
from bootz.dhcp.records import DhcpPlan, check_plan
from bootz.dhcp.render_kea import render_kea
from bootz.dhcp.render_text import render_dnsmasq, render_isc
from bootz.dhcp.scopes import Scope
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family
from bootz.wire.redirect import RedirectShape
from bootz.wire.uri import parse_bootz_uri

KNOWN = plan()
MAC = "02:aa:00:00:00:10"


def codes(scopes: list[Scope], known: DhcpPlan | None = None) -> set[str]:
    return {finding.code for finding in check_scopes(scopes, known, {})}


def kea4(reservation: dict[str, Any] | None = None, **more: Any) -> list[Scope]:
    rows = (
        []
        if reservation is None
        else [{"hw-address": MAC, "ip-address": "10.0.0.12"} | reservation]
    )
    return read_kea(json.dumps(config4(Path("/x"), rows, **more)))


def hex143(data: str) -> dict[str, Any]:
    return {"option-data": [{"code": 143, "csv-format": False, "data": data}]}


def framed(uri: str) -> str:
    return len(uri).to_bytes(2, "big").hex() + uri.encode().hex()


def test_what_is_rendered_has_no_mistakes() -> None:
    assert check_plan(KNOWN) == ()
    for family in Family:
        scopes = read_kea(json.dumps(render_kea(KNOWN, family), indent=1))
        assert codes(scopes, KNOWN) == set()
        assert codes(read_isc(render_isc(KNOWN, family)), KNOWN) == set()
    assert codes(read_dnsmasq(render_dnsmasq(KNOWN)), KNOWN) == set()


def test_text_is_rendered_for_a_marked_platform_alone_and_found_elsewhere() -> None:
    marked = plan(device(shape=RedirectShape.TEXT))
    (row, *_) = [s for s in read_kea(json.dumps(render_kea(marked, Family.IPV4))) if s.clients]
    assert row.redirect == f"{FIRST},{SECOND}".encode()
    assert codes([row], marked) <= {"device-missing"}
    assert "text-redirect" in codes([row], plan(device()))
    framed_row = [
        s for s in read_kea(json.dumps(render_kea(plan(device()), Family.IPV4))) if s.clients
    ]
    assert "framed-redirect" in codes(framed_row, marked)


TWO = {"option-data": [{"name": "domain-name-servers", "data": "10.0.0.53, 10.0.0.54"}]}


def redirects(count: int, length: int) -> dict[str, Any]:
    return hex143("".join(framed(f"bootz://10.0.0.{n}/{'x' * length}") for n in range(count)))


def defined(kind: str, **more: Any) -> dict[str, Any]:
    row = {"name": "r", "code": 143, "type": kind, **more}
    return {"option-def": [row], "option-data": [{"name": "r", "data": str(FIRST)}]}


DOUBLED = "bootz://h.example/bootz.Bootstrap/GetBootstrapData"
POOL = {"client-classes": [], "subnet4": [{"pools": [{"pool": "x"}]}]}
OPEN6 = config6(Path("/x"), [], **{"client-classes": []})
ISC6 = "subnet6 2001:db8::/64 { option dhcp6.name-servers 2001:db8::1, 2001:db8::2; }"
ISC4 = 'option b code 143 = text; host r { option b "bootz://10.0.0.1:15006"; }'
DNS6 = "dhcp-option=option6:dns-server,[2001:db8::1],[2001:db8::2]"


@pytest.mark.parametrize(
    ("scopes", "code"),
    [
        (kea4(hex143(U1[4:])), "text-redirect"),
        (kea4(hex143("16" + U1[4:])), "u8-redirect"),
        (kea4(hex143("0016")), "bad-redirect"),
        (kea4(hex143(U1 + "00")), "bad-entry"),
        (kea4(hex143(framed(DOUBLED))), "path-doubled"),
        (kea4(hex143(framed("bootz://10.0.0.1/grpc"))), "has-path"),
        (kea4(redirects(6, 40)), "will-be-cut"),
        (kea4(redirects(12, 100)), "too-large"),
        (kea4(hex143("zz")), "not-evaluated"),
        (kea4({**hex143(U1), "boot-file-name": "x.bin"}), "boot-file-beside"),
        (kea4(hex143(U1), **{"boot-file-name": "x.bin"}), "boot-file-beside"),
        (kea4(hex143(U1), **{"option-data": [{"code": 67, "data": "x.bin"}]}), "boot-file-beside"),
        (kea4(None, **TWO), "several-name-servers"),
        (kea4(TWO), "several-name-servers"),
        (kea4(None, **{"client-classes": [{"name": "c", **TWO}]}), "several-name-servers"),
        (kea4(None, **POOL), "strangers-served"),
        (
            kea4(None, **defined("tuple", array=True)),
            "u8-redirect",
        ),
        (
            kea4(None, **defined("string")),
            "text-redirect",
        ),
        (kea4(None, **defined("string")), "option-definition"),
        (read_kea(json.dumps(OPEN6)), "strangers-served"),
        (read_isc(ISC4), "text-redirect"),
        (
            read_isc(
                "option dhcp6.bootstrap-servers code 136 = text;\n"
                'option dhcp6.bootstrap-servers "bootz://[2001:db8::1]:15006";'
            ),
            "text-redirect",
        ),
        (read_isc("option domain-name-servers 10.0.0.53, 10.0.0.54;"), "several-name-servers"),
        (read_isc(ISC6), "several-name-servers"),
        (
            read_isc(
                'filename "x"; option b code 143 = string;\n'
                'host r { option b = concat(encode-int(22,16),"bootz://10.0.0.1:15006"); }'
            ),
            "boot-file-beside",
        ),
        (read_isc("option b code 143 = string; option b = lcase(x);"), "not-evaluated"),
        (read_isc("subnet 10.0.0.0 netmask 255.255.255.0 { }"), "strangers-served"),
        (read_dnsmasq('dhcp-option=tag:r,143,"bootz://10.0.0.1:15006"'), "text-redirect"),
        (read_dnsmasq("dhcp-option=option:dns-server,10.0.0.53,10.0.0.54"), "several-name-servers"),
        (read_dnsmasq(DNS6), "several-name-servers"),
        (read_dnsmasq("dhcp-boot=x.bin\ndhcp-option=143,00:16:62"), "boot-file-beside"),
        (read_dnsmasq("dhcp-range=10.0.0.10,10.0.0.20"), "strangers-served"),
    ],
)
def test_each_mistake_is_found(scopes: list[Scope], code: str) -> None:
    found = [each for each in check_scopes(scopes, None, {}) if each.code == code]
    assert found
    assert found[0].where
    assert found[0].remedy


def test_a_good_reservation_is_clean_in_every_form() -> None:
    colons = bytes.fromhex(U1).hex(":")
    for scopes in (
        kea4(hex143(U1)),
        kea4(hex143(colons)),
        read_isc(
            f"deny unknown-clients; option b code 143 = string; host r {{ option b {colons}; }}"
        ),
        read_dnsmasq(f"dhcp-ignore=tag:!known\ndhcp-option=tag:r,143,{colons}"),
    ):
        assert codes(scopes) == set()


def test_a_name_needs_a_name_server_around_it() -> None:
    redirect = hex143(framed("bootz://server.example"))
    assert "name-without-server" not in codes(kea4(redirect))
    without = config4(Path("/x"), [{"hw-address": MAC, **redirect}])
    without["Dhcp4"]["subnet4"][0]["option-data"].pop()
    assert "name-without-server" in codes(read_kea(json.dumps(without)))


def test_unknown_clients_missing_devices_and_dead_servers() -> None:
    stranger = kea4({"hw-address": "02:00:00:00:99:99", **hex143(U1)})
    assert {"unknown-client", "device-missing"} <= codes(stranger, KNOWN)
    assert "no-redirect" in codes(kea4({}), KNOWN)
    dead = check_scopes(kea4(hex143(U1)), None, {FIRST: "Connection refused"})
    assert [(each.code, each.detail) for each in dead] == [
        ("unreachable", f"{FIRST}: Connection refused")
    ]


def test_comments_and_trailing_commas_are_kea_s() -> None:
    text = json.dumps(config4(Path("/x"), [{"hw-address": MAC, **hex143(U1)}]), indent=1)
    text = "// first\n# second\n/* third\n */" + text.replace('"id": 1,', '"id": 1, // "x": {')
    text = text.replace("]", ", /* last */ ]", 1)
    assert codes(read_kea(text)) == set()
    assert "not-evaluated" in codes(read_kea('<?include "x"?>{"Dhcp4": {}}'))


@pytest.mark.parametrize(
    ("read", "text", "where"),
    [
        (read_kea, '{\n"Dhcp4": {\n', "line"),
        (read_kea, "[]", "document"),
        (read_kea, "{}", "document"),
        (read_kea, "[" * 100000, "document"),
        (read_isc, "subnet {", "end"),
        (read_isc, "\n}", "line 2"),
        (read_isc, 'a "b', "line 1"),
        (read_isc, "{" * 100, "line 1"),
        (read_isc, "option x code nine = text;", "line 1"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(read: Any, text: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.reason == "dhcp-config-unreadable"
    assert where in caught.value.where


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["143", "tuple", "x,y", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "option-data",
                    "option-def",
                    "code",
                    "name",
                    "data",
                    "subnet4",
                    "reservations",
                    "pools",
                    "shared-networks",
                    "client-classes",
                    "csv-format",
                    "type",
                    "hw-address",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


WORDS = st.sampled_from(
    ["option ", "x ", "code ", "143", " = ", "text;", "{", "}", ";", '"b"', "encode-int", "(", ","]
)


@given(JSON, st.text(max_size=80), st.lists(WORDS, max_size=20))
def test_hostile_configurations_are_read_or_refused(
    value: Any, text: str, words: list[str]
) -> None:
    for read, given_text in (
        (read_kea, json.dumps({"Dhcp4": value})),
        (read_kea, text),
        (read_isc, text),
        (read_isc, "".join(words)),
        (read_dnsmasq, "dhcp-option=" + text),
        (read_dnsmasq, "dhcp-host=" + text),
    ):
        with contextlib.suppress(ConfigError):
            check_scopes(read(given_text), KNOWN, {})


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


def test_the_command_says_what_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        alive = f"bootz://127.0.0.1:{listening.getsockname()[1]}"
        path = tmp_path / "kea.conf"
        rows = [{"hw-address": MAC, **hex143(framed(alive) + framed("bootz://127.0.0.1:1"))}]
        path.write_text(json.dumps(config4(tmp_path, rows)))
        assert run(["dhcp", "check", str(path), "--no-inventory", "--output", "json"]) == 1
        (finding,) = json.loads(capsys.readouterr().out)
        assert (finding["code"], finding["severity"]) == ("unreachable", "error")
        assert "127.0.0.1:1" in finding["detail"]
        assert run(["dhcp", "check", str(path), "--no-inventory", "--no-connect"]) == 0
        assert "no problem found" in capsys.readouterr().err
