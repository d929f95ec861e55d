"""The stored server data (S5) in both forms, whatever stands around them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import WireError
from bootz.wire.server_data import (
    ZTP_CONTAINER,
    CardAction,
    ServerData,
    check_anchor_path,
    check_public_part,
    find_server_data,
    has_server_data,
    with_server_data,
    without_server_data,
    yang_text,
)

PATHS = st.builds(
    lambda root, pieces: root + "/".join(pieces),
    st.sampled_from(["/misc/", "/", "disk0:", "harddisk:/", "/disk0:/"]),
    st.lists(st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True), min_size=2, max_size=4),
)
HOSTS = st.ip_addresses().map(str) | st.from_regex(
    r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8}){0,3}", fullmatch=True
)
AROUND = st.lists(
    st.sampled_from(["hostname r1", "!", "interface X", " ip address dhcp", "{ no json", "}"]),
    max_size=4,
)
DATA = st.builds(
    ServerData, HOSTS, st.integers(1, 65535), st.just("") | PATHS, st.sampled_from(CardAction)
)


@given(DATA, AROUND, st.booleans())
def test_what_is_written_is_read_in_either_form(
    data: ServerData, around: list[str], as_json: bool
) -> None:
    lines = [*around, yang_text(data, None) if as_json else data.line, *around]
    text = "".join(f"{line}\r\n" for line in lines)
    wanted = data if as_json else ServerData(data.address, data.port, data.trust_anchor)
    assert find_server_data(text) == wanted
    assert wanted.uri.port == data.port
    assert has_server_data(text)
    left = without_server_data(text)
    assert find_server_data(left) is None
    assert not has_server_data(left)
    assert left.splitlines() == [*around, *around]


@given(DATA, st.sampled_from(["", "hostname x", '{"other:thing": {"a": 1}}', "{}\n"]))
def test_data_that_are_added_keep_the_form_of_the_configuration(
    data: ServerData, config: str
) -> None:
    text = with_server_data(config, data)
    found = find_server_data(text)
    assert found is not None
    assert (found.address, found.port, found.trust_anchor) == (
        *(data.address, data.port),
        data.trust_anchor,
    )
    assert ("ztp bootz-server" in text) is not config.startswith("{")
    if config.startswith("{"):
        assert {**json.loads(config), ZTP_CONTAINER: {"bootz-server": data.members}} == json.loads(
            text
        )


@given(
    st.text(alphabet=st.sampled_from('ztp bootz-server ip port 1.:/misc\n\t[]{}",0a'), max_size=80)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(WireError):
        find_server_data(text)
    has_server_data(text)
    without_server_data(text)


def test_of_several_the_last_counts_in_whatever_form() -> None:
    line = "ztp bootz-server ip 1.1.1.1 port 5000\n"
    document = yang_text(ServerData("2.2.2.2", 5000), None) + "\n"
    for text, address in ((line + document, "2.2.2.2"), (document + line, "1.1.1.1")):
        found = find_server_data(text)
        assert found is not None
        assert found.address == address


def server(**leaves: Any) -> dict[str, Any]:
    given = {"address": "1.1.1.1", "port": 5000, **leaves}
    return {"bootz-server": {name: value for name, value in given.items() if value is not None}}


def test_the_whole_module_is_read() -> None:
    container = {
        **server(**{"address": "Boot.Example", "trust-anchor": "/misc/disk1/ta.cert", "action": 0}),
        "bootz": {"bootz-interface": "MgmtEth0/RP0/CPU0/0", "bootz-vrf": "mgmt"},
    }
    text = json.dumps({ZTP_CONTAINER: container, "other:x": [1]}, indent=4)
    found = find_server_data(text)
    assert found == ServerData("boot.example", 5000, "/misc/disk1/ta.cert", CardAction.NONE)
    left = json.loads(without_server_data(text))
    assert left == {ZTP_CONTAINER: {"bootz": container["bootz"]}, "other:x": [1]}


@pytest.mark.parametrize(
    "container",
    [
        server(address=None),
        server(address=""),
        server(address=5),
        server(address="1.1.1"),
        server(address="a b"),
        server(address="a/b"),
        server(port=None),
        server(port=0),
        server(port=65536),
        server(port="5000"),
        server(port=True),
        server(port=5000.5),
        server(action=2),
        server(action=True),
        server(action="none"),
        server(**{"trust-anchor": 1}),
        server(**{"trust-anchor": "ta.cert"}),
        server(vrf="x"),
        {"bootz-server": []},
        {"bootz-server": None},
        {"secure-mode": True},
        {"bootz": {}},
        {"bootz": {"bootz-vrf": ""}},
        {"bootz": {"bootz-vrf": "v" * 33}},
        {"bootz": {"bootz-vrf": "v", "bootz-interface": 1}},
        [],
        "text",
    ],
)
def test_yang_data_that_a_router_would_refuse(container: Any) -> None:
    with pytest.raises(WireError) as refused:
        find_server_data(json.dumps({ZTP_CONTAINER: container}))
    assert refused.value.reason == "config-ztp-server"
    assert refused.value.where.startswith("vendor_config line 1")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"{ZTP_CONTAINER}": {{"bootz-server": {{"address": "a", "port": 1}}',
        f'{{"{ZTP_CONTAINER}": {{}}, "{ZTP_CONTAINER}": {{}}}}',
        f'{{"{ZTP_CONTAINER}": NaN}}',
        f'{{"{ZTP_CONTAINER}": ' + "[" * 100_000,
    ],
    ids=["cut", "twice", "nan", "deep"],
)
def test_json_that_is_none_is_refused_where_it_has_the_container(text: str) -> None:
    with pytest.raises(WireError, match="vendor_config line 2"):
        find_server_data("hostname x\n" + text)


@pytest.mark.parametrize(
    "path",
    [
        "ta.cert",
        "/",
        "/misc",
        "/misc/",
        "/misc//ta",
        "/misc/../state.json",
        "disk0:",
        "disk0:/..",
        "/a b",
        "/" + "x/" * 600 + "x",
        "/\N{LATIN SMALL LETTER A WITH ACUTE}",
        "-:/x",
    ],
)
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(WireError):
        check_anchor_path(path, "ta_file")


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("hostname x", True),
        ("ztp bootz-server ip 1.1.1.1 port 5000", True),
        ("ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /v more words", False),
        ("ZTP Bootz-Server IP 1.1.1.1 Port 5000", True),
        ("ZTP Bootz-Server IP 1.1.1.1 Port 5000 more words", False),
        ("ztp bootz-server word x ip 1.1.1.1 port 5000", False),
    ],
)
def test_what_is_not_public_in_a_line_is_not_judged(line: str, whole: bool) -> None:
    assert check_public_part(line, "x") is whole


@pytest.mark.parametrize(
    "line",
    [
        "ztp bootz-server",
        "ztp bootz-server ip 1.1.1.1",
        "ztp bootz-server ip 1.1.1.1 port",
        "ZTP Bootz-Server IP 1.1.1.1 Port 0",
        "ztp bootz-server ip 1.1.1.1 port 70000 more",
        "ztp bootz-server more ip 1.1.1 port 5000",
        "ztp bootz-server ip 1.1.1.1 port 5000 more trust-anchor x",
    ],
)
def test_what_is_public_in_a_line_is_judged(line: str) -> None:
    with pytest.raises(WireError):
        check_public_part(line, "x")


def test_upper_case_is_the_same_command() -> None:
    text = (
        "hostname a\nZTP bootz-server IP Boot.example PORT 5000 trust-anchor /misc/Disk1/ta.cert\n"
    )
    assert find_server_data(text) == ServerData("boot.example", 5000, "/misc/Disk1/ta.cert")
    assert has_server_data(text)
    assert without_server_data(text) == "hostname a\n"
